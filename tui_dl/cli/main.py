"""The command line: which command is meant, and which exit code an end has."""

from __future__ import annotations

import errno
import os
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

from tui_dl._version import __version__
from tui_dl.cli.catalogue import COMMANDS, SCREEN
from tui_dl.cli.exits import CANNOT_START, INTERRUPTED, SOME_FAILED, WRONG_USAGE, silence_closed_streams
from tui_dl.core.display_text import display_text, mask_secrets
from tui_dl.core.errors import FileSystemError, TuiDlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

RAW: Final = "ytdlp"
"""The command whose arguments are another program's, so that their order is left alone."""
_OPEN: Final = ("tui_dl.cli.open", "open_screen")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Faults of whatever standard output leads to, as nothing else comes to the border with them."""
_NO_START: Final = "Mend that and repeat the command, or set TUI_DL_HOME to another folder."
"""Way out where what we keep cannot be opened: other folders for downloads, and waiting, are in vain."""
_LEADING_FLAGS: Final = frozenset({"--verbose", "--foreground"})


class TuiDlGroup(click.Group):
    """Commands imported when they run; without a command's name the screen is meant."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's shape
        """Return the names that the help lists."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's shape
        """Import and return one command."""
        if cmd_name == SCREEN:
            return _imported(*_OPEN)
        return _imported(COMMANDS[cmd_name][0], cmd_name) if cmd_name in COMMANDS else None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the internal name of the screen before arguments that name no command."""
        return super().parse_args(ctx, route(args))


def route(args: Sequence[str]) -> list[str]:
    """Return the arguments with the command first: `-v get URL` means `get -v URL`, `URL` means the screen."""
    position = _first_word(args)
    word = args[position] if position < len(args) else None
    if word in COMMANDS:
        assert word is not None
        if word == RAW:
            if position:
                raise click.UsageError(f"options of {RAW} stand behind it: they are yt-dlp's")
            return list(args)
        return [word, *args[:position], *args[position + 1 :]]
    if word == "--version":
        return [word]
    if word is not None and not word.startswith("-"):
        _check_first_word(word)
    return [SCREEN, *args]


def _first_word(args: Sequence[str]) -> int:
    """Return where the options that belong to every command end."""
    position = 0
    while position < len(args):
        one = args[position]
        if one == "--log":
            position += 2
        elif one in _LEADING_FLAGS or one.startswith("--log=") or (one.startswith("-v") and set(one[1:]) == {"v"}):
            position += 1
        else:
            break
    return position


def _check_first_word(word: str) -> None:
    if "://" in word:
        return
    shown = display_text(word, 80)
    if word == "curl":
        raise click.UsageError("give a curl command whole, in quotes: --curl 'curl ...'; or from a pipe: --curl -")
    if word.lower().endswith((".meta4", ".metalink")):
        if os.path.lexists(word):
            return
        raise click.UsageError(f"{shown}: no such Metalink file")
    near = get_close_matches(word, COMMANDS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "addresses begin with https:// or http://"
    raise click.UsageError(f"{shown!r} is neither a command nor an address; {hint}")


def _imported(module: str, name: str) -> click.Command:
    command: click.Command = getattr(import_module(module), name)
    return command


@click.group(cls=TuiDlGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tui-dl", message="%(prog)s %(version)s")
def cli() -> None:
    """Route to a command; its help is that of the screen."""


def run(args: Sequence[str]) -> int:
    """Run one command line and return the exit code; never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # Under LANG=C a name that is not ASCII must not end the program.
            stream.reconfigure(errors="backslashreplace")
    try:
        if shell := os.environ.get("_TUI_DL_COMPLETE"):
            from tui_dl.cli.completing import answer  # noqa: PLC0415  # asked for by a shell alone

            return answer(cli, shell, args)
        outcome: Any = cli.main(list(args), prog_name="tui-dl", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the border of the program
        return tell_end(error)
    finally:
        silence_closed_streams()
    return outcome if isinstance(outcome, int) else 0


def tell_end(error: BaseException) -> int:
    """Tell a person how a command ended with an error, never by a traceback; return its exit code."""
    if isinstance(error, click.ClickException):
        return _say_usage(error)
    if isinstance(error, UsageError):
        return _say(f"tui-dl: {error.message}", WRONG_USAGE)
    if isinstance(error, TuiDlError):
        is_local = isinstance(error, FileSystemError) and not error.reason.startswith("journal-")
        hint = _NO_START if is_local else error.hint
        return _say(f"tui-dl: {error.message} [{error.reason}]\n    {hint}", CANNOT_START)
    if isinstance(error, (KeyboardInterrupt, click.Abort, BrokenPipeError)):
        return INTERRUPTED
    if isinstance(error, OSError) and error.errno in _FULL:
        return _say(f"tui-dl: the output cannot be written: {os.strerror(error.errno)}", SOME_FAILED)
    text = f"tui-dl: a fault of tui-dl itself: {type(error).__name__}: {error}"
    return _say(f"{text}\n    Please report it, with the log of the same command with --log FILE -vv.", CANNOT_START)


def _say_usage(error: click.ClickException) -> int:
    text = error.format_message()
    command = (
        error.ctx.command_path.replace(f" {SCREEN}", "")
        if isinstance(error, click.UsageError) and error.ctx
        else "tui-dl"
    )
    return _say(f"{command}: {text}\n    Try '{command} --help'.", WRONG_USAGE)


def _say(text: str, code: int) -> int:
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        click.echo(indent + display_text(mask_secrets(line.lstrip())), err=True)
    return code
