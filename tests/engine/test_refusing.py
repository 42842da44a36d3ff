"""What is not of the type or size that is wanted: left out before its body, with no harm to its host."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import LARGE_BYTES, MIB, fetch, half_done, is_whole, log_of
from tests.faults import FaultServer, Resource, lies, oracle, tempers
from tests.faults.script import all_of
from tui_dl.core.errors import ContentError, Reason, UsageError
from tui_dl.core.events import EventKind
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions
from tui_dl.engine.wishes import checked_options, checked_task

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults.script import Fault
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

SMALL = Resource(20_000, content_type="text/plain; charset=utf-8")
LARGE = Resource(LARGE_BYTES, content_type="text/plain")
HUGE = Resource(96 * MIB, content_type="text/plain")
WISHES: dict[str, tuple[dict[str, Any], Reason, str]] = {
    "type": ({"accept": "image/*,video/mp4"}, Reason.UNWANTED_TYPE, "text/plain came, and image/* or video/mp4 is"),
    "too large": ({"max_size": 19_999}, Reason.TOO_LARGE, "bytes, and at most 19,999 are wanted"),
    "too small": ({"min_size": 100 * MIB}, Reason.TOO_SMALL, "bytes, and at least 104,857,600 are wanted"),
}
UNTOLD: dict[str, Fault] = {
    # A 206 would tell it in its Content-Range.
    "in chunks": all_of(lies.ignores_range, tempers.chunked),
    "to its end": all_of(lies.ignores_range, tempers.without_length),
    "coded": tempers.gzip_encoded(),
}


def left_out(task: DownloadTask) -> tuple[Status, Reason | None, int]:
    """Return how it ended, and how often it was tried again."""
    return task.status, task.reason, task.retry_count


async def fetched(engine: AsyncDownloadEngine, url: str, **options: Any) -> DownloadTask:
    """Fetch an address with options of its own."""
    return await fetch(engine, url, options=TaskOptions(**options))


@pytest.mark.parametrize("resource", [SMALL, LARGE, HUGE], ids=["small", "large", "huge"])
@pytest.mark.parametrize("wish", WISHES)
async def test_it_is_left_out_before_its_body(
    engines: Engines, fault_server: FaultServer, resource: Resource, wish: str
) -> None:
    """One request, no file and no part, no retry, and words that say what came and what was wanted."""
    settings, reason, words = WISHES[wish]
    engine = await engines(journal=engines.journal, **settings)
    url = fault_server.add("/f.bin", resource)
    task = await fetch(engine, url)
    assert left_out(task) == (Status.SKIPPED, reason, 0)
    assert words in task.reason_text
    assert (task.total_bytes, task.http_status, task.downloaded_bytes) == (resource.size_bytes, 206, 0)
    assert engines.names() == []
    assert len(fault_server.requests_for("/f.bin")) == 1
    assert fault_server.bytes_sent("/f.bin") < HUGE.size_bytes
    told = [event.kind for event in engines.events if event.kind is not EventKind.ADDED]  # it may start before that
    assert told == [EventKind.STARTED, EventKind.SKIPPED]
    assert not (await engine.wait()).failed


@pytest.mark.parametrize("wish", WISHES)
async def test_the_short_way_leaves_it_out_too(engines: Engines, fault_server: FaultServer, wish: str) -> None:
    """As options of the one task; others are fetched, and one that its own options want again."""
    settings, reason, _ = WISHES[wish]
    names = {"accept": "accept", "max_size": "max_bytes", "min_size": "min_bytes"}
    engine = await engines()
    first = fault_server.add("/first.bin", SMALL)
    assert is_whole(await fetch(engine, first), SMALL)
    url = fault_server.add("/f.bin", SMALL)
    options = {names[name]: value for name, value in settings.items()}
    assert left_out(await fetched(engine, url, **options)) == (Status.SKIPPED, reason, 0)
    assert engines.names() == ["first.bin"]
    assert is_whole(await fetch(engine, url), SMALL)


async def test_what_is_wanted_arrives(engines: Engines, fault_server: FaultServer) -> None:
    """Of each size at its very bounds, short and long, an empty one among it, which comes with the text of an error."""
    engine = await engines(accept="text/*", max_size=LARGE_BYTES)
    for resource in (SMALL, LARGE, Resource(0, content_type="text/css")):
        url = fault_server.add(f"/{resource.size_bytes}.bin", resource)
        assert is_whole(await fetch(engine, url), resource)
    assert is_whole(await fetched(engine, fault_server.add("/b.bin", SMALL), min_bytes=20_000), SMALL)
    empty = fault_server.add("/empty.png", Resource(0, content_type="image/png"))
    assert is_whole(await fetched(engine, empty, accept="image/*"), Resource(0))


@pytest.mark.parametrize("name", UNTOLD)
async def test_without_a_length_it_comes_until_it_is_too_much(
    engines: Engines, fault_server: FaultServer, name: str
) -> None:
    """What came of it is deleted; what keeps within bounds arrives."""
    engine = await engines(max_size=2 * MIB, min_size=1000)
    url = fault_server.add("/f.bin", HUGE if name != "coded" else LARGE, UNTOLD[name])
    task = await fetch(engine, url)
    assert left_out(task) == (Status.SKIPPED, Reason.TOO_LARGE, 0)
    assert (task.part_path, task.downloaded_bytes, task.flags) == ("", 0, frozenset())
    assert engines.names() == []
    assert len(fault_server.requests_for("/f.bin")) == 1
    assert fault_server.bytes_sent("/f.bin") < HUGE.size_bytes
    small = fault_server.add("/small.bin", Resource(900), UNTOLD[name])
    assert left_out(await fetch(engine, small)) == (Status.SKIPPED, Reason.TOO_SMALL, 0)
    assert engines.names() == []
    right = fault_server.add("/right.bin", SMALL, UNTOLD[name])
    assert is_whole(await fetch(engine, right), SMALL)


@pytest.mark.parametrize("name", UNTOLD)
async def test_without_a_length_its_end_shows_it_to_be_too_small(
    engines: Engines, fault_server: FaultServer, name: str
) -> None:
    """What was written of it by then is deleted, of what is beyond the largest size as well."""
    engine = await engines()
    url = fault_server.add("/f.bin", LARGE, UNTOLD[name])
    assert left_out(await fetched(engine, url, min_bytes=4 * MIB)) == (Status.SKIPPED, Reason.TOO_SMALL, 0)
    url = fault_server.add("/g.bin", HUGE if name != "coded" else Resource(24 * MIB), UNTOLD[name])
    task = await fetched(engine, url, max_bytes=16 * MIB)
    assert left_out(task) == (Status.SKIPPED, Reason.TOO_LARGE, 0)
    assert (task.part_path, task.downloaded_bytes) == ("", 0)
    assert engines.names() == []


async def test_a_web_page_in_place_of_a_file_is_a_failure(engines: Engines, fault_server: FaultServer) -> None:
    """A login page or an expired link is no picture of an unwanted type: who asked for pictures must hear of it."""
    engine = await engines(accept="image/*")
    page = Resource(3_000, content_type="text/html")
    task = await fetch(engine, fault_server.add("/f.png", page))
    assert (task.status, task.reason) == (Status.FAILED, Reason.WEB_PAGE)
    task = await fetch(engine, fault_server.add("/f.html", page))
    assert (task.status, task.reason) == (Status.SKIPPED, Reason.UNWANTED_TYPE)


async def test_a_short_body_is_read_off_so_that_its_connection_is_used_again(
    engines: Engines, fault_server: FaultServer
) -> None:
    """A connection for each of a hundred thousand refusals would cost the host more than their bodies."""
    engine = await engines(accept="image/*", concurrent_downloads=1)
    for number in range(4):
        # Its head is there before its body: what came with the head would need no reading.
        task = await fetch(engine, fault_server.add(f"/{number}.bin", SMALL, tempers.pace(200_000)))
        assert task.reason is Reason.UNWANTED_TYPE
    assert len({one.connection_id for one in fault_server.requests}) == 1


async def test_refusals_park_no_host_and_count_as_skipped(engines: Engines, fault_server: FaultServer) -> None:
    """The host answered well; what it has is another matter."""
    engine = await engines(accept="image/*", max_retries=0)
    for number in range(40):
        await engine.add(fault_server.add(f"/{number}.bin", SMALL))
    result = await engine.wait()
    assert (result.skipped, result.failed, result.errors_by_class) == (40, 0, {})
    assert not engine.context.budgets.parking.parked
    assert len(fault_server.requests) == 40


async def test_what_was_held_before_stays_held(engines: Engines, fault_server: FaultServer) -> None:
    """A wish that came later than half of the file deletes nothing, and a wider one goes on with it."""
    url, task = await half_done(engines, fault_server, "/f.bin", LARGE)
    engine = await engines(journal=engines.journal, max_size=MIB)
    task = await fetch(engine, url)
    assert left_out(task)[:2] == (Status.SKIPPED, Reason.TOO_LARGE)
    assert engines.names() == [Path(task.part_path).name]
    assert task.downloaded_bytes >= MIB
    await engines.close(engine)
    engine = await engines(journal=engines.journal)
    assert is_whole(await fetch(engine, url), LARGE)
    assert fault_server.bytes_sent("/f.bin") < 2 * LARGE_BYTES


async def test_a_rest_that_names_no_type_is_of_the_type_before(engines: Engines, fault_server: FaultServer) -> None:
    """RFC 9110 §15.3.7: who sends the rest leaves such headers out."""
    url, _ = await half_done(engines, fault_server, "/f.bin", LARGE, accept="text/*")

    def silent(_exchange: Any, reply: Any) -> Any:
        return reply.without_header("Content-Type")

    fault_server.script("/f.bin", silent)
    engine = await engines(journal=engines.journal, accept="text/*")
    assert is_whole(await fetch(engine, url), LARGE)


@pytest.mark.parametrize("faults", [(), (UNTOLD["in chunks"],)], ids=["told", "untold"])
async def test_no_mirror_is_asked_for_it(
    engines: Engines, fault_server: FaultServer, other_server: FaultServer, faults: tuple[Fault, ...]
) -> None:
    """It has the same file, also where its length shows late."""
    other = other_server.add("/f.bin", LARGE)
    url = fault_server.add("/f.bin", LARGE, *faults)
    task = await fetched(await engines(), url, max_bytes=MIB, mirrors=(other,))
    assert left_out(task) == (Status.SKIPPED, Reason.TOO_LARGE, 0)
    assert not other_server.requests


async def test_a_half_file_of_another_tool_stays_as_it_is(engines: Engines, fault_server: FaultServer) -> None:
    """It is not taken over for a file that is not wanted."""
    engines.dir.mkdir(parents=True)
    held = LARGE.slice(0, MIB).read(0, MIB)
    engines.path("f.bin").write_bytes(held)
    task = await fetched(await engines(), fault_server.add("/f.bin", LARGE), continues=True, max_bytes=2 * MIB)
    assert task.reason is Reason.TOO_LARGE
    assert engines.names() == ["f.bin"]
    assert engines.path("f.bin").read_bytes() == held


async def test_a_copy_counts_by_its_size_alone(engines: Engines, fault_server: FaultServer) -> None:
    """Its type was written down nowhere, so that the server is asked where that counts."""
    url = fault_server.add("/f.bin", LARGE)
    runs: list[tuple[str, dict[str, Any], Reason | None]] = [
        ("first", {}, None),
        ("second", {"accept": "text/*"}, None),
        ("third", {"max_size": MIB}, Reason.TOO_LARGE),
        ("fourth", {"accept": "image/*"}, Reason.UNWANTED_TYPE),
    ]
    for folder, settings, reason in runs:
        engine = await engines(journal=engines.journal, cache="on", **settings)
        task = await fetch(engine, url, dir=engines.dir / folder)
        assert task.reason is reason, await log_of(engine, task)
        assert reason is not None or is_whole(task, LARGE)
        await engines.close(engine)


async def test_lists_of_digests_and_metalinks_are_read_as_ever(engines: Engines, fault_server: FaultServer) -> None:
    """What is wanted speaks of files that are kept; those that a Metalink names are judged each."""
    picture = Resource(20_000, content_type="image/png")
    url = fault_server.add("/f.png", picture)
    listing = f"{oracle.sha256_of(1, 20_000)}  f.png\n".encode()
    fault_server.add("/SHA256SUMS", Resource(body=listing, content_type="text/plain"))
    engine = await engines(accept="image/*", min_size=10_000, verify="require")
    assert is_whole(await fetch(engine, url), picture)
    files = "".join(
        f'<file name="{name}"><url>{fault_server.add(f"/{name}", resource)}</url></file>'
        for name, resource in (("b.png", picture), ("c.txt", SMALL))
    )
    metalink = f'<metalink xmlns="urn:ietf:params:xml:ns:metalink">{files}</metalink>'.encode()
    named = fault_server.add("/d.meta4", Resource(body=metalink, content_type="application/metalink4+xml"))
    engine = await engines(accept="image/*", min_size=10_000)
    assert (await fetch(engine, named)).reason is None
    assert engines.names() == ["b.png", "f.png"]


async def test_a_stream_gives_nothing_of_it(engines: Engines, fault_server: FaultServer) -> None:
    """There is nothing to skip for who reads: it raises, before the first byte where the head tells."""
    engine = await engines(accept="image/*")
    with pytest.raises(ContentError, match="text/plain came"):
        await anext(engine.stream(fault_server.add("/f.bin", LARGE)))


@pytest.mark.parametrize("name", UNTOLD)
async def test_a_stream_without_a_length_ends_within_bounds(
    engines: Engines, fault_server: FaultServer, name: str
) -> None:
    """Not a byte beyond the largest size is given out."""
    engine = await engines(max_size=2 * MIB)
    came = 0
    with pytest.raises(ContentError, match="at most 2,097,152"):  # noqa: PT012  # what came before counts, too
        async for chunk in engine.stream(fault_server.add("/f.bin", LARGE, UNTOLD[name])):
            came += len(chunk)
    assert came <= 2 * MIB
    engine = await engines(min_size=MIB)
    with pytest.raises(ContentError, match="at least 1,048,576"):
        async for _ in engine.stream(fault_server.add("/small.bin", SMALL, UNTOLD[name])):
            pass


def test_options_that_cannot_be_meant_are_refused() -> None:
    """From programs and from the library alike."""
    for options in (TaskOptions(accept="jpg"), TaskOptions(min_bytes=2, max_bytes=1)):
        with pytest.raises(UsageError):
            checked_options(options)
        with pytest.raises(UsageError):
            checked_task("http://h/f", "/d", "", options)
    with pytest.raises(UsageError, match="size"):
        checked_options(TaskOptions(max_bytes="five"))  # type: ignore[arg-type]  # as JSON may have it
    assert checked_options(TaskOptions(max_bytes="5M")).max_bytes == 5 * MIB  # type: ignore[arg-type]  # as above
    assert checked_task("http://h/f", "/d", "", TaskOptions(accept="Image/*")).options.accept == "image/*"
