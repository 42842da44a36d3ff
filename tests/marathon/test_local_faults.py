"""Faults of this machine under a running engine: disks, folders, part files, descriptors, other processes."""

from __future__ import annotations

import fcntl
import os
import shutil
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.faults import oracle
from tests.marathon.grounds import fill, needs_root, read_only, tmpfs
from tests.marathon.rig import FILE_NAME, KIB, MIB, Engine, Server, require_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE_BYTES = 8 * MIB
PART_NAME = FILE_NAME + ".tui-dl.part"
NO_TRAFFIC_S = 5.0
"""So long a full disk is watched: the server must not be asked meanwhile."""
GOES_ON_S = 8.0
"""Within this time after the fault is gone the engine must have gone on by itself and ended."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One file that takes about a second, and two small ones."""
    with Server(tmp_path, "--pace", "4e6", size_bytes=SIZE_BYTES, small=2) as running:
        yield running


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Make the engine with its journal and folder, not started."""
    with Engine(tmp_path, "connections=2", "retry_delay=0.05") as made:
        yield made


def half_way(server: Server) -> bool:
    """Whether about a third of the bytes was sent."""
    return server.sent_bytes > server.total_bytes // 3


def ends_whole(engine: Engine, server: Server, *words: str, patience_s: float = 60.0) -> None:
    """Raise unless the present run, or a new one with these words, ends with all files whole and nothing else."""
    if engine.process is None:
        engine.start(*words)
    assert engine.end(patience_s) == 0, engine.story
    require_whole(engine.folder, server)


@pytest.mark.marathon
@needs_root
@pytest.mark.parametrize(
    ("settings", "reason"),
    [((), "low-space"), (("min_free=0",), "disk-full"), (("min_free=0", "preallocate=off"), "disk-full")],
    ids=["watermark", "reserved", "sparse"],
)
def test_full_disk_goes_on_by_itself(tmp_path: Path, server: Server, settings: tuple[str, ...], reason: str) -> None:
    """A full disk stops its task with the reason, others go on, and room lets it go on without anybody's doing."""
    elsewhere = tmp_path / "elsewhere"
    with tmpfs(tmp_path / "disk", 12 * MIB) as disk, Engine(tmp_path, *settings, folder=disk / "here") as engine:
        filler = fill(disk, leave_bytes=4 * MIB)
        engine.start(server.urls[0], "--into", str(elsewhere), server.urls[1])
        engine.until("waiting", reason=reason)
        engine.until("completed", url=server.urls[1])
        sent_bytes = server.sent_bytes
        assert not engine.watch(partial(server.has_sent, sent_bytes + MIB), NO_TRAFFIC_S), "it fetches in vain"
        filler.unlink()
        assert engine.end(GOES_ON_S) == 0, engine.story
        assert oracle.check(engine.folder / FILE_NAME, server.seed, SIZE_BYTES) is None
        assert [one.name for one in engine.folder.iterdir()] == [FILE_NAME]
        assert server.sent_bytes <= server.total_bytes + 4 * MIB


@pytest.mark.marathon
@needs_root
@pytest.mark.parametrize("leave_kib", [0, 8, 40, 100])
def test_journal_on_a_full_disk(tmp_path: Path, server: Server, leave_kib: int) -> None:
    """A journal whose own disk is full holds nothing up for good: with room again all ends, recorded."""
    with tmpfs(tmp_path / "disk", 2 * MIB) as disk, Engine(tmp_path, journal=disk / "journal.db") as engine:
        engine.start(*server.urls)
        engine.until("acknowledged", url=server.urls[-1])
        filler = fill(disk, leave_bytes=leave_kib * KIB)
        engine.watch(lambda: bool(engine.said("waiting") or engine.said("completed", url=server.urls[0])))
        filler.unlink()
        # What ended while there was no room is recorded by this run or found whole by the next one.
        assert engine.end() in (0, 1), engine.story
        ends_whole(engine, server)
        assert {row["status"] for row in engine.said("rows")[0]["rows"]} == {"completed"}


@pytest.mark.marathon
@needs_root
@pytest.mark.parametrize("is_from_the_start", [True, False])
def test_read_only_folder(engine: Engine, server: Server, is_from_the_start: bool) -> None:
    """A read-only folder fails its rows with that reason; a retry after it is writable ends whole."""
    if is_from_the_start:
        with read_only(engine.folder):
            assert engine.run(*server.urls) == 1, engine.story
    else:
        engine.start(*server.urls)
        engine.watch(lambda: half_way(server))
        with read_only(engine.folder):
            engine.end()
    assert all(line["reason"] in ("read-only", "folder-missing") for line in engine.said("failed")), engine.story
    ends_whole(engine, server, "--retry-failed")


@pytest.mark.marathon
def test_folder_removed_meanwhile(tmp_path: Path, engine: Engine, server: Server) -> None:
    """A folder that vanishes fails its rows with that reason, others go on, and a retry makes it again."""
    elsewhere = tmp_path / "elsewhere"
    engine.start(server.urls[0], "--into", str(elsewhere), server.urls[1])
    engine.watch(lambda: half_way(server))
    shutil.rmtree(engine.folder)
    assert engine.end() == 1, engine.story
    assert engine.said("failed", url=server.urls[0])[0]["reason"] == "folder-missing"
    assert engine.said("completed", url=server.urls[1])
    assert engine.run("--retry-failed") == 0, engine.story
    assert oracle.check(engine.folder / FILE_NAME, server.seed, SIZE_BYTES) is None


