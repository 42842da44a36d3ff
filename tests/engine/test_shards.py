"""Tar shards: exact numbers of samples, whole under their names, and taken up wherever a run broke off."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.shard_stage import COUNT, SMALL, Samples, contents
from tests.engine.stage import LARGE_BYTES, LIMIT_S, until
from tests.faults import FaultServer, Resource
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.events import Event, EventKind
from tui_dl.core.sharding import STAGING
from tui_dl.core.status import Status
from tui_dl.disk.shard_folder import ShardFolder
from tui_dl.engine.existing import Existing
from tui_dl.engine.shard_sink import ShardWish
from tui_dl.journal.shards import ShardBook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.engine.stage import Engines
    from tui_dl.core.sharding import Sample, Shard


@pytest.fixture
def samples(engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> Samples:
    """Serve files of one name and different contents; finished ones hardly wait for company."""
    monkeypatch.setattr("tui_dl.engine.shard_sink.GROUP_WAIT_S", 0.01)
    return Samples(engines, fault_server)


async def test_shards_hold_as_many_samples_as_asked_for(samples: Samples) -> None:
    """All but the last are full; nothing else is left in the folder; rows name shard and member."""
    assert await samples.run() == [f"shard-00000{number}.tar" for number in range(3)]
    await samples.require_exact()
    counts = Counter(path for path, _ in contents(samples.engines.dir))
    assert sorted(counts.values()) == [5, 10, 10]


async def test_a_file_is_completed_when_it_is_in_a_shard(samples: Samples) -> None:
    """Who watches is told of each once, with the shard's path and the member."""
    await samples.run()
    told = [event.task for event in samples.events if event.kind is EventKind.COMPLETED]
    assert {(task.path, task.member) for task in told} == contents(samples.engines.dir).keys()
    assert len(told) == COUNT


async def test_what_is_not_wanted_is_in_no_shard(samples: Samples) -> None:
    """The shards are as full as ever, of what is wanted."""
    unwanted = [url for url, resource in samples.resources.items() if resource.size_bytes > SMALL.size_bytes + 14]
    assert await samples.run(max_size=SMALL.size_bytes + 14) == ["shard-000000.tar", "shard-000001.tar"]
    await samples.require_exact(missing=unwanted)
    assert len(unwanted) == COUNT - 15


async def test_a_second_run_fetches_nothing_and_makes_nothing(samples: Samples, fault_server: FaultServer) -> None:
    """What is in a shard is there already."""
    await samples.run()
    asked = len(fault_server.requests)
    assert await samples.run() == []
    assert len(fault_server.requests) == asked
    await samples.require_exact()


READ_BY_WEBDATASET = """
import json, sys, webdataset
for one in webdataset.WebDataset(sys.argv[1:], shardshuffle=False).decode():
    payload, = (value for name, value in one.items() if name not in ("json", "__key__", "__url__", "__local_path__"))
    print(json.dumps([one["__key__"], one["json"]["key"], one["json"]["url"], len(payload)]))
"""


async def test_webdataset_reads_them(samples: Samples) -> None:
    """The library that names the convention sees each sample with its payload and its facts."""
    pytest.importorskip("webdataset")
    names = await samples.run()
    # In a process of its own: it leaves files to the collector.
    words = [sys.executable, "-c", READ_BY_WEBDATASET, *(str(samples.engines.dir / name) for name in names)]
    done = await asyncio.to_thread(subprocess.run, words, capture_output=True, check=True)
    read = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({key for key, *_ in read}) == COUNT
    assert all(key == told for key, told, *_ in read)
    assert {url: size for *_, url, size in read} == {url: one.size_bytes for url, one in samples.resources.items()}


async def test_what_failed_is_in_no_shard(samples: Samples, fault_server: FaultServer) -> None:
    """The others close up; the failed row stays failed, for the list of failures."""
    missing = fault_server.origin + "/gone.jpg"
    samples.resources[missing] = Resource(1)
    await samples.run()
    await samples.require_exact(missing=[missing])
    assert Counter(row.status for row in await samples.rows()) == {Status.COMPLETED: COUNT, Status.FAILED: 1}


