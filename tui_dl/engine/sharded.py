"""An engine whose finished files go into tar shards: to whoever watches, a file is completed once it is in one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from tui_dl.core.errors import REASONS, Reason
from tui_dl.core.events import Event, EventKind
from tui_dl.core.status import Status
from tui_dl.core.task import OnExists
from tui_dl.engine.listening import Listeners
from tui_dl.engine.shard_sink import ShardSink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from tui_dl.core.commands import Command, CommandOutcome
    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.sharding import Shard
    from tui_dl.core.task import DownloadProgress, DownloadResult, DownloadTask, NewTask
    from tui_dl.engine.engine import AsyncDownloadEngine
    from tui_dl.engine.shard_sink import ShardWish
    from tui_dl.journal.outcomes import AddOutcome


class ShardedEngine:
    """Adds to an engine and packs what it finishes; use it as `async with`, within that of the engine.

    After `wait()` every completed file is in a shard that has its final name. Left before that, what is done stays
    done, and the same tasks with the same wish go on with it.
    """

    def __init__(self, engine: AsyncDownloadEngine, wish: ShardWish) -> None:
        self._engine = engine
        self._wish = wish
        self._sink = ShardSink(wish, engine.context.journal, self._tell_packed, self._tell_lost)
        self._held: dict[int, Event] = {}
        self._listeners = Listeners()
        self._unsubscribe: Callable[[], None] | None = None

    async def __aenter__(self) -> Self:
        await self._sink.start()
        self._unsubscribe = self._engine.subscribe(self._hear)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
        await self._sink.aclose()

    @property
    def shards_made(self) -> Sequence[Shard]:
        """The shards that this run finished."""
        return self._sink.made

    # -- what a batch asks ---------------------------------------------------------------------------------------------

    async def add_checked(self, news: Sequence[NewTask], *, batch: str, keeps_first: bool = False) -> list[AddOutcome]:
        """Add rows whose files arrive in the staging folder, below it where they have folders of their own."""
        # Meanwhile no file moves: a row whose file is gone is fetched again.
        async with self._sink.moving:
            staged = [self._staged(new) for new in news]
            return await self._engine.add_checked(staged, batch=batch, keeps_first=keeps_first)

    async def execute(self, command: Command) -> CommandOutcome:
        """Do what a person wants."""
        return await self._engine.execute(command)

    async def wait(self) -> DownloadResult:
        """Return when nothing is left to do and all is packed; raises `FileSystemError` where it cannot be packed."""
        result = await self._engine.wait()
        await self._sink.finish()
        return result

    async def end_batch(self, batch: str) -> None:
        """Note that a batch was added whole and came to its end."""
        await self._engine.end_batch(batch)

    def snapshot(self) -> EngineSnapshot:
        """Return the present state."""
        snapshot = self._engine.snapshot()
        if self._sink.trouble:
            return replace(snapshot, notices=(*snapshot.notices, self._sink.trouble))
        return snapshot

    def progress(self, task_id: int) -> DownloadProgress | None:
        """Return how one live task stands."""
        return self._engine.progress(task_id)

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` for each event on the loop, for a completed file once it is packed."""
        return self._listeners.subscribe(listener)

    # -- within --------------------------------------------------------------------------------------------------------

    def _staged(self, new: NewTask) -> NewTask:
        # What lies in the staging folder is another file of this data set, whatever it is called.
        return replace(new, dir=self._staged_dir(new.dir), options=replace(new.options, on_exists=OnExists.RENAME))

    def _staged_dir(self, folder: str) -> str:
        """Return where the files of a folder arrive; a folder elsewhere has no place in a shard."""
        target, files = self._wish.folder.rstrip("/") + "/", self._sink.files
        below = (folder + "/").removeprefix(files + "/").removeprefix(target)
        return files if below.startswith("/") else (files + "/" + below).rstrip("/")

    def _hear(self, event: Event) -> None:
        if event.kind is EventKind.COMPLETED and event.task.path.startswith(self._sink.files + "/"):
            self._held[event.task.id] = event
            self._sink.take(event.task.id)
        else:
            self._listeners.tell(event)

    def _tell_packed(self, task: DownloadTask) -> None:
        if (event := self._held.pop(task.id, None)) is not None:
            self._listeners.tell(replace(event, task=task))

    def _tell_lost(self, task: DownloadTask) -> None:
        if (event := self._held.pop(task.id, None)) is not None:
            text = f"{REASONS[Reason.PART_LOST].meaning} before it was packed"
            lost = replace(task, status=Status.FAILED, reason=Reason.PART_LOST, reason_text=text)
            self._listeners.tell(Event(EventKind.FAILED, lost, event.at))
