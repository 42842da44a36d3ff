"""Commands that have no key of their own, since something has to be typed with them; any key can be given them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.commands import CommandName
from tui_dl.core.status import Tab, Trigger
from tui_dl.ui.action import Action, Desk, EngineAction, Group, RowAction
from tui_dl.ui.argument import CONCURRENCY, CONNECTIONS, PLACE, PRIORITY, ROW, SETTING, TAB

if TYPE_CHECKING:
    from tui_dl.ui.argument import Typed


class TypedAction(Action):
    """Base: a key for it opens the prompt with its name."""

    keys = ()
    group = Group.TYPED

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Let the person type the rest."""
        desk.open_prompt(f"{cls.name} ")


class Resume(RowAction):
    """Resume what is paused."""

    name, keys, label, group = "resume", (), "Resume", Group.TYPED
    command, triggers = CommandName.RESUME, (Trigger.RESUME,)


class Concurrency(TypedAction, EngineAction):
    """So many downloads at once."""

    name, label, argument = "concurrency", "Downloads at once", CONCURRENCY
    command = CommandName.SET_CONCURRENCY


class Connections(TypedAction, RowAction):
    """So many connections for the download."""

    name, label, argument = "connections", "Connections", CONNECTIONS
    command = CommandName.SET_CONNECTIONS


class SetPriority(TypedAction, RowAction):
    """High, normal or low priority."""

    name, label, argument = "priority", "Priority", PRIORITY
    command = CommandName.SET_PRIORITY


class MoveTo(TypedAction, RowAction):
    """To top, bottom or a place of the queue."""

    name, label, argument = "move", "Move to", PLACE
    command = CommandName.MOVE_TO


class ShowTab(TypedAction):
    """To this tab."""

    name, label, argument = "tab", "Tab", TAB

    @classmethod
    def run_typed(cls, desk: Desk, typed: Typed) -> None:
        """Show it."""
        desk.show_tab(Tab(typed.given["tab"]))


class GoToRow(TypedAction):
    """To a row by its number; also :500."""

    name, label, argument = "row", "Row", ROW

    @classmethod
    def run_typed(cls, desk: Desk, typed: Typed) -> None:
        """Go there."""
        desk.go_to_row(typed.given["row"])


class SetSetting(TypedAction, EngineAction):
    """Change a setting until the session ends."""

    name, label, argument = "set", "Setting", SETTING
    command = CommandName.SET_SETTINGS


TYPED: Final[tuple[type[Action], ...]] = (
    *(Resume, Concurrency, Connections, SetPriority, MoveTo, ShowTab, GoToRow, SetSetting),
)
"""All of them, in the order of the help."""
