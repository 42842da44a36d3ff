"""`--continue`: half files of other tools go on where they stopped, or stay as they were."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import MIB, ended, is_whole, log_of, until
from tests.faults import Resource, lies, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import Reason
from tui_dl.core.settings import Settings
from tui_dl.core.status import Status
from tui_dl.core.task import Flag, OnExists, TaskOptions

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tui_dl.core.task import DownloadTask

TOTAL = 5 * MIB + 321
HALF = 3 * MIB + 123
FILE = Resource(TOTAL)
OTHER = Resource(TOTAL, seed=2)
MUST_FETCH = TOTAL - HALF
SAMPLES_BYTES = 10 * 64 * 1024 + 64 * 1024
"""Pieces and tail that are fetched for comparisons."""


def bytes_of(resource: Resource, start: int = 0, end: int | None = None) -> bytes:
    """Return what a version holds."""
    end = resource.length_bytes if end is None else end
    return resource.slice(start, end).read(0, end - start)


def laid(engines: Engines, name: str, content: bytes) -> Path:
    """Lay a file of another tool's into the folder."""
    engines.dir.mkdir(parents=True, exist_ok=True)
    path = engines.path(name)
    path.write_bytes(content)
    return path


async def go_on(engines: Engines, url: str, *, options: TaskOptions | None = None, **settings: Any) -> DownloadTask:
    """Fetch an address with `--continue`."""
    engine = await engines(journal=engines.journal, **settings)
    task = await engine.add(url, options=options or TaskOptions(continues=True))
    return await ended(engine, task)


def control_of(total: int, piece: int, bitfield: bytes, in_flight: bytes = b"", count: int = 0) -> bytes:
    """Return an aria2 control file, as version 1 writes it."""
    return (
        b"\0\1" + bytes(4) + bytes(4) + struct.pack(">IQQI", piece, total, 0, len(bitfield))
        + bitfield + struct.pack(">I", count) + in_flight
    )  # fmt: skip


@pytest.mark.parametrize("name", ["f.bin", "f.bin.part"])
@pytest.mark.parametrize("is_ordered", [False, True], ids=["split", "in order"])
async def test_a_beginning_goes_on(engines: Engines, fault_server: FaultServer, name: str, is_ordered: bool) -> None:
    """What curl, wget or yt-dlp left is kept; only the rest and what is compared is fetched."""
    laid(engines, name, bytes_of(FILE, 0, HALF))
    url = fault_server.add("/f.bin", FILE, tempers.pace(20e6))
    done = await go_on(engines, url, options=TaskOptions(continues=True, is_ordered=is_ordered))
    assert is_whole(done, FILE)
    assert engines.names() == ["f.bin"]
    assert done.flags == {Flag.VERSION_UNVERIFIED}
    assert sum(log.sent_bytes for log in fault_server.requests[1:]) <= MUST_FETCH + SAMPLES_BYTES


async def test_it_is_told_what_was_taken_over(engines: Engines, fault_server: FaultServer) -> None:
    """The log names the file."""
    path = laid(engines, "f.bin", bytes_of(FILE, 0, HALF))
    engine = await engines()
    task = await engine.add(fault_server.add("/f.bin", FILE), options=TaskOptions(continues=True))
    await ended(engine, task)
    assert f"took over {path}" in await log_of(engine, task)


async def test_without_being_asked_nothing_is_taken_over(engines: Engines, fault_server: FaultServer) -> None:
    """The default saves beside it."""
    mine = laid(engines, "f.bin", bytes_of(FILE, 0, HALF))
    done = await go_on(engines, fault_server.add("/f.bin", FILE), options=TaskOptions())
    assert is_whole(done, FILE)
    assert mine.read_bytes() == bytes_of(FILE, 0, HALF)
    assert engines.names() == ["f (1).bin", "f.bin"]


