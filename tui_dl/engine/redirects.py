"""Our own redirect loop: secrets stay with their origin, https never falls to http unless asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import HttpError, Reason
from tui_dl.core.http_rules import check_redirect, headers_for_redirect
from tui_dl.core.ports import TransportRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tui_dl.core.ports import TransportAnswer

MAX_REDIRECTS: Final = 10
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


async def get_following(
    send: Callable[[TransportRequest], Awaitable[TransportAnswer]],
    url: str,
    headers: Mapping[str, str],
    *,
    allow_downgrade: bool,
    note: Callable[[str], None],
) -> tuple[TransportAnswer, str, Mapping[str, str]]:
    """Send a GET and follow redirects; return the answer, its address and the headers sent there.

    Raises `HttpError` for a refused or endless redirect, else what `send` raises. Bodies of redirects are
    not read.
    """
    seen = {url}
    for _ in range(MAX_REDIRECTS + 1):
        answer = await send(TransportRequest(url, headers))
        location = answer.headers.get("Location", "")
        if answer.status not in REDIRECTS or not location:
            return answer, url, headers
        answer.close()
        target = check_redirect(url, location, allow_downgrade=allow_downgrade)
        note(f"{answer.status}, goes on at {target}")
        if target in seen:
            raise HttpError(Reason.REDIRECT_LOOP, "the redirects go round in a circle", status=answer.status)
        seen.add(target)
        headers = headers_for_redirect(headers, url, target)
        url = target
    raise HttpError(Reason.REDIRECT_LOOP, f"more than {MAX_REDIRECTS} redirects")
