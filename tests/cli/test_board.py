"""What the frame and the line of a pipe say of a batch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.cli.fake_engine import AT
from tests.cli.test_pulse import running, snapshot_of
from tui_dl.cli.board import LARGE_BYTES, MOST_LARGE, Board
from tui_dl.cli.frame import plain_text
from tui_dl.cli.tally import Tally
from tui_dl.core.errors import Reason
from tui_dl.core.events import Event, EventKind
from tui_dl.core.status import Status
from tui_dl.ui.format import Units

if TYPE_CHECKING:
    from tui_dl.core.ports import EngineSnapshot


def board_lines(snapshot: EngineSnapshot, tally: Tally, *events: Event) -> list[str]:
    """Return the frame after these events, looked at twice."""
    board = Board(Units(), has_utf8=True)
    for event in events:
        tally.count(event)
        board.hear(event)
    board.look(Tally(AT), AT - 10)
    board.look(tally, AT)
    return [plain_text(line).rstrip() for line in board.lines(snapshot, tally, AT)]


def failed(number: int, host: str) -> Event:
    """Return the failure of a task."""
    task = replace(running(number, host, 0.0).task, status=Status.FAILED, reason=Reason.NOT_FOUND)
    return Event(EventKind.FAILED, task, AT)


def test_a_long_batch_is_shown_by_totals_rates_and_hosts() -> None:
    """How far, how fast, how long, what came of it, who is slow and who fails."""
    tally = Tally(AT, total=1000, is_list_read=True)
    tally.outcomes[EventKind.COMPLETED] = 500
    snapshot = snapshot_of(running(1, "quick", 900.0), running(2, "slow", 5.0))
    lines = board_lines(snapshot, tally, failed(3, "dead"), failed(4, "dead"), failed(5, "other"))
    assert lines == [
        " ━━━━━━━━━━━━────────────  50 %  503 of 1,000 · 50 files/s · 905 B/s · 0:10 left",
        " 500 done · 3 failed (gone) · 2 running",
        " slowest slow 5 B/s",
        " failing dead 2 · other 1",
    ]


def test_a_list_that_is_still_read_has_no_known_end() -> None:
    """The total grows, and no time left is promised."""
    tally = Tally(AT, total=1000)
    tally.outcomes[EventKind.COMPLETED] = 500
    first = board_lines(snapshot_of(running(1, "a", 1.0)), tally)[0]
    assert "500 of 1,000+" in first
    assert "left" not in first


def test_a_single_file_has_one_line() -> None:
    """Totals of one file are no news."""
    lines = board_lines(snapshot_of(running(1, "a", 5.0)), Tally(AT, total=1, is_list_read=True))
    assert lines == [" ━━━━━━────────────────── 1 · 25 % of 0.98 KiB · 5 B/s · 0:30 left"]


def test_large_files_of_a_long_batch_are_watched() -> None:
    """A few of them, in their order, so that a line keeps its place."""
    large = [replace(running(number, "a", 5.0), total_bytes=LARGE_BYTES) for number in range(9)]
    lines = board_lines(snapshot_of(running(99, "a", 5.0), *large), Tally(AT, total=1000, is_list_read=True))
    assert [line.split()[1] for line in lines[2:]] == [str(number) for number in range(MOST_LARGE)]


def test_lasting_conditions_are_told() -> None:
    """No network, a full disk."""
    snapshot = replace(snapshot_of(running(1, "a", 1.0)), notices=("The disk is full.",))
    assert board_lines(snapshot, Tally(AT, total=9))[-1] == "The disk is full."


def test_what_most_wait_for_is_told() -> None:
    """A long batch has no line for each: without this a disk that is full looks like a hang."""
    reasons = (Reason.STALLED, Reason.DISK_FULL, Reason.DISK_FULL)
    waiting = [
        replace(one, task=replace(one.task, status=Status.WAITING, reason=reason))
        for number, reason in enumerate(reasons)
        for one in [running(number, "a", 0.0)]
    ]
    snapshot, tally = snapshot_of(running(9, "a", 5.0), *waiting), Tally(AT, total=1000, is_list_read=True)
    assert board_lines(snapshot, tally)[1] == " 0 done · 1 running · 3 waiting: the disk is full"
    assert Board(Units(), has_utf8=True).line(snapshot, tally) == "0 of 1,000 · 5 B/s · 3 waiting: the disk is full"


def test_a_narrow_terminal_has_shorter_bars_then_none() -> None:
    """What a file is called and how far it is comes before how it looks."""
    board, snapshot = Board(Units(), has_utf8=True), snapshot_of(running(1, "a", 5.0))
    widths = {}
    for columns in (44, 60, 200):
        (line,) = board.lines(snapshot, Tally(AT, total=1), AT, columns)
        widths[columns] = plain_text(line).partition("1 ·")[0]
    assert {columns: len(bar.strip()) for columns, bar in widths.items()} == {44: 0, 60: 5, 200: 24}
