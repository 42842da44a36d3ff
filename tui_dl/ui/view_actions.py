"""What changes how the queue is looked at: filter, order, details, and the screens above the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.ui.action import Action, Desk, Group
from tui_dl.ui.argument import FILTER, ORDER

if TYPE_CHECKING:
    from tui_dl.ui.action import Situation
    from tui_dl.ui.argument import Typed


class Filter(Action):
    """Filter by words, host:, status:, size: and more."""

    name, keys, label, group, footer_rank = "filter", ("/",), "Filter", Group.VIEW, 10
    argument = FILTER

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Open the line."""
        desk.open_filter()

    @classmethod
    def run_typed(cls, desk: Desk, typed: Typed) -> None:
        """Filter."""
        if typed.given:
            desk.filter_by(typed.given["filter"])
        else:
            cls.run(desk)


class SortColumn(Action):
    """Sort by the next column."""

    name, keys, label, group = "sort", ("s",), "Sort column", Group.VIEW
    argument = ORDER

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Sort."""
        desk.sort_next()

    @classmethod
    def run_typed(cls, desk: Desk, typed: Typed) -> None:
        """Sort by what was named."""
        if typed.given:
            desk.sort_by(typed.given["order"], is_descending=typed.given.get("is_descending"))
        else:
            cls.run(desk)


class SortDirection(Action):
    """Turn the order round."""

    name, keys, label, group = "sort-direction", ("S",), "Sort direction", Group.VIEW

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Turn."""
        desk.sort_reversed()


class Details(Action):
    """Show or hide the details of the row."""

    name, keys, label, group, footer_rank = "details", ("enter",), "Details", Group.VIEW, 8

    @classmethod
    def is_legal(cls, situation: Situation) -> bool:
        """Whether there is a row."""
        return situation.has_rows

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Toggle the pane."""
        desk.toggle_details()


class DetailsPage(Action):
    """Next page of the details."""

    name, keys, label, group = "details-page", ("tab",), "Details page", Group.VIEW

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Turn the page."""
        desk.turn_details()


class Failures(Action):
    """What failed and why: retry, export, drop."""

    name, keys, label, group = "failures", ("f",), "Failures", Group.VIEW

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Open the triage."""
        desk.open_failures()


class Batches(Action):
    """All batches, and how each did."""

    name, keys, label, group = "batches", ("b",), "Batches", Group.VIEW

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Open the list."""
        desk.open_batches()


VIEWING: Final[tuple[type[Action], ...]] = (
    *(Filter, SortColumn, SortDirection, Details, DetailsPage, Failures, Batches),
)
"""All of them, in the order of the help."""
