"""`tui-dl add --to ssh://host`: the same add on another machine, by its own tui-dl; what is wanted goes in as data."""

from __future__ import annotations

import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click

from tui_dl.cli.exits import CANNOT_START, SOME_FAILED, WRONG_USAGE
from tui_dl.cli.interrupts import leave_interrupts_to_loop
from tui_dl.cli.json_wishes import first_line, line_of
from tui_dl.cli.settings_file import ENVIRONMENT_PREFIX
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.url_list import BadLine
from tui_dl.core.wire_wishes import wish_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tui_dl.cli.order import Order
    from tui_dl.core.task import NewTask

ELSEWHERE: Final = "/.tui-dl-elsewhere"
"""Stands for the folder of the other machine, of which nothing is known here; no path that is sent begins with it."""
_HOST: Final = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9._:%-]*")
_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]*")
_SSH_FAILED: Final = 255
_NOT_FOUND: Final = 127


@dataclass(frozen=True, slots=True)
class Host:
    """Where ssh is to go."""

    name: str
    """Name, address, or what ssh's own configuration calls it."""
    user: str = ""
    """Name there; empty: ssh decides."""
    port: int | None = None
    """Port; None: ssh decides."""

    def words(self) -> list[str]:
        """Return the command: fixed words but for these three, none of which can be taken for an option."""
        port = ["-p", str(self.port)] if self.port is not None else []
        user = ["-l", self.user] if self.user else []
        return ["ssh", "-T", *port, *user, "--", self.name, "tui-dl add --from-json -"]


def host_of(text: str) -> Host:
    """Return the host that `ssh://[user@]host[:port]` names; raises `UsageError`."""
    try:
        parts = urlsplit(text)
        name, user, port = parts.hostname or "", parts.username or "", parts.port
    except ValueError:
        name, user, port, parts = "", "", None, urlsplit("")
    is_plain = parts.scheme == "ssh" and parts.path in ("", "/") and not (parts.query or parts.fragment)
    if not is_plain or parts.password is not None or not _HOST.fullmatch(name) or (user and not _USER.fullmatch(user)):
        raise UsageError(
            f"--to {display_text(text, 60)}: write it ssh://HOST, with USER@ before and :PORT behind the host where"
            " they are needed; a folder goes with --dir"
        )
    # urlsplit makes names lower case; aliases of ssh's configuration have their case.
    typed = re.search(re.escape(name), text, re.IGNORECASE)
    return Host(typed[0] if typed else name, user, port)


def nowhere(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without settings: those of this machine do not hold on another."""
    return {name: text for name, text in environment.items() if not name.startswith(ENVIRONMENT_PREFIX)}


def add_there(host: str, order: Order, *, is_paused: bool, is_json: bool) -> int:
    """Add an order on another machine; return the exit code. Passwords and keys are ssh's own matter."""
    where = host_of(host)
    words = where.words()
    words[-1] += (" --paused" if is_paused else "") + (" --json" if is_json else "")
    try:
        process = subprocess.Popen(words, stdin=subprocess.PIPE)  # noqa: S603  # fixed words and a checked host
    except FileNotFoundError:
        raise UsageError("--to needs the program ssh (Debian: openssh-client), which is not here") from None
    assert process.stdin is not None
    bad_count = 0
    try:
        # It may end before the last line; its exit code says why.
        with suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(first_line())
            for batch, block in _blocks(order):
                pipe.writelines(line_of(_sent(one), batch) for one in block if not isinstance(one, BadLine))
                bad_count += _tell_bad([one for one in block if isinstance(one, BadLine)])
    except BaseException:
        process.kill()
        raise
    finally:
        code = process.wait()
    return _judged(where, code) or (SOME_FAILED if bad_count else 0)


def _judged(host: Host, code: int) -> int:
    """Return our exit code for that of ssh, which is that of the other tui-dl where it ran."""
    if code == _SSH_FAILED:
        click.echo(f"tui-dl: {host.name} was not reached by ssh, or not everything was sent", err=True)
        return CANNOT_START
    if code == _NOT_FOUND:
        click.echo(
            f"tui-dl: {host.name} has no tui-dl where `ssh {host.name} tui-dl` looks for it\n"
            "    Install it there, or link it into a folder of the PATH that commands over ssh have: /usr/local/bin.",
            err=True,
        )
        return CANNOT_START
    return code if 0 <= code <= WRONG_USAGE + 1 else CANNOT_START


def _blocks(order: Order) -> Iterator[tuple[str, Sequence[NewTask | BadLine]]]:
    """Yield what is to be added, lists as they are read."""
    if order.news:
        yield order.lists.batch, order.news
    if not order.lists:
        return
    import asyncio  # noqa: PLC0415  # a single address is added without a loop

    leave_interrupts_to_loop()
    with asyncio.Runner() as runner:
        runner.run(order.lists.check())
        blocks = order.lists.blocks()
        while (block := runner.run(_next(blocks))) is not None:
            yield block.batch, order.listed_tasks(block.lines, block.name)


async def _next(blocks: Any) -> Any:
    return await anext(blocks, None)


def _tell_bad(lines: Sequence[BadLine]) -> int:
    for line in lines:
        click.echo(display_text(line.message), err=True)
    return len(lines)


def _sent(new: NewTask) -> dict[str, Any]:
    """Return a wish whose folder is that of the other machine: as it was typed, or none."""
    wish = wish_json(new)
    folder = str(wish["dir"])
    if folder == ELSEWHERE or folder.startswith(f"{ELSEWHERE}/"):
        wish["dir"] = folder[len(ELSEWHERE) + 1 :]
    return wish
