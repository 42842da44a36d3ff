"""Several sources of one file: joined only where they agree, each by what it is good for, liars found and named."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import EAGER_SPLITS, MIB, Engines, ended, fetch, half_done, is_whole, log_of, received, until
from tests.faults import FaultServer, Resource, all_of, lies, oracle, tempers
from tui_dl.core.errors import Reason
from tui_dl.core.metalink import parse_metalink
from tui_dl.core.pieces import checked_pieces, parse_pieces
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from tests.faults.script import Fault

SIZE_BYTES = 2 * MIB
PIECE_BYTES = 128 * 1024
PACE_BPS = 2 * MIB
FILE = Resource(SIZE_BYTES)
SHA256 = f"sha256={oracle.sha256_of(1, SIZE_BYTES)}"

EAGER = EAGER_SPLITS | {
    "tui_dl.core.pace.WINDOW_S": 0.4,
    "tui_dl.core.pace.SPACING_S": 0.1,
    "tui_dl.engine.lagging.PACE_EVERY_S": 0.1,
    "tui_dl.engine.inspecting.LOOK_EVERY_S": 0.05,
    "tui_dl.core.growth.WORTH_RATIO": 0.0,
}
"""Split and judge soon, so that small files have many connections, which a busy machine's rates do not take back."""


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small files split."""
    for name, value in EAGER.items():
        monkeypatch.setattr(name, value)


def pieces_of(seed: int = 1, size_bytes: int = SIZE_BYTES) -> str:
    """Return the digests of a file's pieces."""
    starts = range(0, size_bytes, PIECE_BYTES)
    hexes = [
        hashlib.sha256(oracle.content(seed, start, min(start + PIECE_BYTES, size_bytes))).hexdigest()
        for start in starts
    ]
    return str(checked_pieces("sha256", PIECE_BYTES, hexes))


def serve(servers: list[FaultServer], resource: Resource = FILE, *faults: Fault) -> tuple[str, ...]:
    """Serve one file on all; return the addresses."""
    return tuple(server.add("/f.bin", resource, *faults) for server in servers)


def until_all_gave(mirrors: list[FaultServer]) -> Fault:
    """Pace bodies so slowly that each mirror has its turn however busy the machine is, then let them come."""
    return tempers.pace_until(lambda: all(one.bytes_sent("/f.bin") > 0 for one in mirrors), PACE_BPS / 8, PACE_BPS * 8)


async def test_all_that_agree_work_together(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """The same strong validator and length: their ranges are one file."""
    pace = until_all_gave(mirrors)
    url = fault_server.add("/f.bin", FILE, pace)
    options = TaskOptions(mirrors=serve(mirrors, FILE, pace))
    task = await fetch(await engines(), url, options=options)
    assert is_whole(task, FILE)
    assert all(server.bytes_sent("/f.bin") > 0 for server in mirrors)
    assert sum(server.bytes_sent("/f.bin") for server in (fault_server, *mirrors)) <= 1.5 * SIZE_BYTES


@pytest.mark.parametrize(
    "other",
    [
        Resource(SIZE_BYTES, seed=2, etag='"other"'),
        Resource(SIZE_BYTES, seed=2, etag=None, last_modified_at=None),
        Resource(SIZE_BYTES + 1, seed=2),
    ],
    ids=["another ETag", "no validator", "another length"],
)
async def test_what_proves_nothing_is_not_used(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer], other: Resource
) -> None:
    """Without a digest another server's word for the same file is not taken."""
    url = fault_server.add("/f.bin", FILE, tempers.pace(PACE_BPS))
    engine = await engines()
    task = await fetch(engine, url, options=TaskOptions(mirrors=serve(mirrors[:1], other)))
    assert is_whole(task, FILE)
    assert len(mirrors[0].requests) == 1
    assert "127.0.0.2" in await log_of(engine, task)


