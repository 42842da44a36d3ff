"""The ways to move: between rows, and between tabs."""

from __future__ import annotations

from typing import Final

from tui_dl.ui.action import Action, Desk, Group, Motion, MotionAction


class NextTab(Action):
    """To the next tab."""

    name, keys, label, group = "next-tab", ("right",), "Next tab", Group.VIEW

    @classmethod
    def run(cls, desk: Desk) -> None:
        """One to the right."""
        desk.step_tab(1)


class PreviousTab(Action):
    """To the previous tab."""

    name, keys, label, group = "previous-tab", ("left",), "Previous tab", Group.VIEW

    @classmethod
    def run(cls, desk: Desk) -> None:
        """One to the left."""
        desk.step_tab(-1)


class Down(MotionAction):
    """Down one row."""

    name, keys, label, motion = "down", ("j", "down"), "Down", Motion.DOWN


class Up(MotionAction):
    """Up one row."""

    name, keys, label, motion = "up", ("k", "up"), "Up", Motion.UP


class First(MotionAction):
    """To the first row."""

    name, keys, label, motion = "first", ("g", "home"), "First row", Motion.FIRST


class Last(MotionAction):
    """To the last row."""

    name, keys, label, motion = "last", ("G", "end"), "Last row", Motion.LAST


class HalfDown(MotionAction):
    """Down half a screen."""

    name, keys, label, motion = "half-down", ("ctrl+d",), "Half a screen down", Motion.HALF_DOWN


class HalfUp(MotionAction):
    """Up half a screen."""

    name, keys, label, motion = "half-up", ("ctrl+u",), "Half a screen up", Motion.HALF_UP


class PageDown(MotionAction):
    """Down one screen."""

    name, keys, label, motion = "page-down", ("pagedown",), "Screen down", Motion.PAGE_DOWN


class PageUp(MotionAction):
    """Up one screen."""

    name, keys, label, motion = "page-up", ("pageup",), "Screen up", Motion.PAGE_UP


MOTIONS: Final[tuple[type[Action], ...]] = (
    *(NextTab, PreviousTab),
    *(Down, Up, First, Last, HalfDown, HalfUp, PageDown, PageUp),
)
"""All of them, in the order of the help."""
