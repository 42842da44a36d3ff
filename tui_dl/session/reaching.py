"""Finding the session that lives, and starting one where none does. The standard library alone: this is the client."""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import FileSystemError, NetworkError, Reason
from tui_dl.session import SESSION_WORD, handover
from tui_dl.session.lock import Card, held_by
from tui_dl.session.paths import is_private
from tui_dl.session.protocol import PROTOCOL, Unpacker, packed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

START_S: Final = 20.0
"""How long a session may take until it can be reached: a damaged journal is not looked at before that."""
TRY_EVERY_S: Final = 0.01
ANSWER_S: Final = 10.0
"""How long a session may take to answer: its loop is never held up, but the machine may be."""
_READ_BYTES: Final = 65536


class ForegroundWantedError(Exception):
    """The settings say that there is no background session (`background = false`)."""


@dataclass(frozen=True, slots=True)
class StartWish:
    """What a new session is started with."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """Settings given on the command line; secrets among them, so they go through a pipe."""
    folder: str = "/"
    """Absolute folder in which the command was typed."""
    verbose: int = 0
    """How much its log says."""
    must_stay: bool = False
    """Whether it stays with nothing to do: a service."""
    is_forced: bool = False
    """Whether it is started even where `background = false`."""

    def message(self) -> dict[str, Any]:
        """Return it as the new process reads it."""
        return {
            "options": dict(self.options),
            "folder": self.folder,
            "verbose": self.verbose,
            "must_stay": self.must_stay,
            "is_forced": self.is_forced,
        }


class Line:
    """A connection to the session, on the client's side."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._unpacker = Unpacker()
        self._messages: list[dict[str, Any]] = []

    def fileno(self) -> int:
        """Return what can be waited for."""
        return self._connection.fileno()

    def say(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send a message; raises `OSError`."""
        handover.send(self._connection, packed(message), descriptors)

    def read(self) -> list[dict[str, Any]] | None:
        """Wait for what comes and return the messages complete by then; None at the end."""
        try:
            octets = self._connection.recv(_READ_BYTES)
        except OSError:
            return None
        return list(self._unpacker.feed(octets)) if octets else None

    def answer(self, within_s: float | None = ANSWER_S) -> dict[str, Any] | None:
        """Return the next message; None where the session is gone or does not answer."""
        self._connection.settimeout(within_s)
        try:
            while not self._messages:
                more = self.read()
                if more is None:
                    return None
                self._messages += more
        finally:
            self._connection.settimeout(None)
        return self._messages.pop(0)

    def rest(self) -> list[dict[str, Any]]:
        """Return what was read beyond the last answer."""
        messages, self._messages = self._messages, []
        return messages

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def find_session(lock_file: Path) -> Card | None:
    """Return where the session that lives can be reached, once it can be; None where none lives.

    Raises `TuiDlError` where it is another user's, on another machine, or never says where it is.
    """
    ends_at = time.monotonic() + START_S
    while (held := held_by(lock_file)) is not False:
        if isinstance(held, Card):
            if held.is_here:
                return held
            raise FileSystemError(
                Reason.JOURNAL_BUSY, f"the session of this queue runs on {held.host} (process {held.pid})"
            )
        if time.monotonic() > ends_at:
            raise _silent()
        time.sleep(TRY_EVERY_S)
    return None


def connect(path: str) -> socket.socket | None:
    """Return a connection to a socket of the session, checked to be ours; None where nobody answers there.

    Raises `FileSystemError` for a folder or a process of somebody else.
    """
    folder = Path(path).parent
    if not folder.is_dir():
        return None
    if not is_private(folder):
        raise FileSystemError(Reason.PERMISSION_DENIED, f"{folder} is open to other users: no session is reached there")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except OSError as error:
        connection.close()
        raise NetworkError(Reason.CONNECT_REFUSED, f"the session cannot be reached: {error.strerror}") from None
    if not handover.is_own(connection):
        connection.close()
        raise FileSystemError(Reason.PERMISSION_DENIED, f"the session at {path} is another user's")
    return connection


def reach(lock_file: Path) -> Line | None:
    """Return a connection to the session that lives, None where none does. Raises `TuiDlError`."""
    ends_at = time.monotonic() + START_S
    while (card := find_session(lock_file)) is not None:
        if (connection := connect(card.attach)) is not None:
            return Line(connection)
        if time.monotonic() > ends_at:
            raise _silent()
        time.sleep(TRY_EVERY_S)  # it is about to begin, or to end
    return None


def reach_or_start(lock_file: Path, wish: StartWish) -> Line:
    """Return a connection to the session, started if there is none. Raises `TuiDlError`, `ForegroundWantedError`."""
    ends_at = time.monotonic() + START_S
    while (line := reach(lock_file)) is None:
        start(wish)
        if time.monotonic() > ends_at:
            raise _silent()
    return line


def refusal_of_proxies(lock_file: Path, proxies: Mapping[str, str]) -> str:
    """Return why what is added cannot go through the proxies of this environment; empty where nothing is against it."""
    line = reach(lock_file) if proxies else None
    if line is None:
        return ""
    with suppress(OSError):
        line.say({"want": "ask", "protocol": PROTOCOL, "proxies": dict(proxies)})
    answer = line.answer() or {}
    line.close()
    return str(answer.get("refusal", ""))


def start(wish: StartWish) -> None:
    """Start the session's process and wait until it can be reached, or another one is.

    Raises `NetworkError` with what it said where it cannot start, `ForegroundWantedError` where it is not to.
    """
    import subprocess  # noqa: PLC0415  # whoever finds a session must be quick

    process = subprocess.Popen(  # noqa: S603  # ourselves
        [sys.executable, "-P", "-m", "tui_dl", SESSION_WORD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=_environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        process.stdin.write(json.dumps(wish.message()).encode())
        process.stdin.close()
        said = _first_line(process.stdout.fileno())
    process.returncode = 0  # it is nobody's child from here on; whoever outlives it, init buries it
    _judge(said)


def _environment() -> dict[str, str]:
    """Return what the session starts with: ours, and where the program is if it was found beside us (`python -m`)."""
    beside = str(Path(__file__).parents[2])
    if sys.path[:1] != [beside]:
        return dict(os.environ)
    # The child does not look into the folder that it starts in, which may hold a trap.
    known = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": f"{beside}{os.pathsep}{known}" if known else beside}


def _first_line(descriptor: int) -> bytes:
    """Return what a new session says until its first line of JSON, its end, or for too long."""
    said, ends_at = b"", time.monotonic() + START_S
    while not said.endswith(b"}\n"):
        left_s = ends_at - time.monotonic()
        if left_s <= 0 or not select.select([descriptor], [], [], left_s)[0]:
            break
        octets = os.read(descriptor, _READ_BYTES)
        if not octets:
            break
        said += octets
    return said


def _judge(said: bytes) -> None:
    last = said.splitlines()[-1] if said.strip() else b""
    try:
        report: dict[str, Any] = json.loads(last)
    except ValueError:
        raise NetworkError(
            Reason.SESSION_FAILED, f"the session could not be started: {said.decode(errors='replace').strip()[-500:]}"
        ) from None
    if report.get("foreground"):
        raise ForegroundWantedError
    if "error" in report:
        from tui_dl.core.errors import UsageError  # noqa: PLC0415  # the usual way needs none

        if report.get("code") == 2:
            raise UsageError(str(report["error"]))
        raise NetworkError(Reason.SESSION_FAILED, str(report["error"]))


def _silent() -> NetworkError:
    return NetworkError(Reason.SESSION_FAILED, "the session does not answer")
