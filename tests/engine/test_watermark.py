"""Room on disks: what stays free, who waits for it, and what others were promised."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.engine.stage import until
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.settings import Settings
from tui_dl.core.splitting import SegmentPlan
from tui_dl.core.task import DownloadTask
from tui_dl.core.watermark import JOURNAL_BYTES, in_words, journal_bytes, kept_bytes
from tui_dl.disk.space import Space
from tui_dl.disk.writer import DiskPool
from tui_dl.engine import watermark as watermark_module
from tui_dl.engine.room import ENOUGH_BYTES, MOST_WAITING, Room
from tui_dl.engine.watermark import Watermark

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MIB = 1 << 20
GIB = 1 << 30
DISK_BYTES = 100 * GIB
KEPT = 512 * MIB


class Disks:
    """Disks whose free bytes a test sets, and a clock that it moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, journal: str | None = None, **settings: Any) -> None:
        self.free: dict[str, int] = {"/downloads": 10 * GIB, "/other": 10 * GIB, "/journal": 10 * GIB}
        self.size_bytes = DISK_BYTES
        self.now = 0.0
        self.looks = 0
        self.taken_bytes = 0
        self.pool = DiskPool()
        monkeypatch.setattr(watermark_module, "space_of", self._space_of)
        monkeypatch.setattr(watermark_module, "taken_bytes", lambda _path: self.taken_bytes)
        self.context = self._context(journal, Settings(**settings))
        self.watermark = Watermark(self.context)
        self.context.watermark = self.watermark

    def _context(self, journal: str | None, settings: Settings) -> Any:
        """Return what a watermark asks of an engine's context."""
        return SimpleNamespace(
            pool=self.pool, journal=SimpleNamespace(path=journal), settings=settings, clock=lambda: self.now
        )

    def _space_of(self, path: str) -> Space | None:
        self.looks += 1
        free = self.free.get(path)
        return None if free is None else Space(hash(path), free, self.size_bytes)


@pytest_asyncio.fixture
async def disks(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Disks]:
    """Give roomy disks."""
    disks = Disks(monkeypatch)
    yield disks
    await disks.watermark.aclose()
    await disks.pool.aclose()


def task_of(folder: str = "/downloads", key: int = 7, **words: Any) -> DownloadTask:
    """Return a row."""
    return DownloadTask(id=key, url="http://h/f", dir=folder, filename="f", **words)


async def refusal(watermark: Watermark, task: DownloadTask, plan: SegmentPlan) -> FileSystemError:
    """Return why a task is not admitted."""
    with pytest.raises(FileSystemError) as caught:
        await watermark.admit(task, plan)
    assert (caught.value.reason, caught.value.is_retryable) == (Reason.LOW_SPACE, True)
    return caught.value


