"""Events as JSON lines: shape, order, safety."""

from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.cli.fake_engine import AT, SIZE_BYTES, FakeEngine, task_of
from tui_dl.cli.json_lines import TOLD, JsonReporter, summary_line
from tui_dl.cli.memory import peak_memory_bytes
from tui_dl.cli.printer import Printer
from tui_dl.cli.tally import Tally
from tui_dl.core.errors import Reason
from tui_dl.core.events import Event, EventKind
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadProgress, Flag
from tui_dl.core.task_lines import task_line
from tui_dl.core.url_list import BadLine


class Stream(io.StringIO):
    """A stream with a name, as standard output has one."""


async def lines_of(*events: Event, ticks: int = 0, live: int = 0, bad: BadLine | None = None) -> list[dict[str, Any]]:
    """Return what a reporter writes for these events and ticks."""
    stream, engine = Stream(), FakeEngine()
    for number in range(live):
        engine.live[number] = DownloadProgress(task_of(f"http://h/{number}", number), 250, SIZE_BYTES, 5.0, 150.04, 2)
    async with Printer(stream) as printer:
        reporter = JsonReporter(printer)
        for event in events:
            reporter.on_event(event, engine.progress(event.task.id), Tally(AT))
        for number in range(ticks):
            reporter.on_tick(engine.snapshot(), Tally(AT), AT + number)
        if bad:
            reporter.on_bad_line(bad, AT)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_an_event_says_what_is_known_and_leaves_out_the_rest() -> None:
    """DESIGN 9: the named fields, as far as known."""
    task = task_of("http://h/a", 3, status=Status.FAILED, reason=Reason.GONE)
    (line,) = await lines_of(Event(EventKind.FAILED, task, AT))
    assert line == {
        "event": "failed",
        "id": 3,
        "url": "http://h/a",
        "status": "failed",
        "downloaded_bytes": 0,
        "total_bytes": SIZE_BYTES,
        "reason": "gone",
        "at": AT,
    }


async def test_a_live_task_says_how_it_moves() -> None:
    """Bytes, speed, time left and connections come from the snapshot."""
    (line,) = await lines_of(ticks=1, live=1)
    moving = {key: line[key] for key in ("event", "downloaded_bytes", "speed_bps", "eta_s", "connections")}
    assert moving == {"event": "progress", "downloaded_bytes": 250, "speed_bps": 5.0, "eta_s": 150.0, "connections": 2}


async def test_live_tasks_take_turns() -> None:
    """One progress line a tick in all, each task's turn comes."""
    assert [line["id"] for line in await lines_of(ticks=4, live=3)] == [0, 1, 2, 0]


async def test_there_is_at_most_one_line_of_progress_a_second() -> None:
    """However often the batch is looked at."""
    stream, engine = Stream(), FakeEngine()
    engine.live[1] = DownloadProgress(task_of("http://h/a"), 250, SIZE_BYTES)
    async with Printer(stream) as printer:
        reporter = JsonReporter(printer)
        for number in range(8):
            reporter.on_tick(engine.snapshot(), Tally(AT), AT + number / 4)
    assert len(stream.getvalue().splitlines()) == 2


async def test_a_completed_file_bears_its_digest_and_path() -> None:
    """`sha256` where it was computed."""
    task = task_of("http://h/a", path="/d/a", sha256="ab" * 32, status=Status.COMPLETED)
    (line,) = await lines_of(Event(EventKind.COMPLETED, task, AT))
    assert (line["path"], line["sha256"]) == ("/d/a", "ab" * 32)


async def test_a_completed_file_bears_what_it_could_not_prove() -> None:
    """As people are told beside "done"; a file that is proven has no such field."""
    flags = frozenset({Flag.LENGTH_UNVERIFIED, Flag.INSECURE})
    proven, unproven = task_of("http://h/a"), task_of("http://h/a", flags=flags)
    lines = await lines_of(*(Event(EventKind.COMPLETED, task, AT) for task in (proven, unproven)))
    assert [line.get("flags") for line in lines] == [None, ["insecure", "length-unverified"]]


async def test_only_the_documented_events_are_told() -> None:
    """What belongs to the screen alone is left out."""
    names = {line["event"] for line in await lines_of(*(Event(kind, task_of("http://h/a"), AT) for kind in EventKind))}
    assert names == {kind.value for kind in TOLD}
    documented = "added started progress waiting retrying paused completed skipped failed cancelled"
    assert names | {"progress"} == set(documented.split())


async def test_a_bad_line_is_a_failure_without_an_id() -> None:
    """Programs learn of it too."""
    (line,) = await lines_of(bad=BadLine(3, "nonsense", "no address", "list"))
    assert (line["event"], line["url"], line["reason"], "id" in line) == ("failed", "nonsense", "bad-url", False)


@given(st.text(st.characters(codec=None), max_size=40))
def test_no_character_gets_through_raw(name: str) -> None:
    """Escape sequences, line ends and lone surrogates are escaped, and come back equal."""
    line = json.dumps(task_line("added", task_of("http://h/" + name, path=name), None, AT), ensure_ascii=True)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line).get("path", "") == name


def test_the_summary_has_exactly_the_documented_fields() -> None:
    """DESIGN 9 names them; programs rely on them."""
    documented = (
        "event total success failed skipped cancelled gone failed_urls total_bytes duration_s files_per_s mean_bps "
        "mean_file_bytes "
        "success_rate peak_memory_bytes errors_by_class at"
    )
    assert list(summary_line(Tally(AT).result(AT), AT)) == documented.split()


def test_peak_memory_is_in_bytes() -> None:
    """A Python process holds more than 5 MiB and less than 4 GiB."""
    peak = peak_memory_bytes()
    assert peak is not None
    assert 5 * 2**20 < peak < 4 * 2**30
