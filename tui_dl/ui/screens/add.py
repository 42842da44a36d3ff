"""The dialog for new downloads: addresses and curl commands, one folder, and what is wrong with which line."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static, TextArea

from tui_dl.core.addresses import shown_url
from tui_dl.core.errors import UsageError
from tui_dl.core.name_template import parse_name_template, split_folder
from tui_dl.core.pasted import Pasted, read_paste
from tui_dl.ui.add_request import AddRequest, Checked
from tui_dl.ui.format import count
from tui_dl.ui.screens.dialog import Dialog, buttons, hint, note, title
from tui_dl.ui.widgets.safe_input import SafeInput, harmless

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from tui_dl.core.curl_download import CurlDownload
    from tui_dl.core.ports_lists import ListPort, ListPreview
    from tui_dl.core.url_globs import UrlGlob
    from tui_dl.ui.glyphs import Glyphs

CHECK_AFTER_S: Final = 0.2
"""Rest after the last key before the lines are checked."""
LINES_PER_TURN: Final = 200
"""Lines checked before the loop gets a turn; a paste may have a hundred thousand."""
ASKED_ABOVE: Final = 1_000
"""Addresses that were not typed one by one are added without a question up to here."""
LIST_BEGINNINGS: Final = ("/", "~", "./", "../", "@")
"""How a line begins that names a list: no address does."""
KINDS: Final = ("", "file", "media")
"""What addresses may be taken for; empty: that is found out."""
MOST_PROBLEMS: Final = 4
"""Problems shown at once."""
MOST_UNDERSTOOD: Final = 2
"""Curl commands shown as they were understood; more would push the buttons off a low screen."""
NO_PROXY_HERE: Final = (
    "curl's -x: the proxy is one for all downloads; take it out, or start tui-dl with --proxy (see also no_proxy)"
)
NO_INSECURE_HERE: Final = "-k left out (start with --insecure)"


class SafeTextArea(TextArea):
    """A text area whose pasted text is made harmless before it is shown, and whose cursor keeps still."""

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        self.set_reactive(SafeTextArea.cursor_blink, False)

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = harmless(event.text)


class AddDialog(Dialog[AddRequest]):
    """Asks for addresses and a folder."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "accept", "Add", show=False, priority=True),
        Binding("ctrl+t", "turn_kind", "As", show=False, priority=True),
    ]

    def __init__(self, folder: str, glyphs: Glyphs, *, lists: ListPort | None = None, text: str = "") -> None:
        super().__init__()
        self._folder = folder
        self._lists = lists
        self._previews: dict[str, ListPreview | str] = {}
        self._glyphs = glyphs
        self._text = text
        self._kind = ""

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="dialog -wide"):
            with Horizontal(classes="dialog-head"):
                yield title("Add downloads")
                yield Button(self._kind_label(), id="kind", compact=True)
            yield hint(
                'Paste addresses, one a line ([001-100] for many), "copy as cURL" of a browser, or the path of a list.'
            )
            yield SafeTextArea(self._text, id="urls", compact=True, soft_wrap=False, tab_behavior="focus")
            yield note("Folder, or folder/{host}/{name}")
            yield SafeInput(self._folder, id="folder", compact=True)
            yield SafeInput(placeholder=f"Name of the batch ({batch_name()})", id="batch", compact=True)
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
        """Add by the button, or take the addresses for something else."""
        if event.button.id == "yes":
            event.stop()
            self.action_accept()
        elif event.button.id == "kind":
            event.stop()
            self.action_turn_kind()

    def action_turn_kind(self) -> None:
        """Take the addresses for files, for media, or find that out."""
        self._kind = KINDS[(KINDS.index(self._kind) + 1) % len(KINDS)]
        self.query_one("#kind", Button).label = self._kind_label()

    def _kind_label(self) -> Content:
        return Content(f"As: {self._kind or 'auto'} (Ctrl+T)")

    @work(exclusive=True, group="check")
    async def action_accept(self) -> None:
        """Add, if every line is good; else say which is not and go there."""
        checked = await self._check()
        self._show(checked)
        if checked.problems:
            area = self.query_one("#urls", TextArea)
            area.move_cursor((checked.problems[0][0] - 1, 0))
            area.focus()
        elif checked.number:
            await self._accept(checked)
        else:
            self._say("Nothing to add yet: paste an address that begins with http:// or https://", is_bad=True)

    async def _accept(self, checked: Checked) -> None:
        field = self.query_one("#folder", Input)
        typed = field.value.strip()
        # The folder that was offered is one, whatever it is called.
        folder, template = (typed, "") if typed == self._folder else split_folder(typed)
        try:
            if template:
                parse_name_template(template, has_columns=bool(checked.lists))
        except UsageError as error:
            self._say(self._glyphs.text(error.message), is_bad=True)
            field.focus()
            return
        absolute = self._absolute(folder)
        batch = self.query_one("#batch", Input).value.strip() or (batch_name() if checked.downloads else "")
        lists = tuple(path for path, _preview in checked.lists)
        request = AddRequest(checked.downloads, absolute, checked.globs, template, batch, lists, self._kind)
        if checked.number - len(checked.downloads) <= ASKED_ABOVE or await self._is_agreed(checked):
            self.dismiss(request)

    async def _is_agreed(self, checked: Checked) -> bool:
        """Ask before many are added that were not typed one by one."""
        from tui_dl.ui.screens.confirm import ConfirmDialog  # noqa: PLC0415 - keeps the first paint early

        what = [self._glyphs.text(preview_of(glob)) for glob in checked.globs[:MOST_UNDERSTOOD]]
        what += [self._glyphs.text(list_words(*one)) for one in checked.lists[:MOST_UNDERSTOOD]]
        question = f"Add {count(checked.number)} downloads?"
        dialog = ConfirmDialog(question, yes="Add", explanation="\n".join(what))
        return await self.app.push_screen_wait(dialog) is True

    async def _check(self) -> Checked:
        downloads: list[CurlDownload] = []
        from_curl: list[CurlDownload] = []
        problems: list[tuple[int, str]] = []
        globs: list[UrlGlob] = []
        lists: list[tuple[str, ListPreview]] = []
        lines = self.query_one("#urls", TextArea).text.splitlines()
        for number, pasted in enumerate(read_paste(self.query_one("#urls", TextArea).text, has_globs=True), 1):
            if pasted.problem and (path := self._list_path(lines[pasted.line - 1])):
                preview = await self._preview(path)
                lists += [(path, preview)] if not isinstance(preview, str) else []
                problems += [(pasted.line, preview)] if isinstance(preview, str) else []
            elif problem := problem_of(pasted):
                problems.append((pasted.line, problem))
            downloads += pasted.downloads
            globs += (pasted.glob,) if pasted.glob is not None else ()
            from_curl += pasted.downloads if pasted.is_curl else ()
            if not number % LINES_PER_TURN:
                await asyncio.sleep(0)
        return Checked(tuple(downloads), tuple(from_curl), tuple(problems), tuple(globs), tuple(lists))

    def _list_path(self, line: str) -> str:
        """Return the absolute path of the list that a line names; empty for none."""
        typed = line.strip()
        if self._lists is None or not typed.startswith(LIST_BEGINNINGS):
            return ""
        return self._absolute(typed.removeprefix("@"))

    def _absolute(self, path: str) -> str:
        return str(Path(self._folder) / Path(path).expanduser())

    async def _preview(self, path: str) -> ListPreview | str:
        """Return what is in a list, counted once, or why it cannot be read."""
        assert self._lists is not None
        if path not in self._previews:
            name = self._glyphs.text(Path(path).name)
            try:
                self._previews[path] = await self._lists.preview(
                    path, lambda number: self._say(f"{name}: counting, {count(number)} so far", is_bad=False)
                )
            except UsageError as error:
                self._previews[path] = error.message.removeprefix("--input ")
        return self._previews[path]

    def _show(self, checked: Checked) -> None:
        if not checked.problems:
            number = checked.number
            lines = [f"{count(number)} {'address' if number == 1 else 'addresses'}"] if number else []
            lines += [self._glyphs.text(preview_of(glob)) for glob in checked.globs[:MOST_UNDERSTOOD]]
            lines += [self._glyphs.text(list_words(*one)) for one in checked.lists[:MOST_UNDERSTOOD]]
            lines += [self._glyphs.text(understood(one)) for one in checked.from_curl[:MOST_UNDERSTOOD]]
            self._say("\n".join(lines), is_bad=False)
            return
        lines = [f"line {number}: {self._glyphs.text(text)}" for number, text in checked.problems[:MOST_PROBLEMS]]
        if (more := len(checked.problems) - MOST_PROBLEMS) > 0:
            lines.append(f"and {count(more)} more")
        self._say("\n".join(lines), is_bad=True)

    def _say(self, text: str, *, is_bad: bool) -> None:
        place = self.query_one("#problems", Static)
        place.set_class(is_bad, "-bad")
        place.update(text)


