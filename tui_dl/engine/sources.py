"""The addresses that one file is fetched from: which agree, which may be asked next, which lied.

A source is used only after it was shown to have the same file: the same length, and a digest that will be checked or
the same strong validator (RFC 6249 §4, RFC 5854 §4.2.17).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import SCHEME, host_of
from tui_dl.core.digests import header_digest, parse_digest
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import NetworkError, Reason
from tui_dl.core.http_rules import Match, Validator
from tui_dl.core.links import duplicates
from tui_dl.core.pace import LAG_RATIO
from tui_dl.core.ranges import ByteRange, RangeSet
from tui_dl.core.resume import Verdict
from tui_dl.engine.asking import Asker
from tui_dl.engine.outcome import VersionChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tui_dl.core.ports import TransportAnswer
    from tui_dl.engine.asking import Exchange
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.host_gate import HostGate
    from tui_dl.engine.live import LiveTask

MOST_SOURCES: Final = 32
"""Addresses of one file that are kept; a list of mirrors names more than anybody needs."""
MOST_FAILURES: Final = 2
"""Failures in a row without a byte, after which a source is asked no more in this attempt."""
SMOOTHING: Final = 0.5
"""Weight of the latest rate in a source's own."""


class Refused(NetworkError):  # noqa: N818  # a turn of events, mostly not an error
    """The server does not give one more range; its range goes back."""

    def __init__(self, text: str = "") -> None:
        super().__init__(Reason.RANGE_REFUSED, text, is_retryable=True)


class Source:
    """One address, with what was learned of it in this attempt."""

    def __init__(self, asker: Asker, *, has_agreed: bool) -> None:
        self.asker = asker
        """Sends its requests."""
        self.has_agreed = has_agreed
        """Whether it was shown to have the same file."""
        self.ban = ""
        """Why it is asked no more; empty while it may be."""
        self.failures = 0
        """Failures in a row without a byte."""
        self.rate_bps: float | None = None
        """What one of its connections brings, None while unknown."""
        self.brought = RangeSet()
        """Bytes of the file that came from it."""
        if not has_agreed:
            asker.validator = Validator()

    @property
    def url(self) -> str:
        """Its address."""
        return self.asker.url

    @property
    def host(self) -> str:
        """Host and port, fit to be shown."""
        return display_text(host_of(self.url), 60)


