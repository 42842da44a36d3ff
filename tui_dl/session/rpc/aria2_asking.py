"""What aria2's clients ask: downloads by state and page, files, addresses, connections, totals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tui_dl._version import __version__
from tui_dl.core.query import SortKey, TaskQuery
from tui_dl.session.rpc.aria2_words import (
    ACTIVE,
    STOPPED,
    WAITING,
    download_of,
    files_of,
    only,
    servers_of,
    uris_of,
)
from tui_dl.session.rpc.faults import refused
from tui_dl.session.rpc.own import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tui_dl.core.ports_control import ControlPort, SessionPort
    from tui_dl.core.status import Status
    from tui_dl.core.task import DownloadTask
    from tui_dl.session.rpc.aria2_gids import Gids
    from tui_dl.session.rpc.calls import Call, Method

MOST_ACTIVE: Final = 1_000
MOST_PAGE: Final = 10_000
"""Downloads in one answer, whatever is asked for."""
ARIA2_VERSION: Final = "1.36.0"
"""The release whose answers ours were compared with; clients look at it."""
FEATURES: Final = ("Async DNS", "Firefox3 Cookie", "GZip", "HTTPS", "Message Digest", "Metalink")
NOTIFICATIONS: Final = tuple(f"aria2.onDownload{what}" for what in ("Start", "Pause", "Stop", "Complete", "Error"))
_BY_ENDING: Final = SortKey.FINISHED


class Aria2Asking:
    """Answers questions; changes nothing."""

    def __init__(self, engine: ControlPort, session: SessionPort, gids: Gids) -> None:
        self._engine, self._session, self._gids = engine, session, gids

    def methods(self) -> dict[str, Method]:
        """Return all of them by name."""
        return {
            "aria2.tellStatus": self.tell_status,
            "aria2.tellActive": self.tell_active,
            "aria2.tellWaiting": self.tell_waiting,
            "aria2.tellStopped": self.tell_stopped,
            "aria2.getUris": self.uris,
            "aria2.getFiles": self.files,
            "aria2.getServers": self.servers,
            "aria2.getPeers": self.peers,
            "aria2.getGlobalStat": self.global_stat,
            "aria2.getVersion": self.version,
            "aria2.getSessionInfo": self.session_info,
            "system.listNotifications": self.notifications,
        }

    async def tell_status(self, call: Call) -> Any:
        """Return one download."""
        task = await self._gids.task(call)
        keys = call.texts(1)
        details = await self._engine.details(task.id) if not keys or "bitfield" in keys else None
        return only(download_of(task, self._engine.progress(task.id), details), keys)

    async def tell_active(self, call: Call) -> Any:
        """Return what runs."""
        keys = call.texts(0)
        live = [one.task.id for one in self._engine.snapshot().live.values() if one.task.status in ACTIVE]
        # Those of other processes are in the journal alone.
        stored = await self._engine.view(TaskQuery(statuses=ACTIVE), limit=MOST_ACTIVE)
        rows = await self._rows(dict.fromkeys((*live, *stored)), ACTIVE)
        found = []
        for task in rows:
            wants_bits = (not keys or "bitfield" in keys) and self._engine.progress(task.id) is not None
            details = await self._engine.details(task.id) if wants_bits else None
            found.append(only(download_of(task, self._engine.progress(task.id), details), keys))
        return found

    async def tell_waiting(self, call: Call) -> Any:
        """Return a page of the waiting queue."""
        return await self._page(call, TaskQuery(statuses=WAITING))

    async def tell_stopped(self, call: Call) -> Any:
        """Return a page of what ended, the oldest end first."""
        return await self._page(call, TaskQuery(statuses=STOPPED, sort=_BY_ENDING))

    async def _page(self, call: Call, query: TaskQuery) -> list[dict[str, Any]]:
        offset, count, keys = call.number(0), call.number(1), call.texts(2)
        if count < 0:
            raise refused("The integer parameter at 1 has invalid value.")
        is_backwards = offset < 0
        first = -offset - 1 if is_backwards else offset
        wanted = replace(query, is_descending=is_backwards)
        ids = await self._engine.view(wanted, limit=min(first + count, 1 << 40)) if count else ()
        found: list[dict[str, Any]] = []
        for start in range(first, min(first + min(count, MOST_PAGE), len(ids)), BLOCK):
            rows = await self._rows(ids[start : min(start + BLOCK, first + count)], query.statuses)
            found += (only(download_of(task, self._engine.progress(task.id)), keys) for task in rows)
        return found

    async def _rows(self, ids: Iterable[int], statuses: frozenset[Status]) -> Sequence[DownloadTask]:
        """Return rows that are in one of these states now: the journal's view may be a moment old."""
        return [task for task in await self._engine.rows(list(ids)) if task.status in statuses]

    def _number(self, statuses: frozenset[Status]) -> int:
        counts = self._engine.snapshot().counts
        return sum(counts.get(status, 0) for status in statuses)

    async def uris(self, call: Call) -> Any:
        """Return the addresses of a download."""
        task = await self._gids.task(call)
        if task.status in STOPPED:
            raise refused(f"No URI data is available for GID#{task.gid}")
        return uris_of(task)

    async def files(self, call: Call) -> Any:
        """Return the file of a download."""
        task = await self._gids.task(call)
        progress = self._engine.progress(task.id)
        if progress is None:
            return files_of(task, task.total_bytes, task.downloaded_bytes)
        return files_of(task, progress.total_bytes, progress.downloaded_bytes)

    async def servers(self, call: Call) -> Any:
        """Return the connections of a download that runs."""
        task = await self._gids.task(call)
        details = await self._engine.details(task.id) if task.status in ACTIVE else None
        if details is None:
            raise refused(f"No active download for GID#{task.gid}")
        return servers_of(task, details)

    async def peers(self, call: Call) -> Any:
        """Return the peers of a download: none, as aria2 says of every download that is no torrent."""
        await self._gids.task(call)
        return []

    async def global_stat(self, _call: Call) -> Any:
        """Return totals."""
        snapshot = self._engine.snapshot()
        stopped = str(self._number(STOPPED))
        return {
            "downloadSpeed": str(int(snapshot.speed_bps)),
            "numActive": str(self._number(ACTIVE)),
            "numStopped": stopped,
            "numStoppedTotal": stopped,
            "numWaiting": str(self._number(WAITING)),
            "uploadSpeed": "0",
        }

    async def version(self, _call: Call) -> Any:
        """Return which aria2 this is like, and what it is."""
        return {"enabledFeatures": list(FEATURES), "version": ARIA2_VERSION, "tui_dl": __version__}

    async def session_info(self, _call: Call) -> Any:
        """Return the name of this run."""
        return {"sessionId": self._session.facts().id}

    async def notifications(self, _call: Call) -> Any:
        """Return what a WebSocket hears."""
        return [*NOTIFICATIONS, "tui_dl.event"]
