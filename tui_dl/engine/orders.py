"""Commands carried out: each goes to what is in hand first, then to the rows of the journal."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from tui_dl.core.commands import Command, CommandName, CommandOutcome
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.events import EventKind
from tui_dl.core.live_settings import live_values
from tui_dl.core.places import Base, Place
from tui_dl.core.query import TaskQuery
from tui_dl.core.setting_facts import coerce
from tui_dl.core.settings import SETTINGS, settings_with
from tui_dl.core.status import FINISHED, LIVE, UNFINISHED, Status, Trigger, sources_of
from tui_dl.engine.adding_wishes import WishAdder
from tui_dl.engine.bulk_work import MOST_ROWS, BulkWorks
from tui_dl.engine.choosing import Choosing
from tui_dl.engine.meant import Meant, meant_by
from tui_dl.engine.refreshing import refresh
from tui_dl.engine.tidying import LEAVE_FOLDERS, delete_part_file, remove_made_folders
from tui_dl.engine.tuning import Tuning, number_of
from tui_dl.engine.turns import Turns
from tui_dl.journal.views import MAYBE_MEDIA

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

MOST_EVENTS: Final = 1000
"""A bulk action on more rows tells no event for each; the screen asks its view anew."""
MOST_MOVED: Final = 5_000
"""Rows that are named and move by one place: a playlist with its entries; more go to an end of the queue."""
EVENTS: Final = {
    Trigger.PAUSE: EventKind.PAUSED,
    Trigger.RESUME: EventKind.RESUMED,
    Trigger.CANCEL: EventKind.CANCELLED,
    Trigger.RETRY: EventKind.RETRYING,
}
STARTS_OVER: Final = frozenset(
    {Reason.UNVERIFIABLE_RESUME, Reason.CHANGED, Reason.DIGEST_MISMATCH, Reason.NOT_CONTINUED}
)
"""A retry of a task that failed for one of these begins at byte 0."""


class Orders:
    """The one door for keys, mouse, palette and other programs."""

    def __init__(self, engine: AsyncDownloadEngine) -> None:
        self._engine = engine
        self._context = engine.context
        self._journal = engine.context.journal
        self._scheduler = engine.scheduler
        self._turns = Turns()
        self.works = BulkWorks(engine.context, engine.scheduler)
        """Commands on very many rows, and how far they are."""
        self._tuning = Tuning(engine.context, engine.scheduler)
        self._choosing = Choosing(engine.context, engine.scheduler, engine.playlists)
        self._doers: dict[CommandName, Callable[[Command], Awaitable[CommandOutcome]]] = {
            CommandName.ADD: WishAdder(engine).add,
            CommandName.PAUSE: self._pause,
            CommandName.RESUME: self._resume,
            CommandName.TOGGLE_PAUSE: self._toggle_pause,
            CommandName.TOGGLE_ALL: self._toggle_all,
            CommandName.CANCEL: self._cancel,
            CommandName.DELETE_PART: self._delete_part,
            CommandName.RETRY: self._retry,
            CommandName.RETRY_FAILED: self._retry_failed,
            CommandName.REFRESH: partial(refresh, engine),
            CommandName.MOVE_UP: self._move_up,
            CommandName.MOVE_DOWN: self._move_down,
            CommandName.MOVE_TO: self._move_to,
            CommandName.SET_CONCURRENCY: self._set_concurrency,
            CommandName.SET_PER_HOST: self._set_per_host,
            CommandName.SET_CONNECTIONS: self._set_connections,
            CommandName.SET_LIMIT: self._set_limit,
            CommandName.SET_PRIORITY: self._set_priority,
            CommandName.SET_OPTIONS: self._set_wishes,
            CommandName.SET_SETTINGS: self._set_settings,
            CommandName.CHOOSE: self._choose,
            CommandName.DOWNLOAD_CHOSEN: self._download_chosen,
            CommandName.SET_FORMAT: self._set_format,
            CommandName.CLEAR_FINISHED: self._clear_finished,
            CommandName.UNDO: self._undo,
        }

    async def execute(self, command: Command) -> CommandOutcome:
        """Do it. Raises `UsageError` for senseless arguments, `FileSystemError` where the journal cannot write."""
        command = await self._choosing.meant(command)
        async with self._turns.take(command):
            outcome = await self._doers[command.name](command)
            self._engine.playlists.doubt()
            if command.name in LEAVE_FOLDERS:
                await remove_made_folders(self._context, self._scheduler.running.values())
            return outcome

    # -- states --------------------------------------------------------------------------------------------------------

    async def _pause(self, command: Command) -> CommandOutcome:
        return await self._step_targets(Trigger.PAUSE, command)

    async def _resume(self, command: Command) -> CommandOutcome:
        return await self._step_targets(Trigger.RESUME, command)

    async def _cancel(self, command: Command) -> CommandOutcome:
        return await self._step_targets(Trigger.CANCEL, command)

    async def _step_targets(self, trigger: Trigger, command: Command) -> CommandOutcome:
        ids = await self._few(command)
        if ids is not None:
            return await self._step(trigger, ids)
        return await self.works.step(command.name, trigger, meant_by(command))

    async def _toggle_pause(self, command: Command) -> CommandOutcome:
        ids = await self._few(command)
        if ids is None:
            return await self.works.toggle(meant_by(command))
        tasks = await self._engine.rows(ids)
        paused = [task.id for task in tasks if task.status is Status.PAUSED]
        others = [task.id for task in tasks if task.status is not Status.PAUSED]
        resumed = await self._step(Trigger.RESUME, paused) if paused else CommandOutcome()
        stopped = await self._step(Trigger.PAUSE, others) if others else CommandOutcome()
        return CommandOutcome(resumed.changed + stopped.changed, resumed.ids + stopped.ids)

    async def _toggle_all(self, command: Command) -> CommandOutcome:
        counts = self._engine.snapshot().counts
        is_moving = any(counts.get(status, 0) for status in UNFINISHED - {Status.PAUSED})
        trigger, statuses = (
            (Trigger.PAUSE, UNFINISHED - {Status.PAUSED}) if is_moving else (Trigger.RESUME, frozenset({Status.PAUSED}))
        )
        if sum(counts.get(status, 0) for status in statuses) <= MOST_EVENTS:
            return await self._step(trigger, await self._ids(statuses))
        return await self.works.step(command.name, trigger, Meant(TaskQuery(statuses=statuses)))

    async def _retry(self, command: Command) -> CommandOutcome:
        ids = await self._few(command)
        if ids is None:
            restarts = bool(command.arguments.get("restart"))
            self._scheduler.parker.try_again()
            return await self.works.retry(meant_by(command), restarts=restarts, starts_over=STARTS_OVER)
        restarts = bool(command.arguments.get("restart"))
        rows = await self._journal.rows(ids)
        for task in rows:
            if (restarts or _starts_over(task)) and task.status in sources_of(Trigger.RETRY):
                wanted = replace(task, options=replace(task.options, restarts=True))
                await self._journal.save(wanted, is_durable=False)
        unparked = self._scheduler.parker.try_again({task.host for task in rows})
        outcome = await self._step(Trigger.RETRY, ids)
        text = f"{unparked} parked host{'' if unparked == 1 else 's'} tried again"
        return replace(outcome, message=text) if unparked else outcome

    async def _retry_failed(self, _command: Command) -> CommandOutcome:
        self._scheduler.parker.try_again()
        query = TaskQuery(statuses=frozenset({Status.FAILED}))
        if await self.works.few(query, ()) is None:
            return await self.works.retry(Meant(query), restarts=False, starts_over=STARTS_OVER)
        return await self._step(Trigger.RETRY, await self._ids({Status.FAILED}))

    async def _step(self, trigger: Trigger, ids: Sequence[int]) -> CommandOutcome:
        wanted = frozenset(ids)
        stopped: list[DownloadTask] = []
        with self._scheduler.barring(wanted):
            if trigger in (Trigger.PAUSE, Trigger.CANCEL):
                stopped = await self._scheduler.stop(wanted, trigger)
            elif trigger is Trigger.RETRY:
                stopped = await self._scheduler.retry_waiting(wanted)
            touched = {task.id for task in stopped}
            rest = [key for key in ids if key not in touched]
            await self._journal.flush()
            before = await self._journal.rows(rest) if rest and len(rest) <= MOST_EVENTS else []
            in_hand = tuple(self._scheduler.running)
            changed = await self._journal.bulk(trigger, ids=rest, excluding_ids=in_hand) if rest else 0
        await self._tell(trigger, before)
        return CommandOutcome(changed + len(stopped), tuple(ids[:MOST_EVENTS]))

    async def _tell(self, trigger: Trigger, before: Sequence[DownloadTask]) -> None:
        legal = sources_of(trigger)
        moved = [task for task in before if task.status in legal]
        if trigger is Trigger.RETRY:
            for task in moved:
                self._engine.ledger.tally.uncount(task)
        stood = {task.id: task.status for task in moved}
        for task in await self._journal.rows(list(stood)):
            if task.status is not stood[task.id]:
                self._engine.ledger.tell(EVENTS[trigger], task)

    async def _delete_part(self, command: Command) -> CommandOutcome:
        said, ids = "", await self._few(command)
        if ids is None:
            outcome, ids = await self.works.cancel_parts(meant_by(command))
            said = f"{outcome.changed:,} cancelled, "
        else:
            outcome = await self._step(Trigger.CANCEL, ids)
        deleted = 0
        for start in range(0, len(ids), MOST_EVENTS):
            for task in await self._journal.rows(ids[start : start + MOST_EVENTS]):
                if task.part_path and task.status is Status.CANCELLED and await self._delete_part_of(task):
                    deleted += 1
        message = f"{said}{deleted:,} part file{'' if deleted == 1 else 's'} deleted"
        return replace(outcome, changed=max(outcome.changed, deleted), message=message)

    async def _delete_part_of(self, task: DownloadTask) -> bool:
        await delete_part_file(self._context, task)
        await self._journal.forget_checkpoint(task.id)
        await self._journal.save(replace(task, part_path="", downloaded_bytes=0), is_durable=True)
        return True

    # -- order, limits -------------------------------------------------------------------------------------------------

    async def _move_up(self, command: Command) -> CommandOutcome:
        return await self._move(command, up=True)

    async def _move_down(self, command: Command) -> CommandOutcome:
        return await self._move(command, up=False)

    async def _move(self, command: Command, *, up: bool) -> CommandOutcome:
        is_named = command.query is None and len(command.ids) <= MOST_MOVED
        ids = command.ids if is_named else await self._few(command)
        if ids is None:
            return await self.works.move(command.name, meant_by(command))
        moved = await self._journal.move(ids, up=up)
        self._scheduler.look_again()
        return CommandOutcome(moved)

    async def _move_to(self, command: Command) -> CommandOutcome:
        wanted = place_of(command)
        ids = await self._few(command)
        if ids is None:
            raise UsageError("these are more rows than can be put at a place; move them up or down, to an end")
        # What started a moment ago has no place any more.
        await self._journal.flush()
        placed = await self._journal.place(ids, wanted)
        self._scheduler.look_again()
        return CommandOutcome(placed.moved, tuple(ids), value=placed.index if placed.moved else None)

    async def _set_concurrency(self, command: Command) -> CommandOutcome:
        value = self._set_number(command, "concurrent_downloads")
        self._scheduler.shrink()
        return CommandOutcome(message=f"{value} at once")

    async def _set_per_host(self, command: Command) -> CommandOutcome:
        value = self._set_number(command, "per_host")
        return CommandOutcome(message=f"at most {value} connection{'' if value == 1 else 's'} to one host")

    def _set_number(self, command: Command, name: str) -> int:
        """Set a whole number among the settings, within its bounds; return it."""
        facts, settings = SETTINGS[name], self._context.settings
        wanted = number_of(command, getattr(settings, name))
        value: int = coerce(facts, max(int(facts.low or 0), min(wanted, int(facts.high or wanted))))
        self._context.settings = settings_with(settings, {name: value})
        return value

    async def _set_connections(self, command: Command) -> CommandOutcome:
        return await self._tuning.set_connections(self.works, command, await self._few(command))

    async def _set_limit(self, command: Command) -> CommandOutcome:
        if not command.ids and command.query is None:
            return self._tuning.set_limit(command)
        return await self._tuning.limit_tasks(self.works, command, await self._few(command))

    async def _set_priority(self, command: Command) -> CommandOutcome:
        return await self._tuning.set_priority(self.works, command, await self._few(command))

    async def _set_wishes(self, command: Command) -> CommandOutcome:
        return await self._tuning.set_wishes(self.works, command, await self._few(command))

    async def _set_settings(self, command: Command) -> CommandOutcome:
        values = live_values(command.arguments.get("settings") or {})
        if "dir" in values:
            self._engine.set_default_dir(values["dir"])
        self._context.settings = settings_with(self._context.settings, values)
        self._scheduler.shrink()
        return CommandOutcome(message=f"{', '.join(values)} set" if values else "")

    # -- media ---------------------------------------------------------------------------------------------------------

    async def _choose(self, command: Command) -> CommandOutcome:
        return await self._choosing.choose(command, await self._media_targets(command))

    async def _download_chosen(self, command: Command) -> CommandOutcome:
        return await self._choosing.download_chosen(await self._media_targets(command))

    async def _set_format(self, command: Command) -> CommandOutcome:
        return await self._choosing.set_format(command, await self._media_targets(command))

    # -- rows ----------------------------------------------------------------------------------------------------------

    async def _clear_finished(self, command: Command) -> CommandOutcome:
        if command.arguments.get("keeps_failed") and not command.ids and command.query is None:
            return await self._clear_done()
        is_by_ids = 0 < len(command.ids) <= MOST_ROWS and command.query is None
        removed = await (self._remove_few(command.ids) if is_by_ids else self._remove_many(command))
        return CommandOutcome(removed, message=f"{removed:,} removed, undo brings back")

    async def _clear_done(self) -> CommandOutcome:
        """Take out what is finished but for failures, which a person has not dealt with yet, and say that they stay."""
        removed = await self._remove_many(
            Command(CommandName.CLEAR_FINISHED, query=TaskQuery(statuses=FINISHED - {Status.FAILED}))
        )
        failed = self._engine.snapshot().counts.get(Status.FAILED, 0)
        stays = f"; {failed:,} failed stay (`clear-finished status:failed` removes them)" if failed else ""
        went = f"{removed:,} removed, undo brings back" if removed else "nothing to remove"
        return CommandOutcome(removed, message=f"{went}{stays}")

    async def _remove_few(self, ids: Sequence[int]) -> int:
        """Take rows out and tell of each that went."""
        rows = await self._journal.rows(ids) if len(ids) <= MOST_EVENTS else []
        removed = await self._journal.remove(ids)
        left = {task.id for task in await self._journal.rows([task.id for task in rows])}
        for task in rows:
            if task.id not in left:
                self._engine.ledger.tell(EventKind.REMOVED, task)
        return removed

    async def _remove_many(self, command: Command) -> int:
        meant = meant_by(command) if command.ids else Meant(_query(command), command.excluding_ids)
        finished = replace(meant, query=replace(meant.query, statuses=(meant.query.statuses or FINISHED) & FINISHED))
        if not finished.query.statuses:
            return 0
        few = await self.works.few(finished.query, finished.excluding_ids) if finished.ids is None else None
        if few is not None:
            return await self._remove_few(few)
        return (await self.works.remove(finished)).changed

    async def _undo(self, _command: Command) -> CommandOutcome:
        restored = await self._journal.undo()
        self._scheduler.look_again()
        return CommandOutcome(restored, message=f"{restored:,} brought back" if restored else "nothing to bring back")

    async def _media_targets(self, command: Command) -> Sequence[int]:
        """Return the ids that a command on media means: of very many rows those that may be media."""
        ids = await self._few(command)
        if ids is not None:
            return ids
        meant = meant_by(command)
        return [one for one in await self._journal.ids_having(meant.query, MAYBE_MEDIA) if meant.has(one)]

    async def _few(self, command: Command) -> Sequence[int] | None:
        """Return the ids that a command means, None where these are more than are looked at one by one."""
        if command.query is None:
            return command.ids if len(command.ids) <= MOST_ROWS else None
        return await self.works.few(command.query, command.excluding_ids)

    async def _ids(self, statuses: set[Status] | frozenset[Status]) -> Sequence[int]:
        in_hand = [key for key, slot in self._scheduler.running.items() if slot.live.task.status in statuses]
        waiting = list(self._scheduler.waiting) if Status.WAITING in statuses else []
        stored = await self._journal.ids(TaskQuery(statuses=frozenset(statuses | (LIVE & statuses))))
        return list(dict.fromkeys([*in_hand, *waiting, *stored]))


def place_of(command: Command) -> Place:
    """Return the place in the queue that a command names; raises `UsageError`."""
    position, how = command.arguments.get("position"), command.arguments.get("how") or Base.SET
    if type(position) is not int or how not in tuple(Base):
        raise UsageError(f"{command.name} wants `position` as a whole number, and `how` as set, cur or end")
    return Place(position, Base(how))


def _starts_over(task: DownloadTask) -> bool:
    """Whether a retry drops what is held: not where pieces tell which bytes of it are right."""
    return task.reason in STARTS_OVER and not (task.reason is Reason.DIGEST_MISMATCH and task.options.pieces)


def _query(command: Command) -> TaskQuery:
    """Return the question of a command that has one."""
    return command.query or TaskQuery()