async def test_without_a_half_file_it_is_fetched(engines: Engines, fault_server: FaultServer) -> None:
    """Nothing there is no failure, and costs no further request."""
    done = await go_on(engines, fault_server.add("/f.bin", Resource(20_000)))
    assert is_whole(done, Resource(20_000))
    assert len(fault_server.requests) == 1


@pytest.mark.parametrize("size", [TOTAL, MIB // 2, 1000], ids=["large", "small", "tiny"])
async def test_a_whole_file_is_proven_and_stays(engines: Engines, fault_server: FaultServer, size: int) -> None:
    """Of a file that is complete only pieces are fetched; it keeps its name."""
    resource = Resource(size)
    laid(engines, "f.bin", bytes_of(resource))
    done = await go_on(engines, fault_server.add("/f.bin", resource, tempers.pace(20e6)))
    assert is_whole(done, resource)
    assert engines.names() == ["f.bin"]


@pytest.mark.parametrize("size", [MIB // 2, 1000, 1])
async def test_small_beginnings_go_on_too(engines: Engines, fault_server: FaultServer, size: int) -> None:
    """Of little, all is compared."""
    resource = Resource(size)
    laid(engines, "f.bin", bytes_of(resource, 0, size // 2))
    done = await go_on(engines, fault_server.add("/f.bin", resource))
    assert is_whole(done, resource)
    assert engines.names() == ["f.bin"]


UNFIT = pytest.mark.parametrize(
    ("content", "words"),
    [
        (bytes_of(OTHER, 0, HALF), "of another file or version"),
        (bytes_of(FILE, 0, HALF - 70_000) + os.urandom(70_000), "of another file or version"),
        (bytes_of(FILE) + b"more", "the server's file"),
    ],
    ids=["other version", "spoilt end", "longer"],
)


@UNFIT
async def test_what_does_not_fit_stays_as_it_was(
    engines: Engines, fault_server: FaultServer, content: bytes, words: str
) -> None:
    """The row fails with the reason, and the file is untouched."""
    mine = laid(engines, "f.bin", content)
    done = await go_on(engines, fault_server.add("/f.bin", FILE))
    assert (done.status, done.reason) == (Status.FAILED, Reason.NOT_CONTINUED)
    assert words in done.reason_text
    assert mine.read_bytes() == content
    assert engines.names() == ["f.bin"]


@UNFIT
async def test_overwrite_fetches_it_anew(
    engines: Engines, fault_server: FaultServer, content: bytes, words: str
) -> None:
    """Who says so gets the server's file in its place."""
    laid(engines, "f.bin", content)
    done = await go_on(engines, fault_server.add("/f.bin", FILE), on_exists="overwrite")
    assert is_whole(done, FILE)
    assert engines.names() == ["f.bin"]


async def test_retry_fetches_it_beside(engines: Engines, fault_server: FaultServer) -> None:
    """`r` after that starts over, and still leaves the file alone."""
    mine = laid(engines, "f.bin", bytes_of(OTHER, 0, HALF))
    engine = await engines()
    task = await engine.add(fault_server.add("/f.bin", FILE), options=TaskOptions(continues=True))
    await ended(engine, task)
    await engine.execute(Command(CommandName.RETRY, (task.id,)))
    assert is_whole(await ended(engine, task), FILE)
    assert mine.read_bytes() == bytes_of(OTHER, 0, HALF)
    assert engines.names() == ["f (1).bin", "f.bin"]


@pytest.mark.parametrize("fault", [lies.ignores_range, tempers.chunked], ids=["no ranges", "no length"])
async def test_what_cannot_be_compared_stays_as_it_was(engines: Engines, fault_server: FaultServer, fault: Any) -> None:
    """A server without ranges or lengths proves nothing."""
    mine = laid(engines, "f.bin", bytes_of(FILE, 0, HALF))
    faults = (lies.ignores_range, fault) if fault is tempers.chunked else (fault,)
    done = await go_on(engines, fault_server.add("/f.bin", FILE, *faults))
    assert (done.status, done.reason) == (Status.FAILED, Reason.NOT_CONTINUED)
    assert "cannot be compared" in done.reason_text
    assert mine.read_bytes() == bytes_of(FILE, 0, HALF)


async def test_without_any_validator_samples_are_enough(engines: Engines, fault_server: FaultServer) -> None:
    """A person asked for it; a server that names no version is no obstacle."""
    nameless = Resource(TOTAL, etag=None, last_modified_at=None)
    laid(engines, "f.bin", bytes_of(FILE, 0, HALF))
    done = await go_on(engines, fault_server.add("/f.bin", nameless))
    assert is_whole(done, FILE)
    assert done.flags == {Flag.VERSION_UNVERIFIED}


async def test_zeros_of_a_crash_are_fetched_again(engines: Engines, fault_server: FaultServer) -> None:
    """A beginning that ends in zeros or a hole counts up to its last bytes."""
    path = laid(engines, "f.bin", bytes_of(FILE, 0, MIB) + bytes(MIB))
    os.truncate(path, 4 * MIB)
    done = await go_on(engines, fault_server.add("/f.bin", FILE))
    assert is_whole(done, FILE)


async def test_zeros_within_are_found_out(engines: Engines, fault_server: FaultServer) -> None:
    """Blocks that a crash lost in the middle are compared, however few the samples are."""
    content = bytearray(bytes_of(FILE, 0, HALF))
    content[17 * 65536 : 18 * 65536] = bytes(65536)
    mine = laid(engines, "f.bin", bytes(content))
    done = await go_on(engines, fault_server.add("/f.bin", FILE))
    assert (done.status, done.reason) == (Status.FAILED, Reason.NOT_CONTINUED)
    assert mine.read_bytes() == content


async def test_of_aria2_only_what_its_control_file_says_counts(engines: Engines, fault_server: FaultServer) -> None:
    """Pieces without their bit are fetched, whatever they hold; blocks in flight count; the control file goes."""
    held = [(0, MIB), (2 * MIB, 3 * MIB)]
    content = bytearray(os.urandom(TOTAL))
    in_flight = struct.pack(">III", 3, MIB, 8) + b"\xf0" + bytes(7)
    for start, end in [*held, (3 * MIB, 3 * MIB + 4 * 16384)]:
        content[start:end] = bytes_of(FILE, start, end)
    laid(engines, "f.bin", bytes(content))
    laid(engines, "f.bin.aria2", control_of(TOTAL, MIB, b"\xa0", in_flight, 1))
    done = await go_on(engines, fault_server.add("/f.bin", FILE))
    assert is_whole(done, FILE)
    assert engines.names() == ["f.bin"]


@pytest.mark.parametrize(
    "control", [b"nonsense", control_of(TOTAL + 1, MIB, b"\xa0"), control_of(TOTAL, MIB, b"\xa0\0\0")]
)
async def test_a_control_file_that_does_not_fit_proves_nothing(
    engines: Engines, fault_server: FaultServer, control: bytes
) -> None:
    """Both files stay."""
    laid(engines, "f.bin", bytes_of(FILE))
    mine = laid(engines, "f.bin.aria2", control)
    done = await go_on(engines, fault_server.add("/f.bin", FILE))
    assert (done.status, done.reason) == (Status.FAILED, Reason.NOT_CONTINUED)
    assert mine.read_bytes() == control
    assert engines.names() == ["f.bin", "f.bin.aria2"]


async def test_a_file_that_somebody_has_open_is_left_alone(engines: Engines, fault_server: FaultServer) -> None:
    """The tool may still run; when it ended, the same add goes on."""
    mine = laid(engines, "f.bin", bytes_of(FILE, 0, HALF))
    url = fault_server.add("/f.bin", FILE)
    engine = await engines(journal=engines.journal)
    with mine.open("ab"):
        task = await engine.add(url, options=TaskOptions(continues=True))
        done = await ended(engine, task)
    assert (done.status, done.reason) == (Status.FAILED, Reason.PART_BUSY)
    assert mine.read_bytes() == bytes_of(FILE, 0, HALF)
    await engine.add(url, options=TaskOptions(continues=True))
    assert is_whole(await ended(engine, task), FILE)
    assert engines.names() == ["f.bin"]


@pytest.mark.parametrize("kind", ["link", "hard link", "folder", "fifo"])
async def test_what_is_no_plain_file_is_left_alone(engines: Engines, fault_server: FaultServer, kind: str) -> None:
    """Links, folders and pipes are neither followed nor moved."""
    mine = laid(engines, "mine", bytes_of(FILE, 0, HALF))
    path = engines.path("f.bin")
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        (path.symlink_to if kind == "link" else path.hardlink_to)(mine)
    done = await go_on(engines, fault_server.add("/f.bin", FILE))
    if kind == "hard link":
        assert (done.status, done.reason) == (Status.FAILED, Reason.NOT_CONTINUED)
    else:
        assert is_whole(done, FILE)
        assert engines.names() == ["f (1).bin", "f.bin", "mine"]
    assert mine.read_bytes() == bytes_of(FILE, 0, HALF)


async def test_what_was_taken_over_goes_on_after_a_stop(engines: Engines, fault_server: FaultServer) -> None:
    """From then on it is a part file like any other: quit, start, and nothing is fetched twice."""
    laid(engines, "f.bin", bytes_of(FILE, 0, HALF))
    url = fault_server.add("/f.bin", FILE, tempers.pace(2e6))
    engine = await engines(journal=engines.journal)
    task = await engine.add(url, options=TaskOptions(continues=True))
    await until(lambda: engines.names() == ["f.bin.tui-dl.part"])
    await engines.close(engine)
    fault_server.script("/f.bin")
    before = fault_server.bytes_sent("/f.bin")
    engine = await engines(journal=engines.journal)
    assert is_whole(await ended(engine, task), FILE)
    assert fault_server.bytes_sent("/f.bin") - before <= MUST_FETCH + 64 * 1024


async def test_two_of_one_name_do_not_take_each_others(engines: Engines, fault_server: FaultServer) -> None:
    """What this batch made is no half file: the second is saved beside it."""
    first, second = fault_server.add("/a/f.bin", FILE), fault_server.add("/b/f.bin", OTHER)
    engine = await engines()
    options = TaskOptions(continues=True)
    assert is_whole(await ended(engine, await engine.add(first, options=options)), FILE)
    assert is_whole(await ended(engine, await engine.add(second, options=options)), OTHER)
    assert engines.names() == ["f (1).bin", "f.bin"]


async def test_a_list_takes_over_rather_than_skips(engines: Engines, fault_server: FaultServer) -> None:
    """Lists leave alone what is there, unless they are to go on with it."""
    laid(engines, "f.bin", bytes_of(FILE, 0, HALF))
    options = TaskOptions(continues=True, on_exists=OnExists.SKIP)
    assert is_whole(await go_on(engines, fault_server.add("/f.bin", FILE), options=options), FILE)


async def test_a_name_of_the_servers_is_looked_for_too(engines: Engines, fault_server: FaultServer) -> None:
    """With curl -O the address names a file, with aria2 the server: both are looked for, the server's is given."""
    laid(engines, "f.bin", bytes_of(FILE, 0, HALF))
    named = Resource(TOTAL, content_disposition='attachment; filename="named.bin"')
    done = await go_on(engines, fault_server.add("/f.bin", named))
    assert is_whole(done, FILE)
    assert engines.names() == ["named.bin"]


def test_the_default_continues_nothing() -> None:
    """It is asked for task by task, never by a setting."""
    assert not hasattr(Settings(), "continues")