def problem_of(pasted: Pasted) -> str:
    """Return what stands against a paste on a screen that runs already; empty for nothing."""
    return pasted.problem or (NO_PROXY_HERE if any(one.proxy for one in pasted.downloads) else "")


def preview_of(glob: UrlGlob) -> str:
    """Return how many addresses a pattern stands for, the first and the last."""
    return f"{count(glob.count)}: {shown_url(glob.address(0))} ... {shown_url(glob.address(glob.count - 1))}"


def list_words(path: str, preview: ListPreview) -> str:
    """Return how much is in a list, and what is wrong with it."""
    words = f"{Path(path).name}: {count(preview.addresses)} addresses"
    if not preview.bad_lines:
        return words
    bad = "line" if preview.bad_lines == 1 else "lines"
    return f"{words}, {count(preview.bad_lines)} bad {bad} left out: {preview.problem}"


def batch_name() -> str:
    """Return the name of an add that nobody named: when it is, in local time."""
    return datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")


def understood(download: CurlDownload) -> str:
    """Return what a curl command was understood as, without its secrets."""
    name = f" as {download.name}" if download.name else ""
    words = [one for one in (download.summary, NO_INSECURE_HERE if download.is_insecure else "") if one]
    return f"{shown_url(download.url)}{name}" + (f": {', '.join(words)}" if words else "")
