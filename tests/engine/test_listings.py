"""Digests listed beside files: found with few questions, believed no more than they deserve."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import LARGE_BYTES, fetch, half_done, is_whole, log_of
from tests.engine.test_digests import announces, spoiled, value_of, wanted
from tests.engine.test_pieces import pieces_of
from tests.faults import Resource, first, lies, oracle, tempers
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions
from tui_dl.engine import listings

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer

SMALL = Resource(20_000)
LARGE = Resource(LARGE_BYTES)
OTHER = replace(SMALL, seed=7)
SIZES = pytest.mark.parametrize("resource", [SMALL, LARGE], ids=["small", "large"])
WRONG = "0" * 64


def body_of(resource: Resource) -> bytes:
    """Return a resource's content."""
    return oracle.content(resource.seed, 0, resource.size_bytes)


def listing(*lines: str, end: str = "\n") -> Resource:
    """Return a list as a server has it."""
    return Resource(body=(end.join(lines) + end).encode(), content_type="text/plain")


def asked(server: FaultServer) -> Counter[str]:
    """Return how often each path was asked for."""
    return Counter(request.path for request in server.requests)


@SIZES
async def test_a_listed_digest_is_checked(engines: Engines, fault_server: FaultServer, resource: Resource) -> None:
    """Where it was asked for."""
    url = fault_server.add("/d/f.bin", resource)
    fault_server.add("/d/SHA256SUMS", listing(f"{value_of(resource)}  f.bin"))
    task = await fetch(await engines(verify="auto"), url)
    assert is_whole(task, resource)
    assert task.sha256 == value_of(resource)


@SIZES
async def test_a_file_that_differs_from_its_list_fails(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """With both values and the list's name; list and file are asked for once more before."""
    url = fault_server.add("/d/f.bin", resource)
    fault_server.add("/d/SHA256SUMS", listing(f"{WRONG}  f.bin"))
    task = await fetch(await engines(verify="auto", connections=1), url)
    assert (task.status, task.reason) == (Status.FAILED, Reason.DIGEST_MISMATCH)
    for part in (WRONG, value_of(resource), "listed in SHA256SUMS"):
        assert part in task.reason_text
    assert "f.bin" not in engines.names()
    assert asked(fault_server)["/d/SHA256SUMS"] == 2


async def test_a_list_that_was_older_than_the_file_is_asked_for_again(
    engines: Engines, fault_server: FaultServer
) -> None:
    """A nightly build came while the old list was remembered."""
    url = fault_server.add("/d/f.bin", SMALL)
    fault_server.add("/d/g.bin", SMALL)
    fault_server.add("/d/SHA256SUMS", listing(f"{value_of(SMALL)}  g.bin", f"{value_of(OTHER)}  f.bin"))
    engine = await engines(verify="auto")
    await fetch(engine, url.replace("f.bin", "g.bin"))
    fault_server.replace("/d/SHA256SUMS", listing(f"{value_of(SMALL)}  f.bin"))
    assert is_whole(await fetch(engine, url), SMALL)


async def test_nothing_is_asked_for_unless_wanted(engines: Engines, fault_server: FaultServer) -> None:
    """The default: one request a file, and no header that others do not send."""
    url = fault_server.add("/d/f.bin", SMALL)
    await fetch(await engines(), url)
    assert asked(fault_server) == {"/d/f.bin": 1}
    assert "want-repr-digest" not in fault_server.requests[0].headers


async def test_the_server_is_asked_to_name_a_digest(engines: Engines, fault_server: FaultServer) -> None:
    """RFC 9530 §4."""
    url = fault_server.add("/d/f.bin", SMALL, announces(SMALL))
    task = await fetch(await engines(verify="auto"), url)
    assert "sha-256" in fault_server.requests[0].headers["want-repr-digest"]
    assert task.sha256 == value_of(SMALL)


async def test_a_folder_is_asked_about_once(engines: Engines, fault_server: FaultServer) -> None:
    """Thirty files at once, one list."""
    urls = [fault_server.add(f"/d/{index}.bin", replace(SMALL, seed=index)) for index in range(30)]
    lines = [f"{value_of(replace(SMALL, seed=index))}  {index}.bin" for index in range(30)]
    fault_server.add("/d/SHA256SUMS", listing(*lines))
    engine = await engines(verify="require", concurrent_downloads=10)
    result = await engine.wait([await engine.add(url) for url in urls])
    assert result.success == 30
    assert asked(fault_server)["/d/SHA256SUMS"] == 1
    assert sum(asked(fault_server).values()) == 31


async def test_a_folder_without_lists_is_soon_left_in_peace(engines: Engines, fault_server: FaultServer) -> None:
    """Thirty files: four lists, and a few lists of single files, not a hundred and twenty."""
    urls = [fault_server.add(f"/d/{index}.bin", SMALL) for index in range(30)]
    engine = await engines(verify="auto", concurrent_downloads=10)
    result = await engine.wait([await engine.add(url) for url in urls])
    assert result.success == 30
    assert sum(asked(fault_server).values()) <= 30 + 4 + 4 * listings.MOST_MISSES


async def test_a_list_of_the_file_alone_is_found(engines: Engines, fault_server: FaultServer) -> None:
    """`NAME.sha512`, with a bare value."""
    url = fault_server.add("/d/f.bin", SMALL)
    fault_server.add("/d/f.bin.sha512", listing(value_of(OTHER, "sha512")))
    task = await fetch(await engines(verify="auto"), url)
    assert task.reason is Reason.DIGEST_MISMATCH
    assert "listed in f.bin.sha512" in task.reason_text


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html><body>This page is not there, but here is another.</body></html>",
        f"{value_of(SMALL)[:50]}".encode(),
        f"{WRONG}  other.bin\n".encode(),
        f"{WRONG}  ../d/f.bin\n{WRONG}  /d/f.bin\n{WRONG}  \x1b[31mf.bin\n".encode(),
        b"\x00\xff" * 1000,
        b"",
    ],
    ids=["page", "cut", "other", "hostile", "binary", "empty"],
)
async def test_a_list_that_says_nothing_of_the_file_is_no_proof(
    engines: Engines, fault_server: FaultServer, content: bytes
) -> None:
    """Neither for nor against it: `auto` goes on, `require` fails before the body is read."""
    url = fault_server.add("/d/f.bin", SMALL)
    fault_server.add("/d/SHA256SUMS", Resource(body=content))
    task = await fetch(await engines(verify="auto"), url)
    assert is_whole(task, SMALL)
    assert task.sha256 == ""
    task = await fetch(await engines(verify="require"), url, dir=engines.dir / "again")
    assert (task.status, task.reason) == (Status.FAILED, Reason.NO_DIGEST)


