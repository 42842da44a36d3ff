"""What people read while a batch runs and when it ended."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tests.cli.fake_engine import AT, SIZE_BYTES, FakeEngine, task_of
from tui_dl.cli.frame import Line, plain_text
from tui_dl.cli.people import MOST_FAILURES_NOTED, MOST_NOTED, PIPE_LINE_EVERY_S, PeopleReporter
from tui_dl.cli.printer import Printer
from tui_dl.cli.tally import Tally
from tui_dl.cli.terminal import Terminal
from tui_dl.core.display_text import ascii_text, display_text
from tui_dl.core.errors import REASONS, Reason
from tui_dl.core.events import Event, EventKind
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadProgress, DownloadTask, Flag
from tui_dl.core.url_list import BadLine

if TYPE_CHECKING:
    from collections.abc import Sequence


async def said(
    *events: Event,
    ticks: tuple[float, ...] = (),
    terminal: Terminal | None = None,
    has_closing: bool = False,
    is_verbose: bool = False,
) -> str:
    """Return what is printed for these events, ticks and maybe the end."""
    stream, engine, tally = io.StringIO(), FakeEngine(), Tally(AT, total=max(len(events), 2), is_list_read=True)
    engine.live[1] = DownloadProgress(task_of("http://h/live"), 250, SIZE_BYTES, 5.0, 150.0, 1)
    async with Printer(stream, terminal=terminal) as printer:
        people = PeopleReporter(printer, terminal=terminal, units="binary", shown=display_text, is_verbose=is_verbose)
        for event in events:
            tally.count(event)
            people.on_event(event, engine.progress(event.task.id), tally)
        for at in ticks:
            people.on_tick(engine.snapshot(), tally, at)
        if has_closing:
            people.closing(tally, tally.result(AT + 2))
    return stream.getvalue()


def event(kind: EventKind, **changes: object) -> Event:
    """Return an event of one task."""
    return Event(kind, task_of("http://h/a", 1, **changes), AT)


async def test_a_finished_file_is_named_with_its_path_and_size() -> None:
    """And with what could not be proven."""
    text = await said(event(EventKind.COMPLETED, path="/d/a", flags=frozenset({Flag.LENGTH_UNVERIFIED})))
    assert text == "done     /d/a (0.98 KiB, length unverified)\n"


async def test_a_failure_is_explained_at_the_end() -> None:
    """Address, since several files may have one name; what happened, reason code, way out."""
    failed = event(EventKind.FAILED, reason=Reason.FORBIDDEN, reason_text="forbidden (403)")
    lines = (await said(failed, has_closing=True)).splitlines()
    assert lines[0] == "failed   a: forbidden (403)"
    assert lines[1:3] == ["http://h/a: forbidden (403) [forbidden]", f"    {REASONS[Reason.FORBIDDEN].hint}"]
    assert lines[3] == "1 failed, 1 unfinished · 0 B in 2.0 s"


async def test_failures_alike_have_one_way_out() -> None:
    """It stands below the last of those that stand together."""
    reasons = (Reason.STALLED, Reason.STALLED, Reason.FORBIDDEN, Reason.STALLED)
    failed = [event(EventKind.FAILED, reason=reason, reason_text="it failed") for reason in reasons]
    lines = (await said(*failed, has_closing=True)).splitlines()[len(failed) : -1]
    stalled, forbidden = (REASONS[reason].hint for reason in (Reason.STALLED, Reason.FORBIDDEN))
    shown = [line.strip() if line.startswith(" ") else line.rpartition(" ")[2] for line in lines]
    assert shown == ["[stalled]", "[stalled]", stalled, "[forbidden]", forbidden, "[stalled]", stalled]


async def test_a_way_out_needs_no_key() -> None:
    """Hints are written for the screen; here the same command is what tries again."""
    failed = event(EventKind.FAILED, reason=Reason.SERVER_ERROR, reason_text="the server failed (500)")
    assert "    Retry later with the same command.\n" in await said(failed, has_closing=True)


async def test_the_end_sums_up_what_was_done() -> None:
    """Counts, bytes, time, rates; what is gone is named among the failed."""
    gone = [event(EventKind.FAILED, status=Status.FAILED, reason=Reason.NOT_FOUND)] * 2
    done = [event(EventKind.COMPLETED, path="/d/a")] * 1200
    last = (await said(*gone, *done, has_closing=True)).splitlines()[-1]
    assert last.startswith(
        "1,200 done, 2 failed (gone) · 1.14 MiB in 2.0 s · 586 KiB/s · 600.0 files/s · 0.98 KiB each · "
    )
    assert last.endswith("of memory")


def many(kind: EventKind, count: int, **changes: object) -> list[Event]:
    """Return events of so many tasks, at two hosts in turn."""
    return [
        Event(kind, task_of(f"http://h/{number}", number, host=f"h{number % 2}", **changes), AT)
        for number in range(count)
    ]


async def test_a_long_batch_is_told_by_numbers() -> None:
    """A hundred thousand lines would scroll everything else away."""
    assert await said(*many(EventKind.COMPLETED, MOST_NOTED + 1, path="/d/a")) == ""
    assert (await said(*many(EventKind.COMPLETED, MOST_NOTED + 1, path="/d/a"), is_verbose=True)).count("done") == 51


async def test_the_first_failures_of_a_long_batch_are_told_with_their_address() -> None:
    """Several files may have one name; the others are summed up with their hosts and the way out."""
    failed = many(EventKind.FAILED, 100, reason=Reason.STALLED, reason_text="no byte for 30 s")
    lines = (await said(*failed, has_closing=True)).splitlines()
    assert lines[0] == "failed   http://h/0: no byte for 30 s"
    assert [line.startswith("failed") for line in lines].count(True) == MOST_FAILURES_NOTED
    assert lines[MOST_FAILURES_NOTED].startswith("further failures are counted")
    assert lines[MOST_FAILURES_NOTED + 1] == "100 x no byte arrived for too long [stalled] at h0 50, h1 50"
    assert lines[MOST_FAILURES_NOTED + 2] == f"    {REASONS[Reason.STALLED].hint}"
    assert "ls --failed" in lines[MOST_FAILURES_NOTED + 3]


async def test_the_first_bad_lines_are_told() -> None:
    """A list of binary garbage does not fill the terminal."""
    stream, tally = io.StringIO(), Tally(AT)
    async with Printer(stream) as printer:
        people = PeopleReporter(printer, terminal=None, units="binary", shown=display_text)
        for number in range(MOST_NOTED + 10):
            people.on_bad_line(BadLine(number, "x", "no address", "list.txt"), AT)
    assert tally.total == 0
    lines = stream.getvalue().splitlines()
    assert len(lines) == MOST_NOTED + 1
    assert lines[0] == "failed   list.txt:0: no address"


async def test_what_waits_says_why() -> None:
    """Each wait has its reason."""
    text = await said(event(EventKind.WAITING, reason=Reason.TOO_MANY_REQUESTS, reason_text="429, 6 s"))
    assert text == "waits    a: 429, 6 s\n"


async def test_steps_of_no_interest_are_not_told() -> None:
    """A list of a thousand files is not told twice."""
    assert await said(event(EventKind.ADDED), event(EventKind.STARTED)) == ""


async def test_a_pipe_gets_a_line_now_and_then() -> None:
    """A log file does not grow by a line a second."""
    ticks = tuple(AT + second for second in range(int(2 * PIPE_LINE_EVERY_S) + 1))
    lines = (await said(ticks=ticks)).splitlines()
    assert lines == ["0 of 2 · 5 B/s", "0 of 2 · 5 B/s"]


class Drawing(Printer):
    """Keeps the last frame."""

    drawn: Sequence[Line] = ()

    def frame(self, lines: Sequence[Line]) -> None:
        """Keep it."""
        self.drawn = lines


async def test_a_terminal_gets_a_frame_that_is_redrawn() -> None:
    """Totals first, then each file of a short batch; text from outside is made harmless."""
    engine, terminal = FakeEngine(), Terminal(lambda: (80, 24), has_colour=False, has_utf8=False)
    evil = task_of("http://h/a", filename="a\x1b[31m")
    engine.live[1] = DownloadProgress(evil, 250, SIZE_BYTES, 5.0, 150.0, 1)
    async with Drawing(io.StringIO(), terminal=terminal) as printer:
        people = PeopleReporter(printer, terminal=terminal, units="binary", shown=ascii_text)
        people.on_tick(engine.snapshot(), Tally(AT, total=2, is_list_read=True), AT)
        lines = [plain_text(line) for line in printer.drawn]
    assert lines[0].endswith("0 %  0 of 2 ? 5 B/s")
    assert lines[-1].endswith(" a?[31m ? 25 % of 0.98 KiB ? 5 B/s ? 2:30 left")


async def test_names_from_servers_are_harmless() -> None:
    """Escape sequences in names and reasons never reach the terminal; secrets in texts are masked."""
    name = "a\x1b[31m\u202e"
    evil = event(EventKind.FAILED, filename=name, reason=Reason.HTTP_STATUS, reason_text="\x1b]0;x\x07 //u:pw@h/")
    text = await said(evil, event(EventKind.COMPLETED, path=f"/d/{name}"), has_closing=True)
    assert not any(char in text for char in "\x1b\x07\u202e")
    assert "pw" not in text


async def test_a_task_without_a_name_is_named_by_its_address_without_secrets() -> None:
    """Before the first answer there is no name."""
    task = DownloadTask(id=1, url="http://h/?token=pw", dir="/d", filename="", reason=Reason.DNS_FAILED)
    text = await said(Event(EventKind.FAILED, task, AT), has_closing=True)
    assert "http://h/?token=***" in text
    assert "pw" not in text
