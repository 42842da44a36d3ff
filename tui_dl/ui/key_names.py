"""Names of keys: as a person writes them in the settings, as they are shown, and which there are at all."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

SPOKEN: Final = {
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "backspace": "Backspace",
    "delete": "Del",
    "insert": "Ins",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    **{f"f{number}": f"F{number}" for number in range(1, 13)},
}
"""Keys with a name, and how it is shown."""
WRITTEN: Final = {shown.casefold(): key for key, shown in SPOKEN.items()} | {"return": "enter"}
"""Other ways to write them."""
SAME: Final = {"ctrl+i": "Tab", "ctrl+m": "Enter", "ctrl+h": "Backspace", "ctrl+[": "Esc"}
"""Keys that a terminal sends for others."""
RESERVED: Final = {
    "ctrl+c": "Ctrl+C leaves, wherever you are",
    "ctrl+z": "Ctrl+Z gives the terminal to the shell",
}
"""Keys that mean the same everywhere, and why."""
MODIFIERS: Final = ("alt", "ctrl", "shift")
"""In the order in which Textual names them."""
WITH_LETTERS: Final = (["alt"], ["ctrl"], ["alt", "shift"])
"""What a letter is told apart with."""
_SHOWN_CELLS: Final = 20


def key_text(key: str) -> str:
    """Return a key as a person reads it: `Ctrl+D`, `PgUp`, `K`."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    shown = SPOKEN.get(last, last.upper() if modifiers else last)
    return "+".join((*(one.title() for one in modifiers), shown))


def read_key(text: str) -> str:
    """Return the key that a person means with `p`, `Ctrl+D` or `PgUp`; raises `UsageError`."""
    shown = display_text(text, _SHOWN_CELLS)
    if len(text) == 1 and text.isprintable() and not text.isspace():
        return text
    *modifiers, last = text.strip().split("+")
    modifiers = [one.casefold() for one in modifiers]
    named = WRITTEN.get(last.casefold(), last.casefold())
    if not _is_key(modifiers, named):
        near = get_close_matches(text.casefold(), [*SPOKEN, *WRITTEN], n=1)
        hint = f"did you mean {near[0]}?" if near else "write a character, or a name as ctrl+d, alt+x, f2, pgup, space"
        raise UsageError(f"there is no key {shown!r}; {hint}")
    key = "+".join((*(one for one in MODIFIERS if one in modifiers), named))
    if key in SAME:
        raise UsageError(f"terminals send {key_text(key)} for {SAME[key]}; write {SAME[key].lower()}")
    if key in RESERVED:
        raise UsageError(f"{RESERVED[key]}, and stays so")
    return key


def _is_key(modifiers: list[str], last: str) -> bool:
    """Whether a terminal can send it: a named key with any modifiers, or a letter with what tells it apart."""
    if not set(modifiers) <= set(MODIFIERS) or len(set(modifiers)) < len(modifiers):
        return False
    if last in SPOKEN:
        return True
    is_plain = len(last) == 1 and last.isascii() and (last.isalnum() or last == "[")
    return is_plain and sorted(modifiers) in WITH_LETTERS
