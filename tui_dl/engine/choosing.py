"""Commands on media: which entries of a playlist are wanted, when they begin, and in which form."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.commands import CommandName, CommandOutcome
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.media import Kind, MediaChoice
from tui_dl.core.playlists import site_of
from tui_dl.core.status import LIVE, Status, Trigger, advance, can_advance
from tui_dl.core.task import changed
from tui_dl.engine.media_rows import may_be_media

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tui_dl.core.commands import Command
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.playlists import Playlists
    from tui_dl.engine.scheduler import Scheduler

MOST_IDS: Final = 1000
"""Rows named in an outcome; of more the number is told."""
_STEPS: Final = frozenset(
    {
        *(CommandName.PAUSE, CommandName.RESUME, CommandName.TOGGLE_PAUSE, CommandName.CANCEL),
        *(CommandName.DELETE_PART, CommandName.RETRY),
    }
)
"""Commands that mean the entries of a head alone: where it stands follows from them."""
_WHOLE: Final = frozenset(
    {
        *(CommandName.CLEAR_FINISHED, CommandName.SET_PRIORITY, CommandName.SET_OPTIONS, CommandName.SET_LIMIT),
        *(CommandName.SET_CONNECTIONS, CommandName.MOVE_UP, CommandName.MOVE_DOWN, CommandName.MOVE_TO),
    }
)
"""Commands that mean a head and its entries."""
_TRIED_AGAIN: Final = frozenset({Status.FAILED, Status.CANCELLED, Status.WAITING})


class Choosing:
    """Carries them out for the engine's orders; which rows are meant, these have found out."""

    def __init__(self, context: EngineContext, scheduler: Scheduler, playlists: Playlists) -> None:
        self._context, self._scheduler, self._playlists = context, scheduler, playlists

    async def meant(self, command: Command) -> Command:
        """Return a command with the entries that are meant by the heads that it names."""
        if command.query is not None or command.name not in _STEPS | _WHOLE:
            return command
        heads = await self._playlists.heads_among(command.ids)
        if not heads:
            if command.name is CommandName.RETRY and self._playlists.are_there and len(command.ids) <= MOST_IDS:
                await self.select(command.ids)
            return command
        entries = await self._playlists.entries_of(heads)
        read = {task.id for task in await self._context.journal.rows(sorted(heads)) if task.facts.is_reading}
        below: dict[int, list[int]] = {}
        for task in entries:
            if command.name in _WHOLE or _is_meant(command.name, task):
                below.setdefault(task.parent_id, []).append(task.id)
        ids: dict[int, None] = {}
        for task_id in command.ids:
            if task_id not in heads or task_id in read or command.name in _WHOLE:
                ids[task_id] = None
            ids |= dict.fromkeys(below.get(task_id, ()))
        return replace(command, ids=tuple(ids))

    async def choose(self, command: Command, ids: Sequence[int]) -> CommandOutcome:
        """Want entries, or want them no more."""
        chosen = command.arguments.get("chosen")
        if chosen is not None and type(chosen) is not bool:
            raise UsageError("choose wants `chosen` as true or false, or not at all")
        entries = await self._entries_meant(ids)
        if not entries:
            return CommandOutcome(message="no entry of a playlist is meant", is_refused=True)
        on = [task for task in entries if not task.facts.is_chosen and chosen is not False]
        off = [task for task in entries if task.facts.is_chosen and chosen is not True]
        async with self._playlists.changing:
            # Whoever leaves all out and then takes some has not said yet that they may begin.
            waits = frozenset({Reason.CHOICE, Reason.NOT_CHOSEN})
            number = await self._select(on, waits) + await self._deselect(off)
        self._note()
        message = f"{number:,} chosen" if not off else f"{number:,} deselected" if not on else ""
        return CommandOutcome(number, tuple(task.id for task in entries[:MOST_IDS]), message)

    async def select(self, ids: Sequence[int]) -> None:
        """Want those of these rows that are entries which were not chosen: whoever retries one means it."""
        rows = [task for task in await self._context.journal.rows(ids) if task.kind is Kind.ENTRY]
        if unchosen := [task for task in rows if not task.facts.is_chosen]:
            async with self._playlists.changing:
                await self._select(unchosen, frozenset({Reason.CHOICE}))
            self._note()

    async def _select(self, tasks: Sequence[DownloadTask], waits: Collection[Reason]) -> int:
        """Want entries; those of heads that have a reason among `waits` wait for the word to begin."""
        heads = await self._context.journal.rows(list({task.parent_id for task in tasks}))
        asking = {head.id for head in heads if head.reason in waits}
        rows = []
        for task in tasks:
            row = changed(task, {"facts": replace(task.facts, is_chosen=True)})
            if task.status is Status.SKIPPED and task.reason is Reason.NOT_CHOSEN:
                trigger = Trigger.OFFER if task.parent_id in asking else Trigger.RETRY
                reason = Reason.CHOICE if trigger is Trigger.OFFER else None
                told = {"reason": reason, "reason_text": "", "finished_at": None}
                row = changed(row, {"status": advance(row.status, trigger), **told})
            rows.append(row)
        await self._context.journal.save_many(rows)
        return len(rows)

    async def _deselect(self, tasks: Sequence[DownloadTask]) -> int:
        able = [task for task in tasks if can_advance(task.status, Trigger.DESELECT)]
        ids = frozenset(task.id for task in able)
        with self._scheduler.barring(ids):
            stopped = {task.id: task for task in await self._scheduler.stop(ids, Trigger.DESELECT)} if ids else {}
            now = self._context.wall_clock()
            rows = []
            for before in able:
                task = stopped.get(before.id, before)
                if task.status is not Status.SKIPPED:
                    if task.status in LIVE or not can_advance(task.status, Trigger.DESELECT):
                        continue  # it ended by itself in that moment
                    task = changed(task, {"status": advance(task.status, Trigger.DESELECT)})
                told: dict[str, Any] = {"reason": Reason.NOT_CHOSEN, "reason_text": "", "due_at": None}
                facts = replace(task.facts, is_chosen=False)
                rows.append(changed(task, {"facts": facts, "finished_at": now, **told}))
            await self._context.journal.save_many(rows)
        return len(rows)

    async def download_chosen(self, ids: Sequence[int]) -> CommandOutcome:
        """Start what waits for a word: videos that stand alone, and playlists that are meant or whose entries are."""
        journal = self._context.journal
        rows = await self._playlists.as_they_are(ids)
        heads = {task.id for task in rows if task.kind is Kind.PLAYLIST}
        heads |= {task.parent_id for task in rows if task.kind is Kind.ENTRY}
        entries = await self._playlists.entries_of(heads) if heads else []
        alone = [task for task in rows if task.kind is Kind.MEDIA]
        asked = [
            task.id for task in (*alone, *entries) if task.status is Status.WAITING and task.reason is Reason.CHOICE
        ]
        number = await journal.bulk(Trigger.REQUEUE, ids=asked) if asked else 0
        self._note()
        if not number:
            return CommandOutcome(message="nothing waits for a choice", is_refused=True)
        return CommandOutcome(number, tuple(asked[:MOST_IDS]), f"{number:,} on their way")

    async def set_format(self, command: Command, ids: Sequence[int]) -> CommandOutcome:
        """Want media in a form, from their next attempt on."""
        given = command.arguments.get("choice")
        if not isinstance(given, dict):
            raise UsageError("set-format wants `choice` as an object")
        choice = MediaChoice.of_json(given)
        journal = self._context.journal
        rows = [task for task in await self._playlists.as_they_are(ids) if may_be_media(task)]
        if not rows:
            return CommandOutcome(message="these are no media", is_refused=True)
        if command.arguments.get("remembers"):
            for site in sorted({site_of(task.url) for task in rows}):
                await journal.playlists.remember(site, choice)
        if command.arguments.get("for_all"):
            heads = {task.id if task.kind is Kind.PLAYLIST else task.parent_id for task in rows} - {0}
            rows += await journal.rows(sorted(heads)) + await self._playlists.entries_of(heads)
        wanted = {task.id: task for task in rows}
        async with self._playlists.changing:
            await self._give(await self._playlists.as_they_are(list(wanted)), choice)
        self._note()
        shown = choice.name or "the usual form"
        return CommandOutcome(len(wanted), tuple(list(wanted)[:MOST_IDS]), f"{shown} for {len(wanted):,}")

    async def _give(self, tasks: Sequence[DownloadTask], choice: MediaChoice) -> None:
        with self._scheduler.barring(frozenset(task.id for task in tasks)):
            at_rest = []
            for task in tasks:
                live = self._scheduler.live_of(task.id)
                if live is None:
                    at_rest.append(changed(task, {"facts": replace(task.facts, choice=choice)}))
                else:
                    live.stored = live.change(facts=replace(live.task.facts, choice=choice))
                    self._context.journal.save_soon(live.task)
            await self._context.journal.save_many(at_rest)

    async def _entries_meant(self, ids: Collection[int]) -> list[DownloadTask]:
        """Return the entries among rows, and all those of the heads among them."""
        rows = await self._playlists.as_they_are(ids)
        heads = {task.id for task in rows if task.kind is Kind.PLAYLIST}
        found = {task.id: task for task in (await self._playlists.entries_of(heads) if heads else ())}
        for task in rows:
            if task.kind is Kind.ENTRY:
                found.setdefault(task.id, task)
        return list(found.values())

    def _note(self) -> None:
        self._playlists.doubt()
        self._scheduler.look_again()


def _is_meant(name: CommandName, entry: DownloadTask) -> bool:
    """Whether a command on a head means this entry of it."""
    is_asking = entry.reason is Reason.CHOICE
    if name is CommandName.RETRY:
        return entry.status in _TRIED_AGAIN and not is_asking
    return not is_asking or name in (CommandName.CANCEL, CommandName.DELETE_PART)