async def test_a_known_digest_is_agreement_enough(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """Servers that each have their own ETag are joined where the whole is checked in the end."""
    pace = until_all_gave(mirrors)
    url = fault_server.add("/f.bin", FILE, pace)
    others = serve(mirrors, Resource(SIZE_BYTES, etag='"their own"'), pace)
    task = await fetch(await engines(), url, options=TaskOptions(mirrors=others, checksum=SHA256))
    assert is_whole(task, FILE)
    assert all(server.bytes_sent("/f.bin") > 0 for server in mirrors)


@pytest.mark.parametrize("size_bytes", [1000, SIZE_BYTES])
@pytest.mark.parametrize(
    "fault",
    [lies.status(404), lies.status(503), lies.login_page, tempers.resets_at_once()],
    ids=["404", "503", "page", "reset"],
)
async def test_where_the_first_fails_the_next_gives_the_file(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer], fault: Fault, size_bytes: int
) -> None:
    """A dead address is no reason to fail while another works."""
    url = fault_server.add("/f.bin", FILE, fault)
    resource = Resource(size_bytes)
    task = await fetch(await engines(max_retries=0), url, options=TaskOptions(mirrors=serve(mirrors, resource)))
    assert is_whole(task, resource)
    assert task.filename == "f.bin"


