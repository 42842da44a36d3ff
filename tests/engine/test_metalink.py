"""A Metalink that comes as an answer: its files are fetched, itself only where that is asked for."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import LARGE_BYTES, MIB, ended, fetch, half_done, is_whole, log_of
from tests.engine.test_pieces import pieces_of
from tests.faults import Resource, first, lies, oracle, tempers
from tests.faults.script import Body
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.events import EventKind
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tests.faults.script import Exchange, Fault, Reply
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

SMALL = Resource(20_000)
LARGE = Resource(LARGE_BYTES)
TYPE = "application/metalink4+xml"
PIECE = 256 * 1024


def described(resource: Resource, name: str, *urls: str, pieces: int = 0) -> str:
    """Return the element of one file, digest and length as its content has them."""
    body = oracle.content(resource.seed, 0, resource.size_bytes)
    lines = [f"<size>{len(body)}</size>", f'<hash type="sha-256">{hashlib.sha256(body).hexdigest()}</hash>']
    if pieces:
        values = [hashlib.sha1(body[at : at + pieces]).hexdigest() for at in range(0, len(body), pieces)]
        hashes = "".join(f"<hash>{value}</hash>" for value in values)
        lines.append(f'<pieces length="{pieces}" type="sha-1">{hashes}</pieces>')
    lines += [f"<url>{url}</url>" for url in urls]
    return f'<file name="{name}">{"".join(lines)}</file>'


def document(*files: str) -> Resource:
    """Return a Metalink as a server has it."""
    text = f'<?xml version="1.0"?><metalink xmlns="urn:ietf:params:xml:ns:metalink">{"".join(files)}</metalink>'
    return Resource(body=text.encode(), content_type=TYPE)


async def all_rows(engine: AsyncDownloadEngine) -> dict[str, DownloadTask]:
    """Return every row by its name, when nothing is left to do."""
    await engine.wait()
    return {task.filename: task for task in await engine.rows(await engine.view(TaskQuery()))}


async def test_the_files_of_a_metalink_are_fetched(engines: Engines, fault_server: FaultServer) -> None:
    """Under the names it gives; the Metalink itself leaves no file."""
    one = fault_server.add("/x/1", SMALL)
    two = fault_server.add("/x/2", LARGE)
    url = fault_server.add("/all.meta4", document(described(SMALL, "one.bin", one), described(LARGE, "two.bin", two)))
    engine = await engines()
    task = await fetch(engine, url)
    assert (task.status, task.reason) == (Status.SKIPPED, None)
    assert "2 files" in task.reason_text
    rows = await all_rows(engine)
    assert is_whole(rows["one.bin"], SMALL)
    assert is_whole(rows["two.bin"], LARGE)
    assert engines.names() == ["one.bin", "two.bin"]
    assert rows["one.bin"].parent_id == task.id
    assert {event.task.filename for event in engines.events if event.kind is EventKind.ADDED} >= {"one.bin", "two.bin"}


async def test_waiting_for_a_metalink_waits_for_its_files(engines: Engines, fault_server: FaultServer) -> None:
    """Whoever added it wants them."""
    url = fault_server.add("/f.meta4", document(described(LARGE, "f.bin", fault_server.add("/f", LARGE))))
    engine = await engines()
    result = await engine.wait([await engine.add(url)])
    assert (result.total, result.success, result.skipped, result.failed) == (2, 1, 1, 0)
    assert engines.names() == ["f.bin"]


async def test_a_metalink_is_known_by_its_type_alone(engines: Engines, fault_server: FaultServer) -> None:
    """Whatever its address is called."""
    url = fault_server.add("/download", document(described(SMALL, "f.bin", fault_server.add("/f", SMALL))))
    engine = await engines()
    await fetch(engine, url)
    await engine.wait()
    assert engines.names() == ["f.bin"]


async def test_a_metalink_is_known_by_its_name_alone(engines: Engines, fault_server: FaultServer) -> None:
    """Many servers know no type for it."""
    metalink = document(described(SMALL, "f.bin", fault_server.add("/f", SMALL)))
    url = fault_server.add("/f.meta4", replace(metalink, content_type="text/plain"))
    engine = await engines()
    await fetch(engine, url)
    await engine.wait()
    assert engines.names() == ["f.bin"]


async def test_what_is_said_to_be_a_metalink_is_one(engines: Engines, fault_server: FaultServer) -> None:
    """`--metalink URL` needs neither."""
    metalink = document(described(SMALL, "f.bin", fault_server.add("/f", SMALL)))
    url = fault_server.add("/get", replace(metalink, content_type="text/plain"))
    engine = await engines()
    await fetch(engine, url, options=TaskOptions(is_metalink=True))
    await engine.wait()
    assert engines.names() == ["f.bin"]


async def test_the_metalink_itself_can_be_kept(engines: Engines, fault_server: FaultServer) -> None:
    """As `--no-follow-metalink` asks."""
    metalink = document(described(SMALL, "f.bin", fault_server.add("/f", SMALL)))
    url = fault_server.add("/f.meta4", metalink)
    task = await fetch(await engines(follow_metalink=False), url)
    assert is_whole(task, metalink)
    assert engines.names() == ["f.meta4"]


async def test_a_coded_metalink_of_unknown_length_is_read(engines: Engines, fault_server: FaultServer) -> None:
    """gzip, chunked."""
    metalink = document(described(SMALL, "f.bin", fault_server.add("/f", SMALL)))
    url = fault_server.add("/f.meta4", metalink, tempers.gzip_encoded(), tempers.chunked)
    engine = await engines()
    await fetch(engine, url)
    await engine.wait()
    assert engines.names() == ["f.bin"]


@pytest.mark.parametrize(
    ("resource", "reason", "words"),
    [
        (Resource(body=b"<html>", content_type=TYPE), Reason.BAD_METALINK, "f.meta4: not XML"),
        (document('<file name="../x"><url>http://a.example.com/</url></file>'), Reason.BAD_METALINK, "leads out"),
        (Resource(body=b"<html>log in</html>", content_type="text/html"), Reason.WEB_PAGE, "a web page"),
        (Resource(17 * MIB, content_type=TYPE), Reason.TOO_LARGE, "longer than any"),
    ],
)
async def test_a_metalink_that_cannot_be_used_fails(
    engines: Engines, fault_server: FaultServer, resource: Resource, reason: Reason, words: str
) -> None:
    """It says what is wrong, is asked for once, and nothing is left."""
    engine = await engines()
    task = await fetch(engine, fault_server.add("/f.meta4", resource))
    assert (task.status, task.reason) == (Status.FAILED, reason)
    assert words in task.reason_text
    assert engines.names() == []
    assert len(fault_server.requests) == 1


async def test_a_bomb_of_gzip_is_not_unpacked(engines: Engines, fault_server: FaultServer) -> None:
    """Only up to the bound."""
    bomb = Resource(body=gzip.compress(bytes(64 * MIB)), content_type=TYPE)
    url = fault_server.add("/f.meta4", bomb, lies.with_header("Content-Encoding", "gzip"))
    task = await fetch(await engines(), url)
    assert (task.status, task.reason) == (Status.FAILED, Reason.TOO_LARGE)


async def test_a_name_and_a_digest_that_were_given_are_the_files(engines: Engines, fault_server: FaultServer) -> None:
    """Nobody means the Metalink with them."""
    url = fault_server.add("/f.meta4", document(described(SMALL, "f.bin", fault_server.add("/f", SMALL))))
    engine = await engines()
    options = TaskOptions(checksum=f"sha256={'0' * 64}")
    await fetch(engine, url, name="mine.bin", options=options)
    rows = await all_rows(engine)
    failed = [task for task in rows.values() if task.status is Status.FAILED]
    assert [task.reason for task in failed] == [Reason.DIGEST_MISMATCH]
    assert "0" * 64 in failed[0].reason_text


async def test_a_name_for_several_files_is_refused(engines: Engines, fault_server: FaultServer) -> None:
    """With the reason."""
    inner = fault_server.add("/f", SMALL)
    url = fault_server.add("/f.meta4", document(described(SMALL, "a", inner), described(SMALL, "b", inner)))
    task = await fetch(await engines(), url, name="mine.bin")
    assert task.reason is Reason.BAD_METALINK
    assert "2 files" in task.reason_text


async def test_asked_for_again_it_goes_on_with_its_files(engines: Engines, fault_server: FaultServer) -> None:
    """What failed is tried again; what is there stays; what was removed is fetched again."""
    one = fault_server.add("/1", SMALL)
    two = fault_server.add("/2", LARGE, lies.status(404))
    three = fault_server.add("/3", SMALL)
    files = (described(SMALL, "1", one), described(LARGE, "2", two), described(SMALL, "3", three))
    url = fault_server.add("/f.meta4", document(*files))
    engine = await engines()
    first = await fetch(engine, url)
    rows = await all_rows(engine)
    assert rows["2"].reason is Reason.NOT_FOUND
    engines.path("3").unlink()
    fault_server.script("/2")
    await engine.execute(Command(CommandName.RETRY, ids=(first.id,)))
    rows = await all_rows(engine)
    assert engines.names() == ["1", "2", "3"]
    assert is_whole(rows["2"], LARGE)


async def test_what_was_passed_over_is_in_the_log(engines: Engines, fault_server: FaultServer) -> None:
    """Nothing is dropped in silence."""
    inner = fault_server.add("/f", SMALL)
    odd = described(SMALL, "f.bin", inner).replace("</file>", "<metaurl mediatype='torrent'>x</metaurl></file>")
    engine = await engines()
    task = await fetch(engine, fault_server.add("/f.meta4", document(odd)))
    assert "torrent" in await log_of(engine, task)


async def test_credentials_do_not_go_where_a_metalink_points(engines: Engines, fault_server: FaultServer) -> None:
    """Neither a header that was given for its address nor what --user gave."""
    elsewhere = fault_server.add("/f", SMALL).replace("127.0.0.1", "localhost")
    file = f'<file name="f.bin"><url>{elsewhere}</url></file>'
    url = fault_server.add("/f.meta4", document(file))
    engine = await engines(user="me:secret", referer="http://r.example.com/", verify="auto")
    await fetch(engine, url, options=TaskOptions(headers=(("X-Token", "secret"), ("User-Agent", "mine"))))
    await engine.wait()
    assert engines.names() == ["f.bin"]
    assert fault_server.requests[0].headers["x-token"] == "secret"
    others = [request.headers for request in fault_server.requests if request.path != "/f.meta4"]
    # The file, and the lists of digests that are looked for beside it.
    assert len(others) > 1
    assert {headers["user-agent"] for headers in others} == {"mine"}
    assert not any({"authorization", "x-token", "referer"} & set(headers) for headers in others)


def pieced(resource: Resource, *, whole: bool) -> TaskOptions:
    """Return options with the pieces of a resource, and its digest."""
    body = oracle.content(resource.seed, 0, resource.size_bytes)
    checksum = f"sha256={hashlib.sha256(body).hexdigest()}" if whole else ""
    return TaskOptions(pieces=str(pieces_of(body, PIECE)), checksum=checksum)


def spoils(*offsets: int) -> Fault:
    """Carry wrong bytes at these offsets of the file, under the same validator."""

    def fault(_exchange: Exchange, reply: Reply) -> Reply:
        body = bytearray(reply.body.read(0, reply.body.length_bytes))
        for offset in offsets:
            if reply.body.start <= offset < reply.body.end:
                body[offset - reply.body.start] ^= 0xFF
        return replace(reply, body=Body(0, bytes(reply.body.start) + bytes(body), reply.body.start, reply.body.end))

    return fault


@pytest.mark.parametrize("whole", [True, False], ids=["with the digest", "pieces alone"])
@pytest.mark.parametrize("connections", [1, 4])
async def test_only_wrong_pieces_are_fetched_again(
    engines: Engines, fault_server: FaultServer, *, whole: bool, connections: int
) -> None:
    """The rest of the file stays as it is."""
    url = fault_server.add("/f.bin", LARGE, first(1, spoils(5, MIB + 5)))
    engine = await engines(connections=connections)
    task = await fetch(engine, url, options=pieced(LARGE, whole=whole))
    assert is_whole(task, LARGE)
    assert fault_server.bytes_sent("/f.bin") <= LARGE_BYTES + 3 * PIECE
    assert engines.names() == ["f.bin"]


@pytest.mark.parametrize("whole", [True, False], ids=["with the digest", "pieces alone"])
async def test_a_piece_that_stays_wrong_fails_the_file(
    engines: Engines, fault_server: FaultServer, *, whole: bool
) -> None:
    """With both values of the piece; it never gets its name."""
    url = fault_server.add("/f.bin", LARGE, spoils(MIB + 5))
    task = await fetch(await engines(connections=1), url, options=pieced(LARGE, whole=whole))
    assert (task.status, task.reason) == (Status.FAILED, Reason.DIGEST_MISMATCH)
    body = oracle.content(1, 0, LARGE_BYTES)
    assert hashlib.sha256(body[MIB : MIB + PIECE]).hexdigest() in task.reason_text
    assert f"{MIB}-{MIB + PIECE}" in task.reason_text
    assert "f.bin" not in engines.names()


async def test_a_retry_of_wrong_pieces_keeps_the_right_ones(engines: Engines, fault_server: FaultServer) -> None:
    """`r` starts over only where nothing tells which bytes are wrong."""
    url = fault_server.add("/f.bin", LARGE, spoils(MIB + 5))
    engine = await engines(connections=1)
    task = await fetch(engine, url, options=pieced(LARGE, whole=True))
    fault_server.script("/f.bin")
    before = fault_server.bytes_sent("/f.bin")
    await engine.execute(Command(CommandName.RETRY, ids=(task.id,)))
    assert is_whole(await ended(engine, task), LARGE)
    # The journal's extents are up to a MiB long, and those that a wrong piece touches are claimed no longer.
    assert fault_server.bytes_sent("/f.bin") - before <= 2 * MIB + PIECE


async def test_wrong_pieces_of_a_file_that_is_all_here_are_found(engines: Engines, fault_server: FaultServer) -> None:
    """A process ended between the last byte and the commit: the next one knows what to fetch."""
    body = oracle.content(1, 0, LARGE_BYTES)
    url, task = await half_done(
        engines, fault_server, "/f.bin", LARGE, spoils(5), options=pieced(LARGE, whole=True), connections=1
    )
    engine = await engines(journal=engines.journal, connections=1)
    task = await ended(engine, task)
    assert is_whole(task, LARGE)
    assert task.sha256 == hashlib.sha256(body).hexdigest()
    assert url


async def test_pieces_that_contradict_the_digest_fail_it(engines: Engines, fault_server: FaultServer) -> None:
    """Every piece is right and the whole is not: nothing that is fetched again would help."""
    url = fault_server.add("/f.bin", LARGE)
    options = replace(pieced(LARGE, whole=False), checksum=f"sha256={'0' * 64}")
    task = await fetch(await engines(connections=1), url, options=options)
    assert (task.status, task.reason) == (Status.FAILED, Reason.DIGEST_MISMATCH)
    assert "each of its pieces" in task.reason_text
    assert fault_server.bytes_sent("/f.bin") <= LARGE_BYTES + PIECE


async def test_a_small_file_with_pieces_is_checked_too(engines: Engines, fault_server: FaultServer) -> None:
    """It never reaches the disk in parts."""
    body = oracle.content(1, 0, SMALL.size_bytes)
    url = fault_server.add("/f.bin", SMALL, first(1, spoils(5)))
    options = TaskOptions(pieces=str(pieces_of(body, 4096)))
    engine = await engines()
    task = await fetch(engine, url, options=options)
    assert is_whole(task, SMALL)
    assert "piece 0" in await log_of(engine, task)


def add_command(url: str, **arguments: object) -> Command:
    """Return what the add dialog sends for one line."""
    return Command(CommandName.ADD, arguments={"downloads": [{"url": url, **arguments}]})


async def test_a_file_of_this_machine_is_added_by_its_path(engines: Engines, fault_server: FaultServer) -> None:
    """As an address is, on the screen and by other programs."""
    engine = await engines()
    engines.dir.mkdir()
    metalink = document(described(SMALL, "f.bin", fault_server.add("/f", SMALL)))
    engines.path("m.meta4").write_bytes(metalink.body or b"")
    outcome = await engine.execute(add_command("m.meta4"))
    assert outcome.changed == 1
    await engine.wait()
    assert engines.names() == ["f.bin", "m.meta4"]


@pytest.mark.parametrize(("path", "words"), [("gone.meta4", "gone.meta4: cannot be read"), ("x\0.meta4", "cannot be")])
async def test_a_path_that_leads_nowhere_is_refused(engines: Engines, path: str, words: str) -> None:
    """In words, at once."""
    engine = await engines()
    with pytest.raises(UsageError, match=words):
        await engine.execute(add_command(path))
