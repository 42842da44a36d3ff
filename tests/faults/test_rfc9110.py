"""The server without faults against RFC 9110, asserted on literal bytes written by hand."""

from __future__ import annotations

import pytest

from tests.faults.fixtures import fault_server
from tests.faults.raw_client import RawClient, fetch
from tests.faults.script import Resource
from tests.faults.server import FaultServer

__all__ = ["fault_server"]

ALPHABET = Resource(body=b"abcdefghijklmnopqrstuvwxyz", etag='"v1"', last_modified_at=784111777.0)
"""Twenty-six bytes, so that an offset can be counted on fingers."""

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
"""The instant of ALPHABET in the form of RFC 9110 §5.6.7 (its own example)."""


@pytest.mark.parametrize(
    ("asked", "body", "content_range"),
    [
        ("bytes=0-0", b"a", b"bytes 0-0/26"),
        ("bytes=0-2", b"abc", b"bytes 0-2/26"),
        ("bytes=1-3", b"bcd", b"bytes 1-3/26"),
        ("bytes=25-25", b"z", b"bytes 25-25/26"),
        ("bytes=23-", b"xyz", b"bytes 23-25/26"),
        ("bytes=23-99", b"xyz", b"bytes 23-25/26"),
        ("bytes=-1", b"z", b"bytes 25-25/26"),
        ("bytes=-3", b"xyz", b"bytes 23-25/26"),
        ("bytes=-99", b"abcdefghijklmnopqrstuvwxyz", b"bytes 0-25/26"),
        ("bytes=0-", b"abcdefghijklmnopqrstuvwxyz", b"bytes 0-25/26"),
        ("Bytes=1-1", b"b", b"bytes 1-1/26"),
    ],
)
async def test_a_range_is_inclusive_at_both_ends(
    fault_server: FaultServer, asked: str, body: bytes, content_range: bytes
) -> None:
    """The 206 holds exactly the bytes from first to last, both included, and says so."""
    answer = await fetch(fault_server.add("/f", ALPHABET), f"Range: {asked}")
    assert (answer.status, answer.body, answer.headers["content-range"]) == (206, body, content_range)
    assert int(answer.headers["content-length"]) == len(body)


@pytest.mark.parametrize("asked", ["bytes=26-", "bytes=26-30", "bytes=99-", "bytes=-0"])
async def test_an_unsatisfiable_range_is_416_with_the_length(fault_server: FaultServer, asked: str) -> None:
    """A range beyond the end, and a suffix of nothing, get a 416 that tells the length."""
    answer = await fetch(fault_server.add("/f", ALPHABET), f"Range: {asked}")
    assert (answer.status, answer.headers["content-range"]) == (416, b"bytes */26")


@pytest.mark.parametrize(
    "asked", ["bytes=3-1", "bytes=-", "bytes=a-b", "bytes=1", "items=0-1", "bytes=0-1,3-4", "bytes"]
)
async def test_a_range_that_is_none_is_ignored(fault_server: FaultServer, asked: str) -> None:
    """Malformed ranges, foreign units and several ranges are answered with the whole."""
    answer = await fetch(fault_server.add("/f", ALPHABET), f"Range: {asked}")
    assert (answer.status, answer.body) == (200, b"abcdefghijklmnopqrstuvwxyz")
    assert "content-range" not in answer.headers


async def test_an_empty_file_has_no_satisfiable_range(fault_server: FaultServer) -> None:
    """The open range of an empty file is a 416 with `*/0`; without a range it is a 200 of nothing."""
    url = fault_server.add("/empty", Resource(body=b""))
    answer = await fetch(url, "Range: bytes=0-")
    assert (answer.status, answer.headers["content-range"]) == (416, b"bytes */0")
    plain = await fetch(url)
    assert (plain.status, plain.headers["content-length"], plain.body) == (200, b"0", b"")


async def test_the_whole_carries_what_describes_it(fault_server: FaultServer) -> None:
    """A 200 has type, length, validators, date and the offer of ranges."""
    answer = await fetch(fault_server.add("/f", ALPHABET))
    assert answer.body == b"abcdefghijklmnopqrstuvwxyz"
    assert answer.headers["content-length"] == b"26"
    assert answer.headers["content-type"] == b"application/octet-stream"
    assert answer.headers["etag"] == b'"v1"'
    assert answer.headers["last-modified"] == DATE.encode()
    assert answer.headers["accept-ranges"] == b"bytes"
    assert answer.headers["date"].endswith(b" GMT")


