"""A line of text pieces, some of which can be clicked; redrawn only when it says something else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui_dl.ui.widgets.ink import ink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from textual import events


class Tone(StrEnum):
    """How loud a piece speaks; the style sheet has a class for each."""

    PLAIN = "plain"
    STRONG = "strong"
    QUIET = "quiet"
    ACCENT = "accent"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the line. Its text is shown as it is: whoever makes it has sanitised it."""

    text: str
    """One line, no markup."""
    tone: Tone = Tone.PLAIN
    """How loud."""
    target: str = ""
    """What a click on it means; empty: nothing."""

    @property
    def cells(self) -> int:
        """Width."""
        return cell_len(self.text)


def cells_of(pieces: Sequence[Piece]) -> int:
    """Return the width of pieces side by side."""
    return sum(piece.cells for piece in pieces)


class Line(Widget):
    """One line: pieces at the left, pieces at the right where there is room for both."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{tone}" for tone in Tone}

    class Clicked(Message):
        """A piece with a target was clicked."""

        def __init__(self, line: Line, target: str) -> None:
            super().__init__()
            self.line = line
            self.target = target

        @property
        def control(self) -> Line:
            """The line."""
            return self.line

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._left: tuple[Piece, ...] = ()
        self._right: tuple[Piece, ...] = ()

    @property
    def plain(self) -> str:
        """What it says now, for tests and screen readers."""
        return "".join(segment.text for segment in self.render_line(0)).rstrip()

    def say(self, left: Sequence[Piece], right: Sequence[Piece] = ()) -> None:
        """Show these pieces; nothing is drawn if they are shown already."""
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    def _placed(self) -> list[tuple[int, Piece]]:
        """Return the pieces that are shown, with their first cells."""
        width = self.size.width
        right = self._right if cells_of(self._left) + cells_of(self._right) < width else ()
        placed: list[tuple[int, Piece]] = []
        for x, pieces in ((0, self._left), (width - cells_of(right), right)):
            at = x
            for piece in pieces:
                placed.append((at, piece))
                at += piece.cells
        return placed

    def render_line(self, y: int) -> Strip:
        """Draw it."""
        base = self.rich_style
        width = self.size.width
        if y:
            return Strip.blank(width, base)
        segments: list[Segment] = []
        at = 0
        for x, piece in self._placed():
            if x >= width:
                break
            if x > at:
                segments.append(Segment(" " * (x - at), base))
            text = piece.text if x + piece.cells <= width else set_cell_size(piece.text, width - x)
            segments.append(Segment(text, self._style(piece.tone)))
            at = x + cell_len(text)
        return Strip(segments, at).adjust_cell_length(width, base)

    def _style(self, tone: Tone) -> Style:
        if tone is Tone.PLAIN:
            return self.rich_style
        return self.rich_style + ink(self, f"line--{tone}")

    def target_at(self, x: int) -> str:
        """Return what a click on a cell means."""
        return next((piece.target for start, piece in self._placed() if start <= x < start + piece.cells), "")

    def on_click(self, event: events.Click) -> None:
        """Pass on what was clicked."""
        if target := self.target_at(event.get_content_offset_capture(self).x):
            event.stop()
            self.post_message(self.Clicked(self, target))
