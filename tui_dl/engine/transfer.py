"""The running attempt at a task: resume or begin, fetch, prove, commit."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.acceptance import REFUSALS
from tui_dl.core.errors import ContentError, HttpError, NetworkError, Reason, TuiDlError, Unwanted
from tui_dl.core.ranges import RangeSet
from tui_dl.core.resume import Verdict
from tui_dl.core.status import Status, Trigger
from tui_dl.core.task import Flag
from tui_dl.engine.answered import facts_of_answer
from tui_dl.engine.beginning import Beginning
from tui_dl.engine.bodies import fetch_encoded, read_small, save_small
from tui_dl.engine.cached import NotAsKept, name_as, store, take
from tui_dl.engine.crew import Crew
from tui_dl.engine.encoded_body import Decoder
from tui_dl.engine.everyday import MOST_BYTES
from tui_dl.engine.following import follow, is_to_follow
from tui_dl.engine.holding import Holding
from tui_dl.engine.inspecting import Inspector
from tui_dl.engine.naming import fixed_name, refuse_web_page
from tui_dl.engine.outcome import BytesRefuted, End, Outcome, VersionChanged
from tui_dl.engine.provenance import provenance_of
from tui_dl.engine.refusing import bounded, ended_by, judge_end, judge_head, read_off
from tui_dl.engine.revalidating import SAME_TEXT, NotModified, Revalidation
from tui_dl.engine.skip_check import SkipCheck
from tui_dl.engine.sources import Sources
from tui_dl.engine.verifying import Verifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.resume import Judgement
    from tui_dl.disk.part_file import PartFile
    from tui_dl.engine.asking import Exchange
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.host_gate import HostGate
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.sources import Source
    from tui_dl.journal.archive import Kept

SAVING_PATIENCE_S: Final = 10.0
"""A disk that takes longer does not keep a stop waiting."""
MOST_ALIGNED_BYTES: Final = 16 * 1024 * 1024
"""Cuts fall between pieces up to this long, so that most pieces come from one source alone."""
OWN_FAULTS: Final = frozenset({Reason.NO_DIGEST, Reason.BAD_METALINK, Reason.HOST_ASKED}) | REFUSALS
"""What is wrong with the wish itself, or with all sources at once: another source would not mend it."""
MAX_RESTARTS: Final = 3
"""A file that changes more often during one attempt fails it."""


class Transfer:
    """One attempt; `run()` returns how it ended, `stop()` ends it with everything durable."""

    def __init__(
        self, context: EngineContext, live: LiveTask, release_slot: Callable[[], None], early: HostGate | None = None
    ) -> None:
        """`early`: who asked the task's own address already, and has its answer."""
        self._context = context
        self._live = live
        self._release_slot = release_slot
        self._sources = Sources(context, live, early)
        self._verifier = Verifier(context, live)
        self._holding = Holding(context, live)
        self._skip = SkipCheck(context, live)
        self._revalidation = Revalidation(context, live)
        self._beginning = Beginning(context, live, self._sources, self._holding)
        self._crew: Crew | None = None
        self._source: Source | None = None
        self._task: asyncio.Task[object] | None = None
        self._is_stopping = False
        self._is_saving = False
        self._may_split = True

    @property
    def max_connections(self) -> int:
        """Most connections that this task may have."""
        settings = self._context.settings
        if not (settings.async_downloads and self._may_split) or self._live.task.options.is_ordered:
            return 1
        return self._live.task.options.connections or settings.connections

    @property
    def wanted_connections(self) -> int:
        """Connections that a person sees now, from which `>` and `<` count."""
        return max(1, len(self._live.connections)) if self._crew is not None else self.max_connections

    def set_connections(self, most: int) -> None:
        """Have this many connections from now on."""
        if self._crew is not None:
            self._crew.set_most(most)

    def stop(self) -> None:
        """End the attempt; `run()` then returns `STOPPED`."""
        if not self._is_stopping:
            self._is_stopping = True
            if self._is_saving:
                # All of it is here, and its group may have given it a name already: it ends by itself at once.
                asyncio.get_running_loop().call_later(SAVING_PATIENCE_S, self._cancel)
            else:
                self._cancel()

    def _cancel(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()

    def _was_stopped(self) -> bool:
        return self._is_stopping

    async def run(self) -> Outcome:
        """Make the attempt. Errors of ours become an outcome; others are faults and are raised."""
        if self._was_stopped():
            return Outcome(End.STOPPED)
        self._task = asyncio.current_task()
        self._live.sources = self._sources
        try:
            try:
                outcome = await self._attempt()
                if outcome.end is End.COMPLETED:
                    await store(self._context, self._live)
            finally:
                self._live.plan = self._live.sources = None
                self._context.targets.release(self._live)
                self._context.archive.release(self._live.task)
                self._context.watermark.release(self._live.task.id)
                self._context.limits.forget(self._live.task.id)
                try:
                    await self._verifier.aclose()
                finally:
                    await self._holding.leave()
        except TuiDlError as error:
            return Outcome(End.STOPPED) if self._was_stopped() else ended_by(error)
        except asyncio.CancelledError:
            if not self._was_stopped() or self._task is None:
                raise
            self._task.uncancel()
            if self._live.task.status is Status.COMPLETED:
                return Outcome(End.COMPLETED)
            return Outcome(End.STOPPED)
        return outcome

    async def _begin(self) -> Outcome | None:
        """Take up what there is; return how the attempt ends where that is known before anybody is asked."""
        await self._context.watermark.require(self._live.task.dir)
        await self._holding.reopen()
        if self._live.task.status is Status.COMPLETED:
            return Outcome(End.COMPLETED)
        if self._holding.part is None and (end := await self._skip.end()) is not None:
            return end
        if self._holding.part is None:
            await self._revalidation.begin()
        else:
            await self._revalidation.take_place()
        return None

    async def _attempt(self) -> Outcome:
        if (end := await self._begin()) is not None:
            return end
        restarts = 0
        while restarts <= MAX_RESTARTS:
            try:
                return await self._once()
            except NotModified:
                if not self._revalidation.agree():
                    return Outcome(End.SKIPPED, text=SAME_TEXT, reason=None)
            except NotAsKept:
                await self._revalidation.give_up_cached()
            except VersionChanged as change:
                # A server that names another version in each answer gives one whole file on one connection.
                restarts += 1
                self._may_split = self._crew is None
                await self._restart(is_proven=change.is_proven)
            except BytesRefuted as refuted:
                restarts += 1
                await self._holding.refute(refuted.ranges)
            except (ContentError, NetworkError, HttpError) as error:
                source = self._source
                if source is None or error.reason in OWN_FAULTS or not self._sources.has_other(source):
                    raise
                # That ends by itself: each time one source less may be asked.
                await self._go_elsewhere(source, error)
        raise ContentError(Reason.CHANGED, "the file changes on the server again and again")

    async def _once(self) -> Outcome:
        self._source = None
        if self._revalidation.is_proven and (kept := self._revalidation.cached) is not None:
            return await self._take_cached(kept)
        if self._holding.plan.is_complete and self._holding.part is not None:
            return await self._commit()
        self._source, exchange = await self._beginning.open()
        try:
            return await self._fetch(self._source, exchange)
        except Unwanted:
            await read_off(self._context, self._live, exchange)
            if self._holding.checkpointer is not None:  # not what was held before this answer's head
                await self._restart(is_proven=False)
            raise
        finally:
            exchange.close()

    async def _take_cached(self, kept: Kept) -> Outcome:
        """Copy what lies elsewhere; raises `NotAsKept` where that is not what was recorded."""
        name_as(self._live, kept)
        judge_end(self._context, self._live)
        if (end := await self._skip.end()) is not None:
            return end
        self._context.existing.claim(self._live.task)
        await self._context.targets.claim(self._live)
        is_committed = await take(self._context, self._live, self._holding, kept, self._release_slot)
        return Outcome(End.COMPLETED) if is_committed else await self._commit()

    async def _go_elsewhere(self, source: Source, error: TuiDlError) -> None:
        """Give up a source that failed or whose content is not what was wanted, while another may have it."""
        self._sources.forbid(source, str(error))
        is_wrong = error.reason is Reason.DIGEST_MISMATCH
        if is_wrong:
            self._live.liars.add(source.url)
        if is_wrong or error.reason is Reason.LENGTH_MISMATCH or not self._holding.plan.held:
            if self._live.task.status is Status.VERIFYING:
                self._live.step(Trigger.START)
                self._context.on_change(self._live)
            # With nothing held the next may have any version and length, and a part file of its own.
            await self._restart(is_proven=False)
            # Each further source is believed or not by one whole fetch.
            self._live.has_refetched |= is_wrong

    async def _restart(self, *, is_proven: bool) -> None:
        await self._verifier.aclose()
        await self._holding.restart(is_proven=is_proven)
        self._sources.start_over()

    # -- fetching ------------------------------------------------------------------------------------------------------

    async def _fetch(self, source: Source, exchange: Exchange) -> Outcome:
        judgement = exchange.judgement
        if judgement.verdict is Verdict.RESTART:
            await self._restart(is_proven=self._beginning.is_other_version(judgement))
        if is_to_follow(self._context, self._live.task, exchange) and self._holding.part is None:
            return await follow(self._context, self._live, exchange, source.asker.final_url)
        if self._revalidation.is_same(judgement):
            raise NotModified
        self._accept(source, exchange)
        if self._holding.part is None and (end := await self._skip.end()) is not None:
            return end
        self._context.existing.claim(self._live.task)
        await self._context.targets.claim(self._live)
        await self._verifier.prepare()
        live = self._live
        if judgement.encodings:
            return await self._fetch_encoded(exchange)
        total = live.total_bytes
        is_small = judgement.end == total is not None and total <= MOST_BYTES and self._holding.part is None
        if is_small and total is not None and self._context.traffic.takes_body(live.task.id, total):
            return await self._fetch_small(exchange, total)
        await self._fetch_large(source, exchange)
        return await self._commit()

    async def _fetch_small(self, exchange: Exchange, total_bytes: int) -> Outcome:
        context, live = self._context, self._live

        def on_written() -> None:
            context.traffic.forget_body(live.task.id)
            self._release_slot()

        try:
            buffers = await read_small(context, live, exchange, total_bytes)
            await self._verifier.check_body(buffers)
            self._is_saving = True
            if context.traffic.has_room:
                # Its server has nothing more to do: the next one is asked while this is written.
                self._release_slot()
            await save_small(context, live, buffers, on_written)
        finally:
            context.traffic.forget_body(live.task.id)
        return Outcome(End.COMPLETED)

    def _accept(self, source: Source, exchange: Exchange) -> None:
        """Take over what the first answer says of the file."""
        live, plan, judgement = self._live, self._holding.plan, exchange.judgement
        live.plan = plan
        if self._sources.origin is not source and plan.held:
            # It agreed; but the version is known by the one that gave what is held.
            return
        self._sources.accept(source, is_first=not plan.held)
        asker, answer = source.asker, exchange.answer
        changes = facts_of_answer(answer) | {"final_url": asker.final_url, "validator": judgement.validator}
        if judgement.verdict is Verdict.PARTIAL and asker.validator.if_range_value() and plan.held:
            # A 206 need not repeat every header; what was known before is the same version.
            del changes["validator"]
        if not live.task.name_fixed:
            name = fixed_name(answer.headers, live.task.url, asker.final_url)
            refuse_web_page(answer.headers, name, live.seeks_media)
            changes |= {"filename": name, "name_fixed": True}
        version_url = "" if source.url == live.task.url else source.url
        if version_url != live.task.options.version_url:
            changes["options"] = replace(live.task.options, version_url=version_url)
        live.total_bytes = asker.total_bytes = plan.total_bytes = judgement.total_bytes
        live.change(total_bytes=judgement.total_bytes, **changes)
        judge_head(self._context, live, exchange, asker.final_url)
        asker.validator = live.task.validator
        self._verifier.hear(exchange)
        self._sources.discover(answer, asker.final_url)

    async def _fetch_large(self, source: Source, exchange: Exchange) -> None:
        part, checkpointer = await self._holding.open_part()
        plan, judgement = self._holding.plan, exchange.judgement
        first_end = self._first_end(judgement)
        is_over_held = plan.held.overlaps(judgement.start, plan.held.end if first_end is None else first_end)
        if is_over_held:
            # What was computed of the bytes held says nothing of those that are written over them.
            await self._verifier.aclose()
        else:
            self._verifier.follow(part, plan)
        self._crew = Crew(
            self._context,
            self._live,
            plan,
            self._sources,
            sink=checkpointer if plan.total_bytes is not None else bounded(self._context, self._live, checkpointer),
            on_written=checkpointer.on_written,
            most=self.max_connections,
            can_range=self._can_range(judgement),
            inspector=None if is_over_held else self._inspector(part),
        )
        is_open_ended = judgement.end is None or judgement.end == plan.total_bytes
        segment = plan.begin(judgement.start, first_end, is_open_ended=is_open_ended)
        if judgement.verdict is Verdict.WHOLE_SAME:
            self._live.rewind(0)
        await self._crew.run(exchange, segment, source)
        self._beginning.require_length(plan.total_bytes)
        self._live.total_bytes = plan.total_bytes
        self._live.change(total_bytes=plan.total_bytes)
        judge_end(self._context, self._live)
        if judgement.end is None and not exchange.answer.has_proven_end:
            self._live.change(flags=self._live.task.flags | {Flag.LENGTH_UNVERIFIED})

    def _can_range(self, judgement: Judgement) -> bool:
        """Whether ranges of several answers may be joined: one version is named by all, or proven in the end."""
        options = self._live.task.options
        is_proven = bool(options.checksum or options.announced or options.pieces)
        has_version = judgement.validator.if_range_value() is not None
        return judgement.verdict is Verdict.PARTIAL and (has_version or is_proven)

    def _inspector(self, part: PartFile) -> Inspector | None:
        total = self._holding.plan.total_bytes
        checker = None if total is None else self._verifier.piece_checker(part, total)
        if checker is None:
            return None
        if checker.piece_bytes <= MOST_ALIGNED_BYTES:
            self._holding.plan.alignment_bytes = checker.piece_bytes
        return Inspector(self._holding, self._live, self._sources, checker)

    def _first_end(self, judgement: Judgement) -> int | None:
        """Return where the first segment ends: at the end of the gap that it begins in."""
        total = self._holding.plan.total_bytes
        if total is None or judgement.verdict is not Verdict.PARTIAL:
            return total
        gap = next(self._holding.plan.held.gaps(total, judgement.start), None)
        return total if gap is None else gap.end

    async def _fetch_encoded(self, exchange: Exchange) -> Outcome:
        decoder = Decoder(exchange.judgement.encodings)
        self._holding.plan.total_bytes = self._live.total_bytes = None
        self._holding.plan.held = RangeSet()
        part, _ = await self._holding.open_part()
        await fetch_encoded(self._context, self._live, exchange, part, decoder)
        self._beginning.require_length(self._live.total_bytes)
        judge_end(self._context, self._live)
        self._holding.plan.total_bytes = self._live.total_bytes
        return await self._commit()

    # -- the end -------------------------------------------------------------------------------------------------------

    async def _commit(self) -> Outcome:
        holding, live = self._holding, self._live
        part = holding.part
        assert part is not None
        if holding.checkpointer is not None:
            await holding.checkpointer.finish(is_committing=True)
        live.step(Trigger.VERIFY)
        self._context.on_change(live)
        if live.total_bytes is not None and part.size_bytes > live.total_bytes:
            await part.truncate(live.total_bytes)
        # With all its extents durable, a crash between the rename and the record finds the file by its sums.
        await self._context.store(live)
        await holding.require_unaltered(part)
        await self._verifier.check_part(part, live.total_bytes)
        path = await part.commit(
            live.task.filename,
            on_exists=self._context.commit_policy_of(live.task),
            expected_bytes=live.total_bytes,
            provenance=provenance_of(self._context, live.task),
        )
        await holding.complete(path)
        return Outcome(End.COMPLETED)
