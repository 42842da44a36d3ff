"""Digests before the name: a whole body or part file is compared with the digest that is known for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from tui_dl.core.digests import header_digest, new_hasher, parse_digest
from tui_dl.core.errors import ContentError, Reason
from tui_dl.core.pieces import parse_pieces
from tui_dl.core.ranges import RangeSet
from tui_dl.core.status import Status, Trigger
from tui_dl.engine.hashing import PrefixHasher
from tui_dl.engine.listings import Question
from tui_dl.engine.outcome import BytesRefuted, VersionChanged
from tui_dl.engine.pieces import PieceChecker, piece_values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.digests import Digest, Hasher
    from tui_dl.core.ranges import ByteRange
    from tui_dl.core.splitting import SegmentPlan
    from tui_dl.disk.part_file import PartFile
    from tui_dl.engine.asking import Exchange
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.listings import Listed
    from tui_dl.engine.live import LiveTask

WITH_CONTENT: Final = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)
"""Statuses whose header fields speak of the file."""
HASHED_ON_LOOP_BYTES: Final = 64 * 1024
"""A larger body is hashed in a thread."""
OFF: Final = "off"
REQUIRE: Final = "require"


@dataclass(frozen=True, slots=True)
class Known:
    """A digest that a file must have, and where it is from."""

    digest: Digest
    """Of the whole file."""
    origin: str
    """Where it is from, as it ends "the one ..."."""


class Verifier:
    """Checks one task's bytes. What a person or a Metalink gave counts alone, then what is listed, then headers."""

    def __init__(self, context: EngineContext, live: LiveTask) -> None:
        self._context = context
        self._live = live
        self._listing: asyncio.Task[Listed | None] | None = None
        self._hasher: PrefixHasher | None = None
        self._checker: PieceChecker | None = None

    # -- what is known -------------------------------------------------------------------------------------------------

    def hear(self, exchange: Exchange) -> None:
        """Take over the digest that a first answer names, or that it names none."""
        live, options = self._live, self._live.task.options
        if options.checksum:
            return
        announced = announced_by(exchange, live.note)
        if not announced and live.received_bytes and not exchange.judgement.encodings:
            return  # an answer that goes on need not repeat what the first one said of the same version
        if announced != options.announced:
            live.change(options=replace(options, announced=announced))

    async def prepare(self) -> None:
        """Begin to ask for a listed digest; raises `ContentError` NO_DIGEST where one is required and none is known.

        That is known before the body is read, so that nobody waits for gigabytes in vain.
        """
        self._ask()
        if self._context.settings.verify == REQUIRE:
            await self._require_known()

    def _ask(self) -> None:
        task, verify = self._live.task, self._context.settings.verify
        if verify != OFF and not task.options.checksum and self._listing is None:
            asked = Question(task.url, task.filename, task.options, self._live.note)
            self._listing = asyncio.ensure_future(self._context.listings.find(asked))

    async def _require_known(self) -> Known | None:
        """Return the digest that counts; raises where one is required and there is none."""
        known = await self._known()
        if known is None and not self._live.task.options.pieces and self._context.settings.verify == REQUIRE:
            text = "no digest is known for it, and --verify require asks for one: nothing was given, listed or named"
            raise ContentError(Reason.NO_DIGEST, text)
        return known

    async def _known(self) -> Known | None:
        options = self._live.task.options
        if options.checksum:
            return Known(parse_digest(options.checksum), "given")
        self._ask()
        listed = None if self._listing is None else await self._listing
        if listed is not None:
            return Known(listed.digest, f"listed in {listed.source}")
        return Known(parse_digest(options.announced), "named by the server") if options.announced else None

    # -- bytes on their way --------------------------------------------------------------------------------------------

    def follow(self, part: PartFile, plan: SegmentPlan) -> None:
        """Compute a digest that is known already behind the bytes of a part file as they arrive."""
        options = self._live.task.options
        text = options.checksum or (options.announced if self._listing is None else "")
        if text:
            self._begin(part, plan, parse_digest(text).algorithm)
        elif self._listing is not None:
            self._listing.add_done_callback(lambda listing: self._begin_listed(listing, part, plan))
        elif self._context.settings.sha256:
            self._begin(part, plan, "sha256")

    def _begin_listed(self, listing: asyncio.Task[Listed | None], part: PartFile, plan: SegmentPlan) -> None:
        if listing is not self._listing or listing.cancelled() or listing.exception() is not None:
            return
        listed, announced = listing.result(), self._live.task.options.announced
        if listed is not None:
            self._begin(part, plan, listed.digest.algorithm)
        elif announced:
            self._begin(part, plan, parse_digest(announced).algorithm)

    def _begin(self, part: PartFile, plan: SegmentPlan, algorithm: str) -> None:
        if self._hasher is None:
            self._hasher = PrefixHasher(part, plan, algorithm)

    def piece_checker(self, part: PartFile, total_bytes: int) -> PieceChecker | None:
        """Return what checks the pieces of a part file, the same one for the same length; None where none are known."""
        pieces = self._live.task.options.pieces
        if pieces and (self._checker is None or self._checker.total_bytes != total_bytes):
            self._checker = PieceChecker(part, parse_pieces(pieces), total_bytes)
        return self._checker

    async def aclose(self) -> None:
        """End what runs beside the transfer; also before its part file is dropped."""
        hasher, self._hasher = self._hasher, None
        listing, self._listing = self._listing, None
        self._checker = None
        if hasher is not None:
            await hasher.aclose()
        if listing is not None:
            listing.cancel()
            await asyncio.wait([listing])

    # -- the end -------------------------------------------------------------------------------------------------------

    async def check_body(self, buffers: Sequence[bytes]) -> None:
        """Check a small body; raises as `check_part()` does, but for `BytesRefuted`: all of it is fetched again."""
        known = await self._require_known()
        pieces = self._live.task.options.pieces
        if known is not None:
            self._settle(known, await _hashed(new_hasher(known.digest.algorithm), buffers))
        elif pieces:
            named = parse_pieces(pieces)
            # Its length is checked as that of any file with pieces is.
            values = await asyncio.to_thread(piece_values, named, buffers)
            wrong = [index for index, pair in enumerate(zip(values, named.hexes, strict=False)) if pair[0] != pair[1]]
            if wrong or len(values) != len(named.hexes):
                index = wrong[0] if wrong else min(len(values), len(named.hexes))
                self._refetch(f"the {named.algorithm} of its piece {index} is not the one given")
            else:
                self._live.has_refetched = False
        if self._wants_sha256(known):
            self._live.change(sha256=await _hashed(new_hasher("sha256"), buffers))

    def _wants_sha256(self, known: Known | None) -> bool:
        """Whether the SHA-256 is to be noted, and was not computed to check the file anyway."""
        return self._context.settings.sha256 and (known is None or known.digest.algorithm != "sha256")

    async def check_part(self, part: PartFile, total_bytes: int | None = None) -> None:
        """Check a whole part file, read in the disk's threads as far as that was not done before.

        Where it differs for the first time it raises `BytesRefuted` if its pieces tell which bytes are wrong, else
        `VersionChanged`, so that it is fetched once more from the start; after that `ContentError` DIGEST_MISMATCH.
        """
        known = await self._require_known()
        computed = "" if known is None else await self._computed(part, known.digest)
        if known is None or computed != known.digest.hex:
            await self._check_pieces(part, total_bytes, known, computed)
        if known is not None:
            self._settle(known, computed)
        if self._wants_sha256(known):
            self._live.change(sha256=await self._sha256_of(part))

    async def _check_pieces(self, part: PartFile, total_bytes: int | None, known: Known | None, computed: str) -> None:
        """Check the pieces where the whole has no digest or a wrong one; raises as `check_part()` does."""
        checker = None if total_bytes is None else self.piece_checker(part, total_bytes)
        if checker is not None and total_bytes is not None:
            if bad := await checker.check(RangeSet([(0, total_bytes)])):
                await self._refute(checker, bad)
            elif known is not None:
                text = f"{self._difference(known, computed)}, though each of its pieces has its own"
                raise ContentError(Reason.DIGEST_MISMATCH, text)
            self._live.has_refetched = False

    async def _sha256_of(self, part: PartFile) -> str:
        """Return the SHA-256 of the file; what was computed along the way counts where no byte was fetched twice."""
        hasher, self._hasher = self._hasher, None
        if hasher is not None:
            try:
                if hasher.is_of(part, "sha256") and not self._live.task.options.pieces:
                    return await hasher.finish()
            finally:
                await hasher.aclose()
        whole = new_hasher("sha256")
        await part.read_through(whole.update)
        return whole.hexdigest()

    async def _computed(self, part: PartFile, digest: Digest) -> str:
        """Return the digest of the file; one that was computed along the way counts only if it is the right one."""
        hasher, self._hasher = self._hasher, None
        if hasher is not None:
            try:
                if hasher.is_of(part, digest.algorithm) and (value := await hasher.finish()) == digest.hex:
                    return value
            finally:
                await hasher.aclose()
        whole = new_hasher(digest.algorithm)
        await part.read_through(whole.update)
        return whole.hexdigest()

    async def _refute(self, checker: PieceChecker, bad: Sequence[ByteRange]) -> None:
        """Have wrong pieces fetched once more, then fail."""
        live = self._live
        text = await checker.describe(bad[0])
        if len(bad) > 1:
            text += f" ({len(bad) - 1} more pieces differ)"
        if live.has_refetched:
            live.has_refetched = False
            raise ContentError(Reason.DIGEST_MISMATCH, text)
        live.has_refetched = True
        live.note(f"{text}; these bytes are fetched once more")
        self._go_on()
        raise BytesRefuted(bad)

    def _settle(self, known: Known, computed: str) -> None:
        live = self._live
        if computed == known.digest.hex:
            live.has_refetched = False
            live.change(sha256=computed if known.digest.algorithm == "sha256" else "")
            return
        # The list may be of an older version than the file.
        self._context.listings.forget(live.task.url)
        self._refetch(self._difference(known, computed))

    @staticmethod
    def _difference(known: Known, computed: str) -> str:
        return (
            f"the {known.digest.algorithm} of what arrived is {computed}, the one {known.origin} is {known.digest.hex}"
        )

    def _refetch(self, text: str) -> None:
        """Raise: first to have all of it fetched once more, then for good."""
        live = self._live
        if live.has_refetched:
            live.has_refetched = False
            raise ContentError(Reason.DIGEST_MISMATCH, text)
        live.has_refetched = True
        live.note(f"{text}; fetched once more from the start")
        self._listing = None
        self._go_on()
        raise VersionChanged(is_proven=False)

    def _go_on(self) -> None:
        if self._live.task.status is Status.VERIFYING:
            self._live.step(Trigger.START)
            self._context.on_change(self._live)


def announced_by(exchange: Exchange, note: Callable[[str], None]) -> str:
    """Return the digest of the whole file that an answer names, as text; empty for none."""
    judgement, answer = exchange.judgement, exchange.answer
    # Of coded bytes, which nobody keeps, or of the page that tells an error.
    if judgement.encodings or answer.status not in WITH_CONTENT:
        return ""
    is_whole = judgement.start == 0 and judgement.end == judgement.total_bytes
    digest = header_digest(answer.headers, is_whole=is_whole, note=note)
    return "" if digest is None else str(digest)


async def _hashed(hasher: Hasher, buffers: Sequence[bytes]) -> str:
    if sum(map(len, buffers)) <= HASHED_ON_LOOP_BYTES:
        _take_all(hasher, buffers)
    else:
        await asyncio.to_thread(_take_all, hasher, buffers)
    return hasher.hexdigest()


def _take_all(hasher: Hasher, buffers: Sequence[bytes]) -> None:
    for buffer in buffers:
        hasher.update(buffer)
