"""The table's columns: each is a value; which of them fit a width, and how wide they are, is decided here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tui_dl.core.query import SortKey
from tui_dl.core.status import FACTS, FINISHED, Status, Tab
from tui_dl.ui.format import duration, percent
from tui_dl.ui.row_text import status_phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.task import DownloadProgress, DownloadTask
    from tui_dl.ui.format import Units
    from tui_dl.ui.glyphs import Glyphs


class LiveSort(StrEnum):
    """Orders that the journal cannot answer: live rows come first, sorted; the rest follows in queue order."""

    SPEED = "speed"
    ETA = "eta"
    PERCENT = "percent"
    CONNECTIONS = "connections"


class Role(StrEnum):
    """What a piece of a row means; the table has a style for each."""

    NAME = "name"
    QUIET = "quiet"
    NUMBER = "number"
    DONE = "done"
    OPEN = "open"
    WAITING = "waiting"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is shown."""

    task: DownloadTask
    """The newest record known."""
    progress: DownloadProgress | None = None
    """How it stands now, for bar and status; None unless it is live."""
    numbers: DownloadProgress | None = None
    """How it stood when the numbers were last taken over; they change less often than the bar."""

    @property
    def downloaded_bytes(self) -> int:
        """Bytes that arrived."""
        return self.progress.downloaded_bytes if self.progress else self.task.downloaded_bytes

    @property
    def total_bytes(self) -> int | None:
        """Length, None while unknown."""
        return self.progress.total_bytes if self.progress else self.task.total_bytes

    @property
    def percentage(self) -> float | None:
        """0 to 100, None while the length is unknown."""
        if self.task.status is Status.COMPLETED:
            return 100.0
        total_bytes = self.total_bytes
        if total_bytes is None:
            return None
        return 100.0 * min(self.downloaded_bytes, total_bytes) / total_bytes if total_bytes else 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """How rows are drawn now."""

    glyphs: Glyphs
    """Drawing characters of the terminal."""
    units: Units
    """Units of sizes and speeds."""
    now: float
    """Unix time, for waits that count down."""
    max_retries: int
    """Attempts that the settings allow a task."""


