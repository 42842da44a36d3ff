"""Triage: what failed, by reason and host, with the way out; a group can be retried, exported, dropped or looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import REASONS, TuiDlError
from tui_dl.ui.exporting import export
from tui_dl.ui.format import count
from tui_dl.ui.screens.list_screen import Key, ListScreen
from tui_dl.ui.triage import MOST_OPEN_ROWS, TriageRow, group_query, group_terms, triage_rows
from tui_dl.ui.widgets.line import Piece, Tone, cells_of
from tui_dl.ui.widgets.pick_list import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.errors import Reason
    from tui_dl.core.ports import FailureGroup
    from tui_dl.core.query import TaskQuery
    from tui_dl.ui.screens.main import MainScreen

COUNT_CELLS = 9


class FailuresScreen(ListScreen):
    """Counts, reasons and hosts; Enter shows the rows of a group in the table."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "leave", "Back", show=False),
        Binding("space", "unfold", "Hosts", show=False),
        Binding("right,l", "unfold(True)", "Open", show=False),
        Binding("left,h", "unfold(False)", "Close", show=False),
        Binding("r", "retry", "Retry", show=False),
        Binding("e", "export", "Export", show=False),
        Binding("x", "drop", "Drop", show=False),
        Binding("u", "undo", "Undo", show=False),
    ]
    KEYS: ClassVar[Sequence[Key]] = (
        ("Enter", "Show rows", "show"),
        ("r", "Retry", "retry"),
        ("e", "Export", "export"),
        ("x", "Drop", "drop"),
        ("Space", "Hosts", "unfold"),
        ("Esc", "Back", "leave"),
    )

    def __init__(self, main: MainScreen, scope: TaskQuery, scope_text: str) -> None:
        super().__init__(main)
        self._scope = scope
        self._scope_text = scope_text
        self._groups: list[FailureGroup] | None = None
        self._open: set[Reason] | None = None
        self._rows: list[TriageRow] = []

    # What it says

    async def count(self) -> None:
        """Ask for the groups."""
        assert self.main.port is not None
        self._groups = await self.main.port.failure_groups(self._scope)
        if self._open is None and self._groups:
            self._open = {group.reason for group in self._groups} if len(self._groups) <= MOST_OPEN_ROWS else set()
        self._show_rows()

    def _show_rows(self) -> None:
        row = self._row()
        self._rows = triage_rows(self._groups or (), self._open or ())
        place = next((index for index, one in enumerate(self._rows) if row is not None and one.key == row.key), None)
        self.list.show_count(len(self._rows), place)
        self.show_all()

    def _row(self) -> TriageRow | None:
        return self._rows[self.list.cursor] if self.list.cursor < len(self._rows) else None

    def entry(self, index: int, width: int) -> Entry:
        """Draw a reason with its hint, or a host below it."""
        row = self._rows[index]
        number = Piece(f"{count(row.count):>{COUNT_CELLS}}  ", Tone.PLAIN if row.host is None else Tone.QUIET)
        if row.host is not None:
            return Entry((number, Piece(f"    {self.glyphs.text(row.host) or 'no host'}", Tone.PLAIN)))
        facts = REASONS[row.reason]
        mark = self.glyphs.descending if row.reason in (self._open or ()) else self.glyphs.cursor
        hosts = Piece(f"   {count(row.hosts)} hosts" if row.hosts > 1 else "", Tone.QUIET)
        left = [number, Piece(f"{mark} ", Tone.ACCENT), Piece(facts.meaning, Tone.BAD), hosts]
        hint = Piece(f"   {facts.hint}", Tone.QUIET)
        if cells_of(left) + hint.cells <= width:
            left.append(hint)
        return Entry(left)

    def head(self) -> tuple[list[Piece], list[Piece]]:
        """Say how many failed, and among which rows."""
        right = [Piece(f"/ {self.glyphs.text(self._scope_text)}", Tone.ACCENT)] if self._scope_text else []
        if self._groups is None:
            return [Piece("Failures", Tone.STRONG), Piece(f"  counting {self.glyphs.ellipsis}", Tone.QUIET)], right
        total = sum(group.count for group in self._groups)
        if not total:
            return [Piece("Failures", Tone.STRONG), Piece("  nothing has failed", Tone.GOOD)], right
        reasons = len({group.reason for group in self._groups})
        hosts = len({group.host for group in self._groups})
        words = f"  {count(total)} failed: {_counted(reasons, 'reason')}, {_counted(hosts, 'host')}"
        return [Piece("Failures", Tone.STRONG), Piece(words, Tone.QUIET)], right

    def about(self) -> list[Piece]:
        """Say the way out, and what one of the group said."""
        row = self._row()
        if row is None:
            return []
        hint = Piece(REASONS[row.reason].hint, Tone.PLAIN)
        if not row.text or row.text == REASONS[row.reason].meaning:
            return [hint]
        return [hint, Piece(f"   {self.glyphs.text(row.text)}", Tone.QUIET)]

    # From the person

    def action_unfold(self, is_open: bool | None = None) -> None:
        """Show or hide the hosts of a reason."""
        row = self._row()
        if row is None or self._open is None:
            return
        if is_open is None:
            is_open = row.reason not in self._open
        if is_open:
            self._open.add(row.reason)
        else:
            self._open.discard(row.reason)
            self.list.cursor = next(index for index, one in enumerate(self._rows) if one.reason is row.reason)
        self._show_rows()

    def on_pick_list_chosen(self) -> None:
        """Show the rows of the group in the table."""
        self.action_show()

    def action_show(self) -> None:
        """Filter the table by the group, and go there."""
        if (row := self._row()) is not None:
            self.dismiss(None)
            self.main.desk.show_terms(group_terms(self._scope.terms, row))

    def action_retry(self) -> None:
        """Try the group again."""
        if (row := self._row()) is not None:
            self._do(CommandName.RETRY, row)

    def action_drop(self) -> None:
        """Take the group out of the queue, after a question."""
        if (row := self._row()) is not None:
            question = f"Take {self._named(row)} off the list?"
            commander = self.main.desk.commander
            explanation = "Their part files stay; u brings the rows back."
            commander.ask(question, lambda: self._do(CommandName.CLEAR_FINISHED, row), explanation=explanation)

    def action_undo(self) -> None:
        """Bring back what was dropped last."""
        self.run_worker(self._done(Command(CommandName.UNDO), 0), group="commands")

    def _named(self, row: TriageRow) -> str:
        where = f" of {self.glyphs.text(row.host)}" if row.host else ""
        return f"{_counted(row.count, 'failed download')}{where}"

    def _do(self, name: CommandName, row: TriageRow) -> None:
        command = Command(name, query=group_query(self._scope, row))
        self.run_worker(self._done(command, row.count), group="commands")

    async def _done(self, command: Command, rows: int) -> None:
        await self.main.desk.commander.carry_out(command, rows, tells_always=True)
        self.count_again()

    def action_export(self) -> None:
        """Write the group to a file, whose path is asked."""
        from tui_dl.ui.screens.export import ExportDialog  # noqa: PLC0415 - keeps the screen's first paint early

        if (row := self._row()) is None:
            return

        def chosen(path: str | None) -> None:
            if path is not None:
                self.run_worker(self._export(row, path), group="export")

        dialog = ExportDialog(f"Export {self._named(row)}", self.main.start.folder, row.reason.value)
        self.app.push_screen(dialog, chosen)

    async def _export(self, row: TriageRow, path: str) -> None:
        assert self.main.port is not None
        commander = self.main.desk.commander
        try:
            written = await export(self.main.port, group_query(self._scope, row), path)
        except TuiDlError as error:
            commander.say(error.message, is_bad=True)
        else:
            commander.say(f"{_counted(written, 'address')} written to {path}")


def _counted(number: int, noun: str) -> str:
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}{'es' if noun.endswith('s') else 's'}"
