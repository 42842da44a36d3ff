"""The colour of a component class, to be laid on a ground of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style

if TYPE_CHECKING:
    from textual.widget import Widget


def ink(widget: Widget, component_class: str) -> Style:
    """Return colour and attributes of a component class, its transparency already mixed with the widget's ground.

    Textual's partial styles would lose the transparency, so that quiet text came out loud.
    """
    full = widget.get_component_rich_style(component_class)
    return Style(
        color=full.color,
        bold=full.bold or None,
        dim=full.dim or None,
        italic=full.italic or None,
        underline=full.underline or None,
        reverse=full.reverse or None,
    )
