"""Takes over half files of other tools (`--continue`), once pieces of them were seen to be the server's.

Nothing in such a file says which version it is of. So its beginning, its end, random pieces and blocks that hold
nothing but zeros are compared with what the server sends now; of aria2's files only what the control file claims
counts. What does not fit, or cannot be compared, stays as it is, and the task fails with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.aria2_control import parse_aria2_control
from tui_dl.core.errors import ContentError, FileSystemError, HttpError, Reason, Unwanted
from tui_dl.core.filename import name_from_url
from tui_dl.core.ranges import ByteRange, RangeSet
from tui_dl.core.resume import TAIL_BYTES, Verdict
from tui_dl.core.sampling import samples_of
from tui_dl.core.task import Flag, OnExists
from tui_dl.disk.half_files import (
    BLOCK_BYTES,
    close_half,
    data_end,
    drop_control,
    find_half,
    part_name_for,
    read_stretch,
    take_over,
)
from tui_dl.disk.opening import OpenPart
from tui_dl.disk.part_file import PartFile
from tui_dl.disk.placing import ORDERED_SUFFIX, SCATTERED_SUFFIX
from tui_dl.disk.proving import read_exactly
from tui_dl.engine.naming import fixed_name
from tui_dl.engine.opening import Opener
from tui_dl.engine.refusing import judge_head

if TYPE_CHECKING:
    from tui_dl.core.extents import Extent
    from tui_dl.core.task import DownloadTask
    from tui_dl.disk.folder import Folder
    from tui_dl.disk.half_files import HalfFile
    from tui_dl.disk.writer import DiskWriter
    from tui_dl.engine.asking import Asker, Exchange
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.holding import Holding
    from tui_dl.engine.live import LiveTask

STRETCH_BYTES: Final = 8 * 1024 * 1024
"""Read of a half file in one job."""
MOST_BLANK: Final = 8
"""Blocks of zeros that are compared; more of them are a disk image's, or a crash's that one of these shows."""
MOST_COMPARED_BYTES: Final = 512 * 1024
"""Longest piece of one request."""
WAYS_OUT: Final = "it is left as it was; --overwrite fetches the file anew"


def wants_adoption(task: DownloadTask) -> bool:
    """Whether a half file of another tool may stand for this task's part file."""
    return task.options.continues and not task.options.restarts and not task.part_path


class _Unfit(Exception):  # noqa: N818  # a turn of events: another half file may do
    """A half file cannot be taken over; the text says why."""

    def __init__(self, text: str, *, is_busy: bool = False) -> None:
        super().__init__(text)
        self.is_busy = is_busy
        """Whether that may end by itself: somebody else works on the file."""


