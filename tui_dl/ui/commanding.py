"""Gives commands to the engine, for the rows that are meant; asks first where there is a question, and says the end."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import TuiDlError
from tui_dl.core.ports import WorkView
from tui_dl.core.status import FACTS, Status
from tui_dl.ui.format import count
from tui_dl.ui.row_text import shown_name
from tui_dl.ui.situating import situation_of
from tui_dl.ui.work_text import BULK_ROWS, done_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tui_dl.core.commands import CommandOutcome
    from tui_dl.core.ports import EnginePort
    from tui_dl.core.ports_lists import ListAdd
    from tui_dl.core.task import DownloadTask
    from tui_dl.ui.screens.main import MainScreen

QUIET_COMMANDS: Final = frozenset({CommandName.MOVE_UP, CommandName.MOVE_DOWN})
"""Commands after which the selection stays, since they are given several times in a row."""
SILENT_COMMANDS: Final = frozenset({CommandName.CHOOSE, CommandName.SET_FORMAT})
"""Commands that change records without an event for each: those on the screen are fetched again."""

PARTLESS: Final = frozenset({Status.COMPLETED, Status.SKIPPED})
"""Statuses of rows that hold no part file."""


class Commander:
    """The way of a wish from the screen to the engine and back."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._under_way: list[WorkView] = []
        self._early: list[tuple[Command, int]] = []

    @property
    def works(self) -> tuple[WorkView, ...]:
        """Commands on many rows that the engine has not answered yet, oldest first."""
        return tuple(self._under_way)

    def command_for_rows(self, name: CommandName, arguments: Mapping[str, Any]) -> Command | None:
        """Return a command for the selection, else the current row; None while there is neither."""
        selection, current = self._screen.model.selection, self._screen.table.current_id
        if selection:
            return Command(
                name,
                ids=selection.ids if selection.query is None else (),
                query=selection.query,
                excluding_ids=selection.excluded,
                arguments=dict(arguments),
            )
        return None if current is None else Command(name, ids=(current,), arguments=dict(arguments))

    def rows_meant(self) -> int:
        """Return how many rows a command is for now."""
        model = self._screen.model
        return model.selection.count(len(model)) if model.selection else int(self._screen.table.current_id is not None)

    def rows_text(self) -> str:
        """Name what a command is for, as a person would."""
        if self._screen.model.selection:
            number = self.rows_meant()
            return f"{count(number)} selected downloads" if number > 1 else "the selected download"
        task = self.current_task()
        return self._screen.look.glyphs.text(shown_name(task)) if task is not None else "it"

    def current_task(self) -> DownloadTask | None:
        """Return the record of the current row, None where it is not known yet."""
        current = self._screen.table.current_id
        row = self._screen.model.row_of(current) if current is not None else None
        return row.task if row is not None else None

    def send_for_rows(self, name: CommandName, arguments: Mapping[str, Any], *, question: str) -> None:
        """Give a command for the selection, else the current row; ask first where there is a question."""
        command = self.command_for_rows(name, arguments)
        if command is None:
            return
        if name is CommandName.DELETE_PART and (nothing := self._nothing_to_cancel()):
            self.say(nothing)
            return
        rows = self.rows_meant()
        if not question and name is CommandName.CANCEL and rows >= BULK_ROWS:
            question = "Cancel {rows}?"
        if question:
            self.ask(question.format(rows=self.rows_text()), lambda: self.execute(command, rows))
        else:
            self.execute(command, rows)

    def _nothing_to_cancel(self) -> str:
        """Say so where all that is meant is done or was left out: no part file is held then; else empty."""
        situation = situation_of(self._screen)
        if situation.is_open or not situation.statuses or not situation.statuses <= PARTLESS:
            return ""
        states = " or ".join(sorted(FACTS[status].label for status in situation.statuses))
        return f"Nothing to cancel or delete: {self.rows_text()} {'are' if self.rows_meant() > 1 else 'is'} {states}"

    def execute(self, command: Command, rows: int = 0) -> None:
        """Have a command carried out that is for about so many rows; the answer is told when it comes."""
        if self._screen.port is None:
            # What was pasted is not lost; what is meant of a row may be another thing once its state is known.
            is_kept = command.name is CommandName.ADD
            self._early += [(command, rows)] if is_kept else []
            self.say("Still starting; " + ("it is added in a moment" if is_kept else "try again in a moment"))
            return
        self._screen.run_worker(self.carry_out(command, rows), group="commands", exit_on_error=True)

    def begin(self) -> None:
        """Add what was given before the engine was there."""
        early, self._early = self._early, []
        for command, rows in early:
            self.execute(command, rows)

    async def carry_out(self, command: Command, rows: int, *, tells_always: bool = False) -> None:
        """Carry it out and say what the screen does not show by itself: of many rows, or where `tells_always`."""
        assert self._screen.port is not None
        try:
            outcome = await self.carry_out_shown(self._screen.port, command, rows)
        except TuiDlError as error:
            self.say(" ".join(part for part in (error.message, error.hint) if part), is_bad=True)
            return
        if outcome.message:
            self.say(outcome.message, is_bad=outcome.is_refused)
        elif rows >= BULK_ROWS or tells_always:
            self.say(done_words(command.name, outcome.changed))

    async def carry_out_shown(self, port: EnginePort, command: Command, rows: int) -> CommandOutcome:
        """Carry it out and let the screen show what it changed; raises `TuiDlError`, and says nothing."""
        screen = self._screen
        with self._shown(command, rows):
            outcome = await port.execute(command)
        if command.name not in QUIET_COMMANDS and not outcome.is_refused and self._is_selected(command):
            screen.model.selection.clear()
        if command.name in SILENT_COMMANDS:
            screen.fetch_again()
        screen.refresh_from_engine()
        return outcome

    async def add_list(self, wish: ListAdd) -> None:
        """Have a list added, saying how far it is, and what came of it."""
        lists = self._screen.start.lists
        assert lists is not None
        name = self._screen.look.glyphs.text(Path(wish.path).name)
        work = WorkView(CommandName.ADD, 0, 0)
        self._under_way.append(work)

        def tell(number: int) -> None:
            nonlocal work
            newer = replace(work, total=number)
            self._under_way[self._under_way.index(work)] = newer
            work = newer
            self._screen.show_notices()

        try:
            added = await lists.add(wish, tell)
        except TuiDlError as error:
            self.say(error.message.removeprefix("--input "), is_bad=True)
        else:
            bad = f", {count(added.bad_lines)} bad lines left out" if added.bad_lines else ""
            self.say(f"{name}: {count(added.addresses)} added{bad}")
        finally:
            self._under_way.remove(work)
            self._screen.show_notices()
        self._screen.refresh_from_engine()

    def _is_selected(self, command: Command) -> bool:
        """Whether what a command was for is what is selected still: the person may have gone on meanwhile."""
        selection = self._screen.model.selection
        if command.query is not None:
            return selection.query == command.query and selection.excluded == command.excluding_ids
        return bool(command.ids) and selection.query is None and selection.ids == command.ids

    @contextmanager
    def _shown(self, command: Command, rows: int) -> Iterator[None]:
        """Say at once that a command on many rows goes on, before the engine counts it."""
        if rows < BULK_ROWS:
            yield
            return
        work = WorkView(command.name, 0, rows)
        self._under_way.append(work)
        self._screen.show_notices()
        try:
            yield
        finally:
            self._under_way.remove(work)
            self._screen.show_notices()

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Say a sentence in a corner of the screen."""
        shown = self._screen.look.glyphs.text(text)
        if self._screen.has_class("-low"):
            self._screen.app.clear_notifications()  # there is room for one
        self._screen.notify(shown, severity="warning" if is_bad else "information", markup=False)

    def ask(
        self,
        question: str,
        then: Callable[[], object],
        *,
        yes: str = "Yes",
        explanation: str = "",
        is_grave: bool = True,
    ) -> None:
        """Ask, and do it on yes."""
        from tui_dl.ui.screens.confirm import ConfirmDialog  # noqa: PLC0415 - keeps the first paint early

        dialog = ConfirmDialog(question, yes=yes, explanation=explanation, is_grave=is_grave)

        def answered(answer: bool | None) -> None:
            if answer:
                then()

        self._screen.app.push_screen(dialog, answered)
