"""What people read while a batch runs and when it ended."""

from __future__ import annotations

import io

from tests.cli.fake_engine import AT, SIZE_BYTES, FakeEngine, task_of
from tui_dl.cli.batch import Tally
from tui_dl.cli.people import PIPE_LINE_EVERY_S, PeopleReporter
from tui_dl.cli.printer import Printer
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import REASONS, Reason
from tui_dl.core.events import Event, EventKind
from tui_dl.core.task import DownloadProgress, DownloadTask, Flag


async def said(
    *events: Event, ticks: tuple[float, ...] = (), is_terminal: bool = False, has_closing: bool = False
) -> str:
    """Return what is printed for these events, ticks and maybe the end."""
    stream, engine, tally = io.StringIO(), FakeEngine(), Tally(AT, total=max(len(events), 2))
    engine.live[1] = DownloadProgress(task_of("http://h/live"), 250, SIZE_BYTES, 5.0, 150.0, 1)
    async with Printer(stream) as printer:
        people = PeopleReporter(printer, is_terminal=is_terminal, units="binary", shown=display_text)
        for event in events:
            tally.count(event)
            people.on_event(event, engine.progress(event.task.id))
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
    """Name, what happened, reason code, way out."""
    failed = event(EventKind.FAILED, reason=Reason.FORBIDDEN, reason_text="forbidden (403)")
    lines = (await said(failed, has_closing=True)).splitlines()
    assert lines[0] == "failed   a: forbidden (403)"
    assert lines[1:3] == ["a: forbidden (403) [forbidden]", f"    {REASONS[Reason.FORBIDDEN].hint}"]
    assert lines[3] == "1 failed, 1 unfinished · 0 B in 2.0 s"


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
    assert len(lines) == 3
    assert lines[0] == "0 of 2 · 5 B/s · 25 % of 0.98 KiB, 2:30 left · live"


async def test_a_terminal_gets_one_line_that_is_redrawn() -> None:
    """No line end, so that it can be cleared."""
    text = await said(ticks=(AT,), is_terminal=True)
    assert "\n" not in text


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