@pytest.mark.parametrize(
    ("etag", "condition", "status"),
    [
        ('"v1"', '"v1"', 206),
        ('"v2"', '"v1"', 200),
        ('W/"v1"', 'W/"v1"', 200),
        ('W/"v1"', '"v1"', 200),
        ('"v1"', 'W/"v1"', 200),
        (None, '"v1"', 200),
        ('"v1"', DATE, 206),
        ('"v1"', "Sun, 06 Nov 1994 08:49:38 GMT", 200),
        ('"v1"', "Sun, 06 Nov 1994 08:49:36 GMT", 200),
        ('"v1"', "yesterday", 200),
    ],
)
async def test_if_range_takes_strong_tags_and_exact_dates_alone(
    fault_server: FaultServer, etag: str | None, condition: str, status: int
) -> None:
    """A part comes only when the tag is strong and equal or the date is the very same (§13.1.5)."""
    url = fault_server.add("/f", Resource(body=ALPHABET.body, etag=etag, last_modified_at=784111777.0))
    answer = await fetch(url, "Range: bytes=24-", f"If-Range: {condition}")
    whole_or_part = {200: b"abcdefghijklmnopqrstuvwxyz", 206: b"yz"}
    assert (answer.status, answer.body) == (status, whole_or_part[status])


async def test_a_date_of_this_very_second_is_no_strong_validator() -> None:
    """If-Range by a Last-Modified less than a second before Date is not met (§8.8.2.2)."""
    async with FaultServer(now=lambda: 784111777.5) as server:
        answer = await fetch(server.add("/f", ALPHABET), "Range: bytes=24-", f"If-Range: {DATE}")
        assert answer.status == 200
    async with FaultServer(now=lambda: 784111778.0) as server:
        answer = await fetch(server.add("/f", ALPHABET), "Range: bytes=24-", f"If-Range: {DATE}")
        assert answer.status == 206


async def test_if_range_without_range_changes_nothing(fault_server: FaultServer) -> None:
    """If-Range alone is ignored."""
    answer = await fetch(fault_server.add("/f", ALPHABET), 'If-Range: "v1"')
    assert (answer.status, len(answer.body)) == (200, 26)


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ('If-Match: "v1"', 200),
        ('If-Match: "v0", "v1"', 200),
        ('If-Match: "v2"', 412),
        ("If-Match: *", 200),
        (f"If-Unmodified-Since: {DATE}", 200),
        ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 412),
        ('If-None-Match: "v1"', 304),
        ('If-None-Match: W/"v1"', 304),
        ('If-None-Match: "v2"', 200),
        (f"If-Modified-Since: {DATE}", 304),
        ("If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 200),
    ],
)
async def test_other_conditions_are_judged_before_the_range(
    fault_server: FaultServer, header: str, status: int
) -> None:
    """If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since give 412 and 304 where they should."""
    answer = await fetch(fault_server.add("/f", ALPHABET), header)
    assert answer.status == status
    assert len(answer.body) == 26 or status != 200


async def test_head_is_get_without_a_body(fault_server: FaultServer) -> None:
    """HEAD tells the length of the whole, ignores Range, and leaves the connection usable at once."""
    url = fault_server.add("/f", ALPHABET)
    async with RawClient(url) as client:
        head = await client.get("Range: bytes=0-1", method="HEAD")
        assert (head.status, head.headers["content-length"], head.body) == (200, b"26", b"")
        assert (await client.get("Range: bytes=0-1")).body == b"ab"
    assert fault_server.requests[0].sent_bytes == 0


async def test_one_connection_serves_many_requests(fault_server: FaultServer) -> None:
    """A connection is kept after 200, 206, 404 and 416, and all logs name it."""
    url = fault_server.add("/f", ALPHABET)
    async with RawClient(url) as client:
        assert (await client.get()).status == 200
        assert (await client.get("Range: bytes=2-4")).body == b"cde"
        assert (await client.get(path="/nowhere")).status == 404
        assert (await client.get("Range: bytes=26-")).status == 416
        assert fault_server.active_connections == 1
    assert {log.connection_id for log in fault_server.requests} == {0}
    await fault_server.wait_for(lambda: fault_server.active_connections == 0)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_other_methods_are_refused(fault_server: FaultServer, method: str) -> None:
    """Nothing but GET and HEAD is served."""
    answer = await fetch(fault_server.add("/f", ALPHABET), method=method)
    assert (answer.status, answer.headers["allow"]) == (405, b"GET, HEAD")


async def test_connection_close_is_honoured(fault_server: FaultServer) -> None:
    """A client that asks for it gets the close said and done."""
    async with RawClient(fault_server.add("/f", ALPHABET)) as client:
        answer = await client.get("Connection: close")
        assert answer.headers["connection"] == b"close"
        assert await client.rest() == b""


async def test_a_query_is_part_of_the_target_but_not_of_the_path(fault_server: FaultServer) -> None:
    """Signed links are found under their path, and the log keeps the query."""
    url = fault_server.add("/f", ALPHABET)
    assert (await fetch(url, path="/f?token=%2Fx&y=1")).status == 200
    assert fault_server.requests[0].request.target == "/f?token=%2Fx&y=1"


async def test_a_head_that_is_no_http_gets_a_400(fault_server: FaultServer) -> None:
    """Nonsense from the client is answered and the connection closed."""
    async with RawClient(fault_server.add("/f", ALPHABET)) as client:
        client.writer.write(b"hello\r\n\r\n")
        assert (await client.head()).status == 400
