"""Several processes share one journal: each runs its own rows, and what a dead one left is adopted."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.journal.rows import added, wishes, with_statuses
from tui_dl.core.extents import Extent
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import UNFINISHED, Status, Trigger, advance, can_advance
from tui_dl.journal.adding import BatchKind
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journal.conftest import OpenJournal

WRITER = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from tui_dl.core.extents import Extent
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask
from tui_dl.journal.journal import Journal

async def main():
    journal = await Journal.open(Path(sys.argv[1]))
    for turn in range(100_000):
        new = [NewTask(f"http://{sys.argv[2]}/{turn}/{number}", "/d") for number in range(3)]
        tasks = [outcome.task for outcome in await journal.add(new, batch="s", at=1.0)]
        journal.record_written(tasks[1].id, [Extent(0, 10 + turn, turn)])
        await journal.save_many([replace(tasks[0], status=Status.DOWNLOADING), replace(tasks[2], status=Status.FAILED)])
        print(*(task.id for task in tasks), flush=True)

asyncio.run(main())
"""


async def _write_until_killed(path: Path, host: str, lines: int) -> list[list[int]]:
    """Let a process write, kill it in the middle, and return the ids that it had been promised."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), host, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    told = [await process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    rest = (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    # A line that was cut by the kill promised nothing.
    return [[int(word) for word in line.split()] for line in [*told, *rest] if line.endswith(b"\n")]


@pytest.mark.parametrize("lines", [1, 7, 60])
async def test_a_killed_writer_loses_nothing_acknowledged(path: Path, open_journal: OpenJournal, lines: int) -> None:
    """After SIGKILL every acknowledged row is there with its state, adopted, and no notice is needed."""
    told = await _write_until_killed(path, "killed.example", lines)
    journal = await open_journal()
    assert journal.notices == ()
    adopted = set(await journal.adopt_orphans())
    for started, waiting, failed in told:
        rows = await journal.rows([started, waiting, failed])
        assert [row.status for row in rows] == [Status.PENDING, Status.PENDING, Status.FAILED]
        assert {started, waiting} <= adopted
        assert [extent.start for extent in (await journal.load_checkpoint(waiting)).extents] == [0]
    assert await journal.adopt_orphans() == await journal.adopt_orphans()


async def test_two_writers_at_once_lose_nothing(path: Path, open_journal: OpenJournal) -> None:
    """Two processes that write at full speed wait for each other and both keep their word."""
    told = await asyncio.gather(*(_write_until_killed(path, f"{name}.example", 30) for name in "ab"))
    journal = await open_journal()
    for lines in told:
        ids = [task_id for line in lines for task_id in line]
        assert len(await journal.rows(ids)) == len(set(ids)) == len(ids)
    await journal.adopt_orphans()
    assert sum(journal.counts().values()) == len(await journal.ids(TaskQuery()))


async def test_orphans_are_requeued_through_the_table(open_journal: OpenJournal) -> None:
    """What ran is queued again, what a person paused stays paused, what is finished stays finished."""
    first = await open_journal()
    tasks = await with_statuses(first, [*Status])
    await first.aclose()
    second = await open_journal()
    adopted = await second.adopt_orphans()
    assert list(adopted) == [task.id for task in tasks if task.status in UNFINISHED]
    expected = [
        advance(status, Trigger.REQUEUE) if can_advance(status, Trigger.REQUEUE) else status for status in Status
    ]
    rows = await second.rows([task.id for task in tasks])
    assert [row.status for row in rows] == expected
    assert all(row.owner == second.instance_id for row in rows if row.status in UNFINISHED)


async def test_rows_of_several_dead_processes_make_one_queue(open_journal: OpenJournal) -> None:
    """Adoption keeps the order of the queue, our own rows among them."""
    ids = []
    for name in ("a", "b"):
        journal = await open_journal()
        ids += [task.id for task in await added(journal, wishes(3, f"{name}.example"))]
        await journal.aclose()
    last = await open_journal()
    ids += [task.id for task in await added(last, wishes(2))]
    assert list(await last.adopt_orphans()) == ids[:6]
    assert [task.id for task in await last.next_pending(10)] == ids


async def test_the_living_keep_their_rows(open_journal: OpenJournal) -> None:
    """Neither adoption nor a save takes a row from a process that lives."""
    one, other = await open_journal(), await open_journal()
    (task,) = await added(one, wishes(1))
    assert list(await other.adopt_orphans()) == []
    await other.save(replace(task, status=Status.FAILED), is_durable=True)
    row = await other.get(task.id)
    assert row is not None
    assert (row.status, row.owner) == (Status.PENDING, one.instance_id)


async def test_one_batch_alone_can_be_adopted(open_journal: OpenJournal) -> None:
    """A `get` takes up its own list and leaves the screen's rows to the screen."""
    first = await open_journal()
    (outcome,) = await first.add(wishes(1, "get.example"), batch="get", kind=BatchKind.GET, at=1.0)
    await added(first, wishes(2))
    await first.aclose()
    get = await open_journal()
    assert list(await get.adopt_orphans(batch_id=outcome.task.batch_id)) == [outcome.task.id]
    assert [task.id for task in await get.next_pending(5)] == [outcome.task.id]
    assert len(await (await open_journal()).adopt_orphans()) == 2


