"""What media take from the engine: one file in order over several connections, fragments through a window."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import LARGE_BYTES, LIMIT_S, MIB, until
from tests.faults import Resource, all_of, first, in_turn, lies, oracle, tempers
from tui_dl.core.errors import ContentError, HttpError, NetworkError, Reason, TuiDlError
from tui_dl.core.http_rules import Validator
from tui_dl.core.ports_media import BodyWish, FragmentWish, WindowManner
from tui_dl.core.widening import Widening
from tui_dl.engine.in_order import in_order

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tests.faults.script import Fault
    from tui_dl.core.ports_media import FragmentOutcome
    from tui_dl.engine.engine import AsyncDownloadEngine

LARGE = Resource(LARGE_BYTES)


async def read(engine: AsyncDownloadEngine, url: str, **words: Any) -> tuple[int, bytes]:
    """Return where a body began, and what came."""
    async with asyncio.timeout(LIMIT_S), engine.media.body(BodyWish(url, {}, **words)) as body:
        return body.start, b"".join([chunk async for chunk in body.chunks()])


def is_rest(octets: bytes, start: int, resource: Resource = LARGE) -> bool:
    """Whether bytes are exactly a version's from there to its end."""
    whole = start + len(octets) == resource.size_bytes
    return whole and oracle.first_wrong(octets, resource.seed, start) is None


