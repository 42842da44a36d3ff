"""Digests before the name: a whole body or part file is compared with the digest that is known for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from tui_dl.core.digests import header_digest, new_hasher, parse_digest
from tui_dl.core.errors import ContentError, Reason
from tui_dl.core.status import Status, Trigger
from tui_dl.engine.outcome import VersionChanged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.digests import Digest
    from tui_dl.disk.part_file import PartFile
    from tui_dl.engine.asking import Exchange
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

WITH_CONTENT: Final = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)
"""Statuses whose header fields speak of the file."""


class Verifier:
    """Checks one task's bytes. What a person gave counts alone; else the strongest that the server named."""

    def __init__(self, context: EngineContext, live: LiveTask) -> None:
        self._context = context
        self._live = live

    def hear(self, exchange: Exchange) -> None:
        """Take over the digest that a first answer names, or that it names none."""
        live, options = self._live, self._live.task.options
        if options.checksum:
            return
        announced = self._announced(exchange)
        if not announced and live.received_bytes and not exchange.judgement.encodings:
            return  # an answer that goes on need not repeat what the first one said of the same version
        if announced != options.announced:
            live.change(options=replace(options, announced=announced))

    def _announced(self, exchange: Exchange) -> str:
        judgement, answer = exchange.judgement, exchange.answer
        # Of coded bytes, which nobody keeps, or of the page that tells an error.
        if judgement.encodings or answer.status not in WITH_CONTENT:
            return ""
        is_whole = judgement.start == 0 and judgement.end == judgement.total_bytes
        digest = header_digest(answer.headers, is_whole=is_whole, note=self._live.note)
        return "" if digest is None else str(digest)

    async def check_body(self, buffers: Sequence[bytes]) -> None:
        """Check a small body; raises as `check_part()` does."""
        known = self._known()
        if known is None:
            return
        hasher = new_hasher(known.algorithm)
        for buffer in buffers:
            hasher.update(buffer)
            await asyncio.sleep(0)
        self._compare(known, hasher.hexdigest())

    async def check_part(self, part: PartFile) -> None:
        """Check a whole part file, read in the disk's threads.

        Raises `VersionChanged` where it differs for the first time, so that it is fetched once more from the start,
        and then `ContentError` DIGEST_MISMATCH.
        """
        known = self._known()
        if known is None:
            return
        hasher = new_hasher(known.algorithm)
        await part.read_through(hasher.update)
        self._compare(known, hasher.hexdigest())

    def _known(self) -> Digest | None:
        options = self._live.task.options
        text = options.checksum or options.announced
        return parse_digest(text) if text else None

    def _compare(self, known: Digest, computed: str) -> None:
        live = self._live
        if computed == known.hex:
            live.has_refetched = False
            live.change(sha256=computed if known.algorithm == "sha256" else "")
            return
        origin = "given" if live.task.options.checksum else "named by the server"
        text = f"the {known.algorithm} of what arrived is {computed}, the one {origin} is {known.hex}"
        if live.has_refetched:
            live.has_refetched = False
            raise ContentError(Reason.DIGEST_MISMATCH, text)
        live.has_refetched = True
        live.note(f"{text}; fetched once more from the start")
        if live.task.status is Status.VERIFYING:
            live.step(Trigger.START)
            self._context.on_change(live)
        raise VersionChanged(is_proven=False)
