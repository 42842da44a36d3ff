"""`tui-dl service install|remove|status`: a session from boot on, by a systemd user unit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from tui_dl.cli.exits import CANNOT_START, DONE, SOME_FAILED
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import PlainCommand, log_options
from tui_dl.cli.service_unit import NAME, is_ours, unit_file, unit_text, write_unit
from tui_dl.cli.streams import is_terminal
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

ANSWER_S: Final = 120.0
"""How long systemd may take: it waits until a session has ended in order."""
_LINGER: Final = "loginctl enable-linger"


@click.group()
def service() -> None:
    """Keep a session from boot on, by a systemd user unit."""


@service.command(cls=PlainCommand)
@click.option("--print", "is_printing", is_flag=True, help="Print the unit, and do nothing.")
@click.option("--linger/--no-linger", "lingers", default=None, help="Go on after logout, and begin at boot. [ask]")
@log_options
def install(**given: Any) -> int:
    """Write the unit, enable it and start it.

    A session that runs already ends in order, and its downloads go on in that of the unit.
    """
    with logging_to(given["log_file"], given["verbose"]):
        text = unit_text(os.environ)
        if given["is_printing"]:
            click.echo(text, nl=False)
            return DONE
        _check_systemd()
        file = unit_file(os.environ)
        if is_ours(file) is False:
            raise UsageError(f"{_shown(file)} is not of our making; it stays as it is")
        write_unit(file, text)
        _say(f"Wrote {_shown(file)}.")
        for words in (("daemon-reload",), ("enable", "--now", NAME)):
            if not _systemctl(*words):
                _say(f"It is not enabled; where your user manager runs: systemctl --user enable --now {NAME}")
                return CANNOT_START
        _say("Enabled and started: downloads go on without a terminal; `tui-dl` shows them, as ever.")
        return _offer_linger(given["lingers"])


@service.command(cls=PlainCommand)
@log_options
def remove(**given: Any) -> int:
    """Stop and disable the unit, and delete it; queue and downloads stay.

    A unit that somebody else made, or changed the first line of, is left alone.
    """
    with logging_to(given["log_file"], given["verbose"]):
        file = unit_file(os.environ)
        owned = is_ours(file)
        if owned is None:
            _say("There is no unit to remove.")
            return DONE
        if not owned:
            raise UsageError(f"{_shown(file)} is not of our making; it stays as it is")
        if shutil.which("systemctl") is not None:
            _systemctl("disable", "--now", NAME)
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"{_shown(file)}: cannot be deleted: {error.strerror}") from None
        if shutil.which("systemctl") is not None:
            _systemctl("daemon-reload")
        _say(f"Removed {_shown(file)}. Lingering stays as it is: loginctl disable-linger ends it.")
        return DONE


@service.command(cls=PlainCommand)
@log_options
def status(**given: Any) -> int:
    """Say whether the unit is there, enabled and running, and what a logout does."""
    with logging_to(given["log_file"], given["verbose"]):
        file = unit_file(os.environ)
        owned = is_ours(file)
        words = {None: "not installed", True: _shown(file), False: f"{_shown(file)}, not of our making"}
        click.echo(f"unit     {words[owned]}")
        if shutil.which("systemctl") is None:
            click.echo("systemd  not here")
            return SOME_FAILED
        click.echo(f"enabled  {_answer('systemctl', '--user', 'is-enabled', NAME) or 'unknown'}")
        active = _answer("systemctl", "--user", "is-active", NAME)
        click.echo(f"running  {active or 'unknown'}")
        click.echo(f"linger   {_linger_words()}")
        return DONE if owned is not None and active == "active" else SOME_FAILED


def _check_systemd() -> None:
    if sys.platform == "darwin":
        raise UsageError("launchd is not supported yet; start `tui-dl add` or `tui-dl` from a login item instead")
    if shutil.which("systemctl") is None:
        raise UsageError("systemd is not here; a line of crontab does the same: @reboot tui-dl resume status:queued")


def _offer_linger(wanted: bool | None) -> int:
    """See to it that a logout does not end the unit; only with a person's word."""
    is_on = _is_lingering()
    if is_on or wanted is False:
        return DONE
    if wanted is None and is_terminal(sys.stdin) and is_terminal(sys.stderr):
        wanted = click.confirm(
            "At logout your services end, and they begin at login, not at boot. Change that (loginctl enable-linger)?",
            default=True,
            err=True,
        )
    if not wanted:
        _say(f"It ends at logout and begins at login; `{_LINGER}` lets it run from boot on.")
        return DONE
    if _ran("loginctl", "enable-linger"):
        _say("It goes on after logout, and begins at boot.")
        return DONE
    _say(f"Not allowed to change that; ask an administrator for: {_LINGER} {_user()}")
    return SOME_FAILED


def _is_lingering() -> bool | None:
    """Whether services of the person outlive a logout; None where nobody knows."""
    if shutil.which("loginctl") is None:
        return None
    answer = _answer("loginctl", "show-user", _user(), "--property=Linger")
    return {"Linger=yes": True, "Linger=no": False}.get(answer)


def _linger_words() -> str:
    words = {True: "on: it goes on after logout", False: f"off: it ends at logout ({_LINGER})", None: "unknown"}
    return words[_is_lingering()]


def _user() -> str:
    import pwd  # noqa: PLC0415  # no such thing on Windows

    return pwd.getpwuid(os.getuid()).pw_name


def _systemctl(*words: str) -> bool:
    return _ran("systemctl", "--user", *words)


def _ran(*words: str) -> bool:
    """Run a program and pass on what it complains of; return whether all was well."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=ANSWER_S, check=False)  # noqa: S603  # fixed words
    except (OSError, subprocess.TimeoutExpired) as error:
        _say(f"{words[0]}: {error}")
        return False
    if done.returncode:
        _say(f"{words[0]}: {(done.stderr or done.stdout).strip() or f'exit {done.returncode}'}")
    return not done.returncode


def _answer(*words: str) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=ANSWER_S, check=False)  # noqa: S603  # as above
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return display_text(done.stdout.strip())


def _shown(file: Path) -> str:
    return display_text(str(file))


def _say(text: str) -> None:
    for line in text.splitlines():
        click.echo(display_text(line), err=True)
