"""What an action is: a name, its keys, a sentence, and what it does at the desk of the main screen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from tui_dl.core.status import can_advance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.commands import CommandName
    from tui_dl.core.media import Kind
    from tui_dl.core.query import SortKey
    from tui_dl.core.status import Status, Tab, Trigger
    from tui_dl.ui.argument import Argument, Typed
    from tui_dl.ui.columns import LiveSort


class Group(StrEnum):
    """Chapters of the help."""

    DOWNLOADS = "Downloads"
    QUEUE = "Queue and speed"
    SELECT = "Select"
    VIEW = "Look"
    MOVE = "Move"
    PROGRAM = "Program"
    TYPED = "Without a key"


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides which actions make sense now."""

    statuses: frozenset[Status] = frozenset()
    """Statuses of the rows that an action would work on, as far as they are known."""
    is_open: bool = False
    """Whether it would work on rows that are not all known (all rows of a view are selected)."""
    has_rows: bool = False
    """Whether the table shows any row."""
    can_detach: bool = False
    """Whether downloads go on without the screen."""
    kinds: frozenset[Kind] = frozenset()
    """What these rows are."""
    can_choose: bool = False
    """Whether the current row is of a playlist that a person chooses from."""
    has_chosen: bool = False
    """Whether its playlist waits for the word to begin."""
    is_closed: bool = False
    """Whether the current row is a playlist whose entries are hidden."""

    def allows(self, *triggers: Trigger) -> bool:
        """Whether one of these steps is legal for one of the rows meant."""
        return self.is_open or any(can_advance(status, trigger) for status in self.statuses for trigger in triggers)


class Motion(StrEnum):
    """Where the cursor can go."""

    DOWN = "down"
    UP = "up"
    FIRST = "first"
    LAST = "last"
    PAGE_DOWN = "page-down"
    PAGE_UP = "page-up"
    HALF_DOWN = "half-down"
    HALF_UP = "half-up"


class Desk(Protocol):
    """What an action may ask of the main screen. All of it returns at once; waiting is done behind."""

    def send(self, name: CommandName, arguments: Mapping[str, Any]) -> None:
        """Give a command without rows to the engine."""

    def send_for_rows(self, name: CommandName, arguments: Mapping[str, Any], *, question: str) -> None:
        """Give a command for the selection, else the current row; ask first where there is a question."""

    def send_typed(self, name: CommandName, arguments: Mapping[str, Any], typed: Typed, *, question: str) -> None:
        """Give a command for the rows that were named, else as `send_for_rows()`; ask where there is a question."""

    def open_prompt(self, text: str = "") -> None:
        """Show the line in which commands are typed."""

    def open_add(self) -> None:
        """Show the dialog for new addresses."""

    def add_typed(self, text: str) -> None:
        """Add addresses; raises `UsageError`."""

    def refresh_typed(self, url: str) -> None:
        """Give the current row another address; raises `UsageError`."""

    def open_refresh(self) -> None:
        """Show the dialog for another address of the current row."""

    def open_limit(self) -> None:
        """Show the dialog for speed limits."""

    def open_help(self) -> None:
        """Show all keys."""

    def open_palette(self) -> None:
        """Show the palette of actions."""

    def open_themes(self) -> None:
        """Show the themes."""

    def use_theme(self, name: str) -> None:
        """Take a theme; raises `UsageError`."""

    def open_filter(self) -> None:
        """Show the line in which a filter is typed."""

    def filter_by(self, text: str) -> None:
        """Show the rows that fit a filter; raises `BadTerm`."""

    def open_file(self) -> None:
        """Open the file of the current row, or its folder."""

    def copy_url(self) -> None:
        """Copy the address of the current row."""

    def open_formats(self) -> None:
        """Show the forms that the video of the current row can be had in."""

    def fold(self) -> None:
        """Hide the entries of the playlist, or show them."""

    def sort_next(self) -> None:
        """Sort by the next column."""

    def sort_by(self, order: SortKey | LiveSort, *, is_descending: bool | None) -> None:
        """Sort by a column; None: as it begins where its head is clicked."""

    def sort_reversed(self) -> None:
        """Turn the order round."""

    def toggle_details(self) -> None:
        """Show or hide the details pane."""

    def turn_details(self) -> None:
        """Show the next page of the details pane."""

    def open_failures(self) -> None:
        """Show what failed, by reason and host."""

    def open_batches(self) -> None:
        """Show all batches."""

    def step_tab(self, step: int) -> None:
        """Show the tab so many places to the right."""

    def show_tab(self, tab: Tab) -> None:
        """Show this tab."""

    def select_row(self) -> None:
        """Select the current row or let it go, and go on to the next; of a playlist that waits, choose it."""

    def select_range(self) -> None:
        """Begin a range at the current row, or end it there."""

    def select_all(self) -> None:
        """Select all rows shown, or none if all are."""

    def step_back(self) -> None:
        """Undo the last thing that narrows the view: range, selection, notice, pane, filter, tab."""

    def move(self, motion: Motion) -> None:
        """Move the cursor."""

    def go_to_row(self, number: int) -> None:
        """Put the cursor on a row, counted from 1."""

    def repaint(self) -> None:
        """Draw the whole screen anew."""

    def detach(self) -> None:
        """Leave; downloads go on in the background."""

    def quit(self) -> None:
        """Leave, asking first if work is under way."""


