"""How rows of media are named, and what stands beside them: triangle and counts of a playlist, mark of an entry."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size

from tui_dl.core.media import Kind
from tui_dl.core.status import Status
from tui_dl.ui.format import count
from tui_dl.ui.row import Role
from tui_dl.ui.row_text import entries_words, is_for_choice, shown_name

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask
    from tui_dl.ui.row import Look, Piece, Row

LEAST_TITLE_CELLS: Final = 12
"""What counts may leave of a playlist's name."""
BRANCH_CELLS: Final = 2
MARK_CELLS: Final = 3
BY_YT_DLP: Final = "by yt-dlp"
QUIET_STATUSES: Final = frozenset({Status.COMPLETED, Status.SKIPPED, Status.CANCELLED})


class Spot(Enum):
    """A part of a name that can be clicked."""

    TRIANGLE = auto()
    MARK = auto()


def spot_at(task: DownloadTask, x: int, look: Look) -> Spot | None:
    """Return what stands in the cell `x` of a row's name."""
    if task.kind is Kind.PLAYLIST:
        return Spot.TRIANGLE if x < BRANCH_CELLS else None
    if not has_mark(task):
        return None
    start = BRANCH_CELLS if look.is_tree else 0
    return Spot.MARK if start <= x < start + MARK_CELLS else None


def has_mark(task: DownloadTask) -> bool:
    """Whether a mark says that an entry is wanted, or not."""
    return task.kind is Kind.ENTRY and is_for_choice(task)


def name_pieces(row: Row, look: Look, width: int) -> tuple[Piece, ...]:
    """Return the name of a row of media for so many cells."""
    if row.task.kind is Kind.PLAYLIST:
        return _head_pieces(row.task, look, width)
    task, glyphs = row.task, look.glyphs
    pieces: list[Piece] = []
    if task.kind is Kind.ENTRY and look.is_tree:
        pieces.append((f"{glyphs.branch} ", Role.OPEN))
    if has_mark(task):
        is_wanted = task.facts.is_chosen
        pieces.append((f"[{glyphs.chosen if is_wanted else ' '}] ", Role.DONE if is_wanted else Role.QUIET))
    if task.priority and task.status not in QUIET_STATUSES:
        pieces.append((f"{glyphs.high if task.priority > 0 else glyphs.low} ", Role.WAITING))
    if task.facts.index is not None:
        pieces.append((f"{task.facts.index:02} ", Role.QUIET))
    is_quiet = task.status in QUIET_STATUSES or not task.facts.is_chosen
    return (*pieces, (glyphs.text(shown_name(task)), Role.QUIET if is_quiet else Role.NAME))


def _head_pieces(task: DownloadTask, look: Look, width: int) -> tuple[Piece, ...]:
    glyphs = look.glyphs
    triangle = glyphs.closed if task.id in look.closed or not look.is_tree else glyphs.opened
    title = glyphs.text(shown_name(task))
    room = width - BRANCH_CELLS
    least = min(cell_len(title), LEAST_TITLE_CELLS)
    counts = next((one for one in _counts(task, glyphs.dot) if cell_len(one) + least <= room), "")
    if cell_len(title) > (left := room - cell_len(counts)) and counts:
        title = set_cell_size(title, left - 1) + glyphs.ellipsis
    return (f"{triangle} ", Role.DONE), (title, Role.NAME), (counts, Role.QUIET)


def _counts(task: DownloadTask, dot: str) -> tuple[str, ...]:
    """Return how many entries there are, and how many are wanted, the longest form first."""
    facts = task.facts
    if facts.entry_count is None:
        return ()
    videos = f" {dot} {count(facts.entry_count)} video{'' if facts.entry_count == 1 else 's'}"
    short = f" {dot} {count(facts.entry_count)}"
    if facts.chosen_count == facts.entry_count:
        return videos, short
    return f"{videos}, {count(facts.chosen_count)} chosen", f"{short}, {count(facts.chosen_count)} chosen", short


def aside_pieces(row: Row, look: Look, width: int) -> tuple[Piece, ...]:
    """Return what stands in place of the host: how a playlist does, and who else is at work."""
    task = row.task
    if task.kind is Kind.PLAYLIST and task.facts.chosen_count:
        words = next((one for one in _done_words(task) if cell_len(one) <= width), "")
        return ((words, Role.FAILED if task.facts.failed_count else Role.QUIET),)
    stage = row.progress.stage if row.progress is not None else ""
    if not stage and task.facts.is_by_yt_dlp and task.status is Status.DOWNLOADING:
        stage = BY_YT_DLP
    return ((look.glyphs.text(stage or task.host), Role.QUIET),)


def _done_words(task: DownloadTask) -> tuple[str, ...]:
    """Return how many of the wanted entries are done and failed, the longest form first."""
    facts = task.facts
    done, chosen = count(facts.done_count), count(facts.chosen_count)
    failed = f", {count(facts.failed_count)} failed" if facts.failed_count else ""
    return entries_words(task), f"{done} of {chosen}{failed}", f"{done}/{chosen}{failed}", f"{done}/{chosen}"
