"""The line in which a filter is typed, and under it what can follow or what is wrong; there only while needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import events
from textual.message import Message

from tui_dl.ui.completion import OFFERED, Completion, Known, complete, is_term_begun
from tui_dl.ui.widgets.line import Line, Piece, Tone, cells_of
from tui_dl.ui.widgets.safe_input import SafeInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.timer import Timer
    from textual.widgets import Input

    from tui_dl.core.query_text import BadTerm
    from tui_dl.ui.glyphs import Glyphs

REST_S: Final = 0.03
"""Rest after the last key before rows are filtered: what is pasted is one filter. A view that takes long is broken off
by the next key, and a person who looks for what is rare waits for this, too."""
TERM_REST_S: Final = 1.0
"""The same after half a term, which would empty the table for as long as it is no whole one."""


class FilterHint(Line):
    """Says what can follow; a click's target is a candidate."""

    def show_completion(self, completion: Completion, glyphs: Glyphs, chosen: int = 0) -> None:
        """Offer the candidates that fit the width, the chosen one for Tab; a single one is explained."""
        words = completion.candidates
        example = Piece(glyphs.text(completion.example), Tone.QUIET)
        if not words:
            self.say((example,) if completion.example else ())
            return
        pieces, shown = self._offered(words, 0, chosen, glyphs)
        if chosen >= shown:
            pieces, _shown = self._offered(words, chosen, chosen, glyphs)
        self.say((*pieces, example) if len(words) == 1 else pieces)

    def _offered(self, words: Sequence[str], first: int, chosen: int, glyphs: Glyphs) -> tuple[list[Piece], int]:
        """Return the candidates from the first on that fit, and the index behind the last of them."""
        pieces = [Piece("Tab ", Tone.QUIET)]
        for index in range(first, len(words)):
            word = words[index]
            piece = Piece(glyphs.text(word), Tone.ACCENT if index == chosen else Tone.QUIET, word)
            if cells_of(pieces) + piece.cells > self.size.width - 2 and index > first:
                return [*pieces, Piece(glyphs.ellipsis, Tone.QUIET)], index
            pieces += [piece, Piece("  ")]
        return pieces, len(words)

    def show_problem(self, problem: BadTerm, glyphs: Glyphs) -> None:
        """Say which piece is wrong, and how."""
        self.say((Piece(glyphs.text(problem.message), Tone.BAD),))


class FilterLine(SafeInput):
    """Enter keeps the filter and closes the line, Esc drops it, Tab completes; what is wrong stays to be mended."""

    class Typed(Message):
        """Another filter was typed, and the person rests."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The line was closed."""

    def __init__(self, hint: FilterHint, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        placeholder = f"words, {' '.join(f'{kind.value}:' for kind in OFFERED)}"
        super().__init__(placeholder=placeholder, id=id, compact=True)
        self.known = Known()
        """What completion knows of."""
        self._hint = hint
        self._glyphs = glyphs
        self._timer: Timer | None = None
        self._problem: BadTerm | None = None
        self._is_leaving = False
        """From the key that closes it until the table has the focus, or what is wrong is said."""
        self._held: list[events.Key] = []
        self._doers: dict[str, Callable[[], None]] = {
            "enter": self.action_close,
            "down": self.action_close,
            "up": self.action_close,
            "escape": self.action_drop,
            "tab": self.action_complete,
        }

    async def _on_key(self, event: events.Key) -> None:
        """Act on a key in its turn: as a binding it would be overtaken by what is typed right after it.

        What is typed after Enter waits: it is for the table, or for the line if that stays.
        """
        doer = self._doers.get(event.key)
        if self._is_leaving or doer is not None:
            event.stop()
            event.prevent_default()
        if self._is_leaving:
            self._held.append(events.Key(event.key, event.character))
        elif doer is not None:
            doer()

    def release(self) -> None:
        """Give the keys that waited to whoever has the focus now."""
        self._is_leaving = False
        held, self._held = self._held, []
        for key in held:
            self.app.post_message(key)

    def open(self, text: str) -> None:
        """Show the line and type there."""
        self._is_leaving, self._problem = False, None
        self.value = text
        self.cursor_position = len(text)
        self.add_class("-shown")
        self._hint.add_class("-shown")
        self.screen.set_focus(self)  # at once: `focus()` would wait its turn behind the next keys
        self.call_after_refresh(self._show_hint)

    def take_answer(self, problem: BadTerm | None) -> None:
        """Take over whether what was typed is understood; a line that is about to close stays open if it is not."""
        self._problem = problem
        if problem is None and self._is_leaving:
            self._leave()
        else:
            self._show_hint(is_final=self._is_leaving)
            self.release()

    def show_known(self, known: Known) -> None:
        """Complete with these from now on."""
        self.known = known
        if self.has_class("-shown"):
            self._show_hint()

    def _show_hint(self, *, is_final: bool = False) -> None:
        completion = complete(self.value, self.cursor_position, self.known)
        # A word that is being typed is no mistake as long as something known begins like it.
        may_go_on = completion.candidates and self._is_last(completion.start)
        if self._problem is not None and (is_final or not may_go_on):
            self._hint.show_problem(self._problem, self._glyphs)
        else:
            self._hint.show_completion(completion, self._glyphs)

    def _is_last(self, start: int) -> bool:
        """Whether what is wrong is the word being typed."""
        return self._problem is None or self.value[start:].strip().startswith(self._problem.term.rstrip("\u2026"))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer what can follow, and filter a moment later."""
        event.stop()
        if not self.has_class("-shown"):
            return
        self._problem = None
        self._show_hint()
        self._stop_timer()
        is_half = is_term_begun(self.value, self.cursor_position)
        self._timer = self.set_timer(TERM_REST_S if is_half else REST_S, self._tell)

    def action_complete(self) -> None:
        """Take the first candidate; without one, close."""
        completion = complete(self.value, self.cursor_position, self.known)
        if not completion.candidates:
            self.action_close()
            return
        self.take_candidate(completion.candidates[0])

    def take_candidate(self, word: str) -> None:
        """Put a candidate in place of the word at the cursor."""
        completion = complete(self.value, self.cursor_position, self.known)
        chosen = Completion(completion.start, (word,))
        self.value, self.cursor_position = chosen.applied(self.value, self.cursor_position)
        self.focus()

    def action_close(self) -> None:
        """Keep what was typed and close, if it is understood."""
        self._is_leaving = True
        self._tell()

    def action_drop(self) -> None:
        """Drop the filter and close."""
        self.value = ""
        self.action_close()

    def _tell(self) -> None:
        self._stop_timer()
        self.post_message(self.Typed(self.value))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _leave(self) -> None:
        self._stop_timer()
        self.remove_class("-shown")
        self._hint.remove_class("-shown")
        self.post_message(self.Closed())
