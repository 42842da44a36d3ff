"""The library as its users write it: progress, own retry rules, results, statistics, many tasks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.plain_server import PlainServer
from tests.engine.stage import LARGE_BYTES, MIB, ended, fetch, is_whole, received, until
from tests.faults import Resource, first, lies, oracle, tempers
from tui_dl import MEMORY, AsyncDownloadEngine, DownloadProgress, DownloadResult
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import FileSystemError, Reason, UsageError
from tui_dl.core.settings import Settings
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions
from tui_dl.engine.transfer import Transfer
from tui_dl.engine.wishes import checked_task
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tui_dl.engine.outcome import Outcome

SMALL = Resource(20_000)
LARGE = Resource(LARGE_BYTES)


async def test_the_shortest_program(tmp_path: Path, fault_server: FaultServer) -> None:
    """Open, add, wait; the folder of the settings holds the file."""
    url = fault_server.add("/f.bin", SMALL)
    async with AsyncDownloadEngine(Settings(dir=str(tmp_path))) as engine:
        task = await engine.add(url)
        result = await engine.wait()
    assert (result.total, result.success) == (1, 1)
    assert oracle.check(tmp_path / task.filename, SMALL.seed, SMALL.size_bytes) is None


async def test_a_progress_callback_can_print_percentages(engines: Engines, fault_server: FaultServer) -> None:
    """The seed's fields are there, each value is formattable, the last one is the end."""
    lines: list[str] = []

    def on_progress(progress: DownloadProgress) -> None:
        lines.append(f"{progress.task.filename}: {progress.percentage or 0:.1f} % at {progress.speed or 0:.0f} B/s")
        assert progress.eta is None or progress.eta >= 0
        assert 0 <= (progress.percentage or 0) <= 100

    url = fault_server.add("/f.bin", LARGE, tempers.pace(4 * MIB))
    await fetch(await engines(on_progress=on_progress), url)
    assert lines[-1].startswith("f.bin: 100.0 %")
    assert len(lines) >= 3


async def test_nothing_of_anything_is_no_percent(engines: Engines, fault_server: FaultServer) -> None:
    """Before the first answer, too, so that a callback may print it without asking."""
    lines: list[str] = []
    engine = await engines(on_progress=lambda one: lines.append(f"{one.task.filename}: {one.percentage:.1f} %"))
    await fetch(engine, fault_server.add("/f.bin", SMALL))
    await fetch(engine, fault_server.add("/g.bin", SMALL, lies.status(404)))
    assert {"f.bin: 0.0 %", "f.bin: 100.0 %", "g.bin: 0.0 %"} <= set(lines)


