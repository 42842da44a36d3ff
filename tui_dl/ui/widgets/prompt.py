"""The prompt at the bottom: a line for a command, and above it what can follow or what is wrong."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import events
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui_dl.ui.completion import Completion, Known
from tui_dl.ui.widgets.filter_line import FilterHint
from tui_dl.ui.widgets.safe_input import SafeInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.widgets import Input

    from tui_dl.ui.glyphs import Glyphs
    from tui_dl.ui.prompt_history import PromptHistory
    from tui_dl.ui.widgets.line import Line


class PromptLine(SafeInput):
    """Where the command is typed: Enter gives it, Esc leaves, Tab completes, Up and Down bring back what was typed."""

    class Given(Message):
        """The person gives the command."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The person goes back to the table."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Offering(Message):
        """What can follow has changed, or another candidate was taken."""

        def __init__(self, completion: Completion, chosen: int) -> None:
            super().__init__()
            self.completion = completion
            self.chosen = chosen

    def __init__(self, history: PromptHistory) -> None:
        super().__init__(id="prompt-line", compact=True, select_on_focus=False)
        self.known = Known()
        """What completion knows of."""
        self._history = history
        self._offered: Completion | None = None
        self._at = 0
        self._text, self._cursor = "", 0
        self._shown = ("", 0)
        self._recalled: list[str] = []
        self._depth = 0
        self._is_given = False
        self._doers: dict[str, Callable[[], None]] = {
            "enter": self._give,
            "escape": self._leave,
            "tab": partial(self._complete, 1),
            "shift+tab": partial(self._complete, -1),
            "up": partial(self._recall, 1),
            "down": partial(self._recall, -1),
            "backspace": self._rub_out,
        }

    def begin(self) -> None:
        """Take keys from now on."""
        self._is_given = False

    async def _on_key(self, event: events.Key) -> None:
        """Act on a key in its turn: as a binding it would be overtaken by what is typed right after it.

        What is typed after Enter is the table's, which has the focus as soon as the line was read.
        """
        doer = self._doers.get(event.key)
        if self._is_given or doer is not None:
            event.stop()
            event.prevent_default()
        if self._is_given:
            self.app.post_message(events.Key(event.key, event.character))
        elif doer is not None:
            doer()

    def put(self, text: str, cursor: int | None = None) -> None:
        """Let this be what is typed."""
        self.value = text
        self.cursor_position = len(text) if cursor is None else cursor

    def offer(self) -> None:
        """Say what can follow."""
        self._offered = None
        self.post_message(self.Offering(self._completion(), 0))

    def _completion(self) -> Completion:
        from tui_dl.ui.typed_line import complete_line  # noqa: PLC0415 - keeps the first paint early

        return complete_line(self.value, self.cursor_position, self.known)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what can follow what a person typed; candidates that are gone through stay."""
        event.stop()
        if self._offered is None or (self.value, self.cursor_position) != self._shown:
            self.offer()
        if not self._recalled or self.value != self._recalled[self._depth]:
            self._recalled = []

    def _complete(self, step: int) -> None:
        """Take the first candidate, again the next one."""
        is_going_on = self._offered is not None and (self.value, self.cursor_position) == self._shown
        if not is_going_on:
            self._offered, self._at = self._completion(), -1
            self._text, self._cursor = self.value, self.cursor_position
        assert self._offered is not None
        candidates = self._offered.candidates
        if not candidates:
            self.offer()
            return
        self._at = (self._at + step) % len(candidates) if self._at >= 0 else (0 if step > 0 else len(candidates) - 1)
        self._take(candidates[self._at])
        if len(candidates) == 1:
            self.offer()
        else:
            self.post_message(self.Offering(self._offered, self._at))

    def take_candidate(self, word: str) -> None:
        """Take the candidate that was clicked."""
        if self._offered is None or (self.value, self.cursor_position) != self._shown:
            self._offered = self._completion()
            self._text, self._cursor = self.value, self.cursor_position
        self._take(word)
        self.offer()

    def _take(self, word: str) -> None:
        assert self._offered is not None
        self.put(*Completion(self._offered.start, (word,)).applied(self._text, self._cursor))
        self._shown = (self.value, self.cursor_position)

    def _recall(self, step: int) -> None:
        """Bring back an older line that begins as what was typed, or a newer one."""
        if not self._recalled:
            self._recalled = [self.value, *(one for one in self._history.beginning(self.value) if one != self.value)]
            self._depth = 0
        depth = self._depth + step
        if 0 <= depth < len(self._recalled):
            self._depth = depth
            self.put(self._recalled[depth])

    def _rub_out(self) -> None:
        """Delete a character; with nothing left leave, as vi does."""
        if self.value:
            self.action_delete_left()
        else:
            self._leave()

    def _give(self) -> None:
        self._is_given = True
        self.post_message(self.Given(self.value))

    def _leave(self) -> None:
        self._is_given = True
        self.post_message(self.Left(self.value))


class PromptBar(Vertical):
    """The line with its colon, and what is said above it; there only while needed."""

    class Entered(Message):
        """A line was entered."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The line was left with this in it."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, history: PromptHistory, glyphs: Glyphs) -> None:
        super().__init__(id="prompt")
        self.line = PromptLine(history)
        """Where is typed."""
        self._glyphs = glyphs
        self._hint = FilterHint(id="prompt-hint")
        self._wrong = ""
        self._problem = Static("", id="prompt-problem", markup=False)

    @property
    def is_open(self) -> bool:
        """Whether it is there."""
        return self.has_class("-shown")

    def compose(self) -> ComposeResult:
        """Place what is said above what is typed."""
        yield self._problem
        yield self._hint
        with Horizontal(id="prompt-row"):
            yield Static(":", id="prompt-colon")
            yield self.line

    def open(self, text: str, problem: str = "") -> None:
        """Show the line with this in it, and what is wrong with it."""
        self.line.put(text)
        self.add_class("-shown")
        self.screen.set_focus(self.line)  # at once: `focus()` would wait its turn behind the next keys
        self.call_after_refresh(self.line.offer)
        self.say(problem)

    def say(self, problem: str) -> None:
        """Say what is wrong, if anything, in as many lines as it takes; from now on it can be mended."""
        self.line.begin()
        self._wrong = self.line.value
        self._problem.update(Content(self._glyphs.text(problem)))
        self.set_class(bool(problem), "-wrong")

    def close(self) -> None:
        """Be there no longer."""
        self.remove_class("-shown", "-wrong")

    def on_prompt_line_offering(self, event: PromptLine.Offering) -> None:
        """Show what can follow; what was wrong is said until it is mended."""
        event.stop()
        if self.line.value != self._wrong:
            self.remove_class("-wrong")
        self._hint.show_completion(event.completion, self._glyphs, event.chosen)

    def on_prompt_line_given(self, event: PromptLine.Given) -> None:
        """Pass on the line."""
        event.stop()
        self.post_message(self.Entered(event.text))

    def on_prompt_line_left(self, event: PromptLine.Left) -> None:
        """Pass on that it was left."""
        event.stop()
        self.post_message(self.Left(event.text))

    def on_line_clicked(self, event: Line.Clicked) -> None:
        """Take the candidate."""
        event.stop()
        self.line.take_candidate(event.target)
        self.screen.set_focus(self.line)
