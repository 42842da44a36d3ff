"""The attempt at a row of media: its page is read, and then it is one video, or the head of a playlist."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import ContentError, HttpError, Reason, TuiDlError
from tui_dl.core.media import Kind
from tui_dl.core.media_rules import AS_FILE, AS_FOUND, AS_MEDIA, obvious_form
from tui_dl.core.playlists import chosen_form, site_of
from tui_dl.core.ports_media import FoundPlaylist, FoundVideo
from tui_dl.core.status import Status, Trigger
from tui_dl.engine.media_rows import add_entries, video_facts, wish_of, worker_of
from tui_dl.engine.naming import expects_page
from tui_dl.engine.outcome import End, Outcome
from tui_dl.engine.short_transfer import ShortTransfer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.ports_media import Found, MediaOutcome, MediaProgress, MediaWish, MediaWorker
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

ASKS_FOR_PLAYLISTS: Final = frozenset({"playlists", "always"})
"""Values of `media_ask` for which a playlist waits for a choice."""


def is_media_row(context: EngineContext, task: DownloadTask) -> bool:
    """Whether a row is media, or may be: then an extractor is asked."""
    if task.kind is not Kind.FILE:
        return True
    wanted = task.options.as_kind
    if not wanted or wanted == AS_FILE:
        return False
    form = AS_MEDIA if wanted == AS_MEDIA else obvious_form(task.url)
    return form == AS_MEDIA or (not form and context.media is not None and not context.media.missing)


_REFUSALS: Final = frozenset({Reason.FORBIDDEN, Reason.UNAUTHORIZED, Reason.HTTP_STATUS, Reason.SERVER_ERROR})
"""What sites of media answer to those who are no browser, nor yt-dlp."""


_EXPIRED: Final = frozenset({403, 404, 410})
"""Answers to links that were good once."""


class MediaTransfer:
    """An attempt as the scheduler knows it; `run()` returns how it ended, `stop()` ends it with everything durable."""

    def __init__(self, context: EngineContext, live: LiveTask, release_slot: Callable[[], None]) -> None:
        self._context, self._live, self._release_slot = context, live, release_slot
        self._task: asyncio.Task[object] | None = None
        self._plain: ShortTransfer | None = None
        self._is_stopping = False
        self._has_reported = False
        self._is_page = expects_page(live.task.filename)

    @property
    def whole(self) -> MediaTransfer:
        """Itself: there is no shorter way."""
        return self

    @property
    def wanted_connections(self) -> int:
        """Connections that a person sees now, from which `>` and `<` count."""
        return self._live.task.options.connections or self._context.settings.connections

    def set_connections(self, most: int) -> None:
        """Have this many connections, from the next attempt on."""
        self._live.note(f"at most {most} connections from the next attempt on")

    def stop(self) -> None:
        """End the attempt; `run()` then returns `STOPPED`."""
        if self._plain is not None:
            self._plain.stop()
        elif not self._is_stopping and self._task is not None and not self._task.done():
            self._task.cancel()
        self._is_stopping = True

    def _was_stopped(self) -> bool:
        return self._is_stopping

    async def run(self) -> Outcome:
        """Make the attempt. Errors of ours become an outcome; others are faults and are raised."""
        if self._was_stopped():
            return Outcome(End.STOPPED)
        self._task = asyncio.current_task()
        self._live.arrive()
        self._context.budgets.on_room()
        try:
            return await self._attempt()
        except TuiDlError as error:
            return Outcome(End.STOPPED) if self._was_stopped() else Outcome(End.FAILED, error)
        except asyncio.CancelledError:
            if not self._was_stopped() or self._task is None:
                raise
            self._task.uncancel()
            is_done = self._live.task.status is Status.COMPLETED
            return Outcome(End.COMPLETED if is_done else End.STOPPED)
        finally:
            self._live.stage, self._live.fraction = "", None
            self._note_held()

    def _note_held(self) -> None:
        """Put how far it came into its row, which stands still now."""
        live = self._live
        if live.task.kind in (Kind.MEDIA, Kind.ENTRY) and live.task.status is not Status.COMPLETED:
            live.change(downloaded_bytes=live.received_bytes, total_bytes=live.total_bytes)

    async def _attempt(self) -> Outcome:
        live, options = self._live, self._live.task.options
        media = worker_of(self._context)
        if live.task.kind is not Kind.FILE or options.as_kind == AS_MEDIA or obvious_form(live.task.url):
            return await self._as_media(media)
        # Whoever pastes an address waits for rows; a command is not to wait for yt-dlp where a file is meant.
        is_asked = options.asks and not options.is_ordered
        if is_asked and await media.claims(live.task.url):
            return await self._as_media(media)
        live.seeks_media = self._seeks_media
        outcome = await self._as_file()
        if self._was_stopped() or not await self._is_media_after_all(media, outcome, is_asked=is_asked):
            return outcome
        return await self._as_media_or_page(media)

    async def _is_media_after_all(self, media: MediaWorker, outcome: Outcome, *, is_asked: bool) -> bool:
        """Whether an address that gave no file is to be read for media: a page, or one that refuses itself to us."""
        error = outcome.error
        if error is None:
            return False
        if error.reason is Reason.WEB_PAGE:
            return self._seeks_media(self._live.task.filename)
        return not is_asked and error.reason in _REFUSALS and await media.claims(self._live.task.url)

    async def _as_media_or_page(self, media: MediaWorker) -> Outcome:
        live = self._live
        # What came is a page for people: whoever gave its address wants what is on it.
        live.step(Trigger.REQUEUE)
        live.step(Trigger.RESOLVE)
        try:
            return await self._as_media(media)
        except ContentError as error:
            if error.reason is not Reason.NO_MEDIA:
                raise
            live.note(f"{error.message}; so the page itself is kept")
        # A page without media is a page.
        live.change(kind=Kind.FILE, options=replace(live.task.options, as_kind=AS_FILE))
        live.step(Trigger.REQUEUE)
        live.step(Trigger.RESOLVE)
        return await self._as_file()

    def _seeks_media(self, name: str) -> bool:
        """Whether a page is wanted for what is on it; one that is called a page may be wanted itself by a command."""
        options = self._live.task.options
        is_page = self._is_page and expects_page(name)
        return options.as_kind == AS_FOUND and (options.asks or not is_page)

    async def _as_file(self) -> Outcome:
        self._context.sites.ended(self._live.task)
        self._live.step(Trigger.START)
        self._context.on_change(self._live)
        self._plain = ShortTransfer(self._context, self._live, self._release_slot)
        try:
            return await self._plain.run()
        finally:
            self._plain = None

    # -- reading -------------------------------------------------------------------------------------------------------

    async def _as_media(self, media: MediaWorker) -> Outcome:
        live = self._live
        if live.task.kind is Kind.FILE:
            live.change(kind=Kind.MEDIA)
        if not self._context.sites.take(live.task):
            return Outcome(End.HANDED_ON)
        await self._choose_form()
        wish = await wish_of(self._context, live.task)
        is_known = media.has_read(wish)
        if not is_known and (end := await self._read(media, wish)) is not None:
            return end
        try:
            return await self._download(media)
        except HttpError as error:
            if not is_known or error.status not in _EXPIRED:
                raise
            live.note(f"{error.message}; what was read earlier does not hold any more, so it is read anew")
        live.step(Trigger.REQUEUE)
        live.step(Trigger.RESOLVE)
        self._context.on_change(live)
        end = await self._read(media, await wish_of(self._context, live.task))
        return await self._download(media) if end is None else end

    async def _download(self, media: MediaWorker) -> Outcome:
        live = self._live
        wish = await wish_of(self._context, live.task)
        live.step(Trigger.START)
        self._context.on_change(live)
        outcome = await media.download(wish, self._hear, live.note, self._begin)
        return await self._end(outcome, was_begun=wish.was_begun)

    async def _choose_form(self) -> None:
        facts = self._live.task.facts
        remembered = await self._context.journal.playlists.choice(site_of(self._live.task.url))
        self._live.change(facts=replace(facts, choice=chosen_form(facts.choice, remembered)))

    async def _read(self, media: MediaWorker, wish: MediaWish) -> Outcome | None:
        """Read the page; return how the attempt ends where it is no single video that may begin now."""
        live, context = self._live, self._context
        await context.sites.turn(live.task.host)
        reading = _Reading(context, live)
        async with aclosing(media.read(wish, live.note)) as found:
            async for one in found:
                await reading.take(one)
        if reading.number is not None:
            return await reading.end()
        facts = live.task.facts
        key = (facts.extractor.lower(), facts.video_id)
        if context.settings.archive and any(await context.journal.remembered.archived([key])):
            return Outcome(End.SKIPPED, text="done before, as the archive says", reason=Reason.ARCHIVED)
        options = live.task.options
        if options.asks and context.settings.media_ask == "always":
            live.change(options=replace(options, asks=False))
            return Outcome(End.ASKING, text="D downloads it")
        return None

    # -- downloading ---------------------------------------------------------------------------------------------------

    def _hear(self, told: MediaProgress) -> None:
        """Take over how far it is; called on the loop, a few times a second."""
        live, task = self._live, self._live.task
        if self._was_stopped() or task.status not in (Status.DOWNLOADING, Status.PROCESSING):
            return
        if told.downloaded_bytes and not self._has_reported:
            self._has_reported = True
            live.rewind(told.downloaded_bytes)
        elif told.is_by_yt_dlp:
            self._context.traffic.received_bytes += max(0, told.downloaded_bytes - live.received_bytes)
        live.received_bytes, live.total_bytes = told.downloaded_bytes, told.total_bytes
        live.stage, live.fraction = told.stage, told.fraction
        _ = live.meter
        # What was chosen before may have left parts, too.
        ids = " ".join(dict.fromkeys(f"{task.facts.format_ids} {told.format_ids}".split()))
        facts = replace(task.facts, format_label=told.label, format_ids=ids, is_by_yt_dlp=told.is_by_yt_dlp)
        name = told.filename or task.filename
        part = told.part_path or task.part_path
        if (facts, name, part) != (task.facts, task.filename, task.part_path):
            live.change(facts=facts, filename=name, part_path=part, total_bytes=told.total_bytes)
            self._save_soon()
        if told.is_processing and task.status is Status.DOWNLOADING:
            live.step(Trigger.PROCESS)
            self._save_soon()

    async def _begin(self, part_path: str) -> None:
        """Note durably that a file is written from now on: after a kill it is known for ours."""
        self._live.change(part_path=part_path)
        await self._context.store(self._live)

    def _save_soon(self) -> None:
        live = self._live
        self._context.journal.save_soon(live.task)
        live.stored = live.task
        self._context.on_change(live)

    async def _end(self, outcome: MediaOutcome, *, was_begun: bool) -> Outcome:
        live, task = self._live, self._live.task
        if outcome.missing:
            live.change(facts=replace(task.facts, missing=outcome.missing))
            number = outcome.missing
            words = f"{number} fragment{'s are' if number > 1 else ' is'} missing"
            return Outcome(End.FAILED, ContentError(Reason.INCOMPLETE, words))
        if outcome.is_archived:
            return Outcome(End.SKIPPED, text="done before, as yt-dlp's archive says", reason=Reason.ARCHIVED)
        if not outcome.path:
            return Outcome(End.SKIPPED, text=outcome.why_skipped, reason=None)
        # Killed between the last byte and its record, it is found there by itself.
        if outcome.is_there_before and not was_begun and task.status is Status.DOWNLOADING:
            live.change(path=outcome.path, part_path="")
            return Outcome(End.SKIPPED, text="the target is there already")
        live.total_bytes = outcome.size_bytes
        live.change(facts=replace(task.facts, missing=0))
        live.complete(outcome.path)
        await self._context.store(live)
        return Outcome(End.COMPLETED)


class _Reading:
    """What is found on one page, put into the queue as it comes."""

    def __init__(self, context: EngineContext, live: LiveTask) -> None:
        self._context, self._live = context, live
        self._head: DownloadTask | None = None
        self.number: int | None = None
        """Entries that were found, None where it is no playlist."""

    async def take(self, found: Found) -> None:
        """Take what was found."""
        live = self._live
        if isinstance(found, FoundVideo):
            live.change(**video_facts(live.task, found.facts))
            await self._context.store(live)
        elif isinstance(found, FoundPlaylist):
            self.number = 0
            await self._begin(found)
        elif self._head is not None:
            self.number = (self.number or 0) + len(found)
            settings = self._context.settings
            asks = self._head.options.asks and settings.media_ask in ASKS_FOR_PLAYLISTS
            await add_entries(self._context, self._head, found, asks=asks)

    async def _begin(self, found: FoundPlaylist) -> None:
        live, context = self._live, self._context
        if live.task.kind is Kind.ENTRY:
            # A playlist within one: its entries stand beside those of the outer one.
            heads = await context.journal.rows([live.task.parent_id])
            self._head = heads[0] if heads else live.task
            return
        facts = replace(found.facts, choice=live.task.facts.choice)
        live.change(kind=Kind.PLAYLIST, facts=facts, filename=facts.title or live.task.filename)
        await context.store(live)
        context.sites.ended(live.task)
        context.playlists.track(live.task)
        self._head = live.task

    async def end(self) -> Outcome:
        """Return how the attempt ends: its entries go on."""
        live, number = self._live, self.number or 0
        if live.task.kind is Kind.ENTRY:
            return Outcome(End.SKIPPED, text=f"a playlist of its own: its {number} entries follow", reason=None)
        live.change(facts=replace(live.task.facts, is_reading=False))
        if not number:
            live.change(kind=Kind.MEDIA)
            raise ContentError(Reason.NO_MEDIA, "the playlist is empty")
        return Outcome(End.HANDED_ON)
