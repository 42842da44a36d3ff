"""From the one tuple of actions: bindings, key names for people, and the README's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.binding import Binding

from tui_dl.ui.action import Group
from tui_dl.ui.actions import ACTIONS

if TYPE_CHECKING:
    from tui_dl.ui.action import Action

SPOKEN: Final = {
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}


def key_text(key: str) -> str:
    """Return a key as a person reads it: `Ctrl+D`, `PgUp`, `K`."""
    if key.startswith("ctrl+"):
        return f"Ctrl+{key.removeprefix('ctrl+').upper()}"
    return SPOKEN.get(key, key)


def keys_text(action: type[Action]) -> str:
    """Return all keys of an action."""
    return " ".join(key_text(key) for key in action.keys)


def actions_of(group: Group) -> list[type[Action]]:
    """Return the actions of a chapter, in order."""
    return [action for action in ACTIONS if action.group is group]


def action_named(name: str) -> type[Action]:
    """Return an action; KeyError for an unknown name."""
    return next((action for action in ACTIONS if action.name == name), None) or _unknown(name)


def _unknown(name: str) -> type[Action]:
    raise KeyError(name)


def bindings() -> list[Binding]:
    """Return Textual's bindings for the main screen."""
    return [
        Binding(
            ",".join(action.keys),
            f"act('{action.name}')",
            action.label,
            show=False,
            tooltip=action.explanation(),
            id=action.name,
        )
        for action in ACTIONS
    ]


def key_table() -> str:
    """Return all keys as a Markdown table, for the README."""
    lines = ["| key | what it does |", "| --- | --- |"]
    for group in Group:
        for action in actions_of(group):
            keys = " ".join(f"`{key_text(key)}`" for key in action.keys)
            lines.append(f"| {keys} | {action.explanation()} |")
    return "\n".join(lines) + "\n"
