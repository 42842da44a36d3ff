"""The table of formats as lines of text: which columns fit, and how wide they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size

from tui_dl.ui.format import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.media import MediaFormat
    from tui_dl.ui.format import Units
    from tui_dl.ui.glyphs import Glyphs

GAP_CELLS: Final = 2
WIDEST_CELLS: Final = 24
"""No column is wider, whatever an extractor calls its formats."""


@dataclass(frozen=True, slots=True)
class FormatColumn:
    """One column."""

    header: str
    """Its head."""
    text: Callable[[MediaFormat, Units], str]
    """What it says of a format; shown sanitised."""
    priority: int
    """The higher, the sooner it goes where there is no room; 0 stays always."""
    is_right: bool = False
    """Whether it is flush right."""


def _resolution(one: MediaFormat, _units: Units) -> str:
    if not one.has_video:
        return "sound" if one.has_audio else ""
    if one.width and one.height:
        return f"{one.width}x{one.height}"
    return f"{one.height}p" if one.height else "video"


def _codecs(one: MediaFormat, _units: Units) -> str:
    return "+".join(codec.partition(".")[0] for codec in (one.video_codec, one.audio_codec) if codec)


def _size(one: MediaFormat, units: Units) -> str:
    return f"{'~' if one.is_size_estimated else ''}{units.size(one.size_bytes)}" if one.size_bytes is not None else ""


def _bitrate(one: MediaFormat, _units: Units) -> str:
    return f"{count(round(one.bitrate_kbps))}k" if one.bitrate_kbps else ""


def _what_is_missing(one: MediaFormat) -> str:
    return "no sound" if one.has_video and not one.has_audio else ""


COLUMNS: Final = (
    FormatColumn("id", lambda one, _units: one.id, 0),
    FormatColumn("ext", lambda one, _units: one.ext, 3),
    FormatColumn("resolution", _resolution, 1),
    FormatColumn("fps", lambda one, _units: f"{one.fps:g}" if one.fps else "", 6, is_right=True),
    FormatColumn("codecs", _codecs, 5),
    FormatColumn("size", _size, 2, is_right=True),
    FormatColumn(
        "bitrate",
        lambda one, _units: f"{count(round(one.bitrate_kbps))}k" if one.bitrate_kbps else "",
        4,
        is_right=True,
    ),
    FormatColumn("by", lambda one, _units: one.protocol, 8),
    FormatColumn("note", lambda one, _units: ", ".join(filter(None, (_what_is_missing(one), one.note))), 7),
)


def table_lines(formats: Sequence[MediaFormat], units: Units, glyphs: Glyphs, width: int) -> tuple[str, list[str]]:
    """Return the head of the table and a line for each format, for so many cells."""
    texts = {column.header: [glyphs.text(column.text(one, units)) for one in formats] for column in COLUMNS}
    chosen = [column for column in COLUMNS if any(texts[column.header])]
    widths = {
        column.header: min(WIDEST_CELLS, max(map(cell_len, (column.header, *texts[column.header]))))
        for column in chosen
    }
    while len(chosen) > 1 and sum(widths[one.header] + GAP_CELLS for one in chosen) - GAP_CELLS > width:
        chosen.remove(max(chosen, key=lambda column: column.priority))
    lines = [
        (" " * GAP_CELLS).join(_fitted(texts[one.header][row], widths[one.header], one.is_right) for one in chosen)
        for row in range(len(formats))
    ]
    head = (" " * GAP_CELLS).join(_fitted(one.header, widths[one.header], one.is_right) for one in chosen)
    return head, lines


def _fitted(text: str, width: int, is_right: bool) -> str:
    room = width - cell_len(text)
    return " " * room + text if is_right and room > 0 else set_cell_size(text, width)
