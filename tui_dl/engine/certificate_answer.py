"""A server that takes every handshake and says only in its answer what it misses in the client's certificate: nginx.

It answers 400 with a page of its own, where others end the connection with an alert (`error_map`).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import origin_of
from tui_dl.core.errors import NetworkError, Reason, TuiDlError

if TYPE_CHECKING:
    from tui_dl.core.ports import TransportAnswer

BAD_REQUEST: Final = 400
MOST_PAGE_BYTES: Final = 4 * 1024
"""So much of a refusal is looked at; nginx's page has 240 bytes."""
PATIENCE_S: Final = 2.0
_MISSING: Final = b"no required ssl certificate was sent"
_REFUSED: Final = b"the ssl certificate error"


async def certificate_refusal(answer: TransportAnswer, url: str) -> NetworkError | None:
    """Return what a 400 from `url` says of our certificate, None if nothing; reads the beginning of its body."""
    if answer.status != BAD_REQUEST or not url.lower().startswith("https:"):
        return None
    page, host = (await _beginning(answer)).lower(), origin_of(url)[1]
    if _MISSING in page:
        return NetworkError(Reason.TLS_FAILED, f"{host} wants a client certificate; --certificate FILE gives one")
    if _REFUSED in page:
        text = f"{host} does not take our client certificate: expired, revoked, or of an authority it does not know"
        return NetworkError(Reason.TLS_FAILED, f"{text}; --certificate FILE gives another")
    return None


async def _beginning(answer: TransportAnswer) -> bytes:
    page = b""
    with suppress(TuiDlError, TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while len(page) < MOST_PAGE_BYTES and (piece := await answer.read(MOST_PAGE_BYTES)):
                page += piece
    return page