async def test_removals_and_moves_by_others_are_noticed(open_journal: OpenJournal) -> None:
    """A screen that asks sees counts and generation of what another process did."""
    screen, get = await open_journal(), await open_journal()
    assert not await screen.refresh()
    await added(get, wishes(2))
    assert await screen.refresh()
    assert screen.counts()[Status.PENDING] == 2
    assert not await screen.refresh()


async def test_rows_of_the_living_are_not_removed(open_journal: OpenJournal) -> None:
    """Only their own process takes them out."""
    one, other = await open_journal(), await open_journal()
    (task,) = await added(one, wishes(1))
    assert await other.remove([task.id]) == 0
    assert await one.remove([task.id]) == 1


async def test_stale_lock_files_are_removed(path: Path, open_journal: OpenJournal) -> None:
    """A killed process leaves no lock behind for ever, and ours goes when we close."""
    await _write_until_killed(path, "killed.example", 1)
    journal = await open_journal()
    await journal.adopt_orphans()
    assert _lock_names(path) == [f"{journal.instance_id}.lock"]
    await journal.aclose()
    assert _lock_names(path) == []


def _lock_names(path: Path) -> list[str]:
    return sorted(file.name for file in (path.parent / "instances").iterdir())


async def test_a_lock_names_its_process(path: Path, open_journal: OpenJournal) -> None:
    """A refusal can tell a person which process to end."""
    journal, other = await open_journal(), await open_journal()
    living = await asyncio.to_thread(other._owner.living)
    assert living[journal.instance_id].pid == os.getpid()


async def test_a_journal_on_a_network_is_for_one_process(path: Path, tmp_path: Path) -> None:
    """A second one is refused with host and process of the first; all works for the one that has it."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/home {tmp_path} nfs4 rw 0 0\n")
    async with await Journal.open(path, mounts=mounts) as journal:
        (task,) = await added(journal, wishes(1))
        journal.record_written(task.id, [Extent(0, 10, 3)])
        assert await journal.rows(await journal.ids(TaskQuery())) == [task]
        with pytest.raises(Exception, match=rf"network file system.*process {os.getpid()} on ") as caught:
            await Journal.open(path, mounts=mounts)
        assert getattr(caught.value, "reason", None) == "journal-busy"
    await (await Journal.open(path, mounts=mounts)).aclose()


async def test_the_lock_of_a_foreign_host_is_honoured_on_a_network(path: Path, tmp_path: Path) -> None:
    """Whether that process lives cannot be seen from here, so its file must be removed by a person."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/home {tmp_path} nfs rw 0 0\n")
    locks = path.parent / "instances"
    _leave_lock(locks / "abc.lock", '{"host": "elsewhere", "pid": 42}')
    with pytest.raises(Exception, match=r"process 42 on elsewhere.*abc\.lock"):
        await Journal.open(path, mounts=mounts)
    await (await Journal.open(path)).aclose()


def _leave_lock(lock: Path, text: str) -> None:
    lock.parent.mkdir(parents=True)
    lock.write_text(text)
