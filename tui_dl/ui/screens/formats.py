"""The format picker: presets, the table of formats, languages of subtitles, and for what the choice is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from tui_dl.core.errors import TuiDlError
from tui_dl.core.media import PRESETS, Kind, MediaChoice, MediaFormat, MediaFormats
from tui_dl.ui.format_choice import AS_CONFIGURED, FormatRequest, Marks, words_of
from tui_dl.ui.format_table import table_lines
from tui_dl.ui.row_text import shown_name
from tui_dl.ui.screens.list_screen import Key, ListScreen
from tui_dl.ui.widgets.line import Piece, Tone
from tui_dl.ui.widgets.pick_list import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.task import DownloadTask
    from tui_dl.ui.screens.main import MainScreen

FOR_ALL: Final = "for all of the playlist"
MARK_CELLS: Final = 4
EXPLANATIONS: Final = {
    "": "settings, the site's last choice and yt-dlp's configuration decide",
    "best": "best picture and sound",
    "1080p": "no more than 1080 lines",
    "720p": "no more than 720 lines",
    "audio mp3": "sound alone, turned into mp3",
    "audio opus": "sound alone, turned into opus",
    "smallest": "the fewest bytes",
}


@dataclass(frozen=True, slots=True)
class Switch:
    """A line that says for what the choice is."""

    name: str
    """Attribute of the screen that it turns."""


@dataclass(frozen=True, slots=True)
class Words:
    """A line that cannot be chosen."""

    text: str
    """What it says; sanitised."""
    tone: Tone = Tone.QUIET
    """How loud."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language of subtitles."""

    name: str
    """As the extractor names it."""
    is_automatic: bool = False
    """Whether the site makes them."""


PickLine = MediaChoice | Switch | Words | MediaFormat | Language


