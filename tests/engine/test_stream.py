"""Streams: the bytes of one version in order, across cuts; never of two."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import LARGE_BYTES, LIMIT_S, MIB, until
from tests.faults import Resource, all_of, first, in_turn, lies, oracle, tempers
from tui_dl.core.errors import ContentError, HttpError, NetworkError, Reason

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tests.faults.script import Fault
    from tui_dl.engine.engine import AsyncDownloadEngine

LARGE = Resource(LARGE_BYTES)


async def read(engine: AsyncDownloadEngine, url: str) -> bytes:
    """Return all that a stream yields."""
    async with asyncio.timeout(LIMIT_S):
        return b"".join([chunk async for chunk in engine.stream(url)])


def is_content(octets: bytes, resource: Resource = LARGE) -> bool:
    """Whether bytes are exactly a version's."""
    return len(octets) == resource.size_bytes and oracle.first_wrong(octets, resource.seed, 0) is None


@pytest.mark.parametrize(
    "fault",
    [
        lies.without_header(),
        lies.ignores_range,
        tempers.chunked,
        tempers.without_length,
        tempers.gzip_encoded(),
        lies.refuses_range(501),
        lies.shorter_range(700_000),
        tempers.drop_after(500_000),
        tempers.reset_after(500_000),
        in_turn(tempers.drop_after(MIB), lies.status(503), lies.never_meets_if_range),
        in_turn(tempers.drop_after(MIB), lies.ignores_range),
    ],
    ids=["well", "200", "chunked", "close", "gzip", "501", "short", "drops", "resets", "200 to If-Range", "200 later"],
)
async def test_a_stream_is_the_file_in_order(engines: Engines, fault_server: FaultServer, fault: Fault) -> None:
    """Whatever happens on the way, each byte comes once and in its place."""
    assert is_content(await read(await engines(), fault_server.add("/f.bin", LARGE, fault)))


async def test_a_coded_stream_that_is_cut_does_not_go_on_plainly(engines: Engines, fault_server: FaultServer) -> None:
    """Offsets into what was coded are none into the file, whatever validator the server gives both."""
    fault = in_turn(all_of(tempers.gzip_encoded(), tempers.drop_after(500_000)))
    held = b""
    with pytest.raises(ContentError) as raised:  # noqa: PT012  # what came before counts, too
        async for chunk in (await engines()).stream(fault_server.add("/f.bin", LARGE, fault)):
            held += chunk
    assert raised.value.reason is Reason.CHANGED
    assert oracle.first_wrong(held, 1, 0) is None


@pytest.mark.parametrize("size_bytes", [0, 1, 20_000])
async def test_short_streams(engines: Engines, fault_server: FaultServer, size_bytes: int) -> None:
    """Nothing is a stream, too."""
    resource = Resource(size_bytes)
    assert is_content(await read(await engines(), fault_server.add("/f.bin", resource)), resource)


@pytest.mark.parametrize("fault", [lies.without_header(), lies.ignores_if_range, lies.ignores_range])
async def test_a_changed_version_ends_the_stream(engines: Engines, fault_server: FaultServer, fault: Fault) -> None:
    """Bytes that were given out cannot be taken back: it raises."""
    url = fault_server.add("/f.bin", LARGE, tempers.drop_after(MIB))
    engine = await engines()
    chunks = engine.stream(url)
    held = await anext(chunks)
    fault_server.replace("/f.bin", Resource(LARGE_BYTES, seed=2, etag='"v2"'))
    fault_server.script("/f.bin", fault)
    with pytest.raises(ContentError) as raised:
        held += b"".join([chunk async for chunk in chunks])
    assert raised.value.reason is Reason.CHANGED
    assert oracle.first_wrong(held, 1, 0) is None


async def test_without_validator_a_cut_ends_the_stream(engines: Engines, fault_server: FaultServer) -> None:
    """Nothing would prove that the rest is of the same version."""
    resource = Resource(LARGE_BYTES, etag=None, last_modified_at=None)
    url = fault_server.add("/f.bin", resource, first(1, tempers.drop_after(MIB)))
    with pytest.raises(ContentError) as raised:
        await read(await engines(), url)
    assert raised.value.reason is Reason.CHANGED


async def test_a_silent_server_ends_the_stream(engines: Engines, fault_server: FaultServer) -> None:
    """A stall is noticed as for files."""
    url = fault_server.add("/f.bin", LARGE, tempers.stall_after(0))
    with pytest.raises(NetworkError) as raised:
        await read(await engines(timeout=0.1, max_retries=1), url)
    assert raised.value.reason is Reason.STALLED


async def test_a_missing_file_raises(engines: Engines, fault_server: FaultServer) -> None:
    """The error of ours tells the status."""
    with pytest.raises(HttpError) as raised:
        await read(await engines(), fault_server.add("/f.bin", LARGE, lies.status(404)))
    assert raised.value.status == 404


async def test_a_cut_gzip_stream_raises(engines: Engines, fault_server: FaultServer) -> None:
    """Its end is checked; a second attempt cannot go on inside a coding."""
    with pytest.raises(ContentError):
        await read(await engines(max_retries=1), fault_server.add("/f.bin", LARGE, tempers.gzip_encoded(cut_bytes=8)))


async def test_a_reader_that_leaves_closes_the_connection(engines: Engines, fault_server: FaultServer) -> None:
    """`aclose()` of the stream ends all behind it."""
    engine = await engines()
    chunks = engine.stream(fault_server.add("/f.bin", LARGE, tempers.stall_after(MIB)))
    await anext(chunks)
    await chunks.aclose()
    await fault_server.wait_for(lambda: fault_server.active_connections == 0)
    await until(lambda: not any(budget.open_connections for budget in engine.context.budgets.values()))
