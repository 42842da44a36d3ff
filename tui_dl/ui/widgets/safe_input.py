"""An input line that makes harmless what is pasted into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.widgets import Input

if TYPE_CHECKING:
    from textual import events


def harmless(pasted: str) -> str:
    """Return pasted text without characters that could act on the terminal; line ends stay."""
    lines = pasted.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(char for char in lines if char.isprintable() or char == "\n")


class SafeInput(Input):
    """An input line whose pasted text is made harmless before it is shown, and whose cursor keeps still."""

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        # While nobody types nothing is written: a blink is 100 bytes a second over the link.
        self.set_reactive(SafeInput.cursor_blink, False)

    async def _on_key(self, event: events.Key) -> None:
        """Edit in turn: as bindings, the cursor's keys would be overtaken by what is typed right after them."""
        bound = self._bindings.key_to_bindings.get(event.key)
        if bound and not event.is_printable:
            event.stop()
            event.prevent_default()
            await self.run_action(bound[0].action)

    def _on_paste(self, event: events.Paste) -> None:
        event.text = harmless(event.text)
