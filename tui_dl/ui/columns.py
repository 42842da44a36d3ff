"""The table's columns: each is a value; which of them fit a width, and how wide they are, is decided here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tui_dl.core.media import Kind
from tui_dl.core.query import SortKey
from tui_dl.core.status import FACTS, FINISHED, Status, Tab
from tui_dl.ui.format import duration, percent
from tui_dl.ui.media_text import aside_pieces, name_pieces
from tui_dl.ui.row import Piece, Role
from tui_dl.ui.row_text import is_for_choice, status_phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.task import DownloadTask
    from tui_dl.ui.glyphs import Glyphs
    from tui_dl.ui.row import Look, Row


class LiveSort(StrEnum):
    """Orders that the journal cannot answer: live rows come first, sorted; the rest follows in queue order."""

    SPEED = "speed"
    ETA = "eta"
    PERCENT = "percent"
    CONNECTIONS = "connections"


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


def _name(row: Row, look: Look, width: int) -> tuple[Piece, ...]:
    if row.task.kind is not Kind.FILE:
        return name_pieces(row, look, width)
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
    if (row.task.status is Status.PENDING and not row.downloaded_bytes) or is_for_choice(row.task):
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


def _host(row: Row, look: Look, width: int) -> tuple[Piece, ...]:
    if row.task.kind is not Kind.FILE:
        return aside_pieces(row, look, width)
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
    stage = row.progress.stage if row.progress is not None else ""
    phrase = status_phrase(row.task, look.now, look.max_retries, stage, look.refresh_key)
    if not phrase:
        return None
    return look.glyphs.text(phrase), _tail_role(row.task)


def _tail_role(task: DownloadTask) -> Role:
    if is_for_choice(task):
        return Role.WAITING if task.kind is Kind.PLAYLIST else Role.QUIET
    if task.status is Status.FAILED:
        return Role.FAILED
    if task.status is Status.WAITING:
        return Role.WAITING
    return Role.FINISHED if FACTS[task.status].tab is Tab.DONE else Role.QUIET


def cells_of_row(
    row: Row, look: Look, placed: tuple[Placed, ...], end: int
) -> tuple[tuple[Placed, tuple[Piece, ...]], ...]:
    """Return the pieces of a row, column by column, up to the cell `end`.

    Words on its status take the place of the last columns; the name of media, that of what is empty beside it.
    """
    tail = tail_piece(row, look)
    cells: list[tuple[Placed, tuple[Piece, ...]]] = []
    for place in placed if row.task.kind is Kind.FILE else _with_wide_name(placed, _empty_keys(row)):
        if tail is not None and place.column.is_tail:
            cells.append((Placed(placed[0].column, place.x, max(1, end - place.x)), (tail,)))
            break
        cells.append((place, place.column.draw(row, look, place.width)))
    return tuple(cells)


def _empty_keys(row: Row) -> tuple[str, ...]:
    """Return the columns beside the name that say nothing of a row of media."""
    if is_for_choice(row.task):
        return "size", "bar", "percent"
    is_sizeless = row.task.kind is Kind.PLAYLIST or (row.total_bytes is None and not row.downloaded_bytes)
    return ("size",) if is_sizeless else ()


@lru_cache(maxsize=8)
def _with_wide_name(placed: tuple[Placed, ...], empty_keys: tuple[str, ...]) -> tuple[Placed, ...]:
    """Give the room of the columns that follow the name and are empty to the name."""
    name, *rest = placed
    end = name.x + name.width
    while rest and rest[0].column.key in empty_keys:
        end = rest[0].x + rest[0].width
        del rest[0]
    return Placed(name.column, name.x, end - name.x), *rest