class Action:
    """Base of all actions; the docstring of each is its explanation to the person."""

    name: ClassVar[str]
    """Stable word: what is typed at the prompt, and written in the table of keys."""
    keys: ClassVar[tuple[str, ...]]
    """Keys that it has unless a person gives it others, as `key_names.read_key()` returns them; the first is shown."""
    label: ClassVar[str]
    """Word or two in the footer and the palette."""
    group: ClassVar[Group]
    """Chapter of the help."""
    footer_rank: ClassVar[int] = 0
    """Place in the footer, lowest first; 0: not there."""
    argument: ClassVar[Argument | None] = None
    """What may follow its name at the prompt; None: nothing."""
    typed_about: ClassVar[str] = ""
    """What it does where it is typed, if that differs from what its key does."""
    has_targets: ClassVar[bool] = False
    """Whether ids or a filter may follow."""
    flags: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Words with two dashes that may follow, and the arguments that each stands for."""
    footer_partner: ClassVar[str] = ""
    """The other action that its place in the footer speaks for, too."""

    @classmethod
    def is_legal(cls, situation: Situation) -> bool:  # noqa: ARG003 - subclasses decide by it
        """Whether it makes sense now; the footer shows only what does."""
        return True

    @classmethod
    def footer_label(cls, situation: Situation) -> str:  # noqa: ARG003 - as above
        """Return its word in the footer; empty: it is not shown."""
        return cls.label

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Do it."""
        raise TypeError(f"{cls.__name__} says nothing to do at {desk!r}")

    @classmethod
    def run_typed(cls, desk: Desk, typed: Typed) -> None:
        """Do it with what was typed after its name; raises `UsageError`."""
        if typed.given:
            raise TypeError(f"{cls.__name__} does not know what to do with {typed.given!r}")
        cls.run(desk)

    @classmethod
    def usage(cls) -> str:
        """Return how it is typed."""
        words = [cls.name, cls.argument.shown if cls.argument is not None else ""]
        words += [f"[{flag}]" for flag in cls.flags]
        return " ".join(filter(None, (*words, "[ID|FILTER|--all]" if cls.has_targets else "")))

    @classmethod
    def explanation(cls) -> str:
        """Return the first sentence of the docstring."""
        return (cls.__doc__ or "").strip().split("\n\n", 1)[0].replace("\n    ", " ")


class RowAction(Action):
    """Base of commands on rows: the selection if there is one, else the current row."""

    group = Group.DOWNLOADS
    command: ClassVar[CommandName]
    """What the engine is told."""
    arguments: ClassVar[Mapping[str, Any]] = {}
    """Its arguments."""
    triggers: ClassVar[tuple[Trigger, ...]] = ()
    """Legal if one of these is for a row meant; empty: for any row."""
    typed_command: ClassVar[CommandName | None] = None
    """What the engine is told where it was typed, if that is something else: a key may toggle, a word does not."""
    has_targets = True
    question: ClassVar[str] = ""
    """Asked first where something is lost; `{rows}` names what is meant."""

    @classmethod
    def is_legal(cls, situation: Situation) -> bool:
        """Whether the status table allows it for a row meant."""
        if not cls.triggers:
            return bool(situation.statuses) or situation.is_open
        return situation.allows(*cls.triggers)

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Tell the engine, or ask first."""
        desk.send_for_rows(cls.command, cls.arguments, question=cls.question)

    @classmethod
    def run_typed(cls, desk: Desk, typed: Typed) -> None:
        """Tell the engine of the rows that were named, else as the key does."""
        desk.send_typed(
            cls.typed_command or cls.command, {**cls.arguments, **typed.given}, typed, question=cls.question
        )


class EngineAction(Action):
    """Base of commands that concern no row."""

    command: ClassVar[CommandName]
    """What the engine is told."""
    arguments: ClassVar[Mapping[str, Any]] = {}
    """Its arguments."""

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Tell the engine."""
        desk.send(cls.command, cls.arguments)

    @classmethod
    def run_typed(cls, desk: Desk, typed: Typed) -> None:
        """Tell the engine what was typed."""
        arguments = {**cls.arguments, **typed.given}
        if typed.targets is None:
            desk.send(cls.command, arguments)
        else:
            desk.send_typed(cls.command, arguments, typed, question="")


class MotionAction(Action):
    """Base of the ways to move the cursor."""

    group = Group.MOVE
    motion: ClassVar[Motion]
    """Where to."""

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Move."""
        desk.move(cls.motion)
