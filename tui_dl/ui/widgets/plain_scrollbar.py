"""Scrollbars of colours alone, in whole cells: readable without UTF-8, and silent while a list moves by a row."""

from __future__ import annotations

from typing import ClassVar

from textual.scrollbar import ScrollBar, ScrollBarRender


class PlainScrollBarRender(ScrollBarRender):
    """Textual's own without its block characters."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]


def use_plain_scrollbars() -> None:
    """Let all scrollbars of this process be drawn so."""
    ScrollBar.renderer = PlainScrollBarRender
