"""The way of one medium's requests: what its extractor gave goes with every hop, secrets with their own alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.http_rules import all_values
from tui_dl.core.ports import TransportRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.ports import Transport, TransportAnswer
    from tui_dl.core.ports_media import CookieStore

FOLLOWING: Final = frozenset(
    {
        *("referer", "origin", "user-agent", "accept", "accept-language", "x-forwarded-for", "x-requested-with"),
        *("sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site"),
    }
)
"""Headers that go on to another origin behind a redirect: they tell where a person came from, not who it is."""


class MediaTransport:
    """Sends the requests of one medium; a Referer that a site checks behind a redirect comes along, as browsers do."""

    def __init__(self, inner: Transport, headers: Mapping[str, str], cookies: CookieStore | None) -> None:
        self._inner = inner
        self._sticky = {name: value for name, value in headers.items() if name.lower() in FOLLOWING}
        self._cookies = cookies

    async def get(self, request: TransportRequest) -> TransportAnswer:
        """Send a GET; return with the head."""
        had = {name.lower() for name in request.headers}
        headers = {name: value for name, value in self._sticky.items() if name.lower() not in had}
        headers |= request.headers
        if self._cookies is not None and "cookie" not in had and (value := self._cookies.header(request.url)):
            headers["Cookie"] = value
        answer = await self._inner.get(TransportRequest(request.url, headers))
        if self._cookies is not None and (lines := all_values(answer.headers, "set-cookie")):
            self._cookies.learn(request.url, lines)
        return answer

    async def aclose(self) -> None:
        """Leave the connections to whoever owns them."""