class AdoptingOpener(Opener):
    """Opens the first exchange of a task that may take over a half file."""

    def __init__(self, context: EngineContext, live: LiveTask, asker: Asker, holding: Holding) -> None:
        super().__init__(context, live, asker, holding.plan, None)
        self._holding = holding
        self._taken_fd = -1
        """Descriptor of the half file that was taken over."""

    async def open(self) -> Exchange:
        """Return a usable exchange at the first byte that is missing; raises where a half file cannot be used."""
        exchange = await self._ask(0)
        names = self._names(exchange)
        try:
            judge_head(self._context, self._live, exchange, self._asker.final_url)
        except Unwanted:
            exchange.close()
            raise
        try:
            folder, writer = await self._context.pool.open_folder(self._live.task.dir)
        except FileSystemError as error:
            if error.reason is not Reason.FOLDER_MISSING:
                exchange.close()
                raise
            return exchange  # no folder yet, no half file
        try:
            halves = await self._find(names, folder, writer)
            if not halves:
                return exchange
            # One after the other: many hosts allow few connections.
            exchange.close()
            await self._adopt_one(halves, writer, exchange)
        except BaseException:
            exchange.close()
            raise
        finally:
            if self._part is None:
                await writer.close(folder.fd)
        return await self._ask(0) if self._part is None else await self._rest(exchange)

    async def _rest(self, exchange: Exchange) -> Exchange:
        """Ask for what is missing, with the last bytes held for a comparison."""
        start = self._first_missing(exchange.judgement.total_bytes)
        overlap = self._overlap(start, TAIL_BYTES)
        return await self._asked_at(start, overlap)

    def _names(self, exchange: Exchange) -> list[str]:
        """Return what the file may be called: as it will be, and as its address says; what others made is none."""
        task = self._live.task
        names = [task.filename]
        if not task.name_fixed:
            names = [fixed_name(exchange.answer.headers, task.url, self._asker.final_url), name_from_url(task.url)]
        claims = self._context.continued
        return [name for name in dict.fromkeys(names) if claims.setdefault(f"{task.dir}/{name}", task.id) == task.id]

    async def _find(self, names: list[str], folder: Folder, writer: DiskWriter) -> list[HalfFile]:
        halves: list[HalfFile] = []
        try:
            for name in names:
                what = f"look for {folder.join(name)}"
                halves += await writer.call(find_half, folder, name, what=what, undo=close_half)
        except BaseException:
            await writer.close(*(half.fd for half in halves))
            raise
        return halves

    async def _adopt_one(self, halves: list[HalfFile], writer: DiskWriter, exchange: Exchange) -> None:
        """Take over the first that fits; where none does, raise why, unless it is to be overwritten."""
        troubles: list[_Unfit] = []
        try:
            for half in halves:
                try:
                    await self._adopt(half, writer, exchange)
                except _Unfit as trouble:
                    troubles.append(trouble)
                    self._live.note(str(trouble))
                else:
                    return
        finally:
            # The one that was taken over belongs to its part file.
            taken = -1 if self._part is None else self._taken_fd
            await writer.close(*(half.fd for half in halves if half.fd != taken))
        text = "; ".join(map(str, troubles))
        if all(trouble.is_busy for trouble in troubles):
            raise FileSystemError(Reason.PART_BUSY, text)
        if self._context.policy_of(self._live.task) is not OnExists.OVERWRITE:
            raise ContentError(Reason.NOT_CONTINUED, f"{text}; {WAYS_OUT}")

    async def _adopt(self, half: HalfFile, writer: DiskWriter, exchange: Exchange) -> None:
        judgement, live = exchange.judgement, self._live
        total = judgement.total_bytes
        if half.trouble:
            raise _Unfit(half.trouble, is_busy=half.is_busy)
        if judgement.verdict is not Verdict.PARTIAL or total is None:
            raise _Unfit(f"the server gives no ranges of known length, so {half.path} cannot be compared")
        claimed = await self._claimed(half, writer, total)
        self._asker.validator, self._asker.total_bytes = judgement.validator, total
        await self._compare(half, writer, samples_of(claimed, self._context.random))
        extents, blank = await self._read(half, writer, claimed)
        await self._compare(half, writer, blank)
        await self._take(half, writer, extents, total)
        proof = f"{len(claimed)} ranges" if half.control is not None else "its beginning"
        live.note(f"took over {half.path}: {proof}, {live.received_bytes} bytes, pieces compared with the server's")

    async def _claimed(self, half: HalfFile, writer: DiskWriter, total: int) -> RangeSet:
        """Return the bytes that the half file may hold, its last ones left to be fetched again where it is whole."""
        if half.control is not None:
            said = parse_aria2_control(half.control)
            if said is None or said.total_bytes != total:
                raise _Unfit(f"the control file of {half.path} is not of a file of {total} bytes")
            claimed = said.held
            claimed.remove(half.size_bytes, total)
        elif half.size_bytes > total:
            raise _Unfit(f"{half.path} has {half.size_bytes} bytes, the server's file {total}")
        else:
            end = await writer.sync_call(data_end, half, half.prefix_bytes, what=f"read {half.path}")
            claimed = RangeSet([(0, end)])
        if claimed.covers(0, total):
            claimed.remove(max(0, total - TAIL_BYTES), total)
        return claimed

    async def _compare(self, half: HalfFile, writer: DiskWriter, pieces: RangeSet) -> None:
        for run in pieces:
            for start in range(run.start, run.end, MOST_COMPARED_BYTES):
                piece = ByteRange(start, min(run.end, start + MOST_COMPARED_BYTES))
                await self._compare_piece(half, writer, piece)

    async def _compare_piece(self, half: HalfFile, writer: DiskWriter, piece: ByteRange) -> None:
        ours = await writer.call(read_exactly, half.fd, piece.length_bytes, piece.start, what=f"read {half.path}")
        exchange = await self._asker.ask_extra(piece.start, piece.end)
        if exchange.judgement.verdict is Verdict.NEXT_RUNG:
            exchange.close()
            self._asker.sends_if_range = False
            exchange = await self._asker.ask_extra(piece.start, piece.end)
        try:
            if exchange.judgement.verdict is Verdict.CHANGED:
                raise ContentError(Reason.CHANGED, f"the file changes on the server; {half.path} is left as it was")
            if exchange.judgement.verdict is not Verdict.PARTIAL:
                raise _Unfit(f"the server gives no ranges, so {half.path} cannot be compared")
            theirs = await self._read_exactly(exchange, piece.length_bytes)
        except HttpError as error:
            if error.is_retryable:
                raise
            raise _Unfit(f"the server gives no pieces ({error}), so {half.path} cannot be compared") from error
        finally:
            exchange.close()
        if theirs != ours:
            raise _Unfit(f"{half.path} is of another file or version: bytes {piece.start}-{piece.end} differ")

    async def _read(self, half: HalfFile, writer: DiskWriter, claimed: RangeSet) -> tuple[list[Extent], RangeSet]:
        """Read what is claimed once: its sums for the journal, and some of its blocks of zeros."""
        extents: list[Extent] = []
        blank: list[int] = []
        for run in claimed:
            for start in range(run.start, run.end, STRETCH_BYTES):
                end = min(run.end, start + STRETCH_BYTES)
                stretch = await writer.sync_call(read_stretch, half, start, end, what=f"read {half.path}")
                extents += stretch.extents
                blank += stretch.blank
        step = max(1, len(blank) // MOST_BLANK)
        chosen = RangeSet()
        for start in blank[::step][:MOST_BLANK]:
            chosen.add(start, min(start + BLOCK_BYTES, claimed.end))
        return extents, chosen

    async def _take(self, half: HalfFile, writer: DiskWriter, extents: list[Extent], total: int) -> None:
        """Record what is held, then make the file ours: a crash between finds it under its old name again."""
        context, live, journal = self._context, self._live, self._context.journal
        folder, task = half.folder, live.task
        suffix = ORDERED_SUFFIX if task.options.is_ordered else SCATTERED_SUFFIX
        stem = half.name.removesuffix(ORDERED_SUFFIX)
        part_name = half.name if half.name == stem + suffix else await writer.call(part_name_for, folder, stem, suffix)
        held = RangeSet((extent.start, extent.end) for extent in extents)
        live.change(part_path=folder.join(part_name), downloaded_bytes=held.total_bytes, total_bytes=total)
        live.change(validator=self._asker.validator, flags=task.flags | {Flag.VERSION_UNVERIFIED})
        journal.record_written(task.id, extents)
        await context.store(live)
        try:
            await writer.sync_call(take_over, half, part_name, what=f"take over {half.path}")
        except FileSystemError as error:
            live.change(part_path="", downloaded_bytes=0, validator=task.validator, flags=task.flags)
            await journal.forget_checkpoint(task.id)
            await context.store(live)
            raise _Unfit(error.message, is_busy=error.reason is Reason.PART_BUSY) from error
        opened = OpenPart(folder, half.fd, part_name, half.size_bytes, is_new=False, is_locked=True)
        part = self._part = self._holding.part = PartFile(writer, opened)
        self._taken_fd = half.fd
        await part.sync()
        await journal.record_synced(task.id, held)
        await writer.call(drop_control, half, what=f"remove the control file of {half.path}")
        self._plan.total_bytes, self._plan.held = total, held
        live.rewind(held.total_bytes)
