"""The engine for users of the library: add, watch, wait; and the port that the screen looks through."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterable
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, overload

from tui_dl.core.acceptance import was_left_out
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import FileSystemError, UsageError
from tui_dl.core.settings import SETTINGS, Settings, settings_with
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions
from tui_dl.disk.locations import find_locations, working_dir
from tui_dl.disk.small_files import GroupCommit, SavedFile
from tui_dl.disk.writer import DiskPool
from tui_dl.engine.adding_many import added_ids, checked_row
from tui_dl.engine.additions import Additions
from tui_dl.engine.answers import Answers
from tui_dl.engine.awaiting import await_finished, ids_meant
from tui_dl.engine.client_options import read_options
from tui_dl.engine.context import EngineContext
from tui_dl.engine.following import FileAdder
from tui_dl.engine.hosts import HostBudgets, HostKeeper
from tui_dl.engine.ledger import Ledger, save_rows
from tui_dl.engine.limits import Limits
from tui_dl.engine.live import LiveTask
from tui_dl.engine.media_source import EngineMediaSource
from tui_dl.engine.names_ahead import NamesAhead
from tui_dl.engine.naming import namer_of
from tui_dl.engine.observing import Observer
from tui_dl.engine.orders import Orders
from tui_dl.engine.playlists import Playlists
from tui_dl.engine.revalidating import is_keeping, with_cache
from tui_dl.engine.scheduler import Scheduler
from tui_dl.engine.stream_check import verified_stream
from tui_dl.engine.tally import Tally
from tui_dl.engine.transports import carrier, load_http2
from tui_dl.engine.wishes import checked_task
from tui_dl.journal.adding import BatchKind
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from array import array
    from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
    from types import TracebackType

    from tui_dl.core.commands import CommandOutcome
    from tui_dl.core.events import Event
    from tui_dl.core.ports import Transport
    from tui_dl.core.ports_media import MediaWorker
    from tui_dl.core.task import DownloadProgress, DownloadResult, DownloadTask, NewTask
    from tui_dl.journal.outcomes import AddOutcome


logger = logging.getLogger(__name__)


class _Memory:
    """Type of `MEMORY`."""

    def __repr__(self) -> str:
        return "MEMORY"


MEMORY: Final = _Memory()
"""Journal that keeps nothing once the engine is closed."""


class AsyncDownloadEngine(Answers):
    """Downloads what is added, on the running event loop; use it as `async with`.

    `journal`: a path opens (or makes) that journal, an open `Journal` is used and not closed, `MEMORY` keeps nothing.
    None opens the person's own journal (`TUI_DL_HOME` or the platform's data folder) as `tui-dl get` does: what is
    added there is kept and goes on when it is added again, and other rows are left alone.
    `retry_strategy(task, error)` decides whether a failed attempt is worth another, within `max_retries`.
    `on_progress` is called at most 4 times a second for a task, and always with its last value.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        journal: Journal | os.PathLike[str] | _Memory | None = None,
        *,
        retry_strategy: Callable[[DownloadTask, Exception], bool] | None = None,
        on_progress: Callable[[DownloadProgress], None] | None = None,
        batch_kind: BatchKind | None = None,
        adopts_orphans: bool | None = None,
        transport: Transport | None = None,
        media: MediaWorker | None = None,
    ) -> None:
        self._settings = settings or Settings()
        self._journal_source = journal
        self._strategy = retry_strategy
        self._on_progress = on_progress
        self._batch_kind = batch_kind or (BatchKind.GET if journal is None else BatchKind.SCREEN)
        self._adopts_orphans = journal is not None if adopts_orphans is None else adopts_orphans
        self._transport = transport
        self._media = media
        self._loop_task: asyncio.Task[None] | None = None
        self._working_dir = "/"
        self.default_dir = self._settings.dir
        """Folder of tasks that name none; absolute once started."""
        self.ledger: Ledger
        self.keeper: HostKeeper
        self.scheduler: Scheduler
        self._additions: Additions
        self._adder: FileAdder

    # -- life ----------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Open the journal, take over what a dead process left, begin. Raises `FileSystemError` or `UsageError`."""
        self._working_dir = await asyncio.to_thread(working_dir)
        # As files and options are: a script's `connections=0` must not hang, nor `"4"` fail somewhere within.
        checked = settings_with(self._settings, {name: getattr(self._settings, name) for name in SETTINGS})
        self.default_dir = self._absolute(checked.dir)
        settings = with_cache(checked, self._absolute)
        # Before the journal: a setting that cannot be used leaves nothing open.
        options = await read_options(settings, os.environ)
        http2 = await asyncio.to_thread(load_http2, settings)
        journal = await self._open_journal()
        transport, names = carrier(settings, options, http2, self._transport)
        pool = DiskPool()
        self.ledger = Ledger(journal, time.time)
        self.context = EngineContext(
            settings=settings,
            transport=transport,
            journal=journal,
            pool=pool,
            small_files=GroupCommit(pool, self._on_committed, expected=lambda: self.scheduler.slots_in_use),
            limits=Limits(settings.limit_rate, wall_clock=time.time, host_limit=settings.hosts.rate_of),
            identity=options.identity,
            budgets=HostBudgets(settings.hosts),
            on_change=lambda _live: self._note_change(),
            media=self._media,
        )
        context = self.context
        self.keeper = HostKeeper(context.budgets, journal, clock=context.clock, wall_clock=context.wall_clock)
        await self.keeper.load(settings.max_retry_after)
        await journal.remembered.start(is_archiving=settings.archive, is_keeping=is_keeping(settings))
        self.scheduler = Scheduler(self.context, self.ledger, self._strategy)
        if names is not None:
            context.names_ahead = NamesAhead(names, options, context.clock, context.budgets.on_room)
        self._observer = Observer(self.context, self.scheduler, self.ledger, self.default_dir, self._on_progress)
        self.playlists = Playlists(self.context, self.ledger, self.scheduler)
        self.context.playlists = self._observer.playlists = self.playlists
        if self._media is not None:
            self._media.start(self.media)
        self._additions = Additions(self.context, self.ledger, self.scheduler)
        self._orders = Orders(self)
        self._adder = FileAdder(self)
        self.context.add_files = self._adder.add
        if self._adopts_orphans:
            await journal.adopt_orphans(wants_ids=False)
            await journal.expire_history(settings.history_days, self.context.wall_clock())
        await self.playlists.start()
        self._loop_task = asyncio.ensure_future(self.scheduler.run())
        self._observer.start()
        self.keeper.start()
        self.context.watermark.start(self.scheduler.look_again)

    async def _open_journal(self) -> Journal:
        source = self._journal_source
        if isinstance(source, Journal):
            return source
        if isinstance(source, _Memory):
            return await Journal.open(None)
        if source is None:
            source = (await asyncio.to_thread(find_locations, os.environ)).journal_file
        return await Journal.open(Path(source))

    async def aclose(self) -> None:
        """Stop all transfers with everything durable; unfinished tasks go on at the next start."""
        if self._loop_task is None:
            return
        await self._orders.works.aclose()
        await self.scheduler.aclose()
        self._loop_task.cancel()
        with suppress(asyncio.CancelledError):
            await self._loop_task
        self._loop_task = None
        await self.playlists.aclose()
        if self._media is not None:
            await self._media.aclose()
        await self.context.listings.aclose()
        await self._observer.aclose()
        await self.keeper.aclose()
        await self.context.watermark.aclose()
        await self.context.small_files.aclose()
        await self.context.transport.aclose()
        await self.context.pool.aclose()
        if not isinstance(self._journal_source, Journal):
            try:
                await self.context.journal.aclose()
            except FileSystemError as error:
                # Its disk refuses: it claims less than there is, and the next start finds the rest by its sums.
                logger.warning("the journal was closed without its last records: %s", error)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Say what is missing where somebody asks for what `start()` makes."""
            if name.startswith("__"):
                raise AttributeError(name)
            raise UsageError("the engine is not open; write `async with AsyncDownloadEngine(...) as engine:`")

    # -- adding and waiting --------------------------------------------------------------------------------------------

    async def add(
        self,
        url: str,
        *,
        dir: str | os.PathLike[str] | None = None,  # noqa: A002  # the field's word, and the option's
        name: str = "",
        options: TaskOptions | None = None,
        batch: str = "",
    ) -> DownloadTask:
        """Add one address; return its row, durable. Raises `UsageError` for an address that cannot be used.

        The same address and target that is known already is not added again: its row is returned, and tried again if
        it had failed, was cancelled or left out for its type or size.
        """
        new = namer_of(self.context).named(checked_task(url, self._folder(dir), name, options or TaskOptions()))
        outcome = (await self.add_checked([new], batch=batch))[0]
        status = outcome.task.status
        is_again = status in (Status.FAILED, Status.CANCELLED) or was_left_out(status, outcome.task.reason)
        if not outcome.is_new and is_again:
            await self.execute(Command(CommandName.RETRY, ids=(outcome.task.id,)))
            return (await self.rows([outcome.task.id]))[0]
        return outcome.task

    async def refresh(self, task_id: int, url: str, headers: Sequence[tuple[str, str]] | None = None) -> CommandOutcome:
        """Give a task another address, what it holds kept; `is_refused` and `message` say what stands against it.

        Without `headers` those of the task stay, as far as they may go to the new host. Raises `UsageError`.
        """
        arguments = {"url": url, "headers": None if headers is None else [list(one) for one in headers]}
        return await self.execute(Command(CommandName.REFRESH, ids=(task_id,), arguments=arguments))

    @overload
    async def add_many(
        self, news: Iterable[NewTask | str], *, dir: str | os.PathLike[str] | None = None, batch: str = ""
    ) -> list[DownloadTask]: ...

    @overload
    async def add_many(
        self, news: AsyncIterable[NewTask | str], *, dir: str | os.PathLike[str] | None = None, batch: str = ""
    ) -> array[int]: ...

    async def add_many(
        self,
        news: Iterable[NewTask | str] | AsyncIterable[NewTask | str],
        *,
        dir: str | os.PathLike[str] | None = None,  # noqa: A002  # as in `add()`
        batch: str = "",
    ) -> list[DownloadTask] | array[int]:
        """Add addresses, or rows that were checked (`checked_task()`); return them in order, durable.

        Of an asynchronous source, which may have millions and is read no faster than they are added, the ids. An
        address that cannot be used raises `UsageError`: of a list nothing is added then, of a source what came before.
        """
        checked = partial(checked_row, folder=self._folder(dir), namer=namer_of(self.context))
        if isinstance(news, AsyncIterable):
            return await added_ids(news, checked, partial(self.add_checked, batch=batch))
        return [one.task for one in await self.add_checked([checked(new) for new in news], batch=batch)]

    async def add_checked(self, news: Sequence[NewTask], *, batch: str, keeps_first: bool = False) -> list[AddOutcome]:
        """Add rows, tell of the new ones, and start them as slots come free.

        With `keeps_first` a repeated wish changes nothing of a row that this engine has already.
        """
        outcomes = await self._additions.add(news, batch=batch, kind=self._batch_kind, keeps_first=keeps_first)
        self.scheduler.look_again()
        return outcomes

    async def end_batch(self, batch: str) -> None:
        """Note that a named batch was added whole and came to its end: added again, it begins anew."""
        await self.context.existing.end(batch, self._batch_kind)

    async def wait(self, tasks: Iterable[DownloadTask | int] | None = None) -> DownloadResult:
        """Return when these tasks (None: all of this engine) are finished. Paused tasks are waited for only by id.

        An id that no row has raises `UsageError`; a task whose row was removed meanwhile is over.
        """
        started_at = self.context.clock()
        if tasks is None:
            await self.scheduler.run_until_idle()
            await self.playlists.settle()
            tally, total = self.ledger.tally, self.ledger.tally.total
        else:
            ids, named = ids_meant(tasks)
            rows = await self._await_finished(ids, named)
            # A Metalink is done with its files.
            if files := [file for one in ids for file in self._adder.files_of.get(one, ())]:
                rows += await self._await_finished(files)
            tally, total = Tally.of(rows), len(ids) + len(files)
        return tally.result(total, self.context.clock() - started_at)

    async def _await_finished(self, ids: Sequence[int], named: Collection[int] = ()) -> list[DownloadTask]:
        await await_finished(self, ids, named)
        await self.context.journal.flush()
        return await self.rows(ids)

    async def stream(
        self, url: str, *, headers: Mapping[str, str] | None = None, checksum: str = ""
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of one file in order, of one version, going on after cuts. Raises `TuiDlError`.

        Bytes are given out as they come: a digest (`ALGO=HEX`, or what the server names) that they turn out not to
        have raises `ContentError` DIGEST_MISMATCH after the last of them.
        """
        options = TaskOptions(headers=tuple((headers or {}).items()), checksum=checksum)
        async with aclosing(verified_stream(self.context, url, options)) as chunks:
            async for chunk in chunks:
                yield chunk

    # -- the port ------------------------------------------------------------------------------------------------------

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` for each event; the returned function ends that."""
        return self.ledger.subscribe(listener)

    async def execute(self, command: Command) -> CommandOutcome:
        """Do what a person wants."""
        return await self._orders.execute(command)

    def set_default_dir(self, folder: str) -> None:
        """Let what is added from now on without a folder go there."""
        self.default_dir = self._absolute(folder or self.default_dir)

    # -- within --------------------------------------------------------------------------------------------------------

    def _folder(self, folder: str | os.PathLike[str] | None) -> str:
        if folder is None:
            return self.default_dir
        path = os.fspath(folder)
        if not path:
            raise UsageError("the folder is empty")
        return self._absolute(path)

    def _absolute(self, path: str) -> str:
        # Not `abspath()`: it asks the disk where we are.
        return os.path.normpath(os.path.join(self._working_dir, path))  # noqa: PTH118  # text in, text out

    def _note_change(self) -> None:
        self.ledger.changes += 1

    async def _on_committed(self, files: Sequence[SavedFile]) -> None:
        """Complete the tasks of a group of small files in one durable transaction."""
        lives: list[LiveTask] = []
        for saved in files:
            live = saved.token
            assert isinstance(live, LiveTask)
            if live.task.status is not Status.DOWNLOADING:
                continue  # stopped on a disk that hung; found again by its sum at the next start
            live.total_bytes = saved.size_bytes
            live.complete(saved.path)
            lives.append(live)
        await save_rows(self.context.journal, [live.task for live in lives])
        for live in lives:
            live.stored = live.task

    @property
    def media(self) -> EngineMediaSource:
        """What media take from this engine (`AsyncDownloadManager`)."""
        return EngineMediaSource(self)

    @property
    def settings(self) -> Settings:
        """Settings as they are now, changes made live included."""
        return replace(self.context.settings)
