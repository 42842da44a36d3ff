"""The ways to select rows, and to let go of what was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.ui.action import Action, Desk, Group

if TYPE_CHECKING:
    from tui_dl.ui.action import Situation


class Select(Action):
    """Select the row, or choose it from a playlist."""

    name, keys, label, group, footer_rank = "select", ("space",), "Select", Group.SELECT, 2

    @classmethod
    def footer_label(cls, situation: Situation) -> str:
        """Be there where it chooses."""
        return "Choose" if situation.can_choose else ""

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Select and go on."""
        desk.select_row()


class SelectRange(Action):
    """Begin a range here; again to select it."""

    name, keys, label, group = "select-range", ("v",), "Select range", Group.SELECT

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Begin or end."""
        desk.select_range()


class SelectAll(Action):
    """Select all rows shown, or none if all are."""

    name, keys, label, group = "select-all", ("*",), "Select all", Group.SELECT

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Select."""
        desk.select_all()


class StepBack(Action):
    """Let go: selection, details, filter, tab."""

    name, keys, label, group = "back", ("escape",), "Back", Group.SELECT

    @classmethod
    def run(cls, desk: Desk) -> None:
        """One step."""
        desk.step_back()


SELECTING: Final[tuple[type[Action], ...]] = (Select, SelectRange, SelectAll, StepBack)
"""All of them, in the order of the help."""
