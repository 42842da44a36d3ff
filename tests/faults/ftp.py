"""An FTP server on loopback that can be told to misbehave: enough of RFC 959, 2428, 3659 and 4217 for a download."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

BLOCK_BYTES = 32 * 1024


@dataclass
class FtpFile:
    """One file as the server has it."""

    body: bytes
    modified: str = "20200102030405"
    """As MDTM tells it; empty: it does not."""


@dataclass
class FtpServer:
    """Serves `files` by their path; every command is in `commands`."""

    host: str = "127.0.0.1"
    implicit_tls: ssl.SSLContext | None = None
    explicit_tls: ssl.SSLContext | None = None
    users: dict[str, str] = field(default_factory=lambda: {"anonymous": ""})
    """Password by name; an empty one takes anything."""
    files: dict[str, FtpFile] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    """Commands that it does not know."""
    most_logins: int = 1000
    full_reply: str = "421 Too many connections"
    cut_after: list[int] = field(default_factory=list)
    """Bytes after which the next transfers are cut, one each; 0: never."""
    stall_after: list[int] = field(default_factory=list)
    """The same for transfers that fall silent."""
    pace_bps: int = 0
    """Bytes per second of each transfer, 0 for as fast as it goes."""
    before_transfer: Callable[[str], None] | None = None
    """Called with the path just before a file is opened."""
    replies: dict[str, str] = field(default_factory=dict)
    """What is answered to a command instead of doing it."""
    commands: list[str] = field(default_factory=list)
    logins: int = 0
    open_logins: int = 0
    most_open: int = 0
    sent_bytes: int = 0
    port: int = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, 0, ssl=self.implicit_tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self._tasks: set[asyncio.Task[None]] = set()
        self._sessions: set[FtpSession] = set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, path: str, *, scheme: str = "ftp", user: str = "") -> str:
        """Return the address of a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{user}{host}:{self.port}/{path}"

    def add(self, path: str, body: bytes, modified: str = "20200102030405") -> str:
        """Serve a file; return its address."""
        self.files[path] = FtpFile(body, modified)
        return self.url(path)

    def hang_up(self, last_word: str = "") -> None:
        """Close all control connections, maybe with a last reply."""
        for session in self._sessions:
            if last_word:
                session.say(last_word)
            session.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.open_logins += 1
        self.most_open = max(self.most_open, self.open_logins)
        session = FtpSession(self, reader, writer)
        self._sessions.add(session)
        try:
            with suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await session.run()
        finally:
            self._tasks.discard(task)
            self._sessions.discard(session)
            self.open_logins -= 1
            session.close()


