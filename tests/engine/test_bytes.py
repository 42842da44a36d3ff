"""What arrives is what was served, or the task says why not: lengths, ranges, codings, cuts."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import LARGE_BYTES, MIB, fetch, is_whole, log_of
from tests.faults import Resource, after, first, lies, tempers, when
from tests.faults.script import has_range
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.core.task import Flag

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tests.faults.script import Fault

LARGE = Resource(LARGE_BYTES)
SMALL = Resource(20_000)
SIZES = pytest.mark.parametrize("resource", [SMALL, LARGE], ids=["small", "large"])


@pytest.mark.parametrize("size_bytes", [0, 1, MIB, MIB + 1, LARGE_BYTES])
async def test_a_file_arrives_as_it_was_served(engines: Engines, fault_server: FaultServer, size_bytes: int) -> None:
    """Any size gets its bytes, its name and its length, from one request, without a flag."""
    resource = Resource(size_bytes)
    task = await fetch(await engines(), fault_server.add("/f.bin", resource))
    assert is_whole(task, resource)
    assert (task.filename, task.total_bytes, task.flags) == ("f.bin", size_bytes, frozenset())
    assert len(fault_server.requests) == 1
    assert engines.names() == ["f.bin"]


async def test_the_first_request_asks_for_all_and_for_no_coding(engines: Engines, fault_server: FaultServer) -> None:
    """A fresh download begins with `bytes=0-`, `identity`, and no condition."""
    await fetch(await engines(), fault_server.add("/f.bin", SMALL))
    headers = fault_server.requests[0].headers
    assert (headers["range"], headers["accept-encoding"]) == ("bytes=0-", "identity")
    assert "if-range" not in headers


@SIZES
async def test_chunked_is_proven_by_its_last_chunk(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """A chunked body of unknown length completes without a flag."""
    url = fault_server.add("/f.bin", resource, lies.ignores_range, tempers.chunked)
    task = await fetch(await engines(), url)
    assert is_whole(task, resource)
    assert task.flags == frozenset()


@SIZES
async def test_a_body_that_ends_with_the_connection_is_flagged(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """Without length and last chunk nothing proves the end: the row says so."""
    url = fault_server.add("/f.bin", resource, lies.ignores_range, tempers.without_length)
    task = await fetch(await engines(), url)
    assert is_whole(task, resource)
    assert task.flags == {Flag.LENGTH_UNVERIFIED}


async def test_a_range_proves_the_length_of_a_body_that_ends_with_the_connection(
    engines: Engines, fault_server: FaultServer
) -> None:
    """A 206 names its end, so that closing is no matter of trust."""
    task = await fetch(await engines(), fault_server.add("/f.bin", LARGE, tempers.without_length))
    assert is_whole(task, LARGE)
    assert task.flags == frozenset()


@SIZES
async def test_a_reset_is_never_the_end_of_a_body(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """Where only the connection's end could tell, a reset is a failure and another attempt follows."""
    cut = tempers.reset_after(resource.size_bytes // 2)
    url = fault_server.add("/f.bin", resource, lies.ignores_range, tempers.without_length, first(1, cut))
    task = await fetch(await engines(), url)
    assert is_whole(task, resource)
    assert len(fault_server.requests) >= 2


@SIZES
async def test_a_cut_chunked_body_is_never_success(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """Chunks without the last one fail the task when they always end so."""
    url = fault_server.add("/f.bin", resource, lies.ignores_range, tempers.chunked_truncated(resource.size_bytes // 2))
    task = await fetch(await engines(max_retries=2), url)
    assert (task.status, task.reason) == (Status.FAILED, Reason.TRUNCATED)
    assert "f.bin" not in engines.names()


@SIZES
async def test_a_server_that_ignores_range_is_read_to_the_end(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """A 200 to a range is the file."""
    task = await fetch(await engines(), fault_server.add("/f.bin", resource, lies.ignores_range))
    assert is_whole(task, resource)
    assert len(fault_server.requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        lies.says_content_range(None),
        lies.says_content_range("bytes 5-1/9"),
        lies.says_content_range("items 0-9/10"),
        lies.says_content_range("bytes 0-99/50"),
        lies.claims_shifted_range(1000),
        lies.serves_shifted_range(1000),
    ],
    ids=["missing", "backwards", "unit", "beyond", "claimed", "served"],
)
@SIZES
async def test_a_lying_content_range_is_asked_again_without(
    engines: Engines, fault_server: FaultServer, resource: Resource, fault: Fault
) -> None:
    """A 206 that is not what was asked is not written; the whole is asked for instead."""
    task = await fetch(await engines(), fault_server.add("/f.bin", resource, fault))
    assert is_whole(task, resource)
    assert "range" not in fault_server.requests[-1].headers


@pytest.mark.parametrize("told_bytes", [-1000, 1000])
async def test_a_wrong_total_never_gives_a_wrong_file(
    engines: Engines, fault_server: FaultServer, told_bytes: int
) -> None:
    """A total that differs from what comes fails the task or is found out; no wrong file gets the name."""
    url = fault_server.add("/f.bin", LARGE, lies.claims_total(LARGE_BYTES + told_bytes))
    task = await fetch(await engines(max_retries=1), url)
    assert is_whole(task, LARGE) or (task.status is Status.FAILED and "f.bin" not in engines.names())


async def test_an_unknown_total_is_learned_from_the_end(engines: Engines, fault_server: FaultServer) -> None:
    """`bytes 0-9/*` is read to its end and believed."""
    task = await fetch(await engines(), fault_server.add("/f.bin", LARGE, lies.claims_total("*")))
    assert is_whole(task, LARGE)


@pytest.mark.parametrize("limit_bytes", [100_000, MIB])
@pytest.mark.parametrize("etag", ['"v1"', None], ids=["strong", "weak"])
async def test_a_206_shorter_than_asked_is_kept_and_its_rest_requested(
    engines: Engines, fault_server: FaultServer, limit_bytes: int, etag: str | None
) -> None:
    """A server may send a part of the range (RFC 9110 §15.3.7); nothing of it is fetched twice but the overlap."""
    resource = Resource(LARGE_BYTES, etag=etag)
    task = await fetch(await engines(), fault_server.add("/f.bin", resource, lies.shorter_range(limit_bytes)))
    assert is_whole(task, resource)
    requests = len(fault_server.requests)
    assert fault_server.bytes_sent("/f.bin") <= LARGE_BYTES + requests * 64 * 1024


async def test_a_small_file_in_short_ranges_arrives(engines: Engines, fault_server: FaultServer) -> None:
    """A 206 shorter than asked is kept for small files, too."""
    resource = Resource(500_000)
    task = await fetch(await engines(), fault_server.add("/f.bin", resource, lies.shorter_range(100_000)))
    assert is_whole(task, resource)
    assert len(fault_server.requests) <= 6


@SIZES
@pytest.mark.parametrize("delta_bytes", [-1000, 1000])
async def test_a_false_content_length_never_gives_a_wrong_file(
    engines: Engines, fault_server: FaultServer, resource: Resource, delta_bytes: int
) -> None:
    """A body shorter than its length is cut, one longer differs from the range: no wrong file gets the name."""
    told = tempers.says_length(str(resource.size_bytes + delta_bytes))
    task = await fetch(await engines(max_retries=1), fault_server.add("/f.bin", resource, told))
    assert task.status is Status.FAILED or is_whole(task, resource) or delta_bytes < 0
    if task.status is Status.COMPLETED:
        assert task.total_bytes == resource.size_bytes + min(delta_bytes, 0)


@pytest.mark.parametrize("text", ["-5", "nonsense", "99999999999999999999"])
async def test_a_nonsense_length_fails_with_a_reason(engines: Engines, fault_server: FaultServer, text: str) -> None:
    """A length that is none is a protocol error, never a traceback."""
    task = await fetch(await engines(max_retries=1), fault_server.add("/f.bin", SMALL, tempers.says_length(text)))
    assert task.status is Status.FAILED
    assert task.reason is Reason.PROTOCOL_ERROR


@SIZES
async def test_gzip_though_identity_was_asked_is_decoded(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """The file holds the content, not its coded form, and its length is that of the content."""
    task = await fetch(await engines(), fault_server.add("/f.bin", resource, tempers.gzip_encoded()))
    assert is_whole(task, resource)
    assert task.total_bytes == resource.size_bytes


@pytest.mark.parametrize("cut_bytes", [1, 8, 1000])
async def test_gzip_with_a_cut_tail_is_never_success(
    engines: Engines, fault_server: FaultServer, cut_bytes: int
) -> None:
    """All content may have come, but the coding's own end is missing."""
    url = fault_server.add("/f.bin", LARGE, tempers.gzip_encoded(cut_bytes=cut_bytes))
    task = await fetch(await engines(max_retries=1), url)
    assert (task.status, task.reason) == (Status.FAILED, Reason.BAD_ENCODING)
    assert "f.bin" not in engines.names()


async def test_an_unknown_coding_is_refused(engines: Engines, fault_server: FaultServer) -> None:
    """What cannot be decoded is not stored under the file's name."""
    url = fault_server.add("/f.bin", SMALL, lies.with_header("Content-Encoding", "br"))
    task = await fetch(await engines(), url)
    assert (task.status, task.reason) == (Status.FAILED, Reason.BAD_ENCODING)
    assert engines.names() == []


async def test_a_gzip_bomb_is_decoded_in_pieces(engines: Engines, fault_server: FaultServer) -> None:
    """A coded body a thousand times smaller than its content arrives whole."""
    plain = bytes(8 * MIB)
    resource = Resource(body=gzip.compress(plain))
    url = fault_server.add("/f.bin", resource, lies.ignores_range, lies.with_header("Content-Encoding", "gzip"))
    task = await fetch(await engines(), url)
    assert is_whole(task, Resource(body=plain))


@pytest.mark.parametrize("code", [400, 403, 416, 501])
@SIZES
async def test_a_refused_range_is_asked_once_more_without(
    engines: Engines, fault_server: FaultServer, resource: Resource, code: int
) -> None:
    """A server that takes no Range gives the whole at the second request."""
    task = await fetch(await engines(), fault_server.add("/f.bin", resource, lies.refuses_range(code)))
    assert is_whole(task, resource)
    assert [request.range_asked for request in fault_server.requests] == ["bytes=0-", None]


async def test_a_hosts_refusal_of_ranges_is_remembered(engines: Engines, fault_server: FaultServer) -> None:
    """The next file of the host is asked for without Range at once."""
    engine = await engines()
    await fetch(engine, fault_server.add("/a.bin", SMALL, lies.refuses_range(501)))
    await fetch(engine, fault_server.add("/b.bin", SMALL, lies.refuses_range(501)))
    assert [request.range_asked for request in fault_server.requests_for("/b.bin")] == [None]


async def test_a_plain_error_is_no_refusal_of_ranges(engines: Engines, fault_server: FaultServer) -> None:
    """A 400 with and without Range says nothing of ranges: the next file still asks for one."""
    engine = await engines()
    await fetch(engine, fault_server.add("/a.bin", SMALL, lies.status(400)))
    await fetch(engine, fault_server.add("/b.bin", SMALL))
    assert fault_server.requests_for("/b.bin")[0].range_asked == "bytes=0-"


async def test_416_of_an_empty_file_is_an_empty_file(engines: Engines, fault_server: FaultServer) -> None:
    """`bytes */0` is success with no bytes."""
    task = await fetch(await engines(), fault_server.add("/f.bin", Resource(0)))
    assert fault_server.requests[0].status == 416
    assert is_whole(task, Resource(0))


@pytest.mark.parametrize(
    "fault",
    [tempers.garbage(), tempers.half_a_status_line(), tempers.closes_at_once(), tempers.resets_at_once()],
    ids=["garbage", "half a line", "close", "reset"],
)
async def test_no_http_is_a_reason_and_no_traceback(engines: Engines, fault_server: FaultServer, fault: Fault) -> None:
    """Whatever comes instead of an answer, the task fails with a documented reason."""
    task = await fetch(await engines(max_retries=1), fault_server.add("/f.bin", SMALL, fault))
    assert task.status is Status.FAILED
    assert task.reason in {Reason.PROTOCOL_ERROR, Reason.CONNECTION_RESET}


@pytest.mark.parametrize("fault", [tempers.closes_at_once(), tempers.resets_at_once()])
async def test_an_answer_that_is_cut_before_its_head_is_asked_again(
    engines: Engines, fault_server: FaultServer, fault: Fault
) -> None:
    """One silent close is no failure of the task."""
    task = await fetch(await engines(), fault_server.add("/f.bin", SMALL, first(1, fault)))
    assert is_whole(task, SMALL)


async def test_a_server_that_never_answers_is_given_up(engines: Engines, fault_server: FaultServer) -> None:
    """No head within the time-out ends the attempt."""
    url = fault_server.add("/f.bin", SMALL, tempers.never_answers())
    task = await fetch(await engines(timeout=0.1, connect_timeout=0.1, max_retries=1), url)
    assert (task.status, task.reason) == (Status.FAILED, Reason.STALLED)
    assert len(fault_server.requests) == 2


@SIZES
async def test_a_stalled_connection_is_replaced(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """Silence in the body ends the connection, another one goes on."""
    stall = tempers.stall_after(resource.size_bytes // 2)
    task = await fetch(await engines(timeout=0.3), fault_server.add("/f.bin", resource, first(1, stall)))
    assert is_whole(task, resource)
    assert len(fault_server.requests) == 2


async def test_a_stall_at_the_end_of_the_overlap_is_noticed(engines: Engines, fault_server: FaultServer) -> None:
    """Bytes that are only compared have the same time-out as others."""
    drops = after(1, first(1, tempers.stall_after(10)))
    url = fault_server.add("/f.bin", Resource(LARGE_BYTES, etag=None), first(1, tempers.drop_after(MIB)), drops)
    task = await fetch(await engines(timeout=0.3), url)
    assert is_whole(task, LARGE)


@pytest.mark.parametrize("step_bytes", [100_000, 700_000])
@pytest.mark.parametrize("drop", [tempers.drop_after, tempers.reset_after], ids=["close", "reset"])
async def test_drops_after_every_few_bytes_still_finish(
    engines: Engines, fault_server: FaultServer, step_bytes: int, drop: object
) -> None:
    """Attempts count only without progress, so a server that always drops is no failure."""
    assert callable(drop)
    task = await fetch(await engines(max_retries=1), fault_server.add("/f.bin", LARGE, drop(step_bytes)))
    assert is_whole(task, LARGE)


@SIZES
async def test_a_drop_at_the_same_byte_every_time_ends_the_task(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """Where nothing can be kept, bytes that are lost again are no progress."""
    faults = lies.ignores_range, lies.without_header("ETag", "Last-Modified"), tempers.drop_after(10_000)
    task = await fetch(await engines(max_retries=2), fault_server.add("/f.bin", resource, *faults))
    assert (task.status, task.reason) == (Status.FAILED, Reason.TRUNCATED)
    assert len(fault_server.requests) <= 4


async def test_bytes_after_the_body_are_never_the_next_answer(engines: Engines, fault_server: FaultServer) -> None:
    """What a server sends unasked on a kept connection is not taken for another file."""
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    engine = await engines(concurrent_downloads=1)
    for number in range(4):
        resource = Resource(20_000, seed=number)
        task = await fetch(engine, fault_server.add(f"/{number}.bin", resource, tempers.extra_after_body(reply)))
        assert is_whole(task, resource)


async def test_a_connection_that_closed_while_idle_costs_nothing(engines: Engines, fault_server: FaultServer) -> None:
    """A pooled connection found dead is no failure."""
    engine = await engines(concurrent_downloads=1, max_retries=1)
    for number in range(5):
        task = await fetch(engine, fault_server.add(f"/{number}.bin", SMALL, tempers.closes_silently))
        assert is_whole(task, SMALL)


async def test_the_log_tells_what_was_asked_and_answered(engines: Engines, fault_server: FaultServer) -> None:
    """Requests and verdicts of a large file stay readable after its end."""
    engine = await engines()
    task = await fetch(engine, fault_server.add("/f.bin", LARGE, when(has_range, lies.says_content_range(None))))
    text = await log_of(engine, task)
    assert "GET bytes=0-: 206" in text
    assert "refuses ranges" in text