async def test_large_files_and_small_ones_share_a_shard(samples: Samples, fault_server: FaultServer) -> None:
    """A file beyond one read is in the shard whole, in its place; so is an empty one."""
    for name, size_bytes in (("large.bin", LARGE_BYTES), ("empty", 0)):
        resource = Resource(size_bytes, seed=99)
        samples.resources[fault_server.add(f"/{name}", resource)] = resource
    await samples.run()
    await samples.require_exact()


STEPS = [
    (ShardBook, "begin", "before"),
    (ShardFolder, "begin", "before"),
    (ShardFolder, "begin", "after"),
    (ShardFolder, "append", "after"),
    (ShardBook, "add", "before"),
    (ShardBook, "add", "after"),
    (ShardFolder, "remove", "after"),
    (ShardFolder, "end", "before"),
    (ShardFolder, "end", "after"),
    (ShardBook, "end", "after"),
]


@pytest.mark.parametrize(("room", "method", "side"), STEPS)
async def test_broken_off_at_any_step_the_next_run_is_exact(
    samples: Samples, monkeypatch: pytest.MonkeyPatch, room: type, method: str, side: str
) -> None:
    """Bytes, record, removal, naming: whichever was the last that happened, no sample is lost or packed twice."""
    monkeypatch.setattr("tui_dl.engine.shard_sink.MOST_FILES", 4)
    original = getattr(room, method)
    calls = 0

    async def broken(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2 and side == "after":
            await original(*arguments)
        if calls >= 2:
            raise FileSystemError(Reason.IO_ERROR, "killed here")
        return await original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(room, method, broken)
        with pytest.raises(FileSystemError, match="killed here"):
            await samples.run()
    await samples.run()
    await samples.require_exact()


async def test_stopped_half_way_it_goes_on(samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop leaves an unfinished shard that the next run fills."""
    monkeypatch.setattr("tui_dl.engine.shard_sink.GROUP_WAIT_S", 0.0)
    async with samples.running():
        await until(lambda: any(event.kind is EventKind.COMPLETED for event in samples.events))
    assert list((samples.engines.dir / STAGING).iterdir())
    await samples.run()
    await samples.require_exact()


def _break(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(b"\0" * 512 + content[512:])


@pytest.mark.parametrize("tamper", [Path.unlink, _break, lambda path: path.write_bytes(path.read_bytes()[:600])])
async def test_an_unfinished_shard_that_was_tampered_with_is_made_anew(
    samples: Samples, monkeypatch: pytest.MonkeyPatch, tamper: Any
) -> None:
    """What it held is fetched again; what is left of it is kept aside."""
    monkeypatch.setattr("tui_dl.engine.shard_sink.GROUP_WAIT_S", 0.0)
    samples.wish = ShardWish(samples.wish.folder, 1000, samples.wish.pattern)
    async with samples.running():
        await until(lambda: any(event.kind is EventKind.COMPLETED for event in samples.events))
    (part,) = (samples.engines.dir / STAGING).glob("*.tar.part")
    await asyncio.to_thread(tamper, part)
    await samples.run()
    for aside in (samples.engines.dir / STAGING).glob("*.damaged"):
        aside.unlink()
    if (samples.engines.dir / STAGING).exists():
        (samples.engines.dir / STAGING).rmdir()
    await samples.require_exact()


async def test_a_shard_that_was_removed_is_fetched_again(samples: Samples) -> None:
    """Its files are wanted, so they come in a shard of another number."""
    await samples.run()
    (samples.engines.dir / "shard-000001.tar").unlink()
    assert await samples.run() == ["shard-000003.tar"]
    await samples.require_exact()


async def test_a_staged_file_that_was_taken_away_is_told_as_failed(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not silently missing, and fetched by the next run."""
    sizes = ShardFolder.sizes
    taken: list[str] = []

    async def thief(folder: ShardFolder, paths: Sequence[str]) -> list[int | None]:
        if not taken and paths:
            taken.append(paths[0])
            await asyncio.to_thread(Path(paths[0]).unlink)
        return await sizes(folder, paths)

    monkeypatch.setattr(ShardFolder, "sizes", thief)
    await samples.run()
    assert [event.task.reason for event in samples.events if event.kind is EventKind.FAILED] == [Reason.PART_LOST]
    await samples.run()
    await samples.require_exact()


async def test_a_full_disk_is_waited_for(samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    """Smaller and smaller groups are tried; where not one file has room it says so, and goes on by itself."""
    monkeypatch.setattr("tui_dl.engine.shard_sink.PATIENCE_S", 0.01)
    append, notices, groups = ShardFolder.append, [], []
    refusals = iter(range(12))

    async def full(folder: ShardFolder, fd: int, offset: int, wanted: Sequence[Sample]) -> tuple[int, str]:
        groups.append(len(wanted))
        if next(refusals, None) is not None:
            notices.append(sharded.snapshot().notices)
            raise FileSystemError(Reason.DISK_FULL, "the disk is full", is_retryable=True)
        return await append(folder, fd, offset, wanted)

    monkeypatch.setattr(ShardFolder, "append", full)
    async with asyncio.timeout(LIMIT_S), samples.running() as sharded:
        await sharded.wait()
        assert sharded.snapshot().notices == ()
    assert notices[0] == ()
    assert "Make room" in notices[-1][0]
    assert groups[11:14] == [1, 1, 2]
    await samples.require_exact()


async def test_shards_of_others_are_left_alone(samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is taken is passed over; one that is taken while the shard is made gets a number."""
    samples.engines.dir.mkdir()
    names = ("shard-000000.tar", "shard-000001.tar")
    samples.engines.path(names[0]).write_bytes(b"mine")
    end = ShardFolder.end

    async def late(folder: ShardFolder, fd: int, shard: Shard) -> None:
        await asyncio.to_thread(samples.engines.path(names[1]).write_bytes, b"mine")
        await end(folder, fd, shard)

    monkeypatch.setattr(ShardFolder, "end", late)
    assert await samples.run() == ["shard-000001 (1).tar", "shard-000002.tar", "shard-000003.tar"]
    for name in names:
        assert samples.engines.path(name).read_bytes() == b"mine"
        samples.engines.path(name).unlink()
    await samples.require_exact()


async def test_two_do_not_write_shards_into_one_folder(samples: Samples) -> None:
    """The second is refused at once, with the folder named."""
    async with samples.running():
        with pytest.raises(FileSystemError, match="another tui-dl writes shards"):
            await ShardFolder.open(str(samples.engines.dir))


@pytest.mark.parametrize(
    ("folder", "below"),
    [
        ("", ""),
        ("cats", "/cats"),
        ("cats/big", "/cats/big"),
        (f"{STAGING}/files", ""),
        (f"{STAGING}/files/cats", "/cats"),
    ],
)
async def test_files_arrive_where_their_folders_say_below_the_staging_folder(
    samples: Samples, fault_server: FaultServer, folder: str, below: str
) -> None:
    """Also those that name it themselves, as rows of an earlier run do; the facts tell of the folder."""
    samples.resources.clear()
    samples.folder = folder
    samples.resources[fault_server.add("/a.bin", SMALL)] = SMALL
    await samples.run()
    (row,) = await samples.rows()
    assert row.dir == str(samples.engines.dir / STAGING / "files") + below
    await samples.require_exact()


async def test_a_folder_elsewhere_has_no_place_in_a_shard(samples: Samples, tmp_path: Path) -> None:
    """Its files are in the shards of the run, and nothing is made there."""
    samples.folder = str(tmp_path / "elsewhere")
    await samples.run()
    await samples.require_exact()
    assert not (tmp_path / "elsewhere").exists()


async def test_a_file_that_is_packed_while_its_row_is_looked_up_is_not_fetched_again(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing moves between the reading of a row and the look for its file."""
    monkeypatch.setattr("tui_dl.engine.shard_sink.GROUP_WAIT_S", 0.5)
    gone = Existing.gone
    moved = asyncio.Event()

    async def slow(existing: Existing, *arguments: Any, **names: Any) -> list[int]:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.6):
                await moved.wait()
        return await gone(existing, *arguments, **names)

    def hear(event: Event) -> None:
        if event.kind is EventKind.COMPLETED:
            moved.set()

    async with asyncio.timeout(LIMIT_S), samples.running() as sharded:
        sharded.subscribe(hear)
        await until(lambda: sum(one.kind is EventKind.COMPLETED for one in samples.engines.events) == COUNT)
        assert not moved.is_set()
        monkeypatch.setattr(Existing, "gone", slow)
        outcomes = await sharded.add_checked(samples.news(), batch="list")
        assert not any(outcome.is_new for outcome in outcomes)
        await sharded.wait()
    await samples.require_exact()
