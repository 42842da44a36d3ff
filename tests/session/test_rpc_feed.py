"""Those who listen: told everything in order, or let go; never a reason for others to wait."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from tests.engine.stage import until
from tui_dl.core.events import Event, EventKind
from tui_dl.core.task import DownloadTask
from tui_dl.session.rpc.feed import Feed

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.session.rpc_stage import Rpc

TASK = DownloadTask(7, "http://h/f", "/d", "f")


class Source:
    """An engine of which only the events are asked."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Event], None]] = []

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Take a listener."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def progress(self, _task_id: int) -> None:
        """Know nothing of speeds."""

    def tell(self, kind: EventKind) -> None:
        """Tell all of a step."""
        for listener in self.listeners:
            listener(Event(kind, TASK, 1.0))


async def test_a_listener_that_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends when it is too far behind, or takes no byte for too long, and is not told any more."""
    monkeypatch.setattr("tui_dl.session.rpc.feed.SEND_S", 0.01)
    source, stuck = Source(), asyncio.Event()

    async def never(_text: str) -> None:
        await stuck.wait()

    feed = Feed(source, never, is_plain=False)  # type: ignore[arg-type]  # what it asks of an engine is there
    running = asyncio.create_task(feed.run())
    await until(lambda: source.listeners)
    source.tell(EventKind.STARTED)
    await asyncio.wait_for(running, 20)
    assert source.listeners == []


async def test_a_listener_too_far_behind_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """More messages than are kept for one end it as soon as it takes another."""
    monkeypatch.setattr("tui_dl.session.rpc.feed.MOST_QUEUED", 2)
    source, taken = Source(), []

    async def take(text: str) -> None:
        taken.append(json.loads(text)["method"])

    feed = Feed(source, take, is_plain=False)  # type: ignore[arg-type]  # as above
    running = asyncio.create_task(feed.run())
    await until(lambda: source.listeners)
    for _ in range(5):
        source.tell(EventKind.PAUSED)
    await asyncio.wait_for(running, 20)
    assert set(taken) <= {"aria2.onDownloadPause"}
    assert source.listeners == []


async def test_who_leaves_is_told_no_more(rpc: Rpc) -> None:
    """A closed stream and a closed WebSocket leave no listener behind."""
    before = len(rpc.engine.ledger._listeners._all)
    async with rpc.unix.get("http://localhost/events"), rpc.unix.ws_connect("http://localhost/jsonrpc"):
        await until(lambda: len(rpc.engine.ledger._listeners._all) == before + 2)
    await until(lambda: len(rpc.engine.ledger._listeners._all) == before)
