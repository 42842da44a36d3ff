"""The dialog for new downloads: many addresses at once, one folder, and what is wrong with which line."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Button, Input, Static, TextArea

from tui_dl.core.errors import UsageError
from tui_dl.core.url_list import check_url
from tui_dl.ui.format import count
from tui_dl.ui.screens.dialog import Dialog, buttons, hint, note, title
from tui_dl.ui.widgets.safe_input import SafeInput, harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual import events
    from textual.app import ComposeResult

    from tui_dl.ui.glyphs import Glyphs

CHECK_AFTER_S: Final = 0.2
"""Rest after the last key before the lines are checked."""
LINES_PER_TURN: Final = 200
"""Lines checked before the loop gets a turn; a paste may have a hundred thousand."""
MOST_PROBLEMS: Final = 4
"""Problems shown at once."""


@dataclass(frozen=True, slots=True)
class AddRequest:
    """What is to be added."""

    urls: tuple[str, ...]
    """Checked addresses, in order."""
    folder: str
    """Absolute folder."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Outcome of a check of all lines."""

    urls: tuple[str, ...]
    """Good ones."""
    problems: tuple[tuple[int, str], ...]
    """Line numbers from 1 and what is wrong there."""


class SafeTextArea(TextArea):
    """A text area whose pasted text is made harmless before it is shown."""

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = harmless(event.text)


class AddDialog(Dialog[AddRequest]):
    """Asks for addresses and a folder."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "accept", "Add", show=False, priority=True)]

    def __init__(self, folder: str, glyphs: Glyphs, *, text: str = "") -> None:
        super().__init__()
        self._folder = folder
        self._glyphs = glyphs
        self._text = text

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="dialog -wide"):
            yield title("Add downloads")
            yield hint("Paste addresses, one a line. Lines that begin with # are left out.")
            yield SafeTextArea(self._text, id="urls", compact=True, soft_wrap=False, tab_behavior="focus")
            yield note("Folder")
            yield SafeInput(self._folder, id="folder", compact=True)
            yield note(id="problems")
            yield buttons("Add (Ctrl+S)", no="Back (Esc)")

    def on_mount(self) -> None:
        """Let the person type or paste."""
        self.query_one("#urls", TextArea).focus()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Check the lines when the person rests."""
        event.stop()
        self._check_soon()

    @work(exclusive=True, group="check")
    async def _check_soon(self) -> None:
        await asyncio.sleep(CHECK_AFTER_S)
        self._show(await self._check())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Add when the folder was entered."""
        event.stop()
        self.action_accept()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Add by the button."""
        if event.button.id == "yes":
            event.stop()
            self.action_accept()

    @work(exclusive=True, group="check")
    async def action_accept(self) -> None:
        """Add, if every line is good; else say which is not and go there."""
        checked = await self._check()
        self._show(checked)
        if checked.problems:
            area = self.query_one("#urls", TextArea)
            area.move_cursor((checked.problems[0][0] - 1, 0))
            area.focus()
        elif checked.urls:
            self.dismiss(AddRequest(checked.urls, self._absolute_folder()))
        else:
            self._say("Nothing to add yet: paste an address that begins with http:// or https://", is_bad=True)

    def _absolute_folder(self) -> str:
        typed = self.query_one("#folder", Input).value.strip()
        return str(Path(self._folder) / Path(typed).expanduser())

    async def _check(self) -> Checked:
        urls: list[str] = []
        problems: list[tuple[int, str]] = []
        for number, line in _address_lines(self.query_one("#urls", TextArea).text):
            try:
                check_url(line)
            except UsageError as error:
                problems.append((number, error.message))
            else:
                urls.append(line)
            if not number % LINES_PER_TURN:
                await asyncio.sleep(0)
        return Checked(tuple(urls), tuple(problems))

    def _show(self, checked: Checked) -> None:
        if not checked.problems:
            number = len(checked.urls)
            self._say(f"{count(number)} {'address' if number == 1 else 'addresses'}" if number else "", is_bad=False)
            return
        lines = [f"line {number}: {self._glyphs.text(text)}" for number, text in checked.problems[:MOST_PROBLEMS]]
        if (more := len(checked.problems) - MOST_PROBLEMS) > 0:
            lines.append(f"and {count(more)} more")
        self._say("\n".join(lines), is_bad=True)

    def _say(self, text: str, *, is_bad: bool) -> None:
        place = self.query_one("#problems", Static)
        place.set_class(is_bad, "-bad")
        place.update(text)


def _address_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield what is meant as an address, with its line number from 1."""
    for number, line in enumerate(text.splitlines(), 1):
        if (stripped := line.strip()) and not stripped.startswith("#"):
            yield number, stripped
