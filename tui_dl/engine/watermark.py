"""Watches the room on the disks that downloads go to: who would take the last of it waits."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.watermark import in_words, journal_bytes, kept_bytes
from tui_dl.disk.space import Space, space_of, taken_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.settings import Settings
    from tui_dl.core.splitting import SegmentPlan
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext

LOOK_EVERY_S: Final = 1.0
"""How often a disk that downloads go to is looked at."""
IDLE_S: Final = 30.0
"""A folder that nothing went to for so long is looked at no more."""


@dataclass(slots=True)
class _Folder:
    """A folder that downloads go to."""

    space: Space | None
    """Its file system at the last look; None where nobody can tell."""
    looked_at: float
    """Monotonic instant of that look."""
    used_at: float
    """Monotonic instant at which a task last asked about it."""
    judged: tuple[Space | None, Settings] | None = None
    """What `shortage` was found by."""
    shortage: str = ""
    """What is wrong with the room there, in words; empty for nothing."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """Room that a running task was promised."""

    folder: str
    """Where it goes."""
    plan: SegmentPlan
    """What it holds, and its length."""

    @property
    def missing_bytes(self) -> int:
        """What it will take yet."""
        return max(0, (self.plan.total_bytes or 0) - self.plan.held.total_bytes)


class Watermark:
    """Says for each folder whether its disk has room; it is looked at in threads, never on the loop.

    A disk is *low* when less is free than the setting `min_free` leaves: nothing begins there, and what writes there
    stops with LOW_SPACE and waits. A task whose length is known waits where the rest of it, together with what other
    tasks were promised, would bring the disk so low.
    """

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._folders: dict[str, _Folder] = {}
        self._looks: dict[str, asyncio.Future[None]] = {}
        self._claims: dict[int, _Claim] = {}
        self._on_room: Callable[[], None] = _nobody
        self._watch: asyncio.Task[None] | None = None
        path = context.journal.path
        self._journal_folder = "" if path is None else os.path.dirname(path)  # noqa: PTH120  # text in, text out

    def start(self, on_room: Callable[[], None]) -> None:
        """Look regularly from now on; `on_room()` is called when a disk that was low has room again."""
        self._on_room = on_room
        self._watch = asyncio.ensure_future(self._look_regularly())

    async def aclose(self) -> None:
        """Look no more."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        if self._looks:
            await asyncio.wait(list(self._looks.values()))

    # -- asked by whoever downloads ------------------------------------------------------------------------------------

    async def require(self, folder: str) -> None:
        """Raise LOW_SPACE where the disk of a folder is low, as it was a second ago at most."""
        await self._fresh(folder)
        if self._journal_folder:
            await self._fresh(self._journal_folder)
        self.require_now(folder)

    def require_now(self, folder: str) -> None:
        """Raise LOW_SPACE where the last look found the disk of a folder low; costs two look-ups."""
        shortage = self._shortage(folder)
        if shortage:
            raise FileSystemError(Reason.LOW_SPACE, f"low on space: {shortage}", is_retryable=True)

    def has_room_now(self, folder: str) -> bool:
        """Whether looks that are recent enough found room, so that nothing is to be waited for."""
        is_recent = self._is_fresh(folder) and (not self._journal_folder or self._is_fresh(self._journal_folder))
        return is_recent and not self._shortage(folder)

    async def admit(self, task: DownloadTask, plan: SegmentPlan) -> None:
        """Promise a task the room for all of its bytes, or raise LOW_SPACE; `release()` gives it back."""
        await self.require(task.dir)
        known = self._folders[task.dir]
        if known.space is None or not plan.total_bytes or not self._context.settings.min_free:
            return
        needed_bytes = await self._needed_bytes(task, plan.total_bytes, plan.held.total_bytes)
        if needed_bytes > self.room_bytes(task.dir, but_for=task.id):
            free, kept = known.space.free_bytes, self._kept_bytes(task.dir, known.space)
            promised = free - kept - self.room_bytes(task.dir, but_for=task.id)
            text = f"{task.filename} needs {in_words(needed_bytes)} more; of {in_words(free)} free in {task.dir} "
            text += f"{in_words(kept)} stay free" + (f", {in_words(promised)} are promised" if promised else "")
            raise FileSystemError(Reason.LOW_SPACE, f"low on space: {text}", is_retryable=True)
        if needed_bytes:
            self._claims[task.id] = _Claim(task.dir, plan)

    def reserved(self, task: DownloadTask) -> None:
        """Note that the room of a task was taken on the disk itself."""
        self._claims.pop(task.id, None)
        if (known := self._folders.get(task.dir)) is not None:
            known.looked_at = float("-inf")

    def release(self, task_id: int) -> None:
        """Give back what a task was promised."""
        self._claims.pop(task_id, None)

    def is_low(self, folder: str) -> bool:
        """Whether the last look found the disk of a folder, or the journal's, low."""
        return bool(self._shortage(folder))

    def room_bytes(self, folder: str, *, but_for: int = 0) -> int:
        """Return what a task may still take in a folder, as of the last look, others' promises aside."""
        known = self._folders.get(folder)
        if known is None or known.space is None:
            return 1 << 63
        promised = sum(
            claim.missing_bytes
            for key, claim in self._claims.items()
            if key != but_for and self._device_of(claim.folder) == known.space.device
        )
        return known.space.free_bytes - self._kept_bytes(folder, known.space) - promised

    async def has_room(self, task: DownloadTask, least_bytes: int) -> bool:
        """Whether a task that waits for room may go on: there is enough for all of it, or for `least_bytes`."""
        await self._fresh(task.dir)
        if self._journal_folder:
            await self._fresh(self._journal_folder)
        if self.is_low(task.dir):
            return False
        needed_bytes = least_bytes
        if task.total_bytes is not None:
            needed_bytes = await self._needed_bytes(task, task.total_bytes, task.downloaded_bytes)
        return needed_bytes <= self.room_bytes(task.dir, but_for=task.id)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know as long as it lasts."""
        found: dict[int, str] = {}
        for folder, known in self._folders.items():
            if known.space is not None and (text := self._shortage_in(folder)):
                found.setdefault(known.space.device, f"low on space, downloads wait: {text}")
        return tuple(found.values())

    # -- within --------------------------------------------------------------------------------------------------------

    async def _needed_bytes(self, task: DownloadTask, total_bytes: int, held_bytes: int) -> int:
        """Return what a task will take yet of its disk: a part file may have taken the room of all its bytes."""
        taken = held_bytes
        if task.part_path:
            taken = await self._context.pool.scout(taken_bytes, task.part_path, what="look at the part file")
        return max(0, total_bytes - max(taken, held_bytes))

    def _device_of(self, folder: str) -> int | None:
        known = self._folders.get(folder)
        return None if known is None or known.space is None else known.space.device

    def _kept_bytes(self, folder: str, space: Space) -> int:
        kept = journal_bytes if folder == self._journal_folder else kept_bytes
        return kept(self._context.settings.min_free, space.size_bytes)

    def _shortage(self, folder: str) -> str:
        return self._shortage_in(folder) or (self._shortage_in(self._journal_folder) if self._journal_folder else "")

    def _shortage_in(self, folder: str) -> str:
        known, settings = self._folders.get(folder), self._context.settings
        if known is None or known.space is None:
            return ""
        judged = known.judged
        if judged is None or judged[0] is not known.space or judged[1] is not settings:
            known.judged, known.shortage = (known.space, settings), ""
            kept = self._kept_bytes(folder, known.space)
            if known.space.free_bytes < kept:
                free = in_words(known.space.free_bytes)
                known.shortage = f"{free} are free in {folder}, {in_words(kept)} are to stay free"
        return known.shortage

    def _is_fresh(self, folder: str) -> bool:
        now = self._context.clock()
        known = self._folders.get(folder)
        if known is None:
            return False
        known.used_at = now
        # Twice the pause: whoever asks while a look is under way does not wait for it.
        return now - known.looked_at < 2 * LOOK_EVERY_S

    async def _fresh(self, folder: str) -> None:
        """Have a look at a folder that is at most `LOOK_EVERY_S` old; several who ask share one."""
        if self._is_fresh(folder):
            return
        # Shielded: whoever asked first may be stopped while others wait.
        await asyncio.shield(self._begin_look(folder))

    def _begin_look(self, folder: str) -> asyncio.Future[None]:
        look = self._looks.get(folder)
        if look is None:
            look = self._looks[folder] = asyncio.ensure_future(self._look(folder))
        return look

    async def _look(self, folder: str) -> None:
        try:
            space = await self._context.pool.scout(space_of, folder, what=f"look for room in {folder}")
            now = self._context.clock()
            known = self._folders.setdefault(folder, _Folder(None, now, now))
            has_room = False
            for path, other in self._folders.items():
                # What is seen holds for all folders of the disk.
                if other is known or _is_one_disk(other.space, space):
                    was_low = bool(self._shortage_in(path))
                    other.space, other.looked_at = space, now
                    # One that needs less may never have been low.
                    has_room |= was_low and not self._shortage_in(path)
            if has_room:
                self._on_room()
        finally:
            del self._looks[folder]

    async def _look_regularly(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = self._context.clock()
            for folder, known in list(self._folders.items()):
                if now - known.used_at > IDLE_S and not self._shortage_in(folder):
                    del self._folders[folder]
            disks = {known.space.device: folder for folder, known in self._folders.items() if known.space is not None}
            for folder in disks.values():
                # Not awaited: a mount that hangs delays no other's look.
                self._begin_look(folder)


def _is_one_disk(one: Space | None, other: Space | None) -> bool:
    return one is not None and other is not None and one.device == other.device


def _nobody() -> None:
    """Tell nobody: nothing waits yet."""
