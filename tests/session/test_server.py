"""The session without a process: who is served, whose fault harms whom, and when it ends."""

from __future__ import annotations

import asyncio
import os
import pty
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import pytest
import pytest_asyncio

from tests.ui.fake_engine import FakeEngine
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.ports_session import Leaving
from tui_dl.core.status import Status
from tui_dl.session import server as session_server
from tui_dl.session.protocol import Unpacker, packed
from tui_dl.session.server import SessionServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.ports_session import ScreenWish, TerminalOwner

PATIENCE_S = 20.0


class Place:
    """Where the engine is started."""

    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.error: Exception | None = None
        self.has_started = False
        self.is_on_errands = False

    async def start(self) -> FakeEngine:
        """Start it, or fail."""
        if self.error is not None:
            raise self.error
        self.has_started = True
        return self.engine

    def snapshot(self) -> EngineSnapshot | None:
        """Return its state."""
        return self.engine.base if self.has_started else None

    def has_errands(self) -> bool:
        """Tell what the test set."""
        return self.is_on_errands

    def refusal_of_proxies(self, proxies: Mapping[str, str] | None) -> str:
        """Refuse none."""
        return ""

    async def take_options(self, options: Mapping[str, Any]) -> str:
        """Refuse what says so."""
        return str(options.get("refuse", ""))

    def count(self, **counts: int) -> None:
        """Let there be so many rows of each status."""
        found = {Status(name): number for name, number in counts.items()}
        self.engine.base = replace(self.engine.base, counts=found)


class Screens:
    """Shows what it is told to."""

    def __init__(self) -> None:
        self.outcomes: asyncio.Queue[Leaving | Exception] = asyncio.Queue()
        self.wishes: list[ScreenWish] = []
        self.shown = 0
        self.most_shown = 0

    async def show(self, wish: ScreenWish, owner: TerminalOwner) -> Leaving:
        """Wait for the test's word, or for the owner's."""
        self.wishes.append(wish)
        self.shown += 1
        self.most_shown = max(self.most_shown, self.shown)
        owner.has_shown(self)
        try:
            outcome = await self.outcomes.get()
        finally:
            self.shown -= 1
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def resized(self) -> None:
        """Do nothing."""

    async def stand_aside(self) -> None:
        """Do nothing."""

    def come_back(self) -> None:
        """Do nothing."""

    def leave(self) -> None:
        """End."""
        self.outcomes.put_nowait(Leaving.LOST)


class FakeDoor:
    """Serves nobody."""

    is_in_use = False

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    async def open(self, listener: socket.socket, session: object) -> None:
        """Take note."""
        self.opened.set()

    async def listen_also(self, listener: socket.socket) -> None:
        """Take note."""
        self.opened.set()

    async def aclose(self) -> None:
        """Do nothing."""


