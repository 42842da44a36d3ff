"""The first usable answer of an attempt, from the first source that gives one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.errors import ContentError, FileSystemError, Reason, TuiDlError
from tui_dl.core.http_rules import Match
from tui_dl.core.resume import Verdict
from tui_dl.engine.adopting import AdoptingOpener, wants_adoption
from tui_dl.engine.new_address import opener_for
from tui_dl.engine.opening import Opener
from tui_dl.engine.outcome import VersionChanged

if TYPE_CHECKING:
    from tui_dl.core.resume import Judgement
    from tui_dl.engine.asking import Exchange
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.holding import Holding
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.sources import Source, Sources


class Beginning:
    """Asks the sources of one attempt in turn until one gives what is missing."""

    def __init__(self, context: EngineContext, live: LiveTask, sources: Sources, holding: Holding) -> None:
        self._context, self._live, self._sources, self._holding = context, live, sources, holding

    async def open(self) -> tuple[Source, Exchange]:
        """Return the first usable answer, from the first source that gives one.

        Raises `VersionChanged` where what is held must be dropped first. Where no source gives one, it raises the
        error that time may mend, else that of the first source.
        """
        errors: list[TuiDlError] = []
        for source in self._sources.in_order():
            try:
                return source, await self._open_from(source)
            except VersionChanged:
                # A known digest says which version is wanted: the bytes held may be of that, and another may have it.
                if not (self._is_version_known() and self._sources.has_other(source)):
                    raise
                self._sources.forbid(source, "it has another version of the file")
            except FileSystemError:
                raise
            except TuiDlError as error:
                errors.append(error)
                if self._sources.has_other(source):
                    self._sources.failed(source, error, is_final=True)
        if not errors:
            raise VersionChanged
        raise next((error for error in errors if error.is_retryable), errors[0])

    def require_length(self, got_bytes: int | None) -> None:
        """Raise `ContentError` where the length wanted is known and another came, or is announced (None: unknown)."""
        wanted = self._live.task.options.expected_bytes
        if None not in (wanted, got_bytes) and got_bytes != wanted:
            text = f"the server has {got_bytes} bytes, the file wanted has {wanted}"
            raise ContentError(Reason.LENGTH_MISMATCH, text)

    def is_other_version(self, judgement: Judgement) -> bool:
        """Whether the answer contradicts what is known, rather than not proving it."""
        known = self._live.task
        is_other_length = None not in (known.total_bytes, judgement.total_bytes) and (
            known.total_bytes != judgement.total_bytes
        )
        return is_other_length or known.validator.matches(judgement.validator) is Match.DIFFERENT

    def _is_version_known(self) -> bool:
        options = self._live.task.options
        return bool(options.checksum or options.pieces)

    async def _open_from(self, source: Source) -> Exchange:
        plan, part = self._holding.plan, self._holding.part
        is_origin = source is self._sources.origin
        if plan.held and part is not None and not is_origin and plan.total_bytes is not None:
            gap = next(plan.held.gaps(plan.total_bytes))
            return await self._sources.open_range(source, gap.start, gap.end)
        if self._is_to_adopt():
            exchange = await AdoptingOpener(self._context, self._live, source.asker, self._holding).open()
            self._sources.accept(source, is_first=True)
            is_origin = True
        else:
            # A new address is the task's own; a mirror proves itself by what is known of the file.
            opener = Opener if plan.held and not is_origin else opener_for(self._live.task)
            exchange = await opener(self._context, self._live, source.asker, plan, part).open()
        try:
            if not exchange.judgement.encodings:
                self.require_length(exchange.judgement.total_bytes)
            if plan.held and not is_origin and exchange.judgement.verdict is Verdict.PARTIAL:
                self._sources.require_agreement(source, exchange)
        except BaseException:
            exchange.close()
            raise
        return exchange

    def _is_to_adopt(self) -> bool:
        """Whether another tool's half file may be taken over: of whichever source answers first, and once only."""
        is_first = self._sources.origin is not None
        return is_first and not self._holding.plan.held and wants_adoption(self._live.task)