async def test_a_cut_list_is_read_as_far_as_its_lines_are_whole(engines: Engines, fault_server: FaultServer) -> None:
    """The half value at its end is none."""
    url = fault_server.add("/d/f.bin", SMALL)
    fault_server.add("/d/g.bin", SMALL)
    cut = f"{value_of(SMALL)}  f.bin\n{WRONG[:30]}".encode()
    fault_server.add("/d/SHA256SUMS", Resource(body=cut))
    engine = await engines(verify="auto")
    assert (await fetch(engine, url)).sha256 == value_of(SMALL)
    assert is_whole(await fetch(engine, url.replace("f.bin", "g.bin")), SMALL)


async def test_a_list_with_other_line_ends_is_read(engines: Engines, fault_server: FaultServer) -> None:
    """CRLF, `./`, binary star."""
    url = fault_server.add("/d/f.bin", SMALL)
    fault_server.add("/d/SHA256SUMS", listing("# lists", f"{value_of(SMALL).upper()} *./f.bin", end="\r\n"))
    assert (await fetch(await engines(verify="require"), url)).sha256 == value_of(SMALL)


async def test_what_is_required_is_known_before_the_body_is_read(engines: Engines, fault_server: FaultServer) -> None:
    """Nobody waits for gigabytes in vain; it is not retried."""
    url = fault_server.add("/d/f.bin", Resource(64 * LARGE_BYTES))
    task = await fetch(await engines(verify="require"), url)
    assert (task.status, task.reason) == (Status.FAILED, Reason.NO_DIGEST)
    assert fault_server.bytes_sent("/d/f.bin") < 32 * LARGE_BYTES
    assert asked(fault_server)["/d/f.bin"] == 1


@pytest.mark.parametrize("known", ["given", "pieces", "named"])
async def test_any_digest_is_one(engines: Engines, fault_server: FaultServer, known: str) -> None:
    """A person's, a Metalink's pieces, the server's own."""
    faults = (announces(SMALL),) if known == "named" else ()
    url = fault_server.add("/d/f.bin", SMALL, *faults)
    pieces = TaskOptions(pieces=str(pieces_of(body_of(SMALL), 4096)))
    options = {"given": wanted(SMALL), "pieces": pieces, "named": TaskOptions()}[known]
    assert is_whole(await fetch(await engines(verify="require"), url, options=options), SMALL)