@pytest.mark.parametrize("words", [{}, {"chunk_bytes": 300_000}, {"start": 1_000_001}, {"most_connections": 4}])
@pytest.mark.parametrize(
    "fault",
    [
        lies.without_header(),
        tempers.chunked,
        lies.ignores_range,
        lies.refuses_range(501),
        lies.never_meets_if_range,
    ],
    ids=["well", "chunked", "200", "501", "200 to If-Range"],
)
async def test_a_body_is_the_file_in_order(
    engines: Engines, fault_server: FaultServer, fault: Fault, words: dict[str, Any]
) -> None:
    """From where the body says that it begins, each byte comes once and in its place."""
    start, octets = await read(await engines(), fault_server.add("/f.bin", LARGE, fault), **words)
    assert start in (0, words.get("start", 0))
    assert is_rest(octets, start)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Split small files, at once."""
    for name, value in {
        "tui_dl.engine.media_body.LEAST_PIECE_BYTES": 128 * 1024,
        "tui_dl.engine.media_body.TICK_S": 0.005,
        "tui_dl.core.growth.LEAST_REMAINING_S": 0.05,
    }.items():
        monkeypatch.setattr(name, value)


@pytest.mark.usefixtures("eager", "sure_growth")
async def test_further_connections_come_where_each_is_slow(engines: Engines, fault_server: FaultServer) -> None:
    """And the bytes stay in order."""
    resource = Resource(6 * MIB)
    url = fault_server.add("/f.bin", resource, tempers.pace(MIB))
    start, octets = await read(await engines(), url, most_connections=4)
    assert is_rest(octets, start, resource)
    assert fault_server.max_concurrent("/f.bin") > 1


@pytest.mark.usefixtures("eager", "sure_growth")
async def test_a_refused_connection_fails_nothing(engines: Engines, fault_server: FaultServer) -> None:
    """Its range is asked for again when its turn comes."""
    resource = Resource(6 * MIB)
    refuse = in_turn(tempers.pace(MIB), lies.status(503), tempers.pace(8 * MIB))
    start, octets = await read(await engines(), fault_server.add("/f.bin", resource, refuse), most_connections=4)
    assert is_rest(octets, start, resource)


async def test_a_version_that_changed_is_told(engines: Engines, fault_server: FaultServer) -> None:
    """With the validator of the first bytes the rest of another version never comes as a rest."""
    url = fault_server.add("/f.bin", LARGE)
    start, octets = await read(await engines(), url, start=1000, version=Validator(etag='"other"'))
    assert start == 0
    assert is_rest(octets, 0)


async def test_a_cut_body_keeps_what_came(engines: Engines, fault_server: FaultServer) -> None:
    """The error says that another attempt may end better."""
    url = fault_server.add("/f.bin", LARGE, tempers.drop_after(500_000))
    engine = await engines()
    came = b""
    with pytest.raises((NetworkError, ContentError)) as raised:  # noqa: PT012  # what came before counts, too
        async with engine.media.body(BodyWish(url, {})) as body, aclosing(body.chunks()) as chunks:
            async for chunk in chunks:
                came += chunk
    assert raised.value.is_retryable
    assert oracle.first_wrong(came, LARGE.seed, 0) is None
    assert len(came) == 500_000


# -- fragments ---------------------------------------------------------------------------------------------------------


async def fetch(
    engine: AsyncDownloadEngine, wishes: list[FragmentWish], **words: Any
) -> AsyncIterator[FragmentOutcome]:
    """Yield the outcomes of a window."""
    async with aclosing(engine.media.fragments(wishes, WindowManner({}, **words))) as outcomes:
        async for outcome in outcomes:
            yield outcome


async def test_fragments_come_in_order_and_several_at_once(engines: Engines, fault_server: FaultServer) -> None:
    """However long each takes."""
    wishes = [
        FragmentWish(number, fault_server.add(f"/{number}.ts", Resource(50_000, seed=number), tempers.pace(400_000)))
        for number in range(8)
    ]
    outcomes = [one async for one in fetch(await engines(), wishes, most_at_once=4, is_explicit=True)]
    assert [one.wish.index for one in outcomes] == list(range(8))
    assert all(oracle.first_wrong(one.body or b"", one.wish.index, 0) is None for one in outcomes)
    assert all(len(one.body or b"") == 50_000 for one in outcomes)


async def test_a_fragment_is_tried_again_by_itself(engines: Engines, fault_server: FaultServer) -> None:
    """As often as may be, and each time is told; what cannot be had does not hold up the others."""
    told: list[tuple[int, int]] = []
    urls = [
        fault_server.add("/0.ts", Resource(1000, seed=0), in_turn(lies.status(404), lies.status(500))),
        fault_server.add("/1.ts", Resource(1000, seed=1), lies.status(404)),
        fault_server.add("/2.ts", Resource(1000, seed=2), first(1, tempers.drop_after(500))),
    ]
    wishes = [FragmentWish(number, url) for number, url in enumerate(urls)]

    def on_retry(index: int, error: TuiDlError, attempt: int) -> None:
        assert str(error)
        told.append((index, attempt))

    outcomes = [one async for one in fetch(await engines(), wishes, most_at_once=3, retries=2, on_retry=on_retry)]
    assert [len(one.body or b"") for one in outcomes] == [1000, 0, 1000]
    assert isinstance(outcomes[1].error, HttpError)
    assert outcomes[1].error.reason is Reason.NOT_FOUND
    assert sorted(told) == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1)]


async def test_ranges_of_one_file_are_fragments_too(engines: Engines, fault_server: FaultServer) -> None:
    """A server that ignores the range is no source of them."""
    url = fault_server.add("/f.bin", LARGE)
    wishes = [FragmentWish(number, url, number * 1000, number * 1000 + 1000) for number in range(3)]
    outcomes = [one async for one in fetch(await engines(), wishes)]
    assert b"".join(one.body or b"" for one in outcomes) == oracle.content(LARGE.seed, 0, 3000)
    whole = fault_server.add("/whole.bin", LARGE, all_of(lies.ignores_range))
    outcomes = [one async for one in fetch(await engines(), [FragmentWish(0, whole, 0, 10)], retries=0)]
    assert outcomes[0].body is None


async def test_a_window_that_is_left_leaves_nothing_at_work(engines: Engines, fault_server: FaultServer) -> None:
    """`engines` proves that no connection counts as open."""
    wishes = [
        FragmentWish(number, fault_server.add(f"/{number}.ts", Resource(50_000), tempers.stall_after(100)))
        for number in range(4)
    ]
    engine = await engines()
    running = asyncio.ensure_future(anext(fetch(engine, wishes, most_at_once=4, is_explicit=True)))
    await until(lambda: sum(one.is_stalled for one in fault_server.requests) == 4)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_window_takes_no_more_than_is_wanted() -> None:
    """At most so many at work, a bounded number ahead, results in order."""
    begun: list[int] = []
    at_work = 0
    most = 0

    async def work(number: int) -> int:
        nonlocal at_work, most
        begun.append(number)
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        at_work -= 1
        return number

    async with aclosing(in_order(iter(range(100)), work, lambda: 3)) as results:
        assert [await anext(results) for _ in range(5)] == list(range(5))
        assert len(begun) <= 5 + 2 * 3
    assert most == 3


@pytest.mark.parametrize(("rates", "target"), [((1, 2, 4, 8), 16), ((1, 2, 2, 2), 4), ((1, 1, 1, 1), 2)])
def test_the_window_widens_while_that_helps(rates: tuple[int, ...], target: int) -> None:
    """Twice the fragments at once that bring no more are taken back."""
    widening = Widening(16, begins_with=2)
    now = 0.0
    widening.note(now, 1000)
    for rate in rates:
        before = widening.target
        for _ in range(max(4, 2 * before) + 1):
            now += 1 / rate
            widening.note(now, 1000)
    assert widening.target == target
