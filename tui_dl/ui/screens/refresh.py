"""The dialog for another address of a download whose link has expired, or was wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static, TextArea

from tui_dl.core.curl_download import CurlDownload
from tui_dl.core.display_text import mask_url
from tui_dl.core.errors import UsageError
from tui_dl.core.pasted import one_download
from tui_dl.ui.screens.add import NO_PROXY_HERE, SafeTextArea, understood
from tui_dl.ui.screens.dialog import Dialog, buttons, hint, note, title

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widgets import Button

    from tui_dl.core.task import DownloadTask
    from tui_dl.ui.glyphs import Glyphs


class RefreshDialog(Dialog[CurlDownload]):
    """Asks for an address or a curl command."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "accept", "Change", show=False, priority=True),
        Binding("enter", "accept", "Change", show=False, priority=True),
    ]

    def __init__(self, task: DownloadTask, glyphs: Glyphs) -> None:
        super().__init__()
        self._row = task
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Ask. The present address is there to be edited, unless it holds secrets: then it is shown without them."""
        shown = mask_url(self._row.url)
        has_secrets = shown != self._row.url
        with Vertical(classes="dialog -wide -link"):
            yield title(f"A fresh link for {self._glyphs.text(self._row.filename)}")
            yield hint(
                'Paste an address, or "copy as cURL" of a browser. What has arrived is compared with it and kept.'
            )
            if has_secrets:
                yield note(f"Now: {self._glyphs.text(shown)}")
            yield SafeTextArea("" if has_secrets else self._row.url, id="link", compact=True, tab_behavior="focus")
            yield note(id="problem")
            yield buttons("Change (Enter)", no="Back (Esc)")

    def on_mount(self) -> None:
        """Let the person paste over the present address."""
        area = self.query_one("#link", TextArea)
        area.select_all()
        area.focus()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Say what is understood as soon as it is a curl command."""
        event.stop()
        try:
            download = one_download(event.text_area.text)
        except UsageError:
            self._say("", is_bad=False)
            return
        self._say(self._glyphs.text(understood(download)) if download.headers else "", is_bad=False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take it over by the button."""
        if event.button.id == "yes":
            event.stop()
            self.action_accept()

    def action_accept(self) -> None:
        """Take it over, or say what is wrong with it."""
        if self.focused is not None and self.focused.id == "leave":
            self.dismiss(None)
        else:
            # In the area's own turn: what was pasted in the same breath may still be on its way there.
            self.query_one("#link", TextArea).call_later(self._accept)

    def _accept(self) -> None:
        area = self.query_one("#link", TextArea)
        if area.text.rstrip(" ").endswith(("\\", "^")):
            # A terminal without bracketed paste types the lines of a curl command: it goes on.
            area.insert("\n")
            return
        try:
            self.dismiss(_chosen(area.text))
        except UsageError as error:
            self._say(self._glyphs.text(error.message), is_bad=True)

    def _say(self, text: str, *, is_bad: bool) -> None:
        place = self.query_one("#problem", Static)
        place.set_class(is_bad, "-bad")
        place.update(text)


def _chosen(text: str) -> CurlDownload:
    download = one_download(text)
    if download.proxy:
        raise UsageError(NO_PROXY_HERE)
    return download


def refresh_arguments(download: CurlDownload) -> dict[str, Any]:
    """Return a choice as `CommandName.REFRESH` takes it; a bare address leaves the headers as they are."""
    headers = [list(header) for header in download.headers]
    return {"url": download.url, "headers": headers or None}
