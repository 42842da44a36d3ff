"""The way of a task's requests to hosts: each waits for its host and counts against the one that gets it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import has_same_origin, host_of
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import HttpError, NetworkError, Reason, TuiDlError
from tui_dl.engine.redirects import get_following

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.host_budget import HostBudget
    from tui_dl.core.ports import TransportAnswer, TransportRequest
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

AT_ONCE_S: Final = 1.0
"""A task that has asked nothing yet gives its slot to others rather than wait longer than this."""
HOP_WAIT_S: Final = 2.0
"""So long a redirect's target is waited for in place; longer, and the task asks again later."""
POLL_S: Final = 0.1
"""How often a host that bears no more connections is looked at again while a request stands before it."""


class HostGate:
    """Sends one request of a source and follows where it leads, host by host."""

    def __init__(
        self, context: EngineContext, live: LiveTask, *, is_extra: bool, patience_s: float = AT_ONCE_S
    ) -> None:
        """`is_extra`: whether it asks for one more range while others may be at work.

        `patience_s`: how long the first host is waited for in place.
        """
        self._context, self._live = context, live
        self._is_extra, self._patience_s = is_extra, patience_s
        self._budget: HostBudget | None = None
        self._led_from: HostBudget | None = None
        self.sent_at = 0.0
        """Monotonic instant of the last hop's request."""
        self.among = 0
        """Connections that its host had then, this one included."""
        self._early: TransportAnswer | None = None

    async def ask(self, request: TransportRequest) -> TransportAnswer:
        """Send one request and follow nothing: `answered()` takes its answer, or `follow()` goes on from there.

        Raises `TuiDlError`.
        """
        try:
            self._early = answer = await self._send(request)
        except BaseException:
            self._leave()
            raise
        return answer

    def answered(self) -> HostBudget:
        """Give out the answer to what was asked, which is no refusal; return the budget that it counts against."""
        budget, self._budget, self._early = self._budget, None, None
        assert budget is not None
        self.note_answered(budget)
        return budget

    def leave(self) -> None:
        """End what was asked and is wanted by nobody; safe to call at any end."""
        if self._early is not None:
            self._early.close()
            self._early = None
        self._leave()

    async def follow(
        self, url: str, headers: Mapping[str, str]
    ) -> tuple[TransportAnswer, str, Mapping[str, str], HostBudget]:
        """Return the answer, its address, the headers sent there, and the budget that it counts against as open.

        Raises `TuiDlError`.
        """
        try:
            answer, final_url, sent = await get_following(
                self._send,
                url,
                headers,
                allow_downgrade=self._context.settings.allow_downgrade,
                note=self._live.note,
            )
        except BaseException:
            self._leave()
            raise
        budget, self._budget = self._budget, None
        assert budget is not None
        return answer, final_url, sent, budget

    def note_answered(self, budget: HostBudget) -> None:
        """Note that the last hop's answer was no refusal: more may be asked for at once."""
        if budget.answered(self.among):
            self._context.budgets.on_room()

    async def _send(self, request: TransportRequest) -> TransportAnswer:
        """Send one hop of it; the hop before, if any, was answered with a redirect."""
        if self._early is not None:
            early, self._early = self._early, None
            return early
        if self._budget is not None:
            self._budget.answered_well()
            self.note_answered(self._budget)
            self._led_from = self._budget
            self._leave()
            self._patience_s = HOP_WAIT_S
        context = self._context
        task = self._live.task
        host = task.host if request.url == task.url else host_of(request.url)
        is_paced = context.pacing.is_limited
        budget = self._budget = None if is_paced else self._enter_now(host)
        if budget is None:
            budget = self._budget = await context.pacing.enter(self._live.task.id, self._enter(host))
        reach = context.budgets.reach
        try:
            answer = await (self._live.transport or context.transport).get(self._addressed(request))
        except NetworkError as error:
            if not budget.working:
                reach.missed(host)
            if budget.open_connections > 1 and (is_sure := self._is_sure_refusal(error)) is not None:
                budget.refused(context.clock(), pause_s=None, is_sure=is_sure)
            raise
        reach.heard(host)
        return answer

    def _addressed(self, request: TransportRequest) -> TransportRequest:
        """Return the request with what was set for its host; a header that was given for the task stays as it is.

        None of it goes on with a redirect: that is followed with the headers as they were before.
        """
        rules, task = self._context.settings.hosts, self._live.task
        if not rules.tables:
            return request
        is_named = has_same_origin(request.url, task.url)
        of_host = rules.headers_for(request.url, is_named=is_named)
        given = {name.lower() for name, _ in task.options.headers} if is_named else set()
        fresh = {name: value for name, value in of_host.items() if name.lower() not in given}
        names = {name.lower() for name in fresh}
        kept = {name: value for name, value in request.headers.items() if name.lower() not in names}
        return replace(request, headers=kept | fresh)

    def _is_sure_refusal(self, error: NetworkError) -> bool | None:
        """Whether a request that failed while others work was refused because of them; None where it was not.

        A first request that fails may be the fault of its own address; one more that fails while others work is the
        host's way to say that they are too many.
        """
        assert self._budget is not None
        if self._is_extra or error.reason is Reason.CONNECT_REFUSED:
            return True
        may_be = error.reason is Reason.CONNECTION_RESET and self._budget.working and self._budget.is_of_the_crowd()
        return False if may_be else None

    async def _enter(self, host: str) -> HostBudget:
        """Wait for the turn of a host and count as one of its connections; raises `HttpError` if that takes long."""
        context, live = self._context, self._live
        budget = context.budgets[host]
        until_at = context.clock() + self._patience_s
        # Asked again after each sleep: another task may have taken the turn.
        while (entered := self._enter_now(host)) is None:
            now = context.clock()
            wait_s = budget.wait_s(now)
            if now + wait_s > until_at:
                live.waits_for = host
                if self._led_from is not None:
                    self._led_from.led_in_vain(now, host)
                raise _asked_to_wait(host, wait_s, budget.is_own_pause(now)) if wait_s else busy(host, budget)
            await asyncio.sleep(wait_s or POLL_S)
        return entered

    def _enter_now(self, host: str) -> HostBudget | None:
        """Count as one of a host's connections; None where it is not our turn."""
        budget, now = self._context.budgets[host], self._context.clock()
        self._live.arrive()
        if not budget.can_send(now):
            return None
        self._live.waits_for = ""
        if self._led_from is not None:
            self._led_from.leads_to = ""
        self.among = budget.opened(now)
        self.sent_at = now
        return budget

    def _leave(self) -> None:
        if self._budget is not None:
            self._budget.closed()
            self._budget = None


def _asked_to_wait(host: str, wait_s: float, is_own: bool) -> TuiDlError:
    text = (
        f"requests to {display_text(host, 60)} are spaced as you set"
        if is_own
        else f"{display_text(host, 60)} asked to wait"
    )
    return HttpError(Reason.HOST_ASKED, text, is_retryable=True, retry_after_s=wait_s)


def busy(host: str, budget: HostBudget) -> TuiDlError:
    """Return why a task waits whose host takes no more connections now."""
    count = budget.bound
    text = f"{display_text(host, 60)} bears {count} connection{'' if count == 1 else 's'} at once"
    if count is None:
        # It refused nothing: it is met with one more at a time, and the answers to those before are not there yet.
        text = f"{display_text(host, 60)} is slow to answer; it is asked for more once it did"
    return HttpError(Reason.HOST_BUSY, text, is_retryable=True, retry_after_s=POLL_S)