Piece = tuple[str, Role]
"""A text and its meaning."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    key: str
    """Its name in code and tests."""
    header: Callable[[Glyphs], str]
    """Its head."""
    min_width: int
    """Cells it needs to be of use."""
    priority: int
    """The higher, the sooner it goes when the terminal is narrow; 0 stays always."""
    draw: Callable[[Row, Look, int], tuple[Piece, ...]]
    """Its pieces for a row in so many cells; the table cuts and fills."""
    sort: SortKey | LiveSort
    """Order that a click on its head asks for."""
    is_right: bool = False
    """Whether it is flush right."""
    is_tail: bool = False
    """Whether it makes room for the words of a row that does not move."""


def _name(row: Row, look: Look, _width: int) -> tuple[Piece, ...]:
    quiet = row.task.status in (Status.COMPLETED, Status.SKIPPED, Status.CANCELLED)
    name = (look.glyphs.text(row.task.filename or row.task.url), Role.QUIET if quiet else Role.NAME)
    if not row.task.priority or row.task.status in FINISHED:
        return (name,)
    mark = look.glyphs.high if row.task.priority > 0 else look.glyphs.low
    return ((f"{mark} ", Role.WAITING if row.task.priority > 0 else Role.QUIET), name)


def _size(row: Row, look: Look, _width: int) -> tuple[Piece, ...]:
    if (total_bytes := row.total_bytes) is not None:
        return ((look.units.size(total_bytes), Role.NUMBER),)
    held_bytes = (row.numbers or row).downloaded_bytes
    return ((f"{look.units.size(held_bytes)}+" if held_bytes else "", Role.NUMBER),)


def _bar(row: Row, look: Look, width: int) -> tuple[Piece, ...]:
    done, rest = look.glyphs.bar((row.percentage or 0.0) / 100, width)
    status = row.task.status
    if status is Status.COMPLETED:
        return ((done, Role.FINISHED), (rest, Role.OPEN))
    is_bright = FACTS[status].tab is Tab.ACTIVE
    return ((done, Role.DONE if is_bright else Role.QUIET), (rest, Role.OPEN))


def _percent(row: Row, _look: Look, _width: int) -> tuple[Piece, ...]:
    if row.task.status is Status.PENDING and not row.downloaded_bytes:
        return (("", Role.NUMBER),)
    percentage = row.percentage
    if row.progress and row.numbers and row.task.status is not Status.COMPLETED:
        percentage = row.numbers.percentage
    return ((percent(percentage), Role.NUMBER),)


def _speed(row: Row, look: Look, _width: int) -> tuple[Piece, ...]:
    return ((look.units.speed(row.numbers.speed_bps) if row.numbers else "", Role.NUMBER),)


def _eta(row: Row, _look: Look, _width: int) -> tuple[Piece, ...]:
    return ((duration(row.numbers.eta_s) if row.numbers else "", Role.NUMBER),)


def _connections(row: Row, _look: Look, _width: int) -> tuple[Piece, ...]:
    number = row.progress.connections if row.progress else 0
    return ((str(number) if number else "", Role.QUIET),)


def _host(row: Row, look: Look, _width: int) -> tuple[Piece, ...]:
    return ((look.glyphs.text(row.task.host), Role.QUIET),)


def _says(text: str) -> Callable[[Glyphs], str]:
    return lambda _glyphs: text


COLUMNS: Final = (
    Column("name", _says("Name"), 14, 0, _name, SortKey.NAME),
    Column("size", _says("Size"), 9, 4, _size, SortKey.SIZE, is_right=True),
    Column("bar", _says("Progress"), 8, 5, _bar, LiveSort.PERCENT),
    Column("percent", _says("%"), 5, 1, _percent, LiveSort.PERCENT, is_right=True),
    Column("speed", _says("Speed"), 10, 2, _speed, LiveSort.SPEED, is_right=True, is_tail=True),
    Column("eta", _says("ETA"), 7, 3, _eta, LiveSort.ETA, is_right=True, is_tail=True),
    Column(
        "connections",
        lambda glyphs: glyphs.connections,
        2,
        7,
        _connections,
        LiveSort.CONNECTIONS,
        is_right=True,
        is_tail=True,
    ),
    Column("status", _says("Host"), 10, 6, _host, SortKey.HOST, is_tail=True),
)

ORDERS: Final = (
    SortKey.POSITION,
    SortKey.NAME,
    SortKey.SIZE,
    LiveSort.PERCENT,
    LiveSort.SPEED,
    LiveSort.ETA,
    LiveSort.CONNECTIONS,
    SortKey.STATUS,
    SortKey.HOST,
    SortKey.ADDED,
)
"""What the key for sorting goes through."""

GUTTER_CELLS: Final = 2
"""Left edge: the cursor or a mark, and a space."""
WIDE_AT_CELLS: Final = 104
"""From here on columns stand two cells apart."""
_WISHES: Final = (
    ("name", 30),
    ("bar", 12),
    ("status", 20),
    ("name", 40),
    ("bar", 24),
    ("status", 30),
    ("name", 60),
    ("bar", 32),
    ("name", 10_000),
)
"""Who grows next, up to which width, while there is room."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A column in its place."""

    column: Column
    """Which one."""
    x: int
    """First cell, from the left edge of the table."""
    width: int
    """Cells it has."""


def layout(width: int, columns: Sequence[Column] = COLUMNS) -> tuple[Placed, ...]:
    """Choose columns for a table `width` cells wide, and place them from left to right."""
    gap = 2 if width >= WIDE_AT_CELLS else 1
    room = width - GUTTER_CELLS
    chosen = list(columns)
    while len(chosen) > 1 and _needed(chosen, gap) > room:
        chosen.remove(max(chosen, key=lambda column: column.priority))
    widths = {column.key: column.min_width for column in chosen}
    spare = room - _needed(chosen, gap)
    if spare < 0:
        widths[chosen[0].key] = max(1, room)
    for key, wish in _WISHES:
        if key in widths and spare > 0:
            more = min(spare, max(0, wish - widths[key]))
            widths[key] += more
            spare -= more
    placed: list[Placed] = []
    x = GUTTER_CELLS
    for column in chosen:
        placed.append(Placed(column, x, widths[column.key]))
        x += widths[column.key] + gap
    return tuple(placed)


def _needed(columns: Sequence[Column], gap: int) -> int:
    return sum(column.min_width for column in columns) + gap * (len(columns) - 1)


def tail_piece(row: Row, look: Look) -> Piece | None:
    """Return the words that stand in place of speed, ETA, connections and host; None where those are shown."""
    phrase = status_phrase(row.task, look.now, look.max_retries)
    if not phrase:
        return None
    tab, status = FACTS[row.task.status].tab, row.task.status
    if status is Status.FAILED:
        role = Role.FAILED
    elif status is Status.WAITING:
        role = Role.WAITING
    elif tab is Tab.DONE:
        role = Role.FINISHED
    else:
        role = Role.QUIET
    return look.glyphs.text(phrase), role
