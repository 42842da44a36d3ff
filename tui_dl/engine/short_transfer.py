"""The attempt at an everyday file: asked for once, answered with a short body, saved in its group.

What it leaves out are rules that say nothing of such a file; those that do are the same. Whatever turns out to be of
another kind goes on as a `Transfer`, which takes up the answer that was given, so that nothing is asked twice.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import TuiDlError, Unwanted
from tui_dl.core.ports import TransportRequest
from tui_dl.core.status import Status
from tui_dl.engine.answered import facts_of_answer
from tui_dl.engine.asking import Exchange, line_of
from tui_dl.engine.bodies import read_small, save_small
from tui_dl.engine.everyday import everyday_judgement
from tui_dl.engine.host_gate import HostGate
from tui_dl.engine.outcome import End, Outcome
from tui_dl.engine.refusing import ended_by, judge_head, read_off
from tui_dl.engine.transfer import SAVING_PATIENCE_S, Transfer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.resume import Judgement
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

_COMPLETED: Final = Outcome(End.COMPLETED)


class ShortTransfer:
    """An attempt as the scheduler knows it; `run()` returns how it ended, `stop()` ends it with everything durable."""

    def __init__(self, context: EngineContext, live: LiveTask, release_slot: Callable[[], None]) -> None:
        self._context = context
        self._live = live
        self._release_slot = release_slot
        self._transfer: Transfer | None = None
        self._task: asyncio.Task[object] | None = None
        self._is_stopping = False
        self._is_saving = False

    @property
    def whole(self) -> Transfer:
        """The long way, made when it is wanted."""
        if self._transfer is None:
            self._transfer = Transfer(self._context, self._live, self._release_slot)
        return self._transfer

    def stop(self) -> None:
        """End the attempt; `run()` then returns `STOPPED`."""
        if self._transfer is not None:
            self._transfer.stop()
        if self._is_stopping:
            return
        self._is_stopping = True
        if self._is_saving:
            # All of it is here, and its group may have given it a name already: it ends by itself at once.
            asyncio.get_running_loop().call_later(SAVING_PATIENCE_S, self._cancel)
        else:
            self._cancel()

    def _cancel(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()

    async def run(self) -> Outcome:
        """Make the attempt. Errors of ours become an outcome; others are faults and are raised."""
        if self._is_stopping:
            return Outcome(End.STOPPED)
        if self._transfer is not None or not self._context.everyday.takes(self._live):
            return await self.whole.run()
        gate = HostGate(self._context, self._live, is_extra=False)
        try:
            outcome = await self._run_short(gate)
            if outcome is not None:
                return outcome
            self._task = None
            self._transfer = Transfer(self._context, self._live, self._release_slot, gate)
            return await self._transfer.run()
        finally:
            gate.leave()

    async def _run_short(self, gate: HostGate) -> Outcome | None:
        """Return how it ended; None where it is to go on the long way."""
        context, live = self._context, self._live
        self._task = asyncio.current_task()
        try:
            try:
                return await self._attempt(gate)
            finally:
                context.targets.release(live)
                context.limits.forget(live.task.id)
        except TuiDlError as error:
            return Outcome(End.STOPPED) if self._was_stopped() else ended_by(error)
        except asyncio.CancelledError:
            if not self._was_stopped() or self._task is None:
                raise
            self._task.uncancel()
            return _COMPLETED if live.task.status is Status.COMPLETED else Outcome(End.STOPPED)

    def _was_stopped(self) -> bool:
        return self._is_stopping

    async def _attempt(self, gate: HostGate) -> Outcome | None:
        context, live = self._context, self._live
        live.rewind(0)
        live.conditions = {}
        headers = context.everyday.headers(live)
        try:
            answer = await gate.ask(TransportRequest(live.task.url, headers))
        except TuiDlError as error:
            live.note(f"GET {headers['Range']}: {error}")
            raise
        judgement = everyday_judgement(answer)
        total = None if judgement is None else judgement.total_bytes
        if judgement is None or total is None or not context.traffic.takes_body(live.task.id, total):
            return None
        live.note_later(partial(line_of, headers, answer))
        exchange = Exchange(answer, gate.answered(), gate.sent_at)
        try:
            self._accept(exchange, judgement)
            judge_head(context, live, exchange, live.task.url)
            context.existing.claim(live.task)
            await context.targets.claim(live)
            buffers = await self._body(exchange, total)
        except Unwanted:
            await read_off(context, live, exchange)
            raise
        finally:
            exchange.close()
            if not self._is_saving:
                context.traffic.forget_body(live.task.id)
        await self._save(buffers)
        return _COMPLETED

    def _accept(self, exchange: Exchange, judgement: Judgement) -> None:
        """Take over what the answer says of the file."""
        context, live, answer = self._context, self._live, exchange.answer
        exchange.judgement = judgement
        exchange.accept()
        context.budgets.works(live.task.host)
        context.last_answer_at = context.clock()
        live.answer_headers = answer.headers
        live.total_bytes = judgement.total_bytes
        live.change(
            total_bytes=judgement.total_bytes,
            final_url=live.task.url,
            validator=judgement.validator,
            name_fixed=True,
            **facts_of_answer(answer),
        )

    async def _body(self, exchange: Exchange, total_bytes: int) -> list[bytes]:
        live = self._live
        # Asked so, since a look at what a class has costs more than all the rest of this.
        take_whole: Callable[[], list[bytes]] | None = getattr(exchange.answer, "take_whole", None)
        if take_whole is None or self._context.limits.may_hold(live.task):
            buffers = await read_small(self._context, live, exchange, total_bytes)
        else:
            buffers = take_whole()
            live.receive(total_bytes)
        self._is_saving = True
        return buffers

    async def _save(self, buffers: list[bytes]) -> None:
        context, live = self._context, self._live

        def on_written() -> None:
            context.traffic.forget_body(live.task.id)
            self._release_slot()

        try:
            if context.traffic.has_room:
                # Its server has nothing more to do: the next one is asked while this is written.
                self._release_slot()
            await save_small(context, live, buffers, on_written)
        finally:
            context.traffic.forget_body(live.task.id)
