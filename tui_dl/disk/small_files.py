"""Small files by the thousand: each one write, then durable and named in groups."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from weakref import WeakValueDictionary

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.provenance import NO_PROVENANCE, Provenance
from tui_dl.disk.folder import close_folder, require_component
from tui_dl.disk.os_errors import map_os_error
from tui_dl.disk.placing import Placing
from tui_dl.disk.small_parts import SmallCommit, SmallPart, commit_group, discard_small, write_small
from tui_dl.disk.writer import CLOSE_PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from tui_dl.core.task import OnExists
    from tui_dl.disk.folder import Folder
    from tui_dl.disk.writer import DiskPool, DiskWriter

MOST_SMALL_BYTES: Final = 1 << 20
"""Longest body that is a small file; longer ones are a `PartFile`."""
GROUP_FILES: Final = 250
"""Files of one group."""
GROUP_WAIT_S: Final = 0.25
"""Longest that a written file waits for company."""
MOST_OUTSTANDING: Final = 2 * GROUP_FILES
"""Files that are written or committed at once, each with an open descriptor; further savers wait."""
_MOST_IDLE_FOLDERS: Final = 32


class SavedFile(NamedTuple):
    """A small file that is durable under its final name."""

    token: object
    """What the saver gave to know it by."""
    path: str
    """Final path."""
    size_bytes: int
    """Length."""


@dataclass(slots=True, eq=False)
class _Group:
    """The next group of one file system."""

    writer: DiskWriter
    """Threads of the file system."""
    waiting: list[_Save] = field(default_factory=list)
    """Written, not yet on their way to be committed; oldest first."""
    writing: int = 0
    """Files in the hands of the writing thread."""
    is_committing: bool = False
    """Whether the group before is under way."""
    timer: asyncio.TimerHandle | None = None
    """Runs out when the first has waited long enough."""
    is_due: bool = False
    """Whether it ran out."""


@dataclass(slots=True, eq=False)
class _Held:
    """A folder kept open for the files that go there."""

    folder: Folder
    """The folder."""
    group: _Group
    """Group of its file system."""
    users: int = 0
    """Files between `save()` and their outcome."""
    is_stale: bool = False
    """Whether its path leads elsewhere now; it is closed with its last user."""


@dataclass(slots=True, eq=False)
class _Save:
    """A file between `save()` and its outcome."""

    held: _Held
    """Where it goes."""
    name: str
    """Name wanted."""
    size_bytes: int
    """Length."""
    on_exists: OnExists
    """Policy for a target that is there already."""
    provenance: Provenance
    """Time and origin to note."""
    adopts_twin: bool
    """Whether a file of its name and bytes is taken for it."""
    token: object
    """What the saver knows it by."""
    on_written: Callable[[], None] | None
    """Called when its bytes are the kernel's."""
    outcome: asyncio.Future[str]
    """Final path, for the saver; cancelled if the saver was."""
    part: SmallPart | None = None
    """What was written; None before."""
    is_settled: bool = False
    """Whether it has its outcome and gave up its place."""