class FormatsScreen(ListScreen):
    """Space marks, Enter takes; what the site answers comes in below, and nobody has to wait for it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "leave", "Back", show=False),
        Binding("space", "mark", "Mark", show=False),
        Binding("a", "turn('is_for_all')", "For all", show=False),
        Binding("w", "turn('is_remembered')", "Remember", show=False),
    ]

    def __init__(self, main: MainScreen, task: DownloadTask, rows: str, take: Callable[[FormatRequest], None]) -> None:
        """`rows` names what the choice is for, `take` gets it."""
        super().__init__(main)
        self._row = task
        self._rows_text = rows
        self._take = take
        self._formats: MediaFormats | None = None
        self._problem = ""
        self._is_asked = False
        self._marks = Marks(task.facts.choice)
        self.is_for_all = task.kind is Kind.PLAYLIST
        """Whether the choice is for all of the playlist."""
        self.is_remembered = False
        """Whether it is remembered for the site."""
        self._lines: list[PickLine] = []
        self._table_of: tuple[int, str, dict[MediaFormat, str]] = (-1, "", {})
        self.list.can_stop = lambda index: not isinstance(self._lines[index], Words)
        self.list.edge_cells = MARK_CELLS

    def on_mount(self) -> None:
        """Show the presets at once, the cursor on what is chosen."""
        super().on_mount()
        self._make_lines()
        marked = next((place for place, line in enumerate(self._lines) if self._marks.preset == line), 0)
        self.list.show_count(len(self._lines), marked)

    # Asking

    def count_again(self) -> None:
        """Ask the site, once."""
        if not self._is_asked and self.main.port is not None:
            self._is_asked = True
            self.run_worker(self._ask(), group="formats")

    async def _ask(self) -> None:
        assert self.main.port is not None
        try:
            self._formats = await self.main.port.media_formats(self._row.id)
        except TuiDlError as error:
            self._problem = self.glyphs.text(". ".join(part for part in (error.message, error.hint) if part))
        else:
            self._marks.take_formats(self._formats)
        self._table_of = (-1, "", {})
        self._make_lines()
        self.list.show_count(len(self._lines))
        self.show_all()

    # What it says

    def _make_lines(self) -> None:
        lines: list[PickLine] = [AS_CONFIGURED, *PRESETS]
        lines += [Switch("is_for_all")] if self._row.kind is Kind.ENTRY else []
        lines.append(Switch("is_remembered"))
        found = self._formats
        if found is None:
            words = self._problem or f"asking the site {self.glyphs.ellipsis}"
            lines.append(Words(words, Tone.BAD if self._problem else Tone.WARN))
        else:
            lines += [Words(self.glyphs.text(one), Tone.WARN) for one in found.notices]
            lines += [Words("formats"), *reversed(found.formats)] if found.formats else [Words("no formats were found")]
            languages = [Language(one) for one in found.subtitles]
            made = [Language(one, True) for one in found.automatic_subtitles if one not in found.subtitles]
            lines += [Words("subtitles"), *languages, *made] if languages or made else []
        self._lines = lines

    def _table(self, width: int) -> tuple[str, dict[MediaFormat, str]]:
        """Return the head of the table and each line; made anew only for another width."""
        if self._table_of[0] != width:
            formats = self._formats.formats if self._formats is not None else ()
            head, lines = table_lines(formats, self.main.look.units, self.glyphs, width)
            self._table_of = (width, head, dict(zip(formats, lines, strict=True)))
        return self._table_of[1:]

    def entry(self, index: int, width: int) -> Entry:
        """Draw one line."""
        line = self._lines[index]
        if isinstance(line, Words):
            is_head = line.text == "formats"
            text = f"{'':{MARK_CELLS}}{self._table(width - MARK_CELLS)[0]}" if is_head else line.text
            return Entry((Piece(text, line.tone),))
        is_marked = self._is_marked(line)
        left, right = "()" if isinstance(line, MediaChoice) else "[]"
        mark = Piece(
            f"{left}{self.glyphs.chosen if is_marked else ' '}{right} ", Tone.ACCENT if is_marked else Tone.QUIET
        )
        return Entry((mark, *self._pieces(line, width - MARK_CELLS)))

    def _pieces(self, line: PickLine, width: int) -> tuple[Piece, ...]:
        if isinstance(line, MediaChoice):
            return Piece(f"{words_of(line):<15}"), Piece(EXPLANATIONS.get(line.name, ""), Tone.QUIET)
        if isinstance(line, Switch):
            site = self.glyphs.text(self._formats.site) if self._formats is not None else ""
            is_all = line.name == "is_for_all"
            words = FOR_ALL if is_all else f"remember for {site or 'this site'}"
            return (Piece(words), Piece("  a" if is_all else "  w", Tone.ACCENT))
        if isinstance(line, MediaFormat):
            return (Piece(self._table(width)[1][line]),)
        if isinstance(line, Language):
            return Piece(self.glyphs.text(line.name)), Piece(
                "  made by the site" if line.is_automatic else "", Tone.QUIET
            )
        return ()

    def _is_marked(self, line: PickLine) -> bool:
        marks = self._marks
        if isinstance(line, MediaChoice):
            return marks.preset == line
        if isinstance(line, Switch):
            return bool(getattr(self, line.name))
        if isinstance(line, Language):
            return marks.has_subtitle(line.name)
        return line in marks.formats

    def head(self) -> tuple[list[Piece], list[Piece]]:
        """Say of what, and where from."""
        site = self._formats.site if self._formats is not None else self._row.host
        name = self.glyphs.text(self._rows_text or shown_name(self._row))
        return [Piece("Formats", Tone.STRONG), Piece(f"  {name}", Tone.QUIET)], [
            Piece(self.glyphs.text(site), Tone.QUIET)
        ]

    def about(self) -> list[Piece]:
        """Say how formats are marked, or all of what is said of one."""
        line = self._lines[self.list.cursor] if self._lines else None
        if isinstance(line, MediaFormat):
            how = "" if line.has_audio and line.has_video else "mark a picture and a sound to have both   "
            return [Piece(how, Tone.ACCENT), Piece(self.glyphs.text(line.note), Tone.QUIET)]
        if isinstance(line, MediaChoice):
            return [Piece(EXPLANATIONS.get(line.name, ""), Tone.QUIET)]
        return []

    def keys(self) -> list[Key]:
        """Return the keys, the first with what it would take."""
        words = self.glyphs.text(words_of(self._wanted().choice()))
        all_words = " for all" if self.is_for_all else ""
        keys: list[Key] = [("Enter", f"Take {words}{all_words}", "take"), ("Space", "Mark", "mark")]
        keys += [("a", "For all", "turn('is_for_all')")] if self._row.kind is Kind.ENTRY else []
        return [*keys, ("w", "Remember", "turn('is_remembered')"), ("Esc", "Back", "leave")]

    # From the person

    def _wanted(self) -> Marks:
        """Return the marks as they would be with the current line taken, too."""
        marks, line = self._marks.copy(), self._lines[self.list.cursor] if self._lines else None
        if isinstance(line, MediaChoice):
            marks.mark_preset(line)
        elif isinstance(line, MediaFormat) and line not in marks.formats:
            marks.toggle_format(line)
        return marks

    def action_mark(self) -> None:
        """Mark the current line, or let it go."""
        line = self._lines[self.list.cursor]
        if isinstance(line, MediaChoice):
            self._marks.mark_preset(line)
        elif isinstance(line, MediaFormat):
            self._marks.toggle_format(line)
        elif isinstance(line, Language):
            self._marks.toggle_subtitle(line.name)
        elif isinstance(line, Switch):
            self.action_turn(line.name)
        self._show_marks()

    def action_turn(self, name: str) -> None:
        """Turn a switch that is there."""
        if name != "is_for_all" or self._row.kind is Kind.ENTRY:
            setattr(self, name, not getattr(self, name))
        self._show_marks()

    def _show_marks(self) -> None:
        self.list.refresh()
        self.show_all()

    def on_pick_list_edge_clicked(self) -> None:
        """Mark by a click on the mark."""
        self.action_mark()

    def on_pick_list_chosen(self) -> None:
        """Take by Enter; on a line that is no form of the video, turn that."""
        if isinstance(self._lines[self.list.cursor], Switch):
            self.action_mark()
        else:
            self.action_take()

    def action_take(self) -> None:
        """Take what is marked, and the current line."""
        request = FormatRequest(self._wanted().choice(), self.is_for_all, self.is_remembered)
        self.dismiss(None)
        self._take(request)
