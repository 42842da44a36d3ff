"""Which targets were there before a batch began: each folder is listed once, not looked at for every address."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeVar

from tui_dl.core.filename import name_from_url
from tui_dl.core.media import Kind
from tui_dl.core.plain_address import plain_parts
from tui_dl.core.status import Status
from tui_dl.core.task import OnExists, TargetState
from tui_dl.disk.folder_names import FolderNames, names_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from tui_dl.core.task import DownloadTask, NewTask
    from tui_dl.disk.writer import DiskPool
    from tui_dl.journal.adding import BatchKind
    from tui_dl.journal.journal import Journal
    from tui_dl.journal.outcomes import AddOutcome
    from tui_dl.journal.runs import Claims, Run

Found = TypeVar("Found")

FEW_LOOKS: Final = 16
"""So many addresses of a batch are looked at one by one; a list of them is worth listings."""
MOST_NAMES: Final = 4_000_000
"""Names in all listings of a batch that are kept, eight bytes each."""
MOST_FOLDERS: Final = 50_000
"""Listings of a batch that are kept, the latest used ones."""


@dataclass(slots=True)
class _Batch:
    """What is known of one batch."""

    run: Run | None
    """Its run as the journal knows it; None for a few addresses of no named batch."""
    listings: OrderedDict[str, FolderNames] = field(default_factory=OrderedDict)
    """Names in folders as the batch found them."""
    looks: int = 0
    """Addresses that were looked at one by one."""
    names: int = 0
    """Names in all listings."""
    claims: Claims | None = None
    """Paths that the batch took; None while nothing asks for them."""
    is_late: bool = False
    """Whether listings made from now on may hold what this run made itself."""


class Existing:
    """Answers for tasks that leave alone what is there.

    What appears after the listing was not there before the batch; the commit then finds it and saves beside it. What
    a killed run of the same batch left is told from what was there by the rows that the journal has.
    """

    def __init__(
        self, journal: Journal, pool: DiskPool, policy_of: Callable[[NewTask | DownloadTask], OnExists]
    ) -> None:
        self._journal = journal
        self._pool = pool
        self._policy_of = policy_of
        self._by_name: dict[tuple[str, BatchKind], _Batch] = {}
        self._by_id: dict[int, _Batch] = {}
        self._claimed: set[str] = set()

    # -- when rows are added -------------------------------------------------------------------------------------------

    async def sift(self, news: Sequence[NewTask], *, name: str, kind: BatchKind, at: float) -> list[NewTask]:
        """Return the same wishes, each with what stands at its target; `name` and `kind` are those of the batch."""
        asked = self._asked(news)
        sifted = list(news)
        if not asked:
            return sifted
        batch = await self._begun(name, kind, at)
        places = [(news[index].dir, name_of(news[index])) for index in asked]
        there = await self._look(batch, places)
        claims = await self._claims_of(batch) if any(there) else None
        if not any(there) and all(news[index].options.on_exists for index in asked):
            return sifted
        for index, (folder, file_name), is_there in zip(asked, places, there, strict=True):
            state = self._state(claims, os.path.join(folder, file_name)) if is_there else TargetState.FREE  # noqa: PTH118
            options = news[index].options
            if options.on_exists is None:
                # Written out: whether it is skipped is decided now, whatever the settings say when it is its turn.
                options = replace(options, on_exists=OnExists.SKIP)
            if state is not TargetState.FREE or options is not news[index].options:
                sifted[index] = replace(news[index], options=options, target=state)
        return sifted

    def _asked(self, news: Sequence[NewTask]) -> list[int]:
        """Return which wishes leave alone what is there."""
        asked: list[int] = []
        # The wishes of a list share their options.
        options, skips = None, False
        for index, new in enumerate(news):
            if new.options is not options:
                options = new.options
                skips = not options.continues and self._policy_of(new) is OnExists.SKIP
            if skips and new.target is TargetState.FREE:
                asked.append(index)
        return asked

    async def end(self, name: str, kind: BatchKind) -> None:
        """Note that a batch was added whole and came to its end; added again, it begins anew."""
        batch = self._by_name.pop((name, kind), None)
        if batch is not None and batch.run is not None:
            self._by_id.pop(batch.run.batch_id, None)
            await self._journal.remembered.end_run(batch.run.batch_id)

    async def gone(self, outcomes: Sequence[AddOutcome], *, name: str, kind: BatchKind) -> list[int]:
        """Return which outcomes are rows of completed tasks of ours whose file is there no more."""
        batch = self._by_name.get((name, kind))
        doubtful: list[int] = []
        for index, outcome in enumerate(outcomes):
            if outcome.is_new:
                continue
            task = outcome.task
            if task.status is not Status.COMPLETED or task.owner != self._journal.instance_id:
                continue
            if task.kind is Kind.PLAYLIST:
                continue  # it never had one
            folder, file_name = os.path.split(task.path)
            names = None if batch is None else batch.listings.get(folder)
            if names is None or file_name not in names:
                doubtful.append(index)
        if not doubtful:
            return []
        paths = [outcomes[index].task.path for index in doubtful]
        found = await self._scout(_look_at, paths)
        return [index for index, is_there in zip(doubtful, found, strict=True) if not is_there]

    async def _begun(self, name: str, kind: BatchKind, at: float) -> _Batch:
        if not name:
            return _Batch(None)
        batch = self._by_name.get((name, kind))
        if batch is None:
            run = await self._journal.remembered.begin_run(name, kind=kind, at=at)
            batch = self._by_name.setdefault((name, kind), _Batch(run))
            self._by_id[run.batch_id] = batch
        return batch

    async def _look(self, batch: _Batch, places: Sequence[tuple[str, str]]) -> list[bool]:
        folders = {folder for folder, _ in places}
        if not batch.listings and batch.looks + len(places) <= FEW_LOOKS:
            batch.looks += len(places)
            batch.is_late = True
            return await self._scout(_look_at, [os.path.join(*place) for place in places])  # noqa: PTH118
        missing = [folder for folder in folders if folder not in batch.listings]
        if missing:
            if batch.is_late:
                batch.claims = None
            listed = await self._scout(_list_all, missing)
            batch.listings.update(zip(missing, listed, strict=True))
            batch.names += sum(map(len, listed))
        listings = batch.listings
        has_any = any(map(len, (listings[folder] for folder in folders)))
        there = [name in listings[folder] for folder, name in places] if has_any else [False] * len(places)
        self._trim(batch, folders)
        return there

    async def _scout(self, work: Callable[[Sequence[str]], list[Found]], paths: Sequence[str]) -> list[Found]:
        """Do it in a thread of its own: one of the file systems may hang."""
        return await self._pool.scout(work, paths, what=f"look into {paths[0]}")

    def _trim(self, batch: _Batch, latest: Collection[str]) -> None:
        for folder in latest:
            batch.listings.move_to_end(folder)
        while len(batch.listings) > len(latest) and (len(batch.listings) > MOST_FOLDERS or batch.names > MOST_NAMES):
            _, names = batch.listings.popitem(last=False)
            batch.names -= len(names)
            batch.is_late = True

    async def _claims_of(self, batch: _Batch) -> Claims | None:
        if batch.claims is None and batch.run is not None:
            batch.claims = await self._journal.remembered.claims(batch.run)
        return batch.claims

    def _state(self, claims: Claims | None, path: str) -> TargetState:
        if path in self._claimed:
            return TargetState.FREE
        if claims is None:
            return TargetState.THERE
        if path in claims.made:
            return TargetState.FREE
        return TargetState.TAKEN if path in claims.earlier else TargetState.THERE

    def names_beside(self, task: DownloadTask) -> FolderNames | None:
        """Return the names in a task's folder as its batch found them; None where it was not listed."""
        batch = self._by_id.get(task.batch_id)
        return None if batch is None else batch.listings.get(task.dir)

    # -- when a task runs ----------------------------------------------------------------------------------------------

    def claim(self, task: DownloadTask) -> None:
        """Note that a task goes for its target, where that decides what another one of the same name does."""
        batch = self._by_id.get(task.batch_id)
        if batch is not None and task.dir in batch.listings:
            return  # its folder was listed before
        if self._policy_of(task) is OnExists.SKIP:
            self._claimed.add(_target_of(task))

    async def was_there_before(self, task: DownloadTask) -> bool:
        """Whether a target exists that was there before the task's batch began."""
        path = _target_of(task)
        if path in self._claimed:
            return False
        batch = self._by_id.get(task.batch_id)
        names = None if batch is None else batch.listings.get(task.dir)
        if names is not None and task.filename not in names:
            return False
        if batch is None:
            # Added by a process before: what stands there may have been made by that one.
            batch = self._by_id.setdefault(task.batch_id, _Batch(await self._journal.remembered.run_of(task)))
        began_at = task.added_at if batch.run is None else batch.run.began_at
        is_ours = names is None or batch.run is None or batch.run.is_continued
        if not await self._pool.scout(_is_from_before, path, began_at if is_ours else None, what=f"look at {path}"):
            return False
        claims = await self._claims_of(batch)
        return claims is None or path not in claims.made


def name_of(new: NewTask) -> str:
    """Return what the file of a wish is called, as far as its address tells."""
    if new.name:
        return new.name
    parts = new.parts or plain_parts(new.url)
    return parts[1] if parts is not None else name_from_url(new.url)


def _target_of(task: DownloadTask) -> str:
    return os.path.join(task.dir, task.filename)  # noqa: PTH118  # text in, text out


def _look_at(paths: Iterable[str]) -> list[bool]:
    return [os.path.lexists(path) for path in paths]


def _list_all(folders: Iterable[str]) -> list[FolderNames]:
    return [names_in(folder) for folder in folders]


def _is_from_before(path: str, began_at: float | None) -> bool:
    """Whether a file is there and, with an instant given, was not made or renamed since."""
    try:
        changed_at = os.lstat(path).st_ctime
    except OSError:
        return False
    return began_at is None or changed_at < began_at
