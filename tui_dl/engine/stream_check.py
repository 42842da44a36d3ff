"""A stream whose digest is computed along the way and compared after its last byte."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from tui_dl.core.digests import new_hasher, parse_digest
from tui_dl.core.errors import ContentError, Reason
from tui_dl.core.filename import name_from_url
from tui_dl.core.url_list import check_url
from tui_dl.engine.listings import Question
from tui_dl.engine.streaming import stream
from tui_dl.engine.verifying import HASHED_ON_LOOP_BYTES, OFF, REQUIRE, Known, announced_by

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tui_dl.core.digests import Hasher
    from tui_dl.core.task import TaskOptions
    from tui_dl.engine.asking import Exchange
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask


async def verified_stream(context: EngineContext, url: str, options: TaskOptions) -> AsyncGenerator[bytes, None]:
    """Yield the file's bytes as `stream()` does; raise DIGEST_MISMATCH after the last one where they are wrong.

    What was given out cannot be taken back: whoever reads the stream must not use it before its end. With
    `verify = require` and no digest, NO_DIGEST is raised before the first byte.
    """
    check = _StreamCheck(context, url, options)
    await check.prepare()
    async with aclosing(stream(context, url, options, check.hear)) as chunks:
        async for chunk in chunks:
            await check.take(chunk)
            yield chunk
    check.finish()


class _StreamCheck:
    def __init__(self, context: EngineContext, url: str, options: TaskOptions) -> None:
        self._context, self._url, self._options = context, url, options
        self._known: Known | None = None
        self._hasher: Hasher | None = None

    async def prepare(self) -> None:
        """Look up what is known before the first answer."""
        if self._options.checksum:
            self._set(Known(parse_digest(self._options.checksum), "given"))
        elif self._context.settings.verify != OFF:
            url = check_url(self._url)
            asked = Question(url, name_from_url(url), self._options, _keep_silent)
            if (listed := await self._context.listings.find(asked)) is not None:
                self._set(Known(listed.digest, f"listed in {listed.source}"))

    def hear(self, exchange: Exchange, live: LiveTask) -> None:
        """Take over what the first answer names."""
        if live.received_bytes:
            return
        if self._known is None and (named := announced_by(exchange, live.note)):
            self._set(Known(parse_digest(named), "named by the server"))
        if self._known is None and self._context.settings.verify == REQUIRE:
            raise ContentError(Reason.NO_DIGEST, "no digest is given, listed or named for it, and one is required")

    async def take(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if self._hasher is None:
            return
        if len(chunk) <= HASHED_ON_LOOP_BYTES:
            self._hasher.update(chunk)
        else:
            await asyncio.to_thread(self._hasher.update, chunk)

    def finish(self) -> None:
        """Compare."""
        known, hasher = self._known, self._hasher
        if known is None or hasher is None or (computed := hasher.hexdigest()) == known.digest.hex:
            return
        text = (
            f"the {known.digest.algorithm} of what arrived is {computed}, the one {known.origin} is {known.digest.hex}"
        )
        raise ContentError(Reason.DIGEST_MISMATCH, f"{text}; what was written is not the file")

    def _set(self, known: Known) -> None:
        self._known, self._hasher = known, new_hasher(known.digest.algorithm)


def _keep_silent(_text: str) -> None:
    """Nobody reads the log of a stream."""
