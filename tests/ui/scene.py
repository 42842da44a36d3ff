"""A queue with a row of every temper, for screenshots and tests."""

from __future__ import annotations

from dataclasses import replace

from tests.ui.fake_engine import MIB, FakeEngine, make_task
from tui_dl.core.errors import Reason
from tui_dl.core.events import LogLine
from tui_dl.core.http_rules import Validator
from tui_dl.core.ports import HostView, SegmentView, TaskDetails
from tui_dl.core.ranges import ByteRange
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadProgress, Flag

GIB = 1024 * MIB


def make_scene() -> FakeEngine:
    """Make it."""
    now = 1_800_000_000.0
    etag = Validator(etag='"5f3c"')
    tasks = [
        make_task(
            1, "debian-12.7.0-amd64-DVD-1.iso", total_bytes=int(3.9 * GIB), host="cdimage.debian.org", validator=etag
        ),
        make_task(2, "ubuntu-24.04.1-desktop-amd64.iso", total_bytes=int(5.8 * GIB), host="releases.ubuntu.com"),
        make_task(
            3,
            "part-00017.tar.zst",
            Status.WAITING,
            total_bytes=512 * MIB,
            host="data.example.org",
            due_at=now + 23,
            reason=Reason.TOO_MANY_REQUESTS,
            reason_text="too many requests (429)",
            retry_count=2,
        ),
        make_task(4, "linux-6.12.tar.xz", total_bytes=141 * MIB, host="cdn.kernel.org"),
        make_task(5, "stream-without-length.bin", total_bytes=None, host="live.example.net"),
        make_task(
            6,
            "model-weights.safetensors",
            Status.FAILED,
            total_bytes=14 * GIB,
            downloaded_bytes=13 * GIB,
            reason=Reason.NOT_FOUND,
            reason_text="not found (404)",
            host="models.example.com",
        ),
        make_task(
            7, "fotografías del verano 2026.zip", Status.PAUSED, total_bytes=812 * MIB, downloaded_bytes=300 * MIB
        ),
        make_task(
            8, "notes.pdf", Status.COMPLETED, total_bytes=2 * MIB, downloaded_bytes=2 * MIB, path="/downloads/notes.pdf"
        ),
        make_task(
            9,
            "report.csv",
            Status.COMPLETED,
            total_bytes=90_000,
            downloaded_bytes=90_000,
            flags=frozenset({Flag.LENGTH_UNVERIFIED}),
            path="/downloads/report.csv",
        ),
        make_task(10, "old-archive.tar", Status.CANCELLED, total_bytes=64 * MIB, downloaded_bytes=MIB),
        *(make_task(number, f"photo-{number:04}.jpg", total_bytes=3 * MIB + number * 9999) for number in range(11, 53)),
    ]
    engine = FakeEngine(tasks, now=now)
    engine.run(1, int(2.4 * GIB), 41.3 * MIB, 6)
    engine.run(2, int(1.3 * GIB), 22.0 * MIB, 4)
    engine.run(4, 99 * MIB, 11.9 * MIB, 2)
    engine.run(5, 37 * MIB, 9.0 * MIB, 1)
    engine.progress[3] = DownloadProgress(engine.tasks[3], 30 * MIB, 512 * MIB)
    speeds = tuple((20 + (index * 37 % 61)) * MIB / 1.0 for index in range(40))
    engine.base = replace(engine.base, free_bytes=78 * GIB, speed_history=speeds)
    engine.particulars[1] = _details(engine)
    return engine


def _details(engine: FakeEngine) -> TaskDetails:
    total_bytes = engine.tasks[1].total_bytes or 0
    part = total_bytes // 6
    held = tuple(ByteRange(index * part, index * part + int(part * (0.35 + 0.1 * index))) for index in range(6))
    segments = tuple(
        SegmentView(ByteRange(one.end, (index + 1) * part), (5 + index) * MIB) for index, one in enumerate(held)
    )
    at = engine.now
    lines = (
        "GET / Range: bytes=0-",
        "206 Partial Content, 3.90 GiB, ETag",
        "connection 2 begins at 1.95 GiB",
        "connection 4 was silent for 10 s: started again",
    )
    return TaskDetails(
        replace(engine.tasks[1], started_at=at - 90, retry_count=1),
        held=held,
        segments=segments,
        hosts=(HostView(engine.tasks[1].host, len(segments), 8),),
        speed_history=engine.base.speed_history,
        peak_bps=44.0 * MIB,
        log=tuple(LogLine(at - 90 + 7 * index, text) for index, text in enumerate(lines)),
        response_headers=(("Content-Length", str(total_bytes)), ("ETag", '"5f3c"'), ("Set-Cookie", "id=1")),
    )
