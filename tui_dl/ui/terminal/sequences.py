"""Escape sequences that we write ourselves; text inside them is made safe here."""

from __future__ import annotations

from typing import Final

from tui_dl.core.display_text import display_text

SYNC_BEGIN: Final = "\x1b[?2026h"
"""Terminals that know it hold the picture back until `SYNC_END`, so that no half frame is seen."""
SYNC_END: Final = "\x1b[?2026l"

BELL: Final = "\x07"
TITLE_CELLS: Final = 120
NOTICE_CELLS: Final = 200


def window_title(text: str) -> str:
    """Set the window's title (OSC 2)."""
    return f"\x1b]2;{_inside(text, TITLE_CELLS)}\x07"


def save_window_title() -> str:
    """Push the title on the terminal's own stack (XTWINOPS 22)."""
    return "\x1b[22;2t"


def restore_window_title() -> str:
    """Pop what `save_window_title` pushed; a terminal without the stack keeps ours."""
    return "\x1b[23;2t"


def notice(text: str) -> str:
    """Show a desktop notification by way of the terminal (OSC 9), which reaches the person over SSH."""
    return f"\x1b]9;{_inside(_not_a_progress(text), NOTICE_CELLS)}\x07"


def through_tmux(sequence: str) -> str:
    """Wrap a sequence so that tmux hands it to the terminal outside, where its `allow-passthrough` is on."""
    doubled = sequence.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"


def progress(percent: int | None) -> str:
    """Show progress in the task bar (OSC 9;4), 0 to 100; None takes it away. For terminals known to understand it."""
    if percent is None:
        return "\x1b]9;4;0;0\x07"
    return f"\x1b]9;4;1;{min(100, max(0, percent))}\x07"


def restore(*, has_kitty_keys: bool) -> str:
    """Undo all modes that a screen may have set, in the order that terminals need.

    Kitty's keys are popped before the alternate screen is left, since each screen has a stack of its own.
    """
    modes = "".join(f"\x1b[?{mode}l" for mode in (2026, 2048, 2004, 1016, 1015, 1006, 1004, 1003, 1000))
    kitty = "\x1b[<u" if has_kitty_keys else ""
    return f"\x1b[0m{modes}{kitty}\x1b[?7h\x1b[?1049l\x1b[?25h"


def _inside(text: str, max_cells: int) -> str:
    """Make `text` fit for the inside of an OSC: no control character can end it or begin another."""
    return display_text(text, max_cells)


def _not_a_progress(text: str) -> str:
    """Keep a text such as `4;1;50` from being taken for one of OSC 9's numbered commands."""
    return f" {text}" if text[:1].isdigit() else text