class FtpSession:
    """One control connection."""

    def __init__(self, server: FtpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader, self.writer = reader, writer
        self.start = 0
        self.user = ""
        self.is_in = False
        self.protects = False
        self.passive: asyncio.Server | None = None
        self.streams: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] | None = None

    def close(self) -> None:
        """End it."""
        self.writer.close()
        if self.passive is not None:
            self.passive.close()
        if self.streams is not None and self.streams.done():
            self.streams.result()[1].close()

    def say(self, reply: str) -> None:
        """Answer."""
        self.writer.write(f"{reply}\r\n".encode("latin-1"))

    async def run(self) -> None:
        """Greet, then do what is said."""
        if self.server.open_logins > self.server.most_logins:
            self.say(self.server.full_reply)
            return
        self.say("220-Welcome\r\n here\r\n220 Ready")
        while line := await self.reader.readline():
            command = line.decode("latin-1").rstrip("\r\n")
            self.server.commands.append(command)
            verb, _, argument = command.partition(" ")
            verb = verb.upper()
            if verb in self.server.replies:
                self.say(self.server.replies[verb])
            elif verb in self.server.unknown or not hasattr(self, f"do_{verb.lower()}"):
                self.say("502 Command not implemented")
            elif not self.is_in and verb not in ("USER", "PASS", "AUTH", "PBSZ", "PROT", "QUIT"):
                self.say("530 Please login")
            else:
                await getattr(self, f"do_{verb.lower()}")(argument)
            if verb == "QUIT":
                return

    async def do_quit(self, _argument: str) -> None:
        """Say goodbye."""
        self.say("221 Bye")

    async def do_auth(self, _argument: str) -> None:
        """Go on in TLS (RFC 4217)."""
        if self.server.explicit_tls is None:
            self.say("502 No TLS here")
            return
        self.say("234 Go on")
        await self.writer.drain()
        await self.writer.start_tls(self.server.explicit_tls)

    async def do_pbsz(self, _argument: str) -> None:
        """Take any size."""
        self.say("200 Fine")

    async def do_prot(self, argument: str) -> None:
        """Protect data connections, or not."""
        self.protects = argument == "P"
        self.say("200 Fine")

    async def do_user(self, argument: str) -> None:
        """Take a name."""
        self.user = argument
        self.say("331 Password?")

    async def do_pass(self, argument: str) -> None:
        """Take a password."""
        wanted = self.server.users.get(self.user)
        self.is_in = wanted is not None and wanted in ("", argument)
        self.server.logins += self.is_in
        self.say("230 In" if self.is_in else "530 Login incorrect")

    async def do_type(self, _argument: str) -> None:
        """Take any type."""
        self.say("200 Fine")

    async def do_size(self, argument: str) -> None:
        """Tell the length."""
        file = self.server.files.get(argument)
        self.say("550 No such file" if file is None else f"213 {len(file.body)}")

    async def do_mdtm(self, argument: str) -> None:
        """Tell the last change."""
        file = self.server.files.get(argument)
        self.say("550 No such file" if file is None or not file.modified else f"213 {file.modified}")

    async def do_rest(self, argument: str) -> None:
        """Begin the next transfer there."""
        self.start = int(argument)
        self.say(f"350 From {argument}")

    async def do_epsv(self, _argument: str) -> None:
        """Listen for a data connection."""
        self.say(f"229 Entering (|||{await self._listen()}|)")

    async def do_pasv(self, _argument: str) -> None:
        """Listen, and lie about the address."""
        port = await self._listen()
        self.say(f"227 Entering (192,0,2,1,{port >> 8},{port & 255})")

    async def _listen(self) -> int:
        streams = self.streams = asyncio.get_running_loop().create_future()

        def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            streams.set_result((reader, writer))

        tls = (self.server.implicit_tls or self.server.explicit_tls) if self.protects else None
        if self.passive is not None:
            self.passive.close()
        self.passive = await asyncio.start_server(come, self.server.host, 0, ssl=tls)
        port: int = self.passive.sockets[0].getsockname()[1]
        return port

    async def do_retr(self, argument: str) -> None:
        """Send a file."""
        if self.server.before_transfer is not None:
            self.server.before_transfer(argument)
        file = self.server.files.get(argument)
        if file is None:
            self.say("550 No such file")
            return
        cut = self.server.cut_after.pop(0) if self.server.cut_after else 0
        stall = self.server.stall_after.pop(0) if self.server.stall_after else 0
        body, self.start = file.body[self.start :], 0
        self.say("150 Here it comes")
        assert self.streams is not None
        _, writer = await self.streams
        try:
            await self._send(writer, body[: cut or stall or len(body)])
            if stall:
                await self.reader.read()
                return
        except ConnectionError:
            self.say("426 Gone")
            return
        finally:
            writer.close()
        self.say("451 Failed" if cut else "226 Done")

    async def _send(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        for at in range(0, len(body), BLOCK_BYTES):
            writer.write(body[at : at + BLOCK_BYTES])
            await writer.drain()
            if self.server.pace_bps:
                await asyncio.sleep(BLOCK_BYTES / self.server.pace_bps)
            self.server.sent_bytes += min(BLOCK_BYTES, len(body) - at)


def as_mdtm(at: float) -> str:
    """Return an instant as MDTM tells it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%d%H%M%S")