async def test_a_given_digest_counts_before_a_listed_one(engines: Engines, fault_server: FaultServer) -> None:
    """The list is not even asked for."""
    url = fault_server.add("/d/f.bin", SMALL)
    fault_server.add("/d/SHA256SUMS", listing(f"{WRONG}  f.bin"))
    assert is_whole(await fetch(await engines(verify="auto"), url, options=wanted(SMALL)), SMALL)
    assert asked(fault_server) == {"/d/f.bin": 1}


async def test_a_listed_digest_counts_before_a_header(engines: Engines, fault_server: FaultServer) -> None:
    """Whoever listed it meant this file; headers are made by whatever stands between."""
    url = fault_server.add("/d/f.bin", SMALL, announces(OTHER))
    fault_server.add("/d/SHA256SUMS", listing(f"{value_of(SMALL)}  f.bin"))
    assert is_whole(await fetch(await engines(verify="auto"), url), SMALL)


async def test_a_list_that_cannot_be_read_is_noted(engines: Engines, fault_server: FaultServer) -> None:
    """A server in trouble does not fail a file that came well."""
    url = fault_server.add("/d/f.bin", SMALL)
    fault_server.add("/d/SHA256SUMS", SMALL, lies.status(500))
    engine = await engines(verify="auto", max_retries=0)
    task = await fetch(engine, url)
    assert is_whole(task, SMALL)
    assert "SHA256SUMS" in await log_of(engine, task)


async def test_a_list_that_does_not_come_is_done_without(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is here does not wait for an hour because its list was told to come back later."""
    monkeypatch.setattr(listings, "PATIENCE_S", 0.1)
    url = fault_server.add("/d/f.bin", SMALL)
    fault_server.add("/d/SHA256SUMS", SMALL, tempers.never_answers())
    engine = await engines(verify="auto")
    task = await fetch(engine, url)
    assert is_whole(task, SMALL)
    assert "not to be had" in await log_of(engine, task)
    assert sum(asked(fault_server).values()) == 2


async def test_a_list_without_end_is_given_up(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read up to its bound, and the file does without."""
    monkeypatch.setattr(listings, "MOST_LISTING_BYTES", 100_000)
    url = fault_server.add("/d/f.bin", SMALL)
    fault_server.add("/d/SHA256SUMS", LARGE)
    engine = await engines(verify="auto")
    task = await fetch(engine, url)
    assert is_whole(task, SMALL)
    assert "longer than" in await log_of(engine, task)


async def test_headers_of_the_task_go_with_its_lists(engines: Engines, fault_server: FaultServer) -> None:
    """They lie on the same server, behind the same door."""
    url = fault_server.add("/d/f.bin", SMALL)
    fault_server.add("/d/SHA256SUMS", listing(f"{value_of(SMALL)}  f.bin"))
    await fetch(await engines(verify="auto"), url, options=TaskOptions(headers=(("X-Token", "t"),)))
    assert {request.headers.get("x-token") for request in fault_server.requests} == {"t"}


async def test_what_has_a_query_has_nothing_beside_it(engines: Engines, fault_server: FaultServer) -> None:
    """A program's answer is no file in a folder."""
    url = fault_server.add("/get", SMALL)
    await fetch(await engines(verify="auto"), url + "?f=1")
    assert asked(fault_server) == {"/get": 1}


async def test_a_resumed_file_is_checked_against_its_list(engines: Engines, fault_server: FaultServer) -> None:
    """Also where nothing is left to fetch but the list."""
    _, task = await half_done(engines, fault_server, "/d/f.bin", LARGE, connections=1)
    fault_server.add("/d/SHA256SUMS", listing(f"{value_of(LARGE)}  f.bin"))
    engine = await engines(journal=engines.journal, verify="require", connections=1)
    await engine.wait([task])
    (task,) = await engine.rows([task.id])
    assert is_whole(task, LARGE)
    assert task.sha256 == value_of(LARGE)


async def test_a_file_that_differed_once_is_right_the_second_time(engines: Engines, fault_server: FaultServer) -> None:
    """As with a digest that was given."""
    url = fault_server.add("/d/f.bin", LARGE, first(1, spoiled))
    fault_server.add("/d/SHA256SUMS", listing(f"{value_of(LARGE)}  f.bin"))
    assert is_whole(await fetch(await engines(verify="auto", connections=1), url), LARGE)
    assert engines.names() == ["f.bin"]
