"""What is remembered of origins that have no HTTP/2 stays bounded, however many are met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from tui_dl.core.errors import NetworkError, Reason
from tui_dl.core.ports import TransportRequest
from tui_dl.engine.client_options import ClientOptions
from tui_dl.engine.transports import MOST_BREAKS, WebTransport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.ports import TransportAnswer

MOST = 20
MANY = 3 * MOST


class Answer:
    """A head without a body."""

    status = 200
    headers: Mapping[str, str] = {}  # never written to
    has_proven_end = True
    is_http2 = False

    async def read(self, most_bytes: int | None) -> bytes:
        """End at once."""
        return b""

    def close(self) -> None:
        """Hold nothing."""


class Transport:
    """Answers each request, or fails it, and keeps its addresses."""

    def __init__(self, error: NetworkError | None = None) -> None:
        self.error = error
        self.urls: list[str] = []

    async def get(self, request: TransportRequest) -> TransportAnswer:
        """Answer without HTTP/2."""
        self.urls.append(request.url)
        if self.error is not None:
            raise self.error
        return Answer()

    async def aclose(self) -> None:
        """Hold nothing."""


def remembered(web: WebTransport) -> list[int]:
    """Return how many origins are kept, by kind."""
    return [len(web._open), len(web._breaks), len(web._plain_only)]


def request(number: int) -> TransportRequest:
    """Return a request to a host of its own."""
    return TransportRequest(f"https://h{number}.example/f", {})


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach the bound soon."""
    monkeypatch.setattr("tui_dl.engine.transports.MOST_ORIGINS", MOST)


async def test_nothing_is_kept_of_origins_whose_answers_are_closed() -> None:
    """Nor of those that gave none."""
    plain = Transport()
    web = WebTransport(plain, cast("Any", Transport()), ClientOptions(), own_connections=2)
    for number in range(MANY):
        (await web.get(request(number))).close()
    plain.error = NetworkError(Reason.CONNECTION_RESET)
    with pytest.raises(NetworkError):
        await web.get(request(0))
    assert remembered(web) == [0, 0, 0]


async def test_the_latest_origins_without_http2_are_kept() -> None:
    """They are not asked for it again; one that was forgotten is, once."""
    plain, streams = Transport(), Transport()
    web = WebTransport(plain, cast("Any", streams), ClientOptions(), own_connections=0)
    for number in (*range(MANY), MANY - 1, 0):
        await web.get(request(number))
    assert remembered(web) == [0, 0, MOST]
    assert plain.urls == [request(MANY - 1).url]
    assert streams.urls[-1] == request(0).url


async def test_the_latest_origins_that_broke_are_counted() -> None:
    """One that breaks again and again gets no more HTTP/2."""
    plain, streams = Transport(), Transport(NetworkError(Reason.CONNECTION_RESET))
    web = WebTransport(plain, cast("Any", streams), ClientOptions(), own_connections=0)
    for number in (*range(MANY), *[MANY - 1] * (MOST_BREAKS - 1)):
        with pytest.raises(NetworkError):
            await web.get(request(number))
    await web.get(request(MANY - 1))
    assert plain.urls == [request(MANY - 1).url]
    assert remembered(web) == [0, MOST - 1, 1]