async def test_where_all_fail_the_first_error_is_told(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """A person asked for that address."""
    url = fault_server.add("/f.bin", FILE, lies.status(410))
    options = TaskOptions(mirrors=serve(mirrors, FILE, lies.status(404)))
    task = await fetch(await engines(max_retries=0), url, options=options)
    assert (task.status, task.reason) == (Status.FAILED, Reason.GONE)


async def test_another_length_than_the_known_one_is_another_file(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """The length that a Metalink names decides who has the file."""
    url = fault_server.add("/f.bin", Resource(SIZE_BYTES + 1, seed=2))
    options = TaskOptions(mirrors=serve(mirrors), expected_bytes=SIZE_BYTES)
    task = await fetch(await engines(max_retries=0), url, options=options)
    assert is_whole(task, FILE)


async def test_a_wrong_length_alone_fails_with_both(engines: Engines, fault_server: FaultServer) -> None:
    """Nothing of another file is fetched."""
    url = fault_server.add("/f.bin", FILE)
    task = await fetch(await engines(), url, options=TaskOptions(expected_bytes=5))
    assert (task.status, task.reason) == (Status.FAILED, Reason.LENGTH_MISMATCH)
    assert str(SIZE_BYTES) in task.reason_text
    assert "5 bytes" in task.reason_text or "has 5" in task.reason_text


async def test_one_that_dies_half_way_loses_its_share(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """What is missing comes from the others, in the same attempt."""
    url = fault_server.add("/f.bin", FILE, tempers.pace(PACE_BPS // 2))
    engine = await engines(max_retries=0)
    task = await engine.add(url, options=TaskOptions(mirrors=serve(mirrors, FILE, tempers.pace(PACE_BPS))))
    await until(lambda: received(engine, task) > MIB // 2)
    await fault_server.aclose()
    assert is_whole(await ended(engine, task), FILE)


async def test_a_slow_one_loses_its_share(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """Its connections are replaced by ones to quicker sources."""
    url = fault_server.add("/f.bin", FILE, tempers.pace(PACE_BPS // 2))
    slow = serve(mirrors[:1], FILE, tempers.pace(20_000))
    engine = await engines(connections=3)
    task = await fetch(engine, url, options=TaskOptions(mirrors=slow))
    assert is_whole(task, FILE)
    assert mirrors[0].bytes_sent("/f.bin") < SIZE_BYTES // 8


@pytest.mark.usefixtures("sure_growth")
async def test_a_liar_is_found_by_its_pieces_and_named(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """Its bytes are fetched again from the others; the file is right and the log says who it was."""
    pace = tempers.pace_until(lambda: mirrors[1].bytes_sent("/f.bin") > PIECE_BYTES, MIB / 2, PACE_BPS)
    url = fault_server.add("/f.bin", FILE, pace)
    honest = serve(mirrors[:1], FILE, pace)
    liar = serve(mirrors[1:], Resource(SIZE_BYTES, seed=2), tempers.pace(PACE_BPS))
    engine = await engines(max_retries=0)
    options = TaskOptions(mirrors=honest + liar, pieces=pieces_of(), expected_bytes=SIZE_BYTES, checksum=SHA256)
    task = await fetch(engine, url, options=options)
    assert is_whole(task, FILE)
    assert mirrors[1].bytes_sent("/f.bin") > 0
    assert "127.0.0.3" in await log_of(engine, task)
    assert "it sent are wrong" in await log_of(engine, task)


async def test_a_liar_that_comes_first_is_found_too(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """The address that was named may be the wrong one."""
    url = fault_server.add("/f.bin", Resource(SIZE_BYTES, seed=2), tempers.pace(PACE_BPS))
    options = TaskOptions(mirrors=serve(mirrors, FILE, tempers.pace(PACE_BPS)), pieces=pieces_of(), checksum=SHA256)
    task = await fetch(await engines(max_retries=0), url, options=options)
    assert is_whole(task, FILE)


async def test_a_single_source_with_wrong_pieces_fails_with_the_reason(
    engines: Engines, fault_server: FaultServer
) -> None:
    """The bad file never gets its name, and is not fetched for ever."""
    url = fault_server.add("/f.bin", Resource(SIZE_BYTES, seed=2))
    task = await fetch(await engines(), url, options=TaskOptions(pieces=pieces_of()))
    assert (task.status, task.reason) == (Status.FAILED, Reason.DIGEST_MISMATCH)
    assert "f.bin" not in engines.names()
    assert fault_server.bytes_sent("/f.bin") < 6 * SIZE_BYTES


async def test_without_pieces_a_wrong_whole_is_fetched_from_one_alone(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """Nobody can say who lied, so the next attempt asks one source, and another one after that."""
    url = fault_server.add("/f.bin", Resource(SIZE_BYTES, seed=2))
    options = TaskOptions(mirrors=serve(mirrors), checksum=SHA256)
    task = await fetch(await engines(max_retries=0), url, options=options)
    assert is_whole(task, FILE)


async def test_held_bytes_are_finished_elsewhere(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """The address that began is gone; with a known digest nothing is fetched twice."""
    options = TaskOptions(mirrors=serve(mirrors, Resource(SIZE_BYTES, etag='"their own"')), checksum=SHA256)
    url, task = await half_done(engines, fault_server, "/f.bin", FILE, options=options, connections=1)
    fault_server.script("/f.bin", lies.status(404))
    assert url == task.url
    done = await ended(await engines(journal=engines.journal, max_retries=0), task)
    assert is_whole(done, FILE)
    assert sum(server.bytes_sent("/f.bin") for server in mirrors) < SIZE_BYTES


async def test_what_was_begun_elsewhere_goes_on_there(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """The bytes held are of the mirror's version: it is asked first, not the address that failed."""
    mirror_url = mirrors[0].add("/f.bin", FILE, tempers.stall_after(MIB + MIB // 2))
    url = fault_server.add("/f.bin", FILE, lies.status(503))
    engine = await engines(journal=engines.journal, connections=1)
    task = await engine.add(url, options=TaskOptions(mirrors=(mirror_url,)))
    await until(lambda: received(engine, task) >= MIB + MIB // 2)
    await engines.close(engine)
    mirrors[0].script("/f.bin")
    fault_server.replace("/f.bin", Resource(SIZE_BYTES, seed=2, etag='"v2"'))
    fault_server.script("/f.bin")
    sent = mirrors[0].bytes_sent("/f.bin")
    done = await ended(await engines(journal=engines.journal, connections=1), task)
    assert is_whole(done, FILE)
    assert mirrors[0].bytes_sent("/f.bin") - sent < SIZE_BYTES - MIB


async def test_secrets_stay_with_the_address_they_were_given_for(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """A mirror is somebody else."""
    url = fault_server.add("/f.bin", FILE, tempers.pace(PACE_BPS))
    options = TaskOptions(
        mirrors=serve(mirrors, FILE, tempers.pace(PACE_BPS)),
        headers=(("Authorization", "Bearer secret"), ("Cookie", "a=b"), ("X-Api-Key", "key")),
    )
    await fetch(await engines(), url, options=options)
    seen = [log.headers for server in mirrors for log in server.requests]
    assert seen
    assert not any({"authorization", "cookie", "x-api-key"} & set(headers) for headers in seen)


async def _linked(engines: Engines, fault_server: FaultServer, mirror: FaultServer, link: str, **settings: Any) -> None:
    mirror.add("/f.bin", FILE, tempers.pace(PACE_BPS))
    url = fault_server.add("/f.bin", FILE, all_of(tempers.pace(PACE_BPS), lies.with_header("Link", link)))
    task = await fetch(await engines(**settings), url)
    assert is_whole(task, FILE)


async def test_duplicates_that_the_server_names_are_used(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """RFC 6249: `Link: <...>; rel=duplicate`, where they agree."""
    link = f"<{mirrors[0].url('/f.bin')}>; rel=duplicate; pri=1"
    await _linked(engines, fault_server, mirrors[0], link)
    assert mirrors[0].bytes_sent("/f.bin") > 0


@pytest.mark.parametrize(
    "link",
    ["<file:///etc/passwd>; rel=duplicate", "<", "<http://[>; rel=duplicate", "x" * 8000],
    ids=["file:", "half", "no host", "long"],
)
async def test_links_that_lead_nowhere_are_passed_over(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer], link: str
) -> None:
    """A server's nonsense costs nothing."""
    await _linked(engines, fault_server, mirrors[0], link)
    assert mirrors[0].bytes_sent("/f.bin") == 0


@pytest.mark.usefixtures("sure_growth")
async def test_the_sources_of_a_running_task_can_be_seen(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """Who works, and who is asked no more and why."""
    url = fault_server.add("/f.bin", FILE, tempers.pace(PACE_BPS // 4))
    others = serve(mirrors[:1], FILE, tempers.pace(PACE_BPS // 4)) + serve(mirrors[1:], FILE, lies.status(404))
    engine = await engines()
    task = await engine.add(url, options=TaskOptions(mirrors=others))
    await until(lambda: mirrors[0].active_requests and mirrors[1].requests)
    details = await engine.details(task.id)
    assert details is not None
    assert [one.host.split(":")[0] for one in details.sources] == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    assert details.sources[1].connections >= 1
    assert is_whole(await ended(engine, task), FILE)


async def test_a_metalink_of_three_each_bad_in_its_way(
    engines: Engines, fault_server: FaultServer, mirrors: list[FaultServer]
) -> None:
    """One is slow, one lies about content, one dies half way: the file is right, and the liar is named."""
    file = Resource(MIB + PIECE_BYTES)
    slow = fault_server.add("/f.bin", file, tempers.pace(MIB // 4))
    liar = mirrors[0].add("/f.bin", Resource(file.size_bytes, seed=2), tempers.pace(PACE_BPS))
    dying = mirrors[1].add("/f.bin", file, tempers.pace(MIB))
    hexes = "".join(f"<hash>{one}</hash>" for one in parse_pieces(pieces_of(size_bytes=file.size_bytes)).hexes)
    document = f"""<?xml version="1.0" encoding="UTF-8"?>
        <metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="f.bin"><size>{file.size_bytes}</size>
        <hash type="sha-256">{oracle.sha256_of(1, file.size_bytes)}</hash>
        <pieces length="{PIECE_BYTES}" type="sha-256">{hexes}</pieces>
        <url priority="3">{slow}</url><url priority="1">{liar}</url><url priority="2">{dying}</url>
        </file></metalink>"""
    (entry,) = parse_metalink(document.encode(), "f.meta4").files
    new = entry.task(str(engines.dir), TaskOptions())
    assert (new.url, new.options.mirrors) == (liar, (dying, slow))
    engine = await engines(max_retries=0)
    (task,) = await engine.add_many([new])
    await until(lambda: mirrors[1].bytes_sent("/f.bin") > 150_000)
    await mirrors[1].aclose()
    done = await ended(engine, task)
    assert is_whole(done, file)
    story = await log_of(engine, task)
    assert "127.0.0.2" in story
    assert "wrong" in story
