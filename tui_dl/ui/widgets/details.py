"""The pane below the table: all that is known of the current row, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Static

from tui_dl.ui.details_text import Page, page_text
from tui_dl.ui.row_text import shown_name
from tui_dl.ui.widgets.line import Line, Piece, Tone, cells_of

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.content import Content

    from tui_dl.core.ports import TaskDetails
    from tui_dl.core.task import DownloadProgress
    from tui_dl.ui.row import Look

PAGES = tuple(Page)


class DetailsPane(Vertical):
    """Title line and page. A click on a page's name in the title shows that page."""

    class PageChosen(Message):
        """Another page was chosen by a click."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.page = Page.OVERVIEW
        """Page shown."""
        self._title = Line(id="details-title")
        self._body = Static(markup=False, id="details-body")
        self._shown: Content | None = None

    def compose(self) -> ComposeResult:
        """Place title and page."""
        yield self._title
        with VerticalScroll(id="details-scroll", can_focus=False):
            yield self._body

    @property
    def plain(self) -> str:
        """Text of the page shown."""
        return self._shown.plain if self._shown is not None else ""

    def turn(self) -> None:
        """Go to the next page."""
        self.page = PAGES[(PAGES.index(self.page) + 1) % len(PAGES)]

    def show_details(self, details: TaskDetails, progress: DownloadProgress | None, look: Look) -> None:
        """Show a task."""
        self._show_title(details, look)
        width = max(1, self._body.size.width or self.size.width - 4)
        text = page_text(self.page, details, progress, look, width)
        if self._shown is None or not text.is_same(self._shown):
            self._shown = text
            self._body.update(text)
            if self.page is Page.LOG:
                self.query_one("#details-scroll", VerticalScroll).scroll_end(animate=False)

    def show_nothing(self) -> None:
        """Show that there is no row."""
        self._title.say((Piece("No row", Tone.QUIET),))
        self._shown = None
        self._body.update("")

    def _show_title(self, details: TaskDetails, look: Look) -> None:
        names: list[Piece] = []
        for page in PAGES:
            tone = Tone.ACCENT if page is self.page else Tone.QUIET
            names += [Piece("  "), Piece(page.value.capitalize(), tone, page.value)]
        room = self._title.size.width - cells_of(names) - 1
        name = look.glyphs.text(shown_name(details.task))
        if room < len(name):
            name = name[: max(0, room - 1)] + look.glyphs.ellipsis if room > 8 else ""
        self._title.say((Piece(name, Tone.STRONG),), names)

    def on_line_clicked(self, event: Line.Clicked) -> None:
        """Show the page that was clicked, at the next refresh of the pane."""
        event.stop()
        self.page = Page(event.target)
        self.post_message(self.PageChosen())