@pytest.mark.parametrize("wrong", [{"connections": 0}, {"timeout": -1.0}, {"rate": "often"}, {"on_exists": "ask"}])
async def test_settings_are_checked_before_anything_is_opened(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """As those of a file and of options are; a fault of theirs leaves no client open."""
    with pytest.raises(UsageError, match=next(iter(wrong))):
        await AsyncDownloadEngine(Settings(dir=str(tmp_path), **wrong), tmp_path / "journal.db").start()
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_settings_are_taken_as_a_person_writes_them(tmp_path: Path) -> None:
    """Text where a number is meant, as it comes out of an environment."""
    values: dict[str, Any] = {"connections": "4", "chunk_size": "2M"}
    async with AsyncDownloadEngine(Settings(dir=str(tmp_path), **values), MEMORY) as engine:
        assert (engine.settings.connections, engine.settings.chunk_size) == (4, 2 * MIB)


async def test_many_addresses_are_added_as_they_are(engines: Engines, fault_server: FaultServer) -> None:
    """Of a list and of a source, into a folder that is named; a wrong one among a list adds nothing."""
    urls = [fault_server.add(f"/{number}.bin", SMALL) for number in range(4)]

    async def source() -> AsyncIterator[str]:
        for url in urls[2:]:
            yield url

    engine = await engines()
    with pytest.raises(UsageError, match="nonsense"):
        await engine.add_many([*urls, "nonsense"])
    assert engine.statistics()["active"] == len(await engine.rows([1])) == 0
    tasks = await engine.add_many(urls[:2], dir=engines.dir / "a")
    ids = await engine.add_many(source(), dir=engines.dir / "b")
    assert (await engine.wait([*tasks, *ids])).success == 4
    paths = [row.path for row in await engine.rows([*[task.id for task in tasks], *ids])]
    assert paths == [str(engines.dir / name) for name in ("a/0.bin", "a/1.bin", "b/2.bin", "b/3.bin")]


async def test_an_engine_that_was_not_opened_says_so() -> None:
    """Whoever forgets `async with` is told of it, not of an attribute of ours."""
    engine = AsyncDownloadEngine(journal=MEMORY)
    with pytest.raises(UsageError, match="async with"):
        await engine.add("http://127.0.0.1/f.bin")
    with pytest.raises(UsageError, match="async with"):
        engine.snapshot()
    assert not hasattr(engine, "__len__")


async def test_progress_is_told_four_times_a_second_at_most(engines: Engines, fault_server: FaultServer) -> None:
    """Besides the steps of its life a task is told of at the ticks alone."""
    told: list[DownloadProgress] = []
    url = fault_server.add("/f.bin", LARGE, tempers.pace(3 * MIB))
    await fetch(await engines(on_progress=told.append, connections=1), url)
    assert len(told) <= 4 + 3
    assert [one.downloaded_bytes for one in told] == sorted(one.downloaded_bytes for one in told)


async def test_the_last_value_of_a_small_file_is_told(engines: Engines, fault_server: FaultServer) -> None:
    """However quick it was."""
    told: list[DownloadProgress] = []
    await fetch(await engines(on_progress=told.append), fault_server.add("/f.bin", SMALL))
    assert told[-1].percentage == 100.0
    assert told[-1].task.status is Status.COMPLETED


async def test_a_failing_callback_ends_nothing(engines: Engines, fault_server: FaultServer) -> None:
    """Progress goes on for the screen and for the task."""

    def broken(_progress: DownloadProgress) -> None:
        raise ZeroDivisionError

    engine = await engines(on_progress=broken)
    task = await engine.add(fault_server.add("/f.bin", LARGE, tempers.pace(3 * MIB)))
    await until(lambda: engine.snapshot().speed_bps > 0)
    assert is_whole(await ended(engine, task), LARGE)


async def test_the_result_of_a_batch(engines: Engines, fault_server: FaultServer) -> None:
    """Successes, failures with their addresses and classes, skips, bytes and rates."""
    engine = await engines(on_exists="skip", max_retries=0)
    engines.dir.mkdir()
    engines.path("there.bin").write_bytes(b"mine")
    good = [fault_server.add(f"/{number}.bin", SMALL) for number in range(3)]
    bad = fault_server.add("/missing.bin", SMALL, lies.status(404))
    skipped = fault_server.add("/there.bin", SMALL)
    tasks = [await engine.add(url) for url in (*good, bad, skipped)]
    result = await engine.wait(tasks)
    assert isinstance(result, DownloadResult)
    assert (result.total, result.success, result.failed, result.skipped, result.cancelled) == (5, 3, 1, 1, 0)
    assert result.failed_urls == [bad]
    assert result.errors_by_class == {"not-found": 1}
    assert result.gone == 1
    assert result.total_bytes == 60_000
    assert result.mean_file_bytes == 20_000
    assert result.success_rate == 0.8
    assert result.duration_s > 0
    assert result.files_per_s > 0


async def test_wait_for_some_leaves_the_others_running(engines: Engines, fault_server: FaultServer) -> None:
    """Only what was named is waited for."""
    engine = await engines()
    slow = await engine.add(fault_server.add("/slow.bin", LARGE, tempers.stall_after(0)))
    quick = await engine.add(fault_server.add("/quick.bin", SMALL))
    result = await engine.wait([quick])
    assert (result.total, result.success) == (1, 1)
    assert (await engine.rows([slow.id]))[0].status is Status.DOWNLOADING


async def test_wait_for_nothing_returns_at_once(engines: Engines) -> None:
    """An empty batch is a success."""
    engine = await engines()
    assert (await engine.wait([])).success_rate == 1.0
    assert (await engine.wait()).total == 0


async def test_a_retried_failure_counts_once(engines: Engines, fault_server: FaultServer) -> None:
    """What failed and was then fetched is a success alone."""
    engine = await engines()
    url = fault_server.add("/f.bin", SMALL, first(1, lies.status(404)))
    task = await fetch(engine, url)
    assert task.status is Status.FAILED
    await engine.execute(Command(CommandName.RETRY, (task.id,)))
    await ended(engine, task)
    result = await engine.wait()
    assert (result.total, result.success, result.failed, result.failed_urls) == (1, 1, 0, [])
    assert result.errors_by_class == {}


async def test_statistics_are_the_seeds_and_more(engines: Engines, fault_server: FaultServer) -> None:
    """Counts, bytes and rates since the start, as plain values."""
    engine = await engines()
    await fetch(engine, fault_server.add("/f.bin", LARGE))
    await fetch(engine, fault_server.add("/g.bin", SMALL, lies.status(404)))
    found = engine.statistics()
    assert (found["completed"], found["failed"], found["active"], found["waiting"]) == (1, 1, 0, 0)
    assert found["completed_bytes"] == LARGE_BYTES
    assert found["downloaded_bytes"] >= LARGE_BYTES
    assert found["errors_by_class"] == {"not-found": 1}
    assert found["success_rate"] == 0.5


async def test_tasks_have_the_seeds_fields(engines: Engines, fault_server: FaultServer) -> None:
    """Names that users may know from elsewhere."""
    task = await fetch(await engines(), fault_server.add("/f.bin", SMALL))
    assert task.filepath == str(engines.path("f.bin"))
    assert (task.expected_size, task.downloaded_bytes, task.error) == (20_000, 20_000, None)
    assert task.start_time > 0
    assert (task.status, task.retry_count, task.max_retries) == ("completed", 0, None)


async def test_many_are_added_and_fetched(engines: Engines, fault_server: FaultServer) -> None:
    """A list of a few hundred small files ends with each of them."""
    engine = await engines(concurrent_downloads=50)
    resources = [Resource(1000 + number, seed=number % 7) for number in range(300)]
    news = [
        checked_task(fault_server.add(f"/{number}.bin", resource), str(engines.dir), "", TaskOptions())
        for number, resource in enumerate(resources)
    ]
    tasks = await engine.add_many(news)
    result = await engine.wait(tasks)
    assert result.success == 300
    rows = await engine.rows([task.id for task in tasks])
    assert all(is_whole(task, resource) for task, resource in zip(rows, resources, strict=True))
    assert len(fault_server.requests) == 300


async def test_never_more_tasks_at_once_than_allowed(engines: Engines) -> None:
    """`-j` bounds the requests of small files, and is used fully."""
    async with PlainServer(delay_s=0.05) as server:
        engine = await engines(concurrent_downloads=7)
        tasks = [await engine.add(f"{server.origin}/{number}") for number in range(60)]
        await engine.wait(tasks)
        assert server.most_at_once == 7


@pytest.mark.parametrize(
    "url", ["", "gopher://x/y", "http://", "http://exa mple.org/", "nonsense", "http://a/\x1b[31m"]
)
async def test_an_address_that_cannot_be_used_is_refused(engines: Engines, url: str) -> None:
    """Wrong input raises before anything is queued."""
    engine = await engines()
    with pytest.raises(UsageError):
        await engine.add(url)


async def test_an_open_journal_is_used_and_left_open(
    engines: Engines, tmp_path: Path, fault_server: FaultServer
) -> None:
    """Who opened it closes it."""
    async with await Journal.open(tmp_path / "own.db") as journal:
        async with AsyncDownloadEngine(Settings(dir=str(engines.dir)), journal) as engine:
            task = await fetch(engine, fault_server.add("/f.bin", SMALL))
        assert (await journal.rows([task.id]))[0].status is Status.COMPLETED


async def test_closing_twice_and_unopened_is_fine(engines: Engines) -> None:
    """`aclose()` may be called whenever."""
    engine = await engines()
    await engine.aclose()
    await engine.aclose()
    await AsyncDownloadEngine().aclose()


async def test_a_closed_engine_says_so(engines: Engines, fault_server: FaultServer) -> None:
    """Adding after the end is an error of ours, not a hang."""
    engine = await engines()
    await engine.aclose()
    with pytest.raises(FileSystemError):
        await engine.add(fault_server.url("/f.bin"))


async def test_an_error_inside_the_block_closes_everything(engines: Engines, fault_server: FaultServer) -> None:
    """The exception comes out, and nothing is left running."""
    url = fault_server.add("/f.bin", LARGE, tempers.stall_after(MIB))

    async def program() -> None:
        async with AsyncDownloadEngine(Settings(dir=str(engines.dir))) as engine:
            await engine.add(url)
            await fault_server.wait_for(lambda: fault_server.stalled("/f.bin"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await program()
    await fault_server.wait_for(lambda: fault_server.active_connections == 0)


def test_the_engine_needs_no_screen() -> None:
    """Importing the library brings neither Textual nor rich."""
    program = (
        "import sys, tui_dl; tui_dl.AsyncDownloadEngine; print([m for m in ('textual', 'rich') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


async def test_cancelling_the_waiter_cancels_no_download(engines: Engines, fault_server: FaultServer) -> None:
    """Waiting is looking on."""
    engine = await engines()
    task = await engine.add(fault_server.add("/f.bin", LARGE, tempers.stall_after(MIB)))
    await fault_server.wait_for(lambda: fault_server.stalled("/f.bin"))
    waiter = asyncio.ensure_future(engine.wait([task]))
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    fault_server.release()
    assert is_whole(await ended(engine, task), LARGE)


async def test_without_a_journal_of_its_own_the_persons_is_used(
    engines: Engines, fault_server: FaultServer, home: Path
) -> None:
    """What was stopped goes on when it is added again, as with `tui-dl get`; what others left is not touched."""
    url = fault_server.add("/f.bin", LARGE, first(1, tempers.stall_after(2 * MIB)))
    async with AsyncDownloadEngine(Settings(dir=str(engines.dir))) as engine:
        task = await engine.add(url)
        await until(lambda: received(engine, task) >= 2 * MIB)
    async with AsyncDownloadEngine(Settings(dir=str(engines.dir))) as engine:
        assert (await engine.rows([task.id]))[0].status is Status.PENDING
        again = await engine.add(url)
        assert again.id == task.id
        await engine.wait([again])
        assert is_whole((await engine.rows([task.id]))[0], LARGE)
    assert (home / "data" / "journal.sqlite3").exists()
    assert fault_server.bytes_sent("/f.bin") < LARGE_BYTES + MIB


async def test_adding_what_failed_tries_it_again(engines: Engines, fault_server: FaultServer) -> None:
    """A second run of a script means the address anew."""
    engine = await engines()
    url = fault_server.add("/f.bin", SMALL, first(1, lies.status(404)))
    failed = await engine.add(url)
    await engine.wait([failed])
    again = await engine.add(url)
    result = await engine.wait([again])
    assert (again.id, result.success) == (failed.id, 1)


async def test_waiting_ends_where_rows_are_removed(engines: Engines, fault_server: FaultServer) -> None:
    """Rows that somebody removed tell no event and hold nobody up."""
    engine = await engines()
    task = await engine.add(fault_server.add("/f.bin", LARGE, tempers.never_answers()))
    await engine.execute(Command(CommandName.PAUSE, ids=(task.id,)))
    waiting = asyncio.create_task(engine.wait([task]))
    await engine.context.journal.remove([task.id])
    result = await asyncio.wait_for(waiting, 5)
    assert (result.total, result.success) == (1, 0)


async def test_a_fault_of_ours_fails_one_task_and_no_other(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row says so, its slot is free again, and the next task is fetched."""
    real = Transfer.run

    async def faulty(self: Transfer) -> Outcome:
        monkeypatch.setattr(Transfer, "run", real)
        raise ZeroDivisionError

    monkeypatch.setattr(Transfer, "run", faulty)
    engine = await engines(concurrent_downloads=1)
    first = await fetch(engine, fault_server.add("/a.bin", Resource(1000)))
    assert (first.status, first.reason) == (Status.FAILED, Reason.INTERNAL)
    assert "ZeroDivisionError" in first.reason_text
    assert (await fetch(engine, fault_server.add("/b.bin", Resource(1000)))).status is Status.COMPLETED
