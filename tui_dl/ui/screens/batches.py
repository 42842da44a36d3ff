"""The batches: every add by its name, with what became of it; Enter shows its rows."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from tui_dl.core.query import TermKind
from tui_dl.core.status import UNFINISHED, Status
from tui_dl.ui.batch_text import summary_text
from tui_dl.ui.format import count
from tui_dl.ui.screens.list_screen import Key, ListScreen
from tui_dl.ui.term_text import exact
from tui_dl.ui.widgets.line import Piece, Tone
from tui_dl.ui.widgets.pick_list import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.ports import BatchView
    from tui_dl.core.query import Term
    from tui_dl.ui.screens.main import MainScreen

WIDE_CELLS = 70
COUNT_CELLS = 16


class BatchesScreen(ListScreen):
    """Names, counts and sizes, the newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "leave", "Back", show=False),
        Binding("f", "failures", "Failures", show=False),
    ]
    KEYS: ClassVar[Sequence[Key]] = (
        ("Enter", "Show rows", "show"),
        ("f", "Failures", "failures"),
        ("Esc", "Back", "leave"),
    )

    def __init__(self, main: MainScreen) -> None:
        super().__init__(main)
        self._batches: list[BatchView] | None = None

    async def count(self) -> None:
        """Ask for the batches."""
        assert self.main.port is not None
        current = self._batch()
        self._batches = await self.main.port.batches()
        ids = [one.id for one in self._batches]
        place = ids.index(current.id) if current is not None and current.id in ids else None
        self.list.show_count(len(ids), place)

    def _batch(self) -> BatchView | None:
        batches = self._batches or ()
        return batches[self.list.cursor] if self.list.cursor < len(batches) else None

    def entry(self, index: int, width: int) -> Entry:
        """Draw a batch."""
        assert self._batches is not None
        one = self._batches[index]
        left = sum(one.counts.get(status, 0) for status in UNFINISHED)
        failed = one.counts.get(Status.FAILED, 0)
        name = Piece(self.glyphs.text(one.name) or "no name", Tone.PLAIN if left or failed else Tone.QUIET)
        right = [
            Piece(f"  {count(left)} left" if left else "", Tone.ACCENT),
            Piece(f"  {count(failed)} failed" if failed else "", Tone.BAD),
            Piece(
                f"  {count(one.counts.get(Status.COMPLETED, 0))} of {count(one.total)}".rjust(COUNT_CELLS), Tone.QUIET
            ),
        ]
        if width >= WIDE_CELLS:
            who = "get" if one.is_get else ""
            right.append(
                Piece(f"  {self.main.look.units.size(one.total_bytes):>9}  {who:3}  {_when(one.at)}", Tone.QUIET)
            )
        return Entry((name,), right)

    def head(self) -> tuple[list[Piece], list[Piece]]:
        """Say how many there are."""
        if self._batches is None:
            words = f"  counting {self.glyphs.ellipsis}"
        else:
            words = f"  {count(len(self._batches))}" if self._batches else "  nothing was added yet"
        return [Piece("Batches", Tone.STRONG), Piece(words, Tone.QUIET)], []

    def about(self) -> list[Piece]:
        """Say how the batch did."""
        batch = self._batch()
        return [Piece(summary_text(batch, self.main.look), Tone.QUIET)] if batch is not None else []

    def on_pick_list_chosen(self) -> None:
        """Show the rows of the batch in the table."""
        self.action_show()

    def _terms(self) -> tuple[Term, ...]:
        batch = self._batch()
        return (exact(TermKind.BATCH, batch.name),) if batch is not None and batch.name else ()

    def action_show(self) -> None:
        """Filter the table by the batch, and go there."""
        if terms := self._terms():
            self.dismiss(None)
            self.main.desk.show_terms(terms)

    def action_failures(self) -> None:
        """Show what failed in the batch."""
        if terms := self._terms():
            self.dismiss(None)
            self.main.desk.open_failures(terms)


def _when(at: float) -> str:
    """Return when it was added, in local time."""
    local = datetime.fromtimestamp(at).astimezone()
    is_today = local.date() == datetime.fromtimestamp(time.time()).astimezone().date()
    return local.strftime("     %H:%M" if is_today else "%Y-%m-%d")
