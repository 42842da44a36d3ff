"""Faults of meaning: each claims on the wire what its name says, asserted on literal bytes."""

from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from tests.faults import lies, tempers
from tests.faults.fixtures import fault_server
from tests.faults.raw_client import RawClient, fetch, fetch_to_end
from tests.faults.script import Resource, all_of, first, well
from tests.faults.server import FaultServer

if TYPE_CHECKING:
    from tests.faults.script import Fault

__all__ = ["fault_server"]

ALPHABET = Resource(body=b"abcdefghijklmnopqrstuvwxyz")
CAPITALS = Resource(body=b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", etag='"v2"', last_modified_at=1_700_000_100.0)


@pytest.mark.parametrize(
    ("fault", "content_range", "body"),
    [
        (lies.claims_shifted_range(1), b"bytes 6-10/26", b"fghij"),
        (lies.claims_shifted_range(-5), b"bytes 0-4/26", b"fghij"),
        (lies.serves_shifted_range(2), b"bytes 7-11/26", b"hijkl"),
        (lies.serves_shifted_bytes(2), b"bytes 5-9/26", b"hijkl"),
        (lies.claims_total(27), b"bytes 5-9/27", b"fghij"),
        (lies.claims_total("*"), b"bytes 5-9/*", b"fghij"),
        (lies.says_content_range(None), None, b"fghij"),
        (lies.says_content_range("bytes 9-5/26"), b"bytes 9-5/26", b"fghij"),
        (lies.shorter_range(2), b"bytes 5-6/26", b"fg"),
        (lies.shorter_range(20), b"bytes 5-9/26", b"fghij"),
        (lies.longer_range(3), b"bytes 5-12/26", b"fghijklm"),
        (lies.longer_range(99), b"bytes 5-25/26", b"fghijklmnopqrstuvwxyz"),
        (lies.ignores_if_range, b"bytes 5-9/26", b"fghij"),
    ],
)
async def test_a_206_lies_as_told(
    fault_server: FaultServer, fault: Fault, content_range: bytes | None, body: bytes
) -> None:
    """Asked for bytes 5-9, the answer has the Content-Range and the bytes the fault names."""
    answer = await fetch(fault_server.add("/f", ALPHABET, fault), "Range: bytes=5-9")
    assert (answer.status, answer.headers.get("content-range"), answer.body) == (206, content_range, body)


@pytest.mark.parametrize(
    "fault",
    [lies.claims_shifted_range(1), lies.claims_total(27), lies.shorter_range(2), lies.refuses_range(416), well],
)
async def test_lies_about_ranges_leave_the_whole_alone(fault_server: FaultServer, fault: Fault) -> None:
    """A request without Range is answered well."""
    answer = await fetch(fault_server.add("/f", ALPHABET, fault))
    assert (answer.status, answer.body) == (200, ALPHABET.body)


async def test_ignoring_ranges_answers_200(fault_server: FaultServer) -> None:
    """Any Range gets the whole, and no offer of ranges."""
    answer = await fetch(fault_server.add("/f", ALPHABET, lies.ignores_range), "Range: bytes=5-9")
    assert (answer.status, answer.body) == (200, ALPHABET.body)
    assert not {"content-range", "accept-ranges"} & answer.headers.keys()


@pytest.mark.parametrize("code", [400, 403, 416, 501])
async def test_refusing_ranges_answers_an_error(fault_server: FaultServer, code: int) -> None:
    """A Range gets the error and no Content-Range."""
    answer = await fetch(fault_server.add("/f", ALPHABET, lies.refuses_range(code)), "Range: bytes=0-")
    assert answer.status == code
    assert "content-range" not in answer.headers


async def test_416_though_incomplete(fault_server: FaultServer) -> None:
    """A range that begins later is refused with the true length, one from 0 is served."""
    url = fault_server.add("/f", ALPHABET, lies.unsatisfiable_though_incomplete)
    assert (await fetch(url, "Range: bytes=0-")).status == 206
    answer = await fetch(url, "Range: bytes=5-")
    assert (answer.status, answer.headers["content-range"]) == (416, b"bytes */26")


async def test_ignoring_if_range_mixes_versions(fault_server: FaultServer) -> None:
    """After a replacement the old tag still gets a 206, of the new bytes."""
    url = fault_server.add("/f", ALPHABET, lies.ignores_if_range)
    fault_server.replace("/f", CAPITALS)
    answer = await fetch(url, "Range: bytes=24-", 'If-Range: "v1"')
    assert (answer.status, answer.body, answer.headers["etag"]) == (206, b"YZ", b'"v2"')


async def test_replacement_is_noticed_without_faults(fault_server: FaultServer) -> None:
    """The right server answers 200 with the new version to the old tag."""
    url = fault_server.add("/f", ALPHABET)
    fault_server.replace("/f", CAPITALS)
    answer = await fetch(url, "Range: bytes=24-", 'If-Range: "v1"')
    assert (answer.status, answer.body) == (200, CAPITALS.body)


async def test_a_reply_under_way_keeps_its_version(fault_server: FaultServer) -> None:
    """A replacement during a transfer does not change the bytes of that transfer."""
    url = fault_server.add("/f", ALPHABET, tempers.stall_after(3))
    async with RawClient(url) as client:
        asking = asyncio.create_task(client.get())
        await fault_server.wait_for(lambda: fault_server.stalled("/f") == 1)
        fault_server.replace("/f", CAPITALS)
        fault_server.release()
        assert (await asking).body == ALPHABET.body


async def test_never_meeting_if_range(fault_server: FaultServer) -> None:
    """The same tag and size come with a 200; without If-Range ranges work."""
    url = fault_server.add("/f", ALPHABET, lies.never_meets_if_range)
    answer = await fetch(url, "Range: bytes=5-", 'If-Range: "v1"')
    assert (answer.status, answer.headers["etag"], len(answer.body)) == (200, b'"v1"', 26)
    assert (await fetch(url, "Range: bytes=5-")).status == 206


async def test_rotating_etags(fault_server: FaultServer) -> None:
    """Each answer has another tag, and the last one's is already void."""
    url = fault_server.add("/f", ALPHABET, lies.rotates_etag)
    assert (await fetch(url)).headers["etag"] == b'"rotated-0"'
    answer = await fetch(url, "Range: bytes=5-", 'If-Range: "rotated-0"')
    assert (answer.status, answer.headers["etag"]) == (200, b'"rotated-1"')


async def test_a_login_page_comes_instead(fault_server: FaultServer) -> None:
    """Any request, ranges included, gets a 200 of HTML."""
    answer = await fetch(fault_server.add("/f", ALPHABET, lies.login_page), "Range: bytes=5-")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith(b"text/html")
    assert answer.body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("code", [401, 403, 404, 410, 429, 500, 503])
async def test_an_error_so_many_times_then_well(fault_server: FaultServer, code: int) -> None:
    """first(2, status) fails twice and then serves."""
    url = fault_server.add("/f", ALPHABET, first(2, lies.status(code)))
    assert [(await fetch(url)).status for _ in range(3)] == [code, code, 200]


async def test_retry_after_in_both_forms() -> None:
    """Seconds are a number, a date is so far from the server's own Date."""
    async with FaultServer(now=lambda: 784111777.0) as server:
        url = server.add("/s", ALPHABET, lies.retry_after(429, 7))
        assert (await fetch(url)).headers["retry-after"] == b"7"
        url = server.add("/d", ALPHABET, lies.retry_after(503, 90, is_date=True))
        answer = await fetch(url)
    assert answer.headers["retry-after"] == b"Sun, 06 Nov 1994 08:51:07 GMT"
    dates = [parsedate_to_datetime(answer.headers[name].decode()) for name in ("date", "retry-after")]
    assert (dates[1] - dates[0]).total_seconds() == 90


@pytest.mark.parametrize(
    "location",
    ["g?x=%2F", "/loop", "http://127.0.0.1:1/f", "file:///etc/passwd", "http://user:secret@127.0.0.1/f", b"/\xff\x1b["],
)
async def test_a_redirect_goes_anywhere(fault_server: FaultServer, location: str | bytes) -> None:
    """The Location is sent as given."""
    answer = await fetch(fault_server.add("/loop", ALPHABET, lies.redirect(location, 307)))
    sent = location if isinstance(location, bytes) else location.encode()
    assert (answer.status, answer.headers["location"]) == (307, sent)


async def test_a_one_time_url_serves_once(fault_server: FaultServer) -> None:
    """The second request, whatever it asks, is a 403."""
    url = fault_server.add("/f", ALPHABET, lies.once_only())
    assert [(await fetch(url, "Range: bytes=0-")).status for _ in range(3)] == [206, 403, 403]


async def test_places_are_counted_over_the_whole_server(fault_server: FaultServer) -> None:
    """With two places taken on one path, another path is refused; a freed place serves again."""
    limit = lies.at_most(2, lies.retry_after(429, 1))
    busy = fault_server.add("/busy", ALPHABET, tempers.stall_after(1), limit)
    other = fault_server.add("/other", ALPHABET, limit)
    holders = [asyncio.create_task(fetch(busy)) for _ in range(2)]
    await fault_server.wait_for(lambda: fault_server.stalled("/busy") == 2)
    assert [(await fetch(other)).status for _ in range(2)] == [429, 429]
    assert fault_server.requests[-1].is_refusal
    fault_server.release()
    await asyncio.gather(*holders)
    await fault_server.wait_for(lambda: fault_server.active_requests == 0)
    assert (await fetch(other)).status == 200
    assert fault_server.max_concurrent("/busy") == 2


async def test_a_place_too_many_can_be_reset(fault_server: FaultServer) -> None:
    """at_most_or_reset answers the surplus with RST."""
    url = fault_server.add("/f", ALPHABET, tempers.stall_after(1), lies.at_most_or_reset(1))
    holder = asyncio.create_task(fetch(url))
    await fault_server.wait_for(lambda: fault_server.stalled("/f") == 1)
    async with RawClient(url) as client:
        await client.ask()
        with pytest.raises(ConnectionResetError):
            await client.rest()
    fault_server.release()
    assert (await holder).body == ALPHABET.body


@pytest.mark.parametrize(("length", "body"), [(3, b"abc"), (28, b"abcdefghijklmnopqrstuvwxyz\0\0")])
async def test_a_body_of_another_length(fault_server: FaultServer, length: int, body: bytes) -> None:
    """The head speaks of 26 bytes whatever comes."""
    answer = await fetch_to_end(fault_server.add("/f", ALPHABET, lies.body_of_length(length)))
    assert (answer.headers["content-length"], answer.body) == (b"26", body)


async def test_mirrors_disagree_in_turn(fault_server: FaultServer) -> None:
    """One request gets one version, the next the other."""
    url = fault_server.add("/f", ALPHABET, lies.alternates(ALPHABET, CAPITALS))
    assert [(await fetch(url, "Range: bytes=0-1")).body for _ in range(3)] == [b"ab", b"AB", b"ab"]


async def test_weak_or_missing_validators(fault_server: FaultServer) -> None:
    """A resource sends exactly the validators it has."""
    weak = await fetch(fault_server.add("/weak", Resource(body=b"x", etag='W/"a"', last_modified_at=None)))
    assert weak.headers["etag"] == b'W/"a"'
    assert "last-modified" not in weak.headers
    none = await fetch(fault_server.add("/none", Resource(body=b"x", etag=None, last_modified_at=None)))
    assert not {"etag", "last-modified"} & none.headers.keys()


async def test_names_and_headers_may_be_any_bytes(fault_server: FaultServer) -> None:
    """ESC, NUL, Latin-1 and UTF-8 in Content-Disposition come through untouched."""
    name = b'attachment; filename="..\\\x1b]0;x\x07\x00\xe9\xe2\x80\xae.txt"'
    resource = Resource(body=b"x", content_disposition=name, headers=(("Digest", "sha-256=abc="),))
    answer = await fetch(fault_server.add("/f", resource, lies.with_header("X-Odd", b"\xff")))
    assert answer.headers["content-disposition"] == name
    assert answer.headers["digest"] == b"sha-256=abc="
    assert answer.headers["x-odd"] == b"\xff"


async def test_lies_compose_with_delivery(fault_server: FaultServer) -> None:
    """A short range can also be dropped half-way."""
    url = fault_server.add("/f", ALPHABET, all_of(lies.shorter_range(4), tempers.drop_after(2)))
    answer = await fetch_to_end(url, "Range: bytes=10-")
    assert (answer.headers["content-range"], answer.body) == (b"bytes 10-13/26", b"kl")
