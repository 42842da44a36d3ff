"""The name that each running task goes for: no other task has it, and the journal knows it before the file does.

Which files are there is the file system's to say, at the instant of naming, by its own rule of which names are one. But
a name with a number that is chosen only then is unknown to a journal that misses the end of the process: the file
would be fetched again and stand there twice. So numbers are chosen and recorded before the first byte is written.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from tui_dl.core.errors import FileSystemError
from tui_dl.core.filename import numbered
from tui_dl.core.maybe_set import MaybeSet
from tui_dl.core.name_folding import folded
from tui_dl.core.task import OnExists
from tui_dl.disk.folder_names import is_case_blind, names_in
from tui_dl.disk.placing import free_number

if TYPE_CHECKING:
    from tui_dl.core.name_set import NameSet
    from tui_dl.core.task import DownloadTask
    from tui_dl.disk.folder_names import FolderNames
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

logger = logging.getLogger(__name__)

FEW_LOOKS: Final = 16
"""Targets of a folder that are looked at one by one; more of them are worth a listing."""
MOST_FOLDERS: Final = 1_000
"""Folders of which something is known, the latest used ones."""
MOST_NUMBERED: Final = 10_000
"""Names of which the last number is remembered; of others it is searched anew."""
CLOCK_S: Final = 0.05
"""File systems' clocks tick that coarsely."""


@dataclass(slots=True, eq=False)
class _Folder:
    """What is known of a folder."""

    looks: int = 0
    """Targets that were looked at one by one."""
    listing: asyncio.Future[FolderNames] | None = None
    """Its names as they were once; None while few were asked for."""
    is_blind: bool | None = None
    """Whether it takes names for one that differ in case; None while nobody asked."""


class _Target(NamedTuple):
    """A name in a folder."""

    path: str
    """Absolute."""
    alike: str
    """The same folded: what some file system may take for it."""


