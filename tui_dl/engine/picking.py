"""Which task starts next: what waited long enough, what stands by, and pages of pending rows from the journal."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tui_dl.core.sharing import LOWEST
from tui_dl.engine.live import LiveTask
from tui_dl.engine.meant import Everything
from tui_dl.engine.ready_queue import ReadyQueue
from tui_dl.engine.waiting import POLL_S

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.slot import Slot
    from tui_dl.engine.waiting import WaitingTasks

MOST_CHOICE: Final = 1024
"""With so many rows at hand, of as many hosts as there are slots, no more are fetched for a better choice: only where
none of these may start."""
PAGE_TASKS: Final = 256
"""Pending rows fetched from the journal at a time."""
READ_AHEAD_TASKS: Final = PAGE_TASKS // 2
"""With fewer at hand the next page is asked for, so that no slot stands empty while the journal answers."""
OTHERS_PART: Final = 4
"""Where the journal held nothing of other hosts, it is not asked again for so many times what that took: a million rows
of one host are read through for it, and while a list is read rows are added all the time."""
NAMES_PER_SLOT: Final = 8
"""Rows for each slot whose names are looked up when they come to hand."""
_UNKNOWN: Final = frozenset(("",))
"""Hosts of the pending rows while nobody knows: a name that no host has."""


class Picker:
    """Takes one task after the other; knows what the journal still holds."""

    def __init__(
        self,
        context: EngineContext,
        running: dict[int, Slot],
        waiting: WaitingTasks,
        can_start: Callable[[], bool],
        is_given_up: Callable[[DownloadTask], bool],
    ) -> None:
        """`can_start` tells whether a task may start; it may not any more once the journal has answered.

        `is_given_up` tells whether a pending row has failed without being tried.
        """
        self._context, self._running, self._waiting = context, running, waiting
        self._can_start = can_start
        self._is_given_up = is_given_up
        self._ready = ReadyQueue()
        self._may_have_pending = True
        self._looks = 0
        self._barred: list[Collection[int]] = []
        self._passed_over: frozenset[str] = frozenset()
        self._all_hosts: frozenset[str] = _UNKNOWN
        self._others_at = float("-inf")
        self._ahead: asyncio.Task[None] | None = None

    async def aclose(self) -> None:
        """Ask the journal, and for names, no more."""
        if self._context.names_ahead is not None:
            await self._context.names_ahead.aclose()
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.wait([self._ahead])

    def host_due_s(self) -> float | None:
        """Return the seconds until a host whose rows stand aside may bear one more; None while none stands aside."""
        now, budgets = self._context.clock(), self._context.budgets
        waits = [budgets.start_wait_s(host, now) or POLL_S for host in self._ready.hosts_aside]
        if waits and self._others_at > now:
            waits.append(self._others_at - now)
        return min(waits, default=None)

    @property
    def may_have_more(self) -> bool:
        """Whether rows stand by, or the journal may hold some."""
        return bool(self._ready) or self._may_have_pending

    @property
    def bars_all(self) -> bool:
        """Whether nothing at all may be taken: to look through what stands by would be in vain."""
        return any(isinstance(ids, Everything) for ids in self._barred)

    @contextmanager
    def barring(self, ids: Collection[int]) -> Iterator[None]:
        """Take none of these meanwhile."""
        self._barred.append(ids)
        try:
            yield
        finally:
            self._barred.remove(ids)

    def look_again(self) -> None:
        """Ask the journal again: rows were added or changed."""
        self._looks += 1
        self._ready.clear()
        self._passed_over = frozenset()
        self._all_hosts = _UNKNOWN
        self._may_have_pending = True

    def doubt(self) -> None:
        """Note that the journal could not be read: it may hold more."""
        self._may_have_pending = True

    async def take_next(self) -> LiveTask | None:
        """Take a task; hosts that do not answer must not hold up those that do."""
        if self._has_one_host():
            live = self._pick(_any, LOWEST - 1)
            self._read_ahead()
            return live
        slots, reach = self._context.settings.concurrent_downloads, self._context.budgets.reach
        *choices, anyone = reach.preferences(slots)
        for can_host in (*choices, anyone):
            live = await self._take_fairly(can_host, reach.over_share(slots)) if slots > 1 else None
            if live is None:
                live = await self._take_of(can_host, is_choosy=can_host is not anyone)
            if live is not None:
                return live
        return None

    async def _take_fairly(self, can_host: Callable[[str], bool], crowded: Collection[str]) -> LiveTask | None:
        """Take a task of a host that holds less than its share, if there is one of no lower priority."""
        if not crowded or self._has_only(crowded):
            return None
        highest = self._ready.highest_priority
        above = LOWEST - 1 if highest is None else highest - 1
        return await self._take_of(lambda host: host not in crowded and can_host(host), above=above, is_choosy=True)

    def _has_one_host(self) -> bool:
        """Whether all rows are of one host, as far as is known, so that nothing is to be chosen between hosts."""
        held = self._ready.hosts_sorted
        return held is not None and len(held) == 1 and self._has_only(held)

    def _has_only(self, hosts: Collection[str]) -> bool:
        """Whether nothing is at hand of other hosts, and the journal is known to hold nothing of them."""
        held = self._ready.hosts_sorted
        if held is None or self._waiting.lives or not all(map(hosts.__contains__, held)):
            return False
        if not self._may_have_pending or self._others_at > self._context.clock():
            return True
        return self._passed_over == held or held >= self._all_hosts

    async def _take_of(
        self, can_host: Callable[[str], bool], *, is_choosy: bool, above: int = LOWEST - 1
    ) -> LiveTask | None:
        """Take what waited long enough before what never began, unless that has a higher priority."""
        priority = self._waiting.highest_priority(self._context.clock(), can_host)
        if priority is not None and priority > above:
            highest = self._ready.highest_priority
            if highest is not None and highest > priority:
                live = await self._take_ready(can_host, above=priority, is_choosy=is_choosy)
                if live is not None:
                    return live
            live = self._waiting.take(self._context.clock(), can_host, self._may_go_on) if self._can_start() else None
            if live is not None:
                return live
        return await self._take_ready(can_host, above=above, is_choosy=is_choosy)

    async def _take_ready(self, can_host: Callable[[str], bool], *, above: int, is_choosy: bool) -> LiveTask | None:
        while not self._ready and self._may_have_pending:
            await self._fetch_page(frozenset())
        live = self._pick(can_host, above)
        self._read_ahead()
        while live is None and self._ready and self._may_have_pending and self._can_start():
            # A page of hosts that bear no more must not keep others waiting.
            hosts = self._ready.hosts
            if hosts == self._passed_over or hosts >= self._all_hosts:
                break
            if is_choosy and self._has_choice(len(hosts)):
                break
            if self._others_at > self._context.clock() or self._is_looking_up():
                break
            self._passed_over = hosts
            await self._fetch_page(hosts)
            live = self._pick(can_host, above)
        return live

    def _is_looking_up(self) -> bool:
        """Whether names of what is at hand are on their way, so that more rows need not be fetched for a choice."""
        names = self._context.names_ahead
        return names is not None and names.is_busy and len(self._ready) > PAGE_TASKS

    def _has_choice(self, hosts: int) -> bool:
        """Whether enough stands by for every slot to serve another host."""
        return len(self._ready) > MOST_CHOICE and hosts >= self._context.settings.concurrent_downloads

    def _pick(self, can_host: Callable[[str], bool], above: int) -> LiveTask | None:
        if not self._can_start():
            return None
        now, budgets, names = self._context.clock(), self._context.budgets, self._context.names_ahead
        full: list[str] = []

        def can_take(host: str) -> bool:
            if not can_host(host) or (names is not None and names.is_held(host)):
                return False
            if not (is_borne := budgets.can_admit(host, now)):
                full.append(host)
            return is_borne

        task = self._ready.take(can_take, lambda task: task.priority > above and self._may_start(task))
        for host in full:
            self._context.crowds.hunger(budgets[host], now)
        if task is None:
            return None
        return LiveTask(task, wall_clock=self._context.wall_clock, traffic=self._context.traffic)

    def _may_start(self, task: DownloadTask) -> bool:
        return self._waiting.is_open_for(task) and self._is_free(task) and self._context.sites.can_start(task)

    def _may_go_on(self, task: DownloadTask) -> bool:
        return self._is_free(task) and self._context.sites.can_start(task)

    def _is_free(self, task: DownloadTask) -> bool:
        """Whether nothing that a person wants of it is on its way to the journal."""
        return not any(task.id in ids for ids in self._barred)

    def _read_ahead(self) -> None:
        """Ask for the next page in time; what is at hand already is not asked for."""
        is_short = self._may_have_pending and len(self._ready) < READ_AHEAD_TASKS
        if not is_short or not self._ready or self._ahead is not None:
            return
        self._ahead = asyncio.ensure_future(self._read_page(frozenset(), self._ready.ids))
        self._ahead.add_done_callback(self._note_ahead)

    def _note_ahead(self, ahead: asyncio.Task[None]) -> None:
        self._ahead = None
        if not ahead.cancelled() and ahead.exception() is not None:
            # Whoever has nothing left asks again, and hears of it.
            self._may_have_pending = True

    async def _fetch_page(self, excluding_hosts: Collection[str]) -> None:
        if self._ahead is not None:
            # Two answers at once might bring the same rows, as one does that knows nothing of what came meanwhile.
            await asyncio.wait([self._ahead])
            if not self._ready.hosts <= frozenset(excluding_hosts):
                return
        await self._read_page(excluding_hosts, ())

    async def _read_page(self, excluding_hosts: Collection[str], excluding_ids: Collection[int]) -> None:
        looks, began_at = self._looks, self._context.clock()
        # Rows that are added from here on say so.
        self._may_have_pending = bool(excluding_ids)
        in_hand = [*self._running, *self._waiting.lives, *excluding_ids]
        page = await self._context.journal.next_pending(
            PAGE_TASKS, excluding_hosts=excluding_hosts, excluding_ids=in_hand
        )
        if looks != self._looks:
            return  # rows changed while the journal was asked: what it answered may be old
        # A task may have been taken in hand while the journal was asked.
        fresh = (task for task in page if task.id not in self._running and task.id not in self._waiting.lives)
        wanted = [task for task in fresh if not self._is_given_up(task)]
        self._ready.extend(wanted)
        if self._context.names_ahead is not None:
            self._context.names_ahead.expect(wanted[: NAMES_PER_SLOT * self._context.settings.concurrent_downloads])
        self._may_have_pending = len(page) == PAGE_TASKS or bool(excluding_hosts)
        if len(page) < PAGE_TASKS:
            self._all_hosts = frozenset((*excluding_hosts, *self._ready.hosts, *(task.host for task in page)))
        if page:
            self._passed_over = frozenset()
        elif excluding_hosts:
            now = self._context.clock()
            self._others_at = now + OTHERS_PART * (now - began_at)


def _any(_host: str) -> bool:
    return True