class Sources:
    """All addresses of one task's file, the preferred ones first."""

    def __init__(self, context: EngineContext, live: LiveTask, early: HostGate | None = None) -> None:
        """`early`: who sent the first request to the task's own address already, and has its answer."""
        self._context, self._live = context, live
        self._early = early
        self.all: list[Source] = []
        self.origin: Source | None = None
        """The one whose validator the held bytes are known by."""
        options = live.task.options
        for url in (options.version_url, live.task.url, *options.mirrors):
            self._add(url)

    def _add(self, url: str) -> Source | None:
        if not url or len(self.all) >= MOST_SOURCES or any(one.url == url for one in self.all):
            return None
        is_origin = not self.all
        early, self._early = self._early, None
        source = Source(Asker(self._context, self._live, url, early), has_agreed=is_origin)
        if url in self._live.liars:
            source.ban = "it sent wrong bytes before"
        self.all.append(source)
        if is_origin:
            self.origin = source
        return source

    @property
    def usable(self) -> list[Source]:
        """Those that may be asked."""
        return [one for one in self.all if not one.ban]

    def has_other(self, source: Source) -> bool:
        """Whether another one may be asked."""
        return any(one is not source for one in self.usable)

    def in_order(self) -> Iterator[Source]:
        """Yield those that may be asked for the first answer, as long as each is found wanting."""
        tried: set[str] = set()
        while (source := next((one for one in self.usable if one.url not in tried), None)) is not None:
            tried.add(source.url)
            yield source

    # -- learning ------------------------------------------------------------------------------------------------------

    def accept(self, source: Source, *, is_first: bool) -> None:
        """Take a source as the one whose version the file is; as the first one where nothing is held yet."""
        if is_first:
            self._doubt_all()
        self.origin = source
        source.has_agreed = True

    def start_over(self) -> None:
        """Forget what agreed with a version that is not wanted any more; the preferred source names the next."""
        self.origin = None
        self._doubt_all()
        for one in self.all:
            one.asker.total_bytes = None
            one.brought = RangeSet()

    def _doubt_all(self) -> None:
        """Have every source show once more that it has the file: what it agreed with may be another version."""
        for one in self.all:
            one.has_agreed = False
            one.asker.validator = Validator()

    def discover(self, answer: TransportAnswer, base_url: str) -> None:
        """Take over the duplicates that an answer names (RFC 6249); never from https to http."""
        value = answer.headers.get("Link", "")
        if not value:
            return
        for url in duplicates(value, base_url):
            is_downgrade = base_url.startswith("https:") and not url.startswith("https:")
            if SCHEME.match(url) is None or (is_downgrade and not self._context.settings.allow_downgrade):
                continue
            if (source := self._add(url)) is not None:
                self._live.note(f"the server names {source.host} as another source")

    def forbid(self, source: Source, why: str) -> None:
        """Ask a source no more in this attempt."""
        if not source.ban:
            source.ban = why
            self._live.note(f"{source.host} is not asked any more: {why}")

    def failed(self, source: Source, error: Exception, *, is_final: bool) -> None:
        """Note a failure without a byte; one that will not pass, or the second in a row, ends its share."""
        source.failures += 1
        if is_final or source.failures >= MOST_FAILURES:
            self.forbid(source, str(error))

    def rated(self, source: Source, rate_bps: float) -> None:
        """Note what one of its connections brought lately."""
        known = source.rate_bps
        source.rate_bps = rate_bps if known is None else SMOOTHING * rate_bps + (1 - SMOOTHING) * known

    def blame(self, piece: ByteRange) -> Source | None:
        """Return who alone brought a piece that is wrong, and ask it no more; None where others had a part in it.

        These may be sources of an earlier attempt: what they brought nobody knows.
        """
        suspects = [one for one in self.all if one.brought.overlaps(piece.start, piece.end)]
        is_all_known = any(one.brought.covers(piece.start, piece.end) for one in suspects)
        for one in suspects:
            one.brought.remove(piece.start, piece.end)
        if any(one.url in self._live.liars for one in suspects):
            return None
        if len(suspects) != 1 or not is_all_known or not self.has_other(suspects[0]):
            return None
        liar = suspects[0]
        self._live.liars.add(liar.url)
        self.forbid(liar, f"bytes {piece.start}-{piece.end} that it sent are wrong")
        return liar

    # -- asking --------------------------------------------------------------------------------------------------------

    def pick(self, has_room: Callable[[Source], bool], at_work: Mapping[Source, int]) -> Source | None:
        """Return who fetches the next range: by speed, and while nothing is known one after the other."""
        ready = [one for one in self.usable if has_room(one)]
        best_bps = max((one.rate_bps for one in self.usable if one.rate_bps is not None), default=None)
        if best_bps is not None:
            worthy = [one for one in ready if one.rate_bps is None or one.rate_bps >= LAG_RATIO * best_bps]
            # A slow one gets a share only where nobody else has room, and where it is alone.
            ready = worthy or [one for one in ready if len(self.usable) == 1 or not at_work]

        def cost(source: Source) -> float:
            return (at_work.get(source, 0) + 1) / (source.rate_bps or best_bps or 1.0)

        return min(ready, key=cost, default=None)

    async def open_range(self, source: Source, start: int, end: int) -> Exchange:
        """Ask a source for a further range; at most once more without the condition.

        Raises `Refused` where it gives none or another file, `VersionChanged` where the origin has another version,
        and what asking raises.
        """
        source.asker.total_bytes = self._live.total_bytes
        for _ in range(2):
            exchange = await source.asker.ask_extra(start, end)
            verdict = exchange.judgement.verdict
            if verdict is Verdict.PARTIAL:
                self.require_agreement(source, exchange)
                return exchange
            exchange.close()
            if verdict is Verdict.CHANGED and source is self.origin:
                raise VersionChanged
            if verdict is Verdict.CHANGED:
                self.forbid(source, "it has another version of the file")
                raise Refused
            if verdict is not Verdict.NEXT_RUNG:
                break
            source.asker.sends_if_range = False
        raise Refused

    def require_agreement(self, source: Source, exchange: Exchange) -> None:
        """Raise `Refused` unless a source that gave a range was shown, now or before, to have the same file."""
        if source.has_agreed:
            return
        why = self._disagreement(exchange)
        if why:
            exchange.close()
            self.forbid(source, why)
            raise Refused(why)
        source.has_agreed = True
        source.asker.validator = exchange.judgement.validator
        self._live.note(f"{source.host} has the same file")

    def _disagreement(self, exchange: Exchange) -> str:
        """Return why a source cannot be used; empty where it agrees."""
        options, headers = self._live.task.options, exchange.answer.headers
        known = options.checksum or options.announced
        named = header_digest(headers, is_whole=False, note=self._live.note)
        if known and named is not None:
            digest = parse_digest(known)
            if digest.algorithm == named.algorithm and digest.hex != named.hex:
                return f"it names another {named.algorithm} of the file"
        if known or options.pieces:
            return ""
        if self._live.task.validator.matches(exchange.judgement.validator) is Match.SAME:
            return ""
        return "nothing proves that it has the same file (no digest is known, and its validator is another)"


def counted(sources: Iterable[Source]) -> dict[Source, int]:
    """Return how often each occurs."""
    counts: dict[Source, int] = {}
    for one in sources:
        counts[one] = counts.get(one, 0) + 1
    return counts