class GroupCommit:
    """Saves small files; use it as `async with`, or end it with `aclose()`.

    A group of a file system is committed as soon as the one before is done and nobody else is about to join it, or
    when it has 250 files or its first has waited 250 ms. Then: one sync of the file system, a name for each, a sync of
    each folder, `on_committed(files)` (the journal's one transaction), and only then the savers go on. A crash before
    that leaves nothing under a final name that is not whole.
    """

    def __init__(
        self,
        pool: DiskPool,
        on_committed: Callable[[list[SavedFile]], Awaitable[None]],
        *,
        expected: Callable[[], int] = int,
        is_nameless: bool = True,
    ) -> None:
        self._pool = pool
        self._on_committed = on_committed
        self._expected = expected
        """How many files are likely to be saved within 250 ms; while it is 0 a lone file goes at once."""
        self._is_nameless = is_nameless
        """Whether files have no name before they are whole, where the file system can do that."""
        self._placing = Placing()
        self._folders: dict[str, _Held] = {}
        self._opening: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._groups: dict[DiskWriter, _Group] = {}
        self._commits: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(MOST_OUTSTANDING)
        self._unsettled = 0
        self._quiet = asyncio.Event()
        self._is_closing = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def save(
        self,
        folder: str,
        name: str,
        buffers: Sequence[bytes],
        *,
        on_exists: OnExists,
        token: object = None,
        provenance: Provenance = NO_PROVENANCE,
        adopts_twin: bool = False,
        create_folder: bool = False,
        on_written: Callable[[], None] | None = None,
    ) -> str:
        """Write a whole small file and return its final path once it is durable and recorded.

        `on_written()` is called when the bytes were handed to the kernel: the place of a download may be given to the
        next one then. `adopts_twin` is for tasks that a crash interrupted: a file of this name with the very same
        bytes is taken for the one that was committed and not recorded. A saver cancelled before its group is
        committed leaves nothing; later the file stays and is reported to `on_committed`. Raises `FileSystemError`, or
        what `on_committed` raised (the file is there then).
        """
        require_component(name)
        if self._is_closing:
            raise RuntimeError("no file can be saved after aclose()")
        await self._room.acquire()
        held = self._folders.get(folder)
        if held is not None:
            held.users += 1
        else:
            try:
                held = await self._hold(folder, create=create_folder)
            except BaseException:
                self._room.release()
                raise
        outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        size_bytes = sum(map(len, buffers))
        save = _Save(held, name, size_bytes, on_exists, provenance, adopts_twin, token, on_written, outcome)
        self._unsettled += 1
        held.group.writing += 1
        work = partial(write_small, held.folder, name, buffers, is_nameless=self._is_nameless)
        held.group.writer.submit(work, partial(self._written, save))
        return await outcome

    def let_go(self, folders: Iterable[str]) -> None:
        """Hold folders open no longer that no file is on its way to: they may be removed."""
        for path in folders:
            held = self._folders.get(path)
            if held is not None and not held.users:
                self._drop(held)

    @property
    def open_folders(self) -> tuple[str, ...]:
        """Folders that are held open."""
        return tuple(self._folders)

    async def aclose(self, patience_s: float = CLOSE_PATIENCE_S) -> bool:
        """Commit what was given, then close; False where a disk did not answer within `patience_s` seconds."""
        self._is_closing = True
        for group in self._groups.values():
            self._consider(group)
        is_quiet = True
        if self._unsettled:
            self._quiet.clear()
            try:
                await asyncio.wait_for(self._quiet.wait(), patience_s)
            except TimeoutError:
                is_quiet = False
        for held in list(self._folders.values()):
            self._drop(held)
        return is_quiet

    async def _hold(self, path: str, *, create: bool) -> _Held:
        held = self._folders.get(path)
        if held is None:
            lock = self._opening.setdefault(path, asyncio.Lock())
            async with lock:
                held = self._folders.get(path)
                if held is None:
                    folder, writer = await self._pool.open_folder(path, create=create)
                    group = self._groups.setdefault(writer, _Group(writer))
                    held = self._folders[path] = _Held(folder, group)
        held.users += 1
        return held

    def _written(self, save: _Save, part: SmallPart | None, error: BaseException | None) -> None:
        group = save.held.group
        group.writing -= 1
        save.part = part
        if error is not None:
            self._fail(save, error)
        elif save.outcome.done():
            self._discard(save)
        else:
            group.waiting.append(save)
            if save.on_written is not None:
                save.on_written()
        self._consider(group)

    def _consider(self, group: _Group) -> None:
        """Begin to commit a group if it is time; the rule of the class docstring."""
        if group.is_committing or not group.waiting:
            return
        is_alone = not group.writing and (self._is_closing or not self._expected())
        if is_alone or group.is_due or len(group.waiting) >= GROUP_FILES:
            self._begin(group)
        elif group.timer is None:
            group.timer = asyncio.get_running_loop().call_later(GROUP_WAIT_S, self._ring, group)

    def _ring(self, group: _Group) -> None:
        group.timer = None
        group.is_due = True
        self._consider(group)

    def _begin(self, group: _Group) -> None:
        if group.timer is not None:
            group.timer.cancel()
            group.timer = None
        saves, group.waiting = group.waiting[:GROUP_FILES], group.waiting[GROUP_FILES:]
        group.is_due = bool(group.waiting)
        group.is_committing = True
        task = asyncio.get_running_loop().create_task(self._commit(group, saves))
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)

    async def _commit(self, group: _Group, saves: list[_Save]) -> None:
        wanted = [save for save in saves if not save.outcome.done()]
        for save in saves:
            if save.outcome.done():
                self._discard(save)
        try:
            if wanted:
                await self._commit_wanted(group, wanted)
        except Exception as error:  # noqa: BLE001 - the task's border: its savers get what went wrong
            self._fail_all(wanted, error)
        except BaseException:
            self._fail_all(wanted, asyncio.CancelledError())
            raise
        finally:
            group.is_committing = False
            self._consider(group)

    async def _commit_wanted(self, group: _Group, saves: list[_Save]) -> None:
        commits = [_as_commit(save) for save in saves]
        outcomes = await group.writer.sync_call(commit_group, commits, self._placing, what="commit a group of files")
        saved: list[tuple[_Save, str]] = []
        for save, outcome in zip(saves, outcomes, strict=True):
            if isinstance(outcome, str):
                saved.append((save, outcome))
            else:
                self._fail(save, outcome)
        if saved:
            await self._on_committed([SavedFile(save.token, path, save.size_bytes) for save, path in saved])
        for save, path in saved:
            if not save.outcome.done():
                save.outcome.set_result(path)
            self._settle(save)

    def _fail_all(self, saves: list[_Save], error: BaseException) -> None:
        for save in saves:
            if not save.is_settled:
                self._fail(save, error)

    def _fail(self, save: _Save, error: BaseException) -> None:
        if isinstance(error, OSError):
            error = map_os_error(error, f"write {save.held.folder.join(save.name)}")
        if isinstance(error, FileSystemError) and error.reason is Reason.FOLDER_MISSING:
            # The next file looks the path up again: the folder may be made anew.
            self._forget(save.held)
        if not save.outcome.done():
            if isinstance(error, asyncio.CancelledError):
                save.outcome.cancel()
            else:
                save.outcome.set_exception(error)
        self._settle(save)

    def _discard(self, save: _Save) -> None:
        if save.part is not None:
            save.held.group.writer.submit(partial(discard_small, save.held.folder, save.part), _ignore)
        self._settle(save)

    def _settle(self, save: _Save) -> None:
        save.is_settled = True
        held = save.held
        held.users -= 1
        self._room.release()
        self._unsettled -= 1
        if not self._unsettled:
            self._quiet.set()
        if not held.users and (held.is_stale or len(self._folders) > _MOST_IDLE_FOLDERS):
            self._drop(held)

    def _drop(self, held: _Held) -> None:
        """Close a folder now or with its last user."""
        self._forget(held)
        if not held.users:
            held.group.writer.submit(partial(close_folder, held.folder), _ignore)

    def _forget(self, held: _Held) -> None:
        held.is_stale = True
        if self._folders.get(held.folder.path) is held:
            del self._folders[held.folder.path]


def _as_commit(save: _Save) -> SmallCommit:
    assert save.part is not None
    return SmallCommit(save.held.folder, save.part, save.name, save.on_exists, save.provenance, save.adopts_twin)


def _ignore(_result: object, _error: BaseException | None) -> None:
    """Nobody waits for what is closed or discarded."""