def flip(part: Path) -> None:
    """Change bytes that were written."""
    with part.open("r+b") as file:
        file.seek(100 * KIB)
        file.write(b"\0" * 100)


def cut(part: Path) -> None:
    """Cut a part file short."""
    os.truncate(part, 64 * KIB)


def swap(part: Path) -> None:
    """Put another file in its place."""
    size_bytes = part.stat().st_size
    part.unlink()
    part.write_bytes(bytes(size_bytes))


HARM = [pytest.param(flip, id="altered"), pytest.param(cut, id="cut"), pytest.param(os.unlink, id="deleted")]


@pytest.mark.marathon
@pytest.mark.parametrize("harm", [*HARM, pytest.param(swap, id="swapped")])
def test_part_file_harmed_between_runs(engine: Engine, server: Server, harm: object) -> None:
    """A part file that was changed between two runs is noticed: only what is wrong is fetched again."""
    assert callable(harm)
    engine.start(*server.urls)
    engine.watch(lambda: half_way(server))
    engine.kill()
    harm(engine.folder / PART_NAME)
    ends_whole(engine, server)
    if harm is flip:
        assert server.sent_bytes <= server.total_bytes + 4 * MIB


@pytest.mark.marathon
@pytest.mark.parametrize("harm", [*HARM, pytest.param(swap, id="swapped")])
def test_part_file_harmed_while_running(engine: Engine, server: Server, harm: object) -> None:
    """A part file that is changed under the engine never becomes a wrong file; a retry ends whole."""
    assert callable(harm)
    engine.start(*server.urls)
    engine.watch(lambda: half_way(server))
    harm(engine.folder / PART_NAME)
    code = engine.end()
    final = engine.folder / FILE_NAME
    assert not final.exists() or oracle.check(final, server.seed, SIZE_BYTES) is None
    if code:
        assert engine.said("failed", url=server.urls[0])[0]["reason"] == "part-lost"
        if harm is swap:
            (engine.folder / PART_NAME).unlink()
        assert engine.run("--retry-failed") == 0, engine.story
    require_whole(engine.folder, server)


@pytest.mark.marathon
@pytest.mark.parametrize("most_files", [14, 16, 18, 20, 22, 24, 28, 34, 40])
def test_few_descriptors(tmp_path: Path, server: Server, most_files: int) -> None:
    """With hardly any descriptors it works slower, waits or does not start; then it ends whole with enough."""
    with Engine(tmp_path, "connections=8", "concurrent_downloads=3") as engine:
        engine.start(*server.urls, under=["prlimit", f"--nofile={most_files}"])
        engine.watch(lambda: bool(engine.said("rows") or len(engine.said("waiting")) > 2))
        if engine.process is not None and engine.process.poll() is None and not engine.said("rows"):
            for line in engine.said("waiting"):
                assert line["reason"] == "too-many-files", line
            engine.kill()
        else:
            engine.end()
        assert all(figures["cpu_s"] < 5 for figures in engine.said("figures"))
        ends_whole(engine, server, *server.urls, "--retry-failed")


@pytest.mark.marathon
@pytest.mark.parametrize("kind", ["symlink", "dangling", "fifo", "folder"])
def test_target_is_no_file(tmp_path: Path, engine: Engine, server: Server, kind: str) -> None:
    """What stands under the final name stays as it is, and the file gets the next name."""
    target = engine.folder / FILE_NAME
    aim = tmp_path / "aim"
    match kind:
        case "symlink":
            aim.write_bytes(b"precious")
            target.symlink_to(aim)
        case "dangling":
            target.symlink_to(aim)
        case "fifo":
            os.mkfifo(target)
        case _:
            target.mkdir()
    assert engine.run(server.urls[0]) == 0, engine.story
    assert oracle.check(engine.folder / "file (1).bin", server.seed, SIZE_BYTES) is None
    assert not aim.exists() or aim.read_bytes() == b"precious"
    assert {one.name for one in engine.folder.iterdir()} == {FILE_NAME, "file (1).bin"}


@pytest.mark.marathon
def test_part_file_of_another_process(engine: Engine, server: Server) -> None:
    """A part file that another process holds is refused with that reason and untouched; then it goes on."""
    engine.start(*server.urls)
    engine.watch(lambda: half_way(server))
    engine.kill()
    with (engine.folder / PART_NAME).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        before = held.read()
        assert engine.run() == 1, engine.story
        assert engine.said("failed")[0]["reason"] == "part-busy"
        held.seek(0)
        assert held.read() == before
    ends_whole(engine, server, "--retry-failed")
    assert server.sent_bytes <= server.total_bytes + 4 * MIB


@pytest.mark.marathon
def test_two_engines_on_one_journal(tmp_path: Path, server: Server) -> None:
    """Two processes run their own tasks side by side; a killed one's are adopted by the next start."""
    journal, folder = tmp_path / "state" / "journal.db", tmp_path / "downloads"
    first_home, second_home = tmp_path / "first", tmp_path / "second"
    first_home.mkdir()
    second_home.mkdir()
    with (
        Engine(first_home, journal=journal, folder=folder) as first,
        Engine(second_home, journal=journal, folder=folder) as second,
    ):
        first.start(server.urls[0])
        first.until("started", url=server.urls[0])
        assert second.run(*server.urls[1:]) == 1, second.story
        assert {line["url"] for line in second.said("completed")} == set(server.urls[1:])
        first.watch(lambda: half_way(server))
        first.kill()
        ends_whole(second, server)
        assert second.said("completed", url=server.urls[0])
        assert server.sent_bytes <= server.total_bytes + 8 * MIB