class Client:
    """One connection, with a terminal."""

    def __init__(self, path: Path) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(path))
        self._connection.setblocking(False)
        self._unpacker = Unpacker()
        self._messages: list[dict[str, Any]] = []
        self._ours, self._theirs = pty.openpty()

    def hello(self, *, descriptors: int = 2, **particulars: Any) -> Self:
        """Say what it wants."""
        message = packed({"want": "attach", "protocol": 1, "folder": "/there"} | particulars)
        socket.send_fds(self._connection, [message], [self._theirs] * descriptors)
        return self

    async def answer(self) -> dict[str, Any] | None:
        """Return the next message; None at the end."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._messages:
                octets = await asyncio.get_running_loop().sock_recv(self._connection, 65536)
                if not octets:
                    return None
                self._messages += self._unpacker.feed(octets)
        return self._messages.pop(0)

    def leave(self) -> None:
        """End the connection."""
        self._connection.close()

    def close(self) -> None:
        """Go."""
        self.leave()
        os.close(self._ours)
        os.close(self._theirs)


class Stage:
    """A served session."""

    def __init__(self, folder: Path) -> None:
        self.place, self.screens, self.door = Place(), Screens(), FakeDoor()
        self.server = SessionServer(self.place, self.screens, self.door, version="1.0", restore="R")
        self._path = folder / "a"
        self.attach, self.rpc = self._listener(self._path), self._listener(folder / "r")
        self.has_gone = False
        self._clients: list[Client] = []
        self.running = asyncio.ensure_future(self.server.run(self))

    def _listener(self, path: Path) -> socket.socket:
        one = socket.socket(socket.AF_UNIX)
        one.bind(str(path))
        one.listen()
        one.setblocking(False)
        return one

    def are_there(self) -> bool:
        """Whether they are."""
        return not self.has_gone

    def renew(self) -> None:
        """Bind them anew."""
        self._path = self._path.with_name("b")
        old, self.attach, self.has_gone = self.rpc, self._listener(self._path), False
        self.rpc = self._listener(self._path.with_name("s"))
        old.close()

    def client(self) -> Client:
        """Connect."""
        one = Client(self._path)
        self._clients.append(one)
        return one

    async def close(self) -> None:
        """End all of it."""
        self.server.stop()
        await asyncio.gather(self.running, return_exceptions=True)
        self.server.farewell([])
        for client in self._clients:
            client.close()
        self.attach.close()
        self.rpc.close()


@pytest_asyncio.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """Yield a session that is in a hurry to end."""
    monkeypatch.setattr(session_server, "LINGER_S", 0.0)
    monkeypatch.setattr(session_server, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(session_server, "REACHABLE_EVERY_S", 0.01)
    one = Stage(tmp_path)
    yield one
    await one.close()


async def test_a_screen_that_fails_harms_nobody_else(stage: Stage) -> None:
    """Its client is told, the session lives, the next screen is shown."""
    stage.place.count(downloading=1)
    await stage.server.engine()
    first = stage.client().hello()
    assert (await first.answer() or {})["word"] == "welcome"
    stage.screens.outcomes.put_nowait(RuntimeError("no such widget"))
    left = await first.answer() or {}
    assert (left["word"], left["code"]) == ("left", 3)
    assert "RuntimeError: no such widget" in left["lines"][0]
    second = stage.client().hello()
    assert (await second.answer() or {})["word"] == "welcome"
    stage.screens.outcomes.put_nowait(Leaving.GO_ON)
    left = await second.answer() or {}
    assert (left["code"], len(left["lines"])) == (0, 1)
    assert not stage.running.done()
    assert [wish.folder for wish in stage.screens.wishes] == ["/there", "/there"]


async def test_one_screen_at_a_time_the_newest_wins(stage: Stage) -> None:
    """What is process-wide in the toolkit never sees two of them."""
    clients = [stage.client().hello() for _ in range(3)]
    for one in clients:
        assert (await one.answer() or {})["word"] == "welcome"
    for one in clients[:2]:
        assert (await one.answer() or {})["word"] == "left"
    assert stage.screens.most_shown == 1
    clients[2].leave()
    await asyncio.wait_for(asyncio.shield(stage.running), PATIENCE_S)


@pytest.mark.parametrize(
    ("particulars", "text"),
    [
        ({"protocol": 99, "version": "9.9"}, "cannot do what 9.9 wants"),
        ({"want": "dance"}, "the session is of tui-dl 1.0"),
        ({"descriptors": 0}, "no terminal came with it"),
        ({"descriptors": 1}, "no terminal came with it"),
        ({"options": {"refuse": "not these"}}, "not these"),
    ],
)
async def test_who_is_not_served_is_told_why(stage: Stage, particulars: dict[str, Any], text: str) -> None:
    """Another protocol, an unknown wish, no terminal, settings that cannot hold."""
    answer = await stage.client().hello(**particulars).answer() or {}
    assert answer["word"] == "refused"
    assert text in answer["text"]
    assert stage.screens.shown == 0


@pytest.mark.parametrize(
    ("counts", "ends"),
    [
        ({}, True),
        ({"paused": 3, "failed": 2, "completed": 9}, True),
        ({"pending": 1}, False),
        ({"waiting": 1}, False),
        ({"verifying": 1, "paused": 1}, False),
    ],
)
async def test_it_ends_when_nothing_goes_on_by_itself(stage: Stage, counts: dict[str, int], ends: bool) -> None:
    """Paused and failed rows do not keep it; whatever moves, or waits for its time, does."""
    stage.place.count(**counts)
    await stage.server.engine()
    if ends:
        await asyncio.wait_for(asyncio.shield(stage.running), PATIENCE_S)
        return
    await stage.door.opened.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    assert not stage.server._is_stopping.is_set()
    stage.place.count(completed=1)
    await asyncio.wait_for(asyncio.shield(stage.running), PATIENCE_S)


async def test_it_does_not_end_while_commands_of_a_person_run(stage: Stage) -> None:
    """What was downloaded last may be unpacked yet."""
    stage.place.is_on_errands = True
    await stage.server.engine()
    await stage.door.opened.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    assert not stage.server._is_stopping.is_set()
    stage.place.is_on_errands = False
    await asyncio.wait_for(asyncio.shield(stage.running), PATIENCE_S)


async def test_an_engine_that_cannot_start_ends_it_with_its_error(stage: Stage) -> None:
    """Whoever runs the session hears of it; nothing hangs."""
    stage.place.error = FileSystemError(Reason.JOURNAL_BUSY, "held elsewhere")
    with pytest.raises(FileSystemError):
        await stage.server.engine()
    with pytest.raises(FileSystemError):
        await asyncio.wait_for(asyncio.shield(stage.running), PATIENCE_S)


async def test_sockets_that_were_cleared_away_are_made_anew(stage: Stage) -> None:
    """The last logout takes the runtime folder with it; whoever logs in again finds the session all the same."""
    stage.place.count(downloading=1)
    await stage.server.engine()
    await stage.door.opened.wait()
    stage.door.opened.clear()
    stage.has_gone = True
    await asyncio.wait_for(stage.door.opened.wait(), PATIENCE_S)
    assert (await stage.client().hello().answer() or {})["word"] == "welcome"
