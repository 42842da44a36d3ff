"""What the screens with a list of their own share: a head, the list, a line about the entry, and the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui_dl.ui.breakpoints import BREAKPOINTS_X, BREAKPOINTS_Y
from tui_dl.ui.bridge import TICK_S
from tui_dl.ui.notice_text import notice_pieces
from tui_dl.ui.widgets.line import Line, Piece, Tone, cells_of
from tui_dl.ui.widgets.pick_list import PickList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tui_dl.ui.screens.main import MainScreen
    from tui_dl.ui.widgets.pick_list import Entry

Key = tuple[str, str, str]
"""A key as it is shown, its word, and the action behind it."""
LEAST_PAUSE_S: Final = 1.0
PAUSE_FACTOR: Final = 4
"""A list that takes long to count is counted less often."""


class ListScreen(Screen[None]):
    """Base: shows entries, and counts them anew when the engine's rows have changed."""

    AUTO_FOCUS: ClassVar[str | None] = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", show=False),
        Binding("question_mark", "help", "Help", show=False),
    ]
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS_X
    VERTICAL_BREAKPOINTS = BREAKPOINTS_Y
    KEYS: ClassVar[Sequence[Key]] = ()
    """What can be done here, the most wanted first."""

    def __init__(self, main: MainScreen) -> None:
        super().__init__()
        self.main = main
        """The screen below."""
        glyphs = main.look.glyphs
        self.glyphs = glyphs
        self.list = PickList(self.entry, mark=glyphs.cursor, ellipsis=glyphs.ellipsis, id="list")
        self._head = Line(id="list-head")
        self._about = Line(id="list-about")
        self._notices = Line(id="notices")
        self._keys = Line(id="list-keys")
        self._generation = -1
        self._rest_s = 0.0
        self._is_counting = False

    def compose(self) -> ComposeResult:
        """Place head, list, the line about the entry, and keys."""
        yield self._head
        yield self._notices
        yield self.list
        yield self._about
        yield self._keys

    def on_mount(self) -> None:
        """Begin to follow the engine."""
        self.set_interval(TICK_S, self._follow)
        self.call_after_refresh(self._follow)

    def on_resize(self) -> None:
        """Say as much as fits now."""
        self.show_all()

    # What a screen says

    def entry(self, index: int, width: int) -> Entry:
        """Draw one entry."""
        raise TypeError(f"{type(self).__name__} draws no entry {index} in {width} cells")

    async def count(self) -> None:
        """Ask the engine, then call `self.list.show_count()`."""
        raise TypeError(f"{type(self).__name__} counts nothing")

    def head(self) -> tuple[list[Piece], list[Piece]]:
        """Return the first line, left and right."""
        return [], []

    def about(self) -> list[Piece]:
        """Return what is said of the current entry."""
        return []

    def keys(self) -> list[Key]:
        """Return what can be done now, the most wanted first, the way back last."""
        return list(self.KEYS)

    # Following

    def _follow(self) -> None:
        self._rest_s -= TICK_S
        pieces = notice_pieces(self.main)
        self._notices.say(pieces)
        self._notices.set_class(bool(pieces), "-shown")
        generation = self.main.port.snapshot().generation if self.main.port is not None else -1
        if generation != self._generation and self._rest_s <= 0:
            self._generation = generation
            self.count_again()

    def count_again(self) -> None:
        """Have the entries counted anew; never twice at the same time."""
        if not self._is_counting and self.main.port is not None:
            self._is_counting = True
            self.run_worker(self._count(), group="count")

    async def _count(self) -> None:
        began_at = self.main.clock()
        try:
            await self.count()
        finally:
            self._is_counting = False
        self._rest_s = max(LEAST_PAUSE_S, PAUSE_FACTOR * (self.main.clock() - began_at))
        self.show_all()

    def show_all(self) -> None:
        """Bring head, line and keys up to the entry."""
        self._head.say(*self.head())
        self._about.say(self.about())
        keys = self.keys()
        while len(keys) > 1 and cells_of(self._key_pieces(keys)) > self.size.width - 2:
            keys.pop(-2)  # the way back stays
        self._keys.say(self._key_pieces(keys))

    def _key_pieces(self, keys: Sequence[Key]) -> list[Piece]:
        pieces: list[Piece] = []
        for key, word, action in keys:
            pieces += [Piece(f"{key} ", Tone.ACCENT, action), Piece(word, Tone.QUIET, action), Piece("  ")]
        return pieces[:-1]

    # From the person

    def on_pick_list_moved(self) -> None:
        """Speak of the other entry."""
        self.show_all()

    async def on_line_clicked(self, event: Line.Clicked) -> None:
        """Do what a key in the last line stands for."""
        event.stop()
        await self.run_action(event.target)

    def action_leave(self) -> None:
        """Go back to the table."""
        self.dismiss(None)

    def action_help(self) -> None:
        """Show all keys."""
        self.main.desk.open_help()