@pytest.mark.parametrize(
    ("min_free", "disk_bytes", "kept"),
    [
        (KEPT, DISK_BYTES, KEPT),
        (KEPT, 64 * MIB, 64 * MIB // 10),
        (32 * MIB, 64 * MIB, 32 * MIB),
        (2 * GIB, GIB, 2 * GIB),
        (0, DISK_BYTES, 0),
    ],
)
def test_the_default_leaves_small_disks_of_use(min_free: int, disk_bytes: int, kept: int) -> None:
    """What a person asked for holds as it is; the default is at most a tenth of the disk."""
    assert kept_bytes(min_free, disk_bytes) == kept


def test_the_journal_needs_little() -> None:
    """A home with less than the watermark stops no download to another disk."""
    assert journal_bytes(KEPT, DISK_BYTES) == JOURNAL_BYTES
    assert journal_bytes(0, DISK_BYTES) == 0


@pytest.mark.parametrize(("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1536, "1.5 KiB"), (KEPT, "512 MiB")])
def test_sizes_are_said_in_three_digits(size: int, text: str) -> None:
    """As the screen says them."""
    assert in_words(size) == text


async def test_a_low_disk_is_named_with_its_figures(disks: Disks) -> None:
    """Nothing begins there; the notice lasts as long."""
    disks.free["/downloads"] = 100 * MIB
    with pytest.raises(FileSystemError) as caught:
        await disks.watermark.require("/downloads")
    assert caught.value.reason is Reason.LOW_SPACE
    shortage = "100 MiB are free in /downloads, 512 MiB are to stay free"
    assert caught.value.message == f"low on space: {shortage}"
    assert disks.watermark.notices == (f"low on space, downloads wait: {shortage}",)
    await disks.watermark.require("/other")


async def test_room_again_is_noticed(disks: Disks) -> None:
    """Once there is room everything begins again, and no notice stays."""
    disks.free["/downloads"] = 0
    with pytest.raises(FileSystemError):
        await disks.watermark.require("/downloads")
    disks.free["/downloads"] = GIB
    disks.now += 10
    await disks.watermark.require("/downloads")
    assert disks.watermark.notices == ()


async def test_a_disk_is_looked_at_once_a_second_or_two(disks: Disks) -> None:
    """A thousand files a second ask once."""
    for _ in range(100):
        await disks.watermark.require("/downloads")
    assert disks.looks == 1


async def test_a_file_that_does_not_fit_waits(disks: Disks) -> None:
    """What is missing of it counts, and what is to stay free."""
    plan = SegmentPlan(10 * GIB)
    error = await refusal(disks.watermark, task_of(), plan)
    assert "f needs 10 GiB more; of 10 GiB free in /downloads 512 MiB stay free" in error.message
    plan.hold(0, GIB)
    await disks.watermark.admit(task_of(), plan)


async def test_room_is_promised_once(disks: Disks) -> None:
    """Five files of which each fits do not stop all of them half way; who ends gives the room to the next."""
    await disks.watermark.admit(task_of(key=1), SegmentPlan(6 * GIB))
    error = await refusal(disks.watermark, task_of(key=2), SegmentPlan(6 * GIB))
    assert "6 GiB are promised" in error.message
    await disks.watermark.admit(task_of("/other", key=3), SegmentPlan(6 * GIB))
    disks.watermark.release(1)
    await disks.watermark.admit(task_of(key=2), SegmentPlan(6 * GIB))


async def test_reserved_room_is_counted_by_the_disk(disks: Disks) -> None:
    """What fallocate took is gone from the free bytes, and is not counted again."""
    await disks.watermark.admit(task_of(key=1), SegmentPlan(6 * GIB))
    disks.free["/downloads"] = 4 * GIB
    disks.watermark.reserved(task_of(key=1))
    await disks.watermark.admit(task_of(key=2), SegmentPlan(3 * GIB))
    await refusal(disks.watermark, task_of(key=3), SegmentPlan(GIB))


async def test_a_reserved_part_needs_no_more_room(disks: Disks) -> None:
    """A part file that took the room of all its bytes goes on though little else is free."""
    disks.free["/downloads"] = GIB
    disks.taken_bytes = 10 * GIB
    await disks.watermark.admit(task_of(part_path="/downloads/f.tui-dl.part"), SegmentPlan(10 * GIB))


async def test_an_unknown_length_is_admitted_until_the_disk_is_low(disks: Disks) -> None:
    """Nothing can be promised; the look while it is written decides."""
    await disks.watermark.admit(task_of(), SegmentPlan(None))
    disks.watermark.require_now("/downloads")
    disks.free["/downloads"] = 1
    disks.now += 10
    with pytest.raises(FileSystemError):
        await disks.watermark.require("/downloads")
    with pytest.raises(FileSystemError):
        disks.watermark.require_now("/downloads")


async def test_a_disk_that_nobody_can_measure_stops_nothing(disks: Disks) -> None:
    """Some file systems do not tell."""
    await disks.watermark.admit(task_of("/unknown"), SegmentPlan(10 * GIB))


async def test_no_watermark_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `min_free = 0` only a disk that is really full refuses."""
    disks = Disks(monkeypatch, min_free=0)
    disks.free["/downloads"] = 0
    await disks.watermark.require("/downloads")
    await disks.watermark.aclose()
    await disks.pool.aclose()


async def test_the_journals_own_disk_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the journal cannot write, nothing begins anywhere."""
    disks = Disks(monkeypatch, journal="/journal/j.db")
    disks.free["/journal"] = JOURNAL_BYTES - 1
    with pytest.raises(FileSystemError) as caught:
        await disks.watermark.require("/downloads")
    assert "/journal" in caught.value.message
    disks.free["/journal"] = JOURNAL_BYTES
    disks.now += 10
    await disks.watermark.require("/downloads")
    await disks.watermark.aclose()
    await disks.pool.aclose()


async def test_the_regular_look_tells_of_room(disks: Disks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to ask: the disk that was low is looked at, and its room is told once."""
    monkeypatch.setattr(watermark_module, "LOOK_EVERY_S", 0.01)
    told: list[int] = []
    disks.watermark.start(lambda: told.append(disks.looks))
    disks.free["/downloads"] = 0
    with pytest.raises(FileSystemError):
        await disks.watermark.require("/downloads")
    disks.free["/downloads"] = GIB
    await until(lambda: told)
    disks.watermark.require_now("/downloads")


async def test_room_is_told_where_the_disk_is_looked_at_by_another_folder(
    disks: Disks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal's folder is content with less: that its disk has room for downloads, too, is told all the same."""
    monkeypatch.setattr(watermark_module, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(watermark_module, "space_of", lambda _path: Space(1, disks.free["/downloads"], DISK_BYTES))
    disks.context.journal.path = "/journal/j.db"
    disks.watermark = Watermark(disks.context)
    told: list[bool] = []
    disks.watermark.start(lambda: told.append(disks.watermark.is_low("/downloads")))
    disks.free["/downloads"] = 2 * JOURNAL_BYTES
    with pytest.raises(FileSystemError):
        await disks.watermark.require("/downloads")
    disks.free["/downloads"] = GIB
    await until(lambda: told, limit_s=2)
    assert told == [False]


async def test_a_crowd_closes_the_folder(disks: Disks) -> None:
    """When many wait for room in a folder, no more are asked for; when they went on, all may begin."""
    room = Room(disks.context, lambda _key: None)
    for key in range(MOST_WAITING):
        assert not room.is_closed("/downloads")
        room.enter(task_of(key=key))
    assert room.is_closed("/downloads")
    assert not room.is_closed("/other")
    room.leave(0)
    room.leave(0)
    assert not room.is_closed("/downloads")


@pytest.mark.parametrize(
    ("free_bytes", "total_bytes", "is_enough"),
    [
        (KEPT + ENOUGH_BYTES, None, True),
        (KEPT + ENOUGH_BYTES - 1, None, False),
        (KEPT + 5_000, 5_000, True),
        (KEPT + 4_999, 5_000, False),
        (KEPT - 1, 0, False),
    ],
)
async def test_who_waits_goes_on_when_all_of_it_fits(
    disks: Disks, free_bytes: int, total_bytes: int | None, is_enough: bool
) -> None:
    """Of a file of unknown length a mebibyte is enough to try."""
    disks.free["/downloads"] = free_bytes
    assert await disks.watermark.has_room(task_of(total_bytes=total_bytes), ENOUGH_BYTES) is is_enough
