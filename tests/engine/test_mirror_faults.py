"""What goes wrong with several sources at once: never a wrong file, nothing left behind, no good source given up."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from tests.engine.stage import MIB, Engines, ended, fetch, half_done, is_whole, log_of, until
from tests.engine.test_mirrors import EAGER, FILE, PACE_BPS, SHA256, SIZE_BYTES, pieces_of, serve
from tests.faults import FaultServer, Resource, after, all_of, lies, oracle, tempers
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small files split and judged soon."""
    for name, value in EAGER.items():
        monkeypatch.setattr(name, value)


def syncing_tasks() -> list[str]:
    """Return the checkpointers that still run."""
    names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
    return [name for name in names if "_sync_regularly" in name]


async def test_a_known_length_is_required_of_a_body_without_one(engines: Engines, fault_server: FaultServer) -> None:
    """A stream that breaks off in order is no file of the length that a Metalink names."""
    short = Resource(SIZE_BYTES // 2)
    url = fault_server.add("/f.bin", short, lies.ignores_range, tempers.without_length)
    task = await fetch(await engines(max_retries=1), url, options=TaskOptions(expected_bytes=SIZE_BYTES))
    assert (task.status, task.reason) == (Status.FAILED, Reason.LENGTH_MISMATCH)
    assert "f.bin" not in engines.names()


async def test_after_a_stream_of_another_length_the_next_gives_the_file(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """What came is dropped: it may be the beginning of anything."""
    url = fault_server.add("/f.bin", Resource(SIZE_BYTES // 2, seed=2), lies.ignores_range, tempers.chunked)
    options = TaskOptions(mirrors=serve(mirrors), expected_bytes=SIZE_BYTES)
    task = await fetch(await engines(max_retries=0), url, options=options)
    assert is_whole(task, FILE)


async def test_a_stream_is_never_finished_with_another_version(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """Where no length is known, too, a mirror must be shown to have the same file, not only the last bytes held."""
    blank = bytes(MIB)
    first, second = (oracle.content(seed, 0, MIB // 2) for seed in (1, 2))
    ours, theirs = (Resource(body=edge + blank + edge, etag=etag) for edge, etag in ((first, '"1"'), (second, '"2"')))
    url = fault_server.add("/f.bin", ours, lies.ignores_range, tempers.chunked_truncated(MIB))
    task = await fetch(await engines(max_retries=1), url, options=TaskOptions(mirrors=serve(mirrors[:1], theirs)))
    assert task.status is Status.FAILED or is_whole(task, theirs) or is_whole(task, ours)


async def test_going_elsewhere_leaves_nothing_running(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """What recorded the bytes of the source that failed ends before another goes on."""
    url = fault_server.add("/f.bin", FILE, all_of(lies.ignores_range, tempers.drop_after(MIB)))
    options = TaskOptions(mirrors=serve(mirrors[:1]), checksum=SHA256)
    task = await fetch(await engines(max_retries=0), url, options=options)
    assert is_whole(task, FILE)
    assert not syncing_tasks()


async def test_a_longer_file_than_its_pieces_leaves_no_trace(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """The part file that it began is not taken for the right one's."""
    url = fault_server.add("/f.bin", Resource(2 * SIZE_BYTES, seed=2))
    options = TaskOptions(mirrors=serve(mirrors), pieces=pieces_of())
    task = await fetch(await engines(max_retries=0), url, options=options)
    assert is_whole(task, FILE)
    assert engines.names() == ["f.bin"]


async def test_a_source_with_few_places_keeps_its_share(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """A refused extra connection costs that one, not the source whose first connection works."""
    manners = (tempers.pace(PACE_BPS // 2), lies.at_most(1))
    url = fault_server.add("/f.bin", FILE, *manners)
    engine = await engines(max_retries=0, connections=6)
    task = await fetch(engine, url, options=TaskOptions(mirrors=serve(mirrors[:1], FILE, *manners)))
    assert is_whole(task, FILE)
    assert "not asked any more" not in await log_of(engine, task)
    assert min(server.bytes_sent("/f.bin") for server in (fault_server, mirrors[0])) > SIZE_BYTES // 4


async def test_held_bytes_that_come_again_are_hashed_again(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that gives the whole file only writes over what was hashed: the digest is of what is there then."""
    monkeypatch.setattr("tui_dl.engine.hashing.STEP_BYTES", 64 * 1024)
    monkeypatch.setattr("tui_dl.engine.hashing.LOOK_EVERY_S", 0.01)
    body = oracle.content(1, 0, SIZE_BYTES)
    options = TaskOptions(checksum=f"sha256={hashlib.sha256(body).hexdigest()}")
    _, task = await half_done(engines, fault_server, "/f.bin", Resource(body=body), options=options, connections=1)
    spoiled = bytearray(body)
    spoiled[MIB] ^= 1
    fault_server.replace("/f.bin", Resource(body=bytes(spoiled)))
    fault_server.script("/f.bin", lies.ignores_range, tempers.pace(4 * PACE_BPS))
    done = await ended(await engines(journal=engines.journal, max_retries=0), task)
    assert (done.status, done.reason) == (Status.FAILED, Reason.DIGEST_MISMATCH)


async def test_pieces_that_come_again_are_checked_again(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """The same with pieces: those that were right before they were written over are looked at once more."""
    body = oracle.content(1, 0, SIZE_BYTES)
    options = TaskOptions(pieces=pieces_of())
    _, task = await half_done(engines, fault_server, "/f.bin", Resource(body=body), options=options, connections=1)
    spoiled = bytearray(body)
    spoiled[1000] ^= 1
    fault_server.replace("/f.bin", Resource(body=bytes(spoiled)))
    fault_server.script("/f.bin", lies.ignores_range, tempers.pace(PACE_BPS))
    done = await ended(await engines(journal=engines.journal, max_retries=2), task)
    assert done.status is Status.FAILED


async def test_a_half_file_is_taken_over_from_the_source_that_answers(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """`--continue` compares with whoever gives the file."""
    engines.dir.mkdir()
    engines.path("f.bin").write_bytes(oracle.content(1, 0, MIB))
    url = fault_server.add("/f.bin", FILE, lies.status(404))
    options = TaskOptions(mirrors=serve(mirrors[:1], FILE, tempers.pace(PACE_BPS)), continues=True)
    task = await fetch(await engines(max_retries=0), url, options=options)
    assert is_whole(task, FILE)
    assert engines.names() == ["f.bin"]
    assert mirrors[0].bytes_sent("/f.bin") < SIZE_BYTES


async def test_a_half_file_of_something_else_is_left_though_there_are_mirrors(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """No source is a way around what does not fit."""
    engines.dir.mkdir()
    engines.path("f.bin").write_bytes(oracle.content(9, 0, MIB))
    url = fault_server.add("/f.bin", FILE)
    options = TaskOptions(mirrors=serve(mirrors), continues=True)
    task = await fetch(await engines(max_retries=0), url, options=options)
    assert (task.status, task.reason) == (Status.FAILED, Reason.NOT_CONTINUED)
    assert engines.names() == ["f.bin"]
    assert engines.path("f.bin").read_bytes() == oracle.content(9, 0, MIB)


async def test_small_files_that_break_off_come_from_the_next(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """Nothing of the first is kept or counted."""
    small = Resource(100_000)
    url = fault_server.add("/f.bin", small, tempers.drop_after(50_000))
    task = await fetch(await engines(max_retries=0), url, options=TaskOptions(mirrors=serve(mirrors, small)))
    assert is_whole(task, small)
    assert task.downloaded_bytes == small.size_bytes


async def test_a_coded_body_that_breaks_off_leaves_nothing_to_the_next(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """What was decoded of it is not part of the file that another source gives plainly."""
    body = bytes(range(256)) * 8192
    url = fault_server.add("/f.bin", Resource(body=body + body), tempers.gzip_encoded(cut_bytes=100))
    plain = Resource(body=body, etag=None)
    task = await fetch(await engines(max_retries=0), url, options=TaskOptions(mirrors=serve(mirrors[:1], plain)))
    assert is_whole(task, plain)
    assert not syncing_tasks()


async def test_a_mirror_that_redirects_is_used(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """Every range of it goes to where it leads."""
    url = fault_server.add("/f.bin", FILE, tempers.pace(PACE_BPS))
    target = mirrors[1].add("/f.bin", FILE, tempers.pace(PACE_BPS))
    leads = mirrors[0].add("/f.bin", FILE, lies.redirect(target))
    task = await fetch(await engines(), url, options=TaskOptions(mirrors=(leads,)))
    assert is_whole(task, FILE)
    assert mirrors[1].bytes_sent("/f.bin") > 0


async def test_the_first_that_changes_while_mirrors_keep_the_old_one_is_given_up_with_a_digest(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """The digest says which version is wanted, whatever the one that was asked first has now."""
    url = fault_server.add("/f.bin", FILE, tempers.pace(PACE_BPS), after(1, tempers.drop_after(100_000)))
    engine = await engines(max_retries=3)
    options = TaskOptions(mirrors=serve(mirrors, FILE, tempers.pace(PACE_BPS)), checksum=SHA256)
    task = await engine.add(url, options=options)
    await until(lambda: mirrors[0].bytes_sent("/f.bin") > 0)
    fault_server.replace("/f.bin", Resource(SIZE_BYTES, seed=2, etag='"v2"'))
    assert is_whole(await ended(engine, task), FILE)


async def test_sources_that_all_break_off_are_no_changing_file(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """However many the server names: the error is the network's, which time may mend."""
    small = Resource(100_000)
    others = [mirrors[0].add(f"/{number}.bin", small, tempers.drop_after(50_000)) for number in range(6)]
    link = lies.with_header("Link", ", ".join(f"<{one}>; rel=duplicate" for one in others))
    url = fault_server.add("/f.bin", small, all_of(link, tempers.drop_after(50_000)))
    task = await fetch(await engines(max_retries=0), url)
    assert (task.status, task.reason) == (Status.FAILED, Reason.TRUNCATED)
