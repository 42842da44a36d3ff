"""What happens with a line of the prompt: read, carried out as a key would, and back with what is wrong in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tui_dl.core.commands import CommandName
from tui_dl.core.errors import TuiDlError, UsageError
from tui_dl.ui.format import count
from tui_dl.ui.typed_line import read_line
from tui_dl.ui.work_text import BULK_ROWS, done_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.commands import Command
    from tui_dl.core.ports import EnginePort
    from tui_dl.core.target_words import Targets
    from tui_dl.ui.argument import Typed
    from tui_dl.ui.commanding import Commander
    from tui_dl.ui.completion import Known
    from tui_dl.ui.screens.main import MainScreen

MOST_SHOWN_IDS = 5
"""Ids that a message names."""


class Prompting:
    """The prompt of the main screen."""

    def __init__(self, screen: MainScreen, commander: Commander) -> None:
        self._screen = screen
        self._commander = commander

    def open(self, text: str, known: Known) -> None:
        """Show the line."""
        screen = self._screen
        screen.prompt.line.known = replace(known, themes=tuple(sorted(screen.app.available_themes)))
        self._show(text)
        if screen.port is not None:
            screen.run_worker(self._learn_batches(screen.port), group="known", exclusive=True)

    def _show(self, text: str, problem: str = "") -> None:
        self._screen.app.clear_notifications()  # they would lie over what is said here
        self._screen.show_keys(are_shown=False)
        self._screen.prompt.open(text, problem)

    async def _learn_batches(self, port: EnginePort) -> None:
        line = self._screen.prompt.line
        line.known = replace(line.known, batches=await port.batch_names())

    def leave(self, text: str) -> None:
        """Give the keys back to the table; what was typed can be had again."""
        self._screen.start.history.add(text.strip())
        self._close()

    def _close(self) -> None:
        screen = self._screen
        screen.set_focus(screen.table)
        screen.prompt.close()
        screen.show_keys(are_shown=True)

    def enter(self, text: str) -> None:
        """Do what was typed; what is wrong with it is said, and the line stays."""
        line = text.strip()
        self._screen.start.history.add(line)
        if not line.lstrip(": "):
            self._close()
            return
        try:
            wanted = read_line(line)
        except UsageError as error:
            self._screen.prompt.say(error.message)
            return
        self._close()
        try:
            wanted.action.run_typed(self._screen.desk, wanted.typed)
        except UsageError as error:
            self._show(line, error.message)

    def send(self, name: CommandName, arguments: Mapping[str, Any], typed: Typed, question: str) -> None:
        """Give a command for the downloads that were named, else for the selection or the row."""
        targets = typed.targets
        if targets is None or (not targets.ids and targets.query is None):
            if self._commander.command_for_rows(name, arguments) is None:
                raise UsageError("there is no row here; name downloads: ids, or a filter such as status:failed")
            self._commander.send_for_rows(name, arguments, question=question)
        elif self._screen.port is None:
            raise UsageError("still starting; try again in a moment")
        else:
            work = self._carry_out(self._screen.port, targets.command(name, dict(arguments)), typed, question)
            self._screen.run_worker(work, group="commands")

    async def _carry_out(self, port: EnginePort, command: Command, typed: Typed, question: str) -> None:
        assert typed.targets is not None
        rows = len(command.ids)
        try:
            if question or command.name is CommandName.CANCEL:
                rows = len(await self._ids(port, typed.targets))
                if not rows:
                    self._come_back(typed, await self._none_meant(port, typed.targets))
                    return
        except TuiDlError as error:
            self._come_back(typed, error.message)
            return
        if not question and command.name is CommandName.CANCEL and rows >= BULK_ROWS:
            question = "Cancel {rows}?"
        if question:
            named = f"{count(rows)} downloads" if rows > 1 else "1 download"
            self._commander.ask(
                question.format(rows=f"{named} ({self._screen.look.glyphs.text(typed.line)})"),
                lambda: self._screen.run_worker(self._finish(port, command, typed, rows), group="commands"),
            )
        else:
            await self._finish(port, command, typed, rows)

    async def _finish(self, port: EnginePort, command: Command, typed: Typed, rows: int) -> None:
        assert typed.targets is not None
        try:
            outcome = await self._commander.carry_out_shown(port, command, rows)
        except TuiDlError as error:
            self._come_back(typed, " ".join(part for part in (error.message, error.hint) if part))
            return
        if outcome.is_refused:
            self._come_back(typed, outcome.message)
        elif not outcome.changed and not outcome.message:
            self._come_back(typed, await self._none_meant(port, typed.targets))
        else:
            self._commander.say(outcome.message or done_words(command.name, outcome.changed))

    async def _ids(self, port: EnginePort, targets: Targets) -> Any:
        return await port.view(targets.query) if targets.query is not None else await port.rows(targets.ids)

    async def _none_meant(self, port: EnginePort, targets: Targets) -> str:
        """Say why a command changed nothing: there are no such downloads, or none of them can be so."""
        if targets.query is not None:
            found = len(await port.view(targets.query, limit=1))
            missing = "no download fits that filter"
        else:
            there = {task.id for task in await port.rows(targets.ids)}
            found = len(there)
            gone = [str(one) for one in targets.ids if one not in there]
            missing = f"no download has the id {', '.join(gone[:MOST_SHOWN_IDS])}; `tui-dl ls --all` lists them"
        return "nothing changed: none of them can be, or all are so already" if found else missing

    def _come_back(self, typed: Typed, problem: str) -> None:
        """Show the line again with what is wrong, unless the person does something else meanwhile."""
        screen = self._screen
        if screen.app.screen is screen and screen.focused is screen.table:
            self._show(typed.line, problem)
        else:
            self._commander.say(f":{typed.line}: {problem}", is_bad=True)
