"""What a task holds on disk: taken up and proven, dropped where it is another version, made durable at every end."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from tui_dl.core.crc32 import crc32
from tui_dl.core.errors import ContentError, FileSystemError, Reason
from tui_dl.core.extents import Extent, range_set
from tui_dl.core.splitting import SegmentPlan
from tui_dl.core.status import Status, Trigger
from tui_dl.core.task import Flag
from tui_dl.disk.committed import find_committed
from tui_dl.disk.part_file import PartFile
from tui_dl.engine.checkpointing import Checkpointer
from tui_dl.engine.ledger import save_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.ranges import ByteRange
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask
    from tui_dl.journal.checkpoints import Checkpoint


class Holding:
    """The part file of one attempt, with what of it is proven and who records that."""

    def __init__(self, context: EngineContext, live: LiveTask) -> None:
        self._context = context
        self._live = live
        self.plan = SegmentPlan(live.task.total_bytes)
        """Bytes held, being fetched and free."""
        self.part: PartFile | None = None
        """The open part file; None before there is one."""
        self.checkpointer: Checkpointer | None = None
        """Records what is written, from `open_part()` on."""

    async def reopen(self) -> None:
        """Take up the part file of an earlier attempt with all of it that can be proven."""
        task = self._live.task
        if not task.part_path:
            # What an earlier attempt received in vain is no progress.
            self._live.rewind(0)
            return
        checkpoint = await self._context.journal.load_checkpoint(task.id)
        try:
            part = await self._context.reopen_part(task)
        except FileSystemError as error:
            if error.reason not in (Reason.PART_LOST, Reason.FOLDER_MISSING):
                raise
            if await self._is_named(checkpoint):
                return
            self._live.note(f"{error}; starts over")
            await self._forget()
            return
        self.part = part
        if task.options.restarts:
            await self.restart(is_proven=False)
            return
        await self._prove(part, checkpoint)

    async def require_unaltered(self, part: PartFile) -> None:
        """Raise PART_LOST where another program changed the part file; a retry fetches what it spoiled."""
        if not await part.is_altered():
            return
        await self._prove(part, await self._context.journal.load_checkpoint(self._live.task.id))
        if not self.plan.is_complete:
            text = f"{part.path} was altered by another program; a retry fetches the altered bytes again"
            raise FileSystemError(Reason.PART_LOST, text)

    async def restart(self, *, is_proven: bool) -> None:
        """Drop what is held; where a change is proven, as the setting says."""
        live, part, on_change = self._live, self.part, self._context.settings.on_change
        if is_proven and on_change == "fail":
            raise ContentError(Reason.CHANGED, "the file changed on the server; what was fetched is kept")
        if self.checkpointer is not None:
            await self.checkpointer.finish(is_committing=True)
            self.checkpointer = None
        if part is not None:
            self.part = None
            if is_proven and on_change == "keep-both":
                live.note(f"the old version is kept as {part.path}")
                await part.close()
            else:
                await part.delete()
        await self._forget()
        if is_proven:
            live.note("the file changed on the server; starts over")
            live.change(flags=live.task.flags | {Flag.RESTARTED})

    async def open_part(self) -> tuple[PartFile, Checkpointer]:
        """Return the part file, made if there is none, and who records its bytes."""
        task = self._live.task
        await self._context.watermark.admit(task, self.plan)
        if self.checkpointer is not None:
            # Another source goes on where one gave up: what that brought is recorded first.
            await self.checkpointer.finish(is_committing=False)
        is_made = self.part is None
        part = self.part if self.part is not None else await self._new_part()
        self._live.change(part_path=part.path)
        await self._context.store(self._live)
        # Only now: some file systems take their time over it, and a crash meanwhile leaves nothing that is not known.
        if is_made and part.is_new and self._live.total_bytes and self._context.settings.preallocate == "auto":
            await self._take_room(part, self._live.total_bytes)
        self.checkpointer = Checkpointer(self._context, self._live, self.plan, part)
        self.checkpointer.start()
        return part, self.checkpointer

    async def _new_part(self) -> PartFile:
        """Make a part file, or take up an empty one that a crash left; one that another task counts on is avoided."""
        task, avoided = self._live.task, set[str]()
        while True:
            self.part = part = await PartFile.open(
                self._context.pool,
                task.dir,
                task.filename,
                is_ordered=task.options.is_ordered or self._live.total_bytes is None,
                total_bytes=self._live.total_bytes,
                create_folder=not task.started_at or task.downloaded_bytes == 0,
                avoided=frozenset(avoided),
            )
            if not part.was_there or not await self._context.journal.is_part_of_another(part.path, task.id):
                return part
            self.part = None
            await part.close()
            avoided.add(os.path.basename(part.path))  # noqa: PTH119  # text in, text out

    async def _take_room(self, part: PartFile, length_bytes: int) -> None:
        """Take the room of the whole file; where there is none, nothing of the part file stays."""
        try:
            has_room = await part.take_room(length_bytes)
        except FileSystemError:
            self.part = None
            await part.delete()
            self._live.change(part_path="")
            await self._context.store(self._live)
            raise
        if has_room:
            self._context.watermark.reserved(self._live.task)

    async def drop(self, start: int, end: int) -> None:
        """Hold a range no longer: its bytes are wrong, and are fetched again."""
        journal, task_id = self._context.journal, self._live.task.id
        survivors = await self._beside(start, end)
        await journal.drop_extents(task_id, start, end)
        journal.record_written(task_id, survivors)
        self._live.unreceive(self.plan.drop(start, end))
        if self.checkpointer is not None:
            self.checkpointer.forget(start, end)

    async def _beside(self, start: int, end: int) -> list[Extent]:
        """Return sums for what the extents that reach into a range hold outside of it: they are dropped as a whole."""
        assert self.part is not None
        checkpoint = await self._context.journal.load_checkpoint(self._live.task.id)
        cut = [one for one in checkpoint.extents if one.start < end and one.end > start]
        good, _ = await self.part.verify([one for one in cut if one.start < start or one.end > end])
        survivors = []
        for one in good:
            for first, last in ((one.start, min(one.end, start)), (max(one.start, end), one.end)):
                if first < last:
                    held = await self.part.read(first, last - first)
                    survivors.append(Extent(first, last, crc32(held)))
        return survivors

    async def refute(self, ranges: Sequence[ByteRange]) -> None:
        """Hold ranges no longer that a commit found wrong; what is left is made durable before more is fetched."""
        for one in ranges:
            await self.drop(one.start, one.end)
        if self.checkpointer is not None:
            checkpointer, self.checkpointer = self.checkpointer, None
            await checkpointer.finish(is_committing=False)

    async def complete(self, path: str) -> None:
        """Record that the file has its final name."""
        self._live.complete(path)
        await save_rows(self._context.journal, [self._live.task])

    async def leave(self) -> None:
        """Close the part file; whatever was written but not committed is made durable first."""
        part, self.part = self.part, None
        if part is None:
            return
        try:
            if self.checkpointer is not None and not part.committed_path:
                await self.checkpointer.finish(is_committing=False)
        finally:
            await part.close()
            if part.committed_path and self._live.task.status is not Status.COMPLETED:
                await self.complete(part.committed_path)

    async def _prove(self, part: PartFile, checkpoint: Checkpoint) -> None:
        """Read back what is said to be held; what is not as it was written is held no longer."""
        task_id = self._live.task.id
        good, bad = await part.verify(checkpoint.extents)
        for extent in bad:
            self._live.note(f"bytes {extent.start}-{extent.end} are not what was written; fetched again")
            await self._context.journal.drop_extents(task_id, extent.start, extent.end)
        self.plan.held = range_set(good)
        self._live.rewind(self.plan.held.total_bytes)

    async def _is_named(self, checkpoint: Checkpoint) -> bool:
        """Whether a commit before a crash gave the file its final name already; then it is completed."""
        task = self._live.task
        if task.total_bytes is None:
            return False
        try:
            path = await find_committed(
                self._context.pool, task.dir, task.filename, checkpoint.extents, task.total_bytes
            )
        except FileSystemError:
            return False
        if path is None:
            return False
        self._live.step(Trigger.VERIFY)
        await self.complete(path)
        return True

    async def _forget(self) -> None:
        options = replace(self._live.task.options, restarts=False, announced="", version_url="")
        self._live.change(part_path="", downloaded_bytes=0, options=options)
        self._live.rewind(0)
        self.plan.forget_all()
        await self._context.journal.forget_checkpoint(self._live.task.id)
