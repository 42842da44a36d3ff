"""The way of a task's requests to hosts: each waits for its host and counts against the one that gets it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import host_of
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import HttpError, NetworkError, Reason, TuiDlError
from tui_dl.engine.redirects import get_following

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.host_budget import HostBudget
    from tui_dl.core.ports import TransportAnswer, TransportRequest
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

SHORT_WAIT_S: Final = 2.0
"""A pause of the host up to this is slept off in place; a longer one sends the task to wait."""
POLL_S: Final = 0.1
"""How often a host that bears no more connections is looked at again while a request stands before it."""


class HostGate:
    """Sends the requests of one source and follows where they lead, host by host."""

    def __init__(self, context: EngineContext, live: LiveTask) -> None:
        self._context, self._live = context, live
        self._is_extra = False
        self._budget: HostBudget | None = None

    async def follow(
        self, url: str, headers: Mapping[str, str], *, is_extra: bool
    ) -> tuple[TransportAnswer, str, Mapping[str, str], HostBudget]:
        """Return the answer, its address, the headers sent there, and the budget that it counts against as open.

        `is_extra`: whether it asks for one more range while others may be at work. Raises `TuiDlError`.
        """
        self._is_extra = is_extra
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

    async def _send(self, request: TransportRequest) -> TransportAnswer:
        """Send one hop of it; the hop before, if any, was answered with a redirect."""
        if self._budget is not None:
            self._budget.answered_well()
            self._leave()
        context = self._context
        budget = await self._enter(request.url)
        self._budget = budget
        try:
            return await context.transport.get(request)
        except NetworkError as error:
            # A first request that fails may be the fault of its own address; one more that fails while others work
            # is the host's way to say that they are too many.
            is_refusal = self._is_extra or error.reason is Reason.CONNECT_REFUSED
            if is_refusal and budget.open_connections > 1:
                budget.refused(context.clock(), pause_s=None)
            raise

    async def _enter(self, url: str) -> HostBudget:
        """Wait for the turn of a host and count as one of its connections; raises `HttpError` if that takes long."""
        context, host = self._context, host_of(url)
        budget = context.budgets[host]
        until_at = context.clock() + SHORT_WAIT_S
        # Asked again after each sleep: another task may have taken the turn.
        while not budget.can_start(now := context.clock()):
            wait_s = budget.wait_s(now)
            if wait_s > SHORT_WAIT_S:
                raise _asked_to_wait(host, wait_s)
            if not wait_s and now >= until_at:
                raise _busy(host, budget)
            await asyncio.sleep(wait_s or POLL_S)
        budget.opened(now)
        return budget

    def _leave(self) -> None:
        if self._budget is not None:
            self._budget.closed()
            self._budget = None


def _asked_to_wait(host: str, wait_s: float) -> TuiDlError:
    text = f"{display_text(host, 60)} asked to wait"
    return HttpError(Reason.HOST_ASKED, text, is_retryable=True, retry_after_s=wait_s)


def _busy(host: str, budget: HostBudget) -> TuiDlError:
    count = budget.learned_connections
    text = f"{display_text(host, 60)} bears {count} connection{'' if count == 1 else 's'} at once"
    return HttpError(Reason.HOST_ASKED, text, is_retryable=True, retry_after_s=SHORT_WAIT_S)