class Targets:
    """Of one engine: held from the first answer of an attempt to its end."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._held: set[str] = set()
        self._alike: dict[str, int] = {}
        self._by_task: dict[int, _Target] = {}
        self._folders: OrderedDict[str, _Folder] = OrderedDict()
        self._made = MaybeSet()
        self._numbers: dict[str, int] = {}
        self._recorded: dict[int, NameSet] = {}

    async def claim(self, live: LiveTask) -> None:
        """Give a task a target of its own: its name, or that with a number, recorded before this returns."""
        task = live.task
        target = _target(task.dir, task.filename)
        before = self._by_task.get(task.id)
        if before is not None:
            if before.path == target.path:
                return
            self.release(live)
        if target.alike not in self._alike or not await self._is_held(task.dir, target):
            self._hold(task.id, target)
            if not await self._is_on_disk(task, target):
                return
            self.release(live)
        await self._number(live)

    def release(self, live: LiveTask) -> None:
        """Give up what a task went for; what it made is known to be there."""
        target = self._by_task.pop(live.task.id, None)
        if target is None:
            return
        self._held.discard(target.path)
        others = self._alike.pop(target.alike) - 1
        if others:
            self._alike[target.alike] = others
        if path := live.task.path:
            self._made.add(target.alike if path == target.path else folded(path))

    # -- who has it ----------------------------------------------------------------------------------------------------

    def _hold(self, task_id: int, target: _Target) -> None:
        self._by_task[task_id] = target
        self._held.add(target.path)
        self._alike[target.alike] = self._alike.get(target.alike, 0) + 1

    async def _is_held(self, folder: str, target: _Target) -> bool:
        if target.path in self._held or target.alike not in self._alike:
            return target.path in self._held
        # Alike but not the same: it depends on the folder; asked again, for others go on meanwhile.
        is_blind = await self._is_blind(folder)
        return target.path in self._held or (is_blind and target.alike in self._alike)

    async def _is_blind(self, folder: str) -> bool:
        known = self._known(folder)
        if known.is_blind is None:
            what = f"look into the folder {folder}"
            known.is_blind = await self._context.pool.scout(is_case_blind, folder, what=what)
        # Where nothing tells, a number too many is the lesser harm: a fresh stick has nothing in it, and is blind.
        return known.is_blind is not False

    # -- what is there -------------------------------------------------------------------------------------------------

    async def _is_on_disk(self, task: DownloadTask, target: _Target) -> bool:
        """Whether a name is another file's that is to stay."""
        if not await self._may_be_there(task, target):
            return False
        changed_at = await self._context.pool.scout(_changed_at, target.path, what=f"look at {target.path}")
        if changed_at is None:
            return False
        policy = self._context.policy_of(task)
        is_replaced = policy is OnExists.OVERWRITE and not task.options.wanted_name
        is_replaced |= policy is OnExists.IF_MODIFIED and task.path == target.path
        is_crash_candidate = task.added_at < self._context.opened_at
        if not (is_replaced or is_crash_candidate):
            return True
        # Its own may stand there, named just before a crash: its bytes tell, once they are here. What another address
        # of the batch made is neither replaced nor its own.
        is_of_this_run = target.alike in self._made and changed_at >= self._context.opened_at - CLOCK_S
        return is_of_this_run or (is_crash_candidate and target.path in await self._recorded_of(task.batch_id))

    async def _may_be_there(self, task: DownloadTask, target: _Target) -> bool:
        if target.alike in self._made:
            return True
        names = self._context.existing.names_beside(task)
        if names is not None:
            return task.filename in names
        folder = task.dir
        known = self._known(folder)
        known.looks += 1
        if known.looks <= FEW_LOOKS:
            return True
        if known.listing is None:
            what = f"list the folder {folder}"
            known.listing = asyncio.ensure_future(self._context.pool.scout(names_in, folder, what=what))
        # Shielded: the task that began it may be stopped, others wait for it, too.
        names = known.listing.result() if known.listing.done() else await asyncio.shield(known.listing)
        return task.filename in names

    async def _recorded_of(self, batch_id: int) -> NameSet:
        """Return the paths of files that a batch had completed when it was first asked for."""
        names = self._recorded.get(batch_id)
        if names is None:
            names = self._recorded[batch_id] = await self._context.journal.remembered.completed_paths(batch_id)
        return names

    def _known(self, folder: str) -> _Folder:
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = _Folder()
            if len(self._folders) > MOST_FOLDERS:
                self._folders.popitem(last=False)
        else:
            self._folders.move_to_end(folder)
        return known

    # -- numbers -------------------------------------------------------------------------------------------------------

    async def _number(self, live: LiveTask) -> None:
        task = live.task
        wanted = task.options.wanted_name or task.filename
        alike = _target(task.dir, wanted).alike
        while True:
            start = self._numbers.get(alike, 1)
            # Before anything is awaited: the next one of this name begins after it.
            self._note_number(alike, start + 1)
            what = f"look for a free name in {task.dir}"
            number = await self._context.pool.scout(_free_number, task.dir, wanted, start, what=what)
            self._note_number(alike, number + 1)
            name = numbered(wanted, number)
            target = _target(task.dir, name)
            if not await self._is_held(task.dir, target):
                break
        self._hold(task.id, target)
        live.change(filename=name, name_fixed=True, options=replace(live.task.options, wanted_name=wanted))
        live.note(f"another file is called {wanted}; this one is saved as {name}")
        self._context.journal.save_soon(live.task)
        try:
            await self._context.journal.settle()
        except FileSystemError as error:
            # The journal tries again by itself; only a crash meanwhile would fetch this one twice.
            logger.warning("the name %s is recorded later: %s", name, error)
        live.stored = live.task

    def _note_number(self, alike: str, number: int) -> None:
        if len(self._numbers) >= MOST_NUMBERED:
            self._numbers.clear()
        self._numbers[alike] = max(number, self._numbers.get(alike, 1))


def _target(folder: str, name: str) -> _Target:
    path = folder + name if folder == "/" else f"{folder}/{name}"
    return _Target(path, folded(path))


def _free_number(folder: str, name: str, start: int) -> int:
    return free_number(name, lambda one: os.path.lexists(os.path.join(folder, one)), start=start)  # noqa: PTH118  # text in, text out


def _changed_at(path: str) -> float | None:
    """Return when a file, or whatever has its name, was changed or named; None where nothing has it."""
    try:
        return os.lstat(path).st_ctime
    except OSError:
        return None
