"""What the line of notices says: what goes on behind, how a batch ended, and what holds for as long as it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.status import Status
from tui_dl.ui.batch_text import summary_text
from tui_dl.ui.widgets.line import Piece, Tone
from tui_dl.ui.work_text import work_words

if TYPE_CHECKING:
    from tui_dl.ui.screens.main import MainScreen


def notice_pieces(screen: MainScreen) -> list[Piece]:
    """Return what is to be said now, on the main screen and on those above it."""
    glyphs, snapshot = screen.look.glyphs, screen.snapshot
    works = (snapshot.works if snapshot is not None else ()) or screen.desk.commander.works
    pieces = [Piece(f"{work_words(work)} {glyphs.ellipsis}   ", Tone.ACCENT) for work in works]
    if screen.ended is not None:
        has_failed = bool(screen.ended.counts.get(Status.FAILED))
        way = f"   {screen.keymap.first('failures')}: failures" if has_failed else ""
        tone = Tone.WARN if has_failed else Tone.GOOD
        pieces += [Piece(summary_text(screen.ended, screen.look), tone), Piece(f"{way}   ", Tone.QUIET, "failures")]
    notices = (*(snapshot.notices if snapshot is not None else ()), *screen.missing.texts)
    if notices:
        text = f" {glyphs.dot} ".join(glyphs.text(notice) for notice in notices)
        pieces.append(Piece(f"{glyphs.alert} {text}", Tone.WARN))
    return pieces
