"""Events on their way to those who listen: a bounded queue each, and whoever does not read is let go."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.events import EventKind
from tui_dl.core.wire_tasks import event_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tui_dl.core.events import Event
    from tui_dl.core.ports_control import ControlPort

logger = logging.getLogger(__name__)

MOST_QUEUED: Final = 20_000
"""Messages that wait for a listener; one that is further behind is let go, since events are never dropped."""
SEND_S: Final = 30.0
"""How long a listener may take no byte."""
ARIA2_NOTIFICATIONS: Final = {
    EventKind.STARTED: "aria2.onDownloadStart",
    EventKind.PAUSED: "aria2.onDownloadPause",
    EventKind.CANCELLED: "aria2.onDownloadStop",
    EventKind.COMPLETED: "aria2.onDownloadComplete",
    EventKind.SKIPPED: "aria2.onDownloadComplete",
    EventKind.FAILED: "aria2.onDownloadError",
}
"""What aria2's clients hear of ours."""


class Feed:
    """What one listener hears."""

    def __init__(self, engine: ControlPort, send: Callable[[str], Awaitable[None]], *, is_plain: bool) -> None:
        """`is_plain`: lines alone, else notifications of JSON-RPC, aria2's among them."""
        self._engine, self._send, self._is_plain = engine, send, is_plain
        self._kinds: frozenset[str] = frozenset()
        self._queue: asyncio.Queue[str] = asyncio.Queue(MOST_QUEUED)
        self._is_behind = asyncio.Event()

    def follow(self, kinds: frozenset[str]) -> None:
        """Send our own events of these kinds from now on."""
        self._kinds = kinds

    async def run(self) -> None:
        """Send until cancelled, or until the listener is too far behind or gone."""
        unsubscribe = self._engine.subscribe(self._hear)
        try:
            while not self._is_behind.is_set():
                text = await self._queue.get()
                async with asyncio.timeout(SEND_S):
                    await self._send(text)
        except (TimeoutError, ConnectionError):
            logger.info("a listener took nothing any more and is let go")
        finally:
            unsubscribe()

    def _hear(self, event: Event) -> None:
        if not self._is_plain and (name := ARIA2_NOTIFICATIONS.get(event.kind)) is not None:
            self._put({"jsonrpc": "2.0", "method": name, "params": [{"gid": event.task.gid}]})
        if event.kind.value in self._kinds:
            line = event_json(event, self._engine.progress(event.task.id))
            if self._is_plain:
                self._put(line)
            else:
                self._put({"jsonrpc": "2.0", "method": "tui_dl.event", "params": [line]})

    def _put(self, value: dict[str, Any]) -> None:
        try:
            self._queue.put_nowait(json.dumps(value, ensure_ascii=True, separators=(",", ":")))
        except asyncio.QueueFull:
            self._is_behind.set()
