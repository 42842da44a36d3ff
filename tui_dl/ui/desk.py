"""The desk of the main screen: does what actions ask, with the engine, dialogs and the view."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual.command import CommandPalette

from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import UsageError
from tui_dl.core.ports_session import Leaving
from tui_dl.core.status import FACTS, READDRESSABLE, UNFINISHED, Status, Tab
from tui_dl.ui.argument import chosen
from tui_dl.ui.completion import Known
from tui_dl.ui.format import change_time, count
from tui_dl.ui.palette import palette_for
from tui_dl.ui.view_desk import ViewDesk
from tui_dl.ui.view_state import tab_counts
from tui_dl.ui.widgets.header import limit_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.curl_download import CurlDownload
    from tui_dl.ui.add_request import AddRequest
    from tui_dl.ui.argument import Typed
    from tui_dl.ui.format_choice import FormatRequest
    from tui_dl.ui.prompting import Prompting
    from tui_dl.ui.screens.limit import LimitChoice
    from tui_dl.ui.screens.main import MainScreen

QUIT_HINT: Final = "Downloads pause and go on at the next start."


class ScreenDesk(ViewDesk):
    """Fulfils `ui.action.Desk`."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self._say, self._ask = self.commander.say, self.commander.ask

    @cached_property
    def prompting(self) -> Prompting:
        """What is done with lines of the prompt."""
        from tui_dl.ui.prompting import Prompting  # noqa: PLC0415 - keeps the first paint early

        return Prompting(self._screen, self.commander)

    # Commands

    def send(self, name: CommandName, arguments: Mapping[str, Any]) -> None:
        """Give a command without rows to the engine."""
        self.commander.execute(Command(name, arguments=dict(arguments)), self._rows_of(name))

    def _rows_of(self, name: CommandName) -> int:
        """Return for about how many rows a command is that names none."""
        counts = self._screen.snapshot.counts if self._screen.snapshot is not None else {}
        if name is CommandName.TOGGLE_ALL:
            paused = counts.get(Status.PAUSED, 0)
            return sum(counts.get(status, 0) for status in UNFINISHED) - paused or paused
        return counts.get(Status.FAILED, 0) if name is CommandName.RETRY_FAILED else 0

    def send_for_rows(self, name: CommandName, arguments: Mapping[str, Any], *, question: str) -> None:
        """Give a command for the selection, else the current row; ask first where there is a question."""
        self.commander.send_for_rows(name, arguments, question=question)

    def send_typed(self, name: CommandName, arguments: Mapping[str, Any], typed: Typed, *, question: str) -> None:
        """Give a command for the rows that were named, else as `send_for_rows()`; ask where there is a question."""
        self.prompting.send(name, arguments, typed, question)

    def open_prompt(self, text: str = "") -> None:
        """Show the line in which commands are typed."""
        self.prompting.open(text, Known(hosts=self._screen.model.hosts()))

    # Dialogs

    def open_add(self, text: str = "") -> None:
        """Show the dialog for new addresses, some of them there already."""
        from tui_dl.ui.screens.add import AddDialog  # noqa: PLC0415 - keeps the first paint early

        start, glyphs = self._screen.start, self._screen.look.glyphs
        self._screen.app.push_screen(AddDialog(start.folder, glyphs, lists=start.lists, text=text), self._add)

    def add_typed(self, text: str) -> None:
        """Add addresses at once; what has to be looked at first comes into the dialog. Raises `UsageError`."""
        from tui_dl.core.curl_command import is_curl  # noqa: PLC0415 - keeps the first paint early
        from tui_dl.core.pasted import read_paste  # noqa: PLC0415 - as above
        from tui_dl.ui.add_request import AddRequest  # noqa: PLC0415 - as above
        from tui_dl.ui.screens.add import LIST_BEGINNINGS  # noqa: PLC0415 - as above

        lines = text if is_curl(text) else "\n".join(text.split())
        found = list(read_paste(lines, has_globs=True))
        if any(one.glob is not None or one.is_curl for one in found) or lines.startswith(LIST_BEGINNINGS):
            self.open_add(lines)
            return
        if problem := next((one.problem for one in found if one.problem), ""):
            raise UsageError(problem)
        self._add(AddRequest(tuple(one for pasted in found for one in pasted.downloads), self._screen.start.folder))

    def refresh_typed(self, url: str) -> None:
        """Give the current row another address; raises `UsageError`."""
        from tui_dl.core.pasted import one_download  # noqa: PLC0415 - keeps the first paint early
        from tui_dl.ui.screens.refresh import refresh_arguments  # noqa: PLC0415 - as above

        if (task := self.commander.current_task()) is None:
            raise UsageError("there is no row here to be given a link")
        if task.status not in READDRESSABLE:
            raise UsageError(f"it is {FACTS[task.status].label}; add a new address instead")
        command = Command(CommandName.REFRESH, ids=(task.id,), arguments=refresh_arguments(one_download(url)))
        self.commander.execute(command, 1)

    def _add(self, request: AddRequest | None) -> None:
        if request is None:
            return
        self._screen.show_end(None)
        if request.downloads or request.globs:
            rows = len(request.downloads) + sum(glob.count for glob in request.globs)
            self.commander.execute(Command(CommandName.ADD, arguments=request.arguments()), rows)
        for wish in request.list_adds():
            self._screen.run_worker(self.commander.add_list(wish), group="commands")

    def open_refresh(self) -> None:
        """Show the dialog for another address of the current row."""
        from tui_dl.ui.screens.refresh import RefreshDialog, refresh_arguments  # noqa: PLC0415 - keeps the first paint early

        if (task := self.commander.current_task()) is None:
            return
        if task.status not in READDRESSABLE:
            self._say(
                f"It is {FACTS[task.status].label}: add a new address with {self._screen.keymap.first('add')}",
                is_bad=True,
            )
            return

        def refresh(choice: CurlDownload | None) -> None:
            if choice is not None:
                self.commander.execute(
                    Command(CommandName.REFRESH, ids=(task.id,), arguments=refresh_arguments(choice))
                )

        self._screen.app.push_screen(RefreshDialog(task, self._screen.look.glyphs), refresh)

    def open_limit(self) -> None:
        """Show the dialog for speed limits."""
        from tui_dl.ui.screens.limit import LimitDialog  # noqa: PLC0415 - keeps the first paint early

        snapshot = self._screen.snapshot
        units = self._screen.look.units
        now = limit_words(snapshot, units) if snapshot else units.limit(0)
        until_at = snapshot.limit_until_at if snapshot else None
        until = change_time(until_at, time.time()) if until_at is not None else ""
        rows = self.commander.rows_text() if self.commander.command_for_rows(CommandName.SET_LIMIT, {}) else ""
        self._screen.app.push_screen(LimitDialog(now=now, rows=rows, until=until), self._limit)

    def _limit(self, choice: LimitChoice | None) -> None:
        if choice is None:
            return
        arguments = {"limit": choice.limit} | ({"for_good": True} if choice.is_for_good else {})
        if choice.is_for_rows:
            self.send_for_rows(CommandName.SET_LIMIT, arguments, question="")
        else:
            self.send(CommandName.SET_LIMIT, arguments)

    def open_formats(self) -> None:
        """Show the forms that the video of the current row can be had in."""
        from tui_dl.ui.screens.formats import FormatsScreen  # noqa: PLC0415 - keeps the first paint early

        if (task := self.tree.video()) is None:
            self._say("Formats are for videos; this is a file")
            return
        rows = self.commander.rows_text() if self._screen.model.selection else ""
        command = self.commander.command_for_rows(CommandName.SET_FORMAT, {})
        number = self.commander.rows_meant()

        def take(request: FormatRequest) -> None:
            if command is not None:
                self.commander.execute(replace(command, arguments=request.arguments()), number)

        self._screen.app.push_screen(FormatsScreen(self._screen, task, rows, take))

    def open_help(self) -> None:
        """Show all keys."""
        from tui_dl.ui.screens.help import HelpScreen  # noqa: PLC0415 - keeps the first paint early

        self._screen.app.push_screen(HelpScreen(self._screen.keymap))

    def open_palette(self) -> None:
        """Show the palette of actions."""
        self._screen.app.push_screen(
            CommandPalette(providers=[palette_for(self, self._screen.keymap)], placeholder="Find an action")
        )

    def open_themes(self) -> None:
        """Show the themes."""
        self._screen.app.search_themes()

    def use_theme(self, name: str) -> None:
        """Take a theme; raises `UsageError`."""
        self._screen.app.theme = chosen(name, sorted(self._screen.app.available_themes))

    def quit(self) -> None:
        """Leave, asking first if work is under way."""
        snapshot = self._screen.snapshot
        tabs = tab_counts(snapshot.counts) if snapshot is not None else {}
        under_way = tabs.get(Tab.ACTIVE, 0) + (snapshot.counts.get(Status.PENDING, 0) if snapshot is not None else 0)
        start = self._screen.start
        if not under_way or (start.owner is not None and start.settings.background == "true"):
            self.leave(Leaving.GO_ON)
            return
        noun = "download is" if under_way == 1 else "downloads are"
        question = f"Quit? {count(under_way)} {noun} not finished."
        if start.owner is None:
            end = partial(self.leave, Leaving.GO_ON)
            self._ask(question, end, yes="Quit", explanation=QUIT_HINT, is_grave=False)
            return
        from tui_dl.ui.screens.quit import QuitDialog  # noqa: PLC0415 - keeps the first paint early

        self._screen.app.push_screen(QuitDialog(question), self.leave)

    def detach(self) -> None:
        """Leave without asking; downloads go on in the background."""
        if self._screen.start.owner is None:
            self._say(
                f"There is no background here: downloads end with this screen ({self._screen.keymap.first('quit')})",
                is_bad=True,
            )
        else:
            self.leave(Leaving.GO_ON)

    def leave(self, leaving: Leaving | None) -> None:
        """Leave in this way; None: stay."""
        if leaving is not None:
            self._screen.app.exit(leaving)

    # The current row

    def copy_url(self) -> None:
        """Copy the address of the current row."""
        if (task := self.commander.current_task()) is not None:
            self._screen.app.copy_to_clipboard(task.url.encode("utf-8", "replace").decode())
            self._say("Address copied")

    def open_file(self) -> None:
        """Open the file of the current row, or its folder."""
        if (task := self.commander.current_task()) is None:
            return
        path = task.path if task.status is Status.COMPLETED and task.path else task.dir
        if self._screen.start.is_remote:
            self._say(f"Over SSH nothing can be opened here. It is at {path}")
        else:
            self._screen.run_worker(self._open(path), group="open")

    async def _open(self, path: str) -> None:
        if await self._screen.start.opener(path):
            self._say(f"Opening {Path(path).name or path}")
        else:
            self._say(f"No program to open it was found. It is at {path}", is_bad=True)
