"""The first answer from a new address: what is held was fetched from another one, and must be shown to be of this file.

A validator belongs to one address (RFC 9110 §8.8.1): equal ones are taken for the same version only together with the
length and the last 64 KiB held; otherwise random samples are compared too. What does not fit fails the task and is
kept, whatever `on_change` says: a person may have pasted a wrong link, and that must not cost what has arrived.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import ContentError, HttpError, Reason
from tui_dl.core.http_rules import Match, Validator
from tui_dl.core.resume import TAIL_BYTES, Verdict
from tui_dl.core.task import Flag
from tui_dl.engine.opening import Opener
from tui_dl.engine.outcome import VersionChanged

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.asking import Exchange

WAYS_OUT: Final = "what has arrived is kept; refresh takes another address, retry starts over with this one"


def opener_for(task: DownloadTask) -> type[Opener]:
    """Return what opens the first exchange of an attempt at this task's own address."""
    return NewAddressOpener if task.options.has_new_address else Opener


class NewAddressOpener(Opener):
    """Opens it where the address was changed since the bytes held were fetched."""

    async def open(self) -> Exchange:
        """Return a usable exchange as `Opener` does; raises `ContentError` where what is held does not fit."""
        known = self._live.task.validator
        # What the old address said of versions means nothing to the new one.
        self._asker.validator = Validator()
        if not self._plan.held or self._part is None:
            exchange = await self._ask(0)
            self._adopt(exchange.judgement.validator)
            return exchange
        try:
            return await self._shown_to_fit(known)
        except VersionChanged:
            raise ContentError(Reason.CHANGED, f"another file is at the new address; {WAYS_OUT}") from None

    async def _shown_to_fit(self, known: Validator) -> Exchange:
        start = self._first_missing(self._live.task.total_bytes)
        overlap = self._overlap(start, TAIL_BYTES)
        exchange = await self._asked_at(start, overlap)
        new = exchange.judgement.validator
        is_same = known.matches(new) is Match.SAME
        if exchange.judgement.verdict is not Verdict.PARTIAL:
            self._take_whole(exchange, is_same=is_same)
        elif not (is_same and overlap):
            # One after the other: hosts that give an expiring link often allow one connection.
            exchange.close()
            self._asker.validator = new
            await self._sampled(overlap)
            exchange = await self._asked_at(start, overlap)
            if exchange.judgement.verdict is not Verdict.PARTIAL:
                exchange.close()
                raise VersionChanged
            self._live.change(flags=self._live.task.flags | {Flag.VERSION_UNVERIFIED})
        self._adopt(new)
        return exchange

    def _take_whole(self, exchange: Exchange, *, is_same: bool) -> None:
        """Let a whole file run over what is held, if nothing but the missing ranges stands against it."""
        judgement, total = exchange.judgement, self._live.task.total_bytes
        if is_same and judgement.total_bytes == total is not None and not judgement.encodings:
            exchange.judgement = replace(judgement, verdict=Verdict.WHOLE_SAME)
            return
        exchange.close()
        if None not in (judgement.total_bytes, total) and judgement.total_bytes != total:
            raise VersionChanged
        text = f"nothing can be compared: the new address gives the file from its beginning only; {WAYS_OUT}"
        raise ContentError(Reason.UNVERIFIABLE_RESUME, text)

    async def _sampled(self, overlap: int) -> None:
        if overlap and all(run.length_bytes < TAIL_BYTES for run in self._plan.held):
            return  # the overlap was all of it
        try:
            await self._compare_samples()
        except HttpError as error:
            if error.is_retryable:
                raise
            text = f"nothing can be compared: the new address answers once only ({error}); {WAYS_OUT}"
            raise ContentError(Reason.UNVERIFIABLE_RESUME, text) from error

    def _adopt(self, validator: Validator) -> None:
        """From here on the new address is the task's own."""
        self._asker.validator = validator
        self._live.change(validator=validator, options=replace(self._live.task.options, has_new_address=False))
