"""Textual's bindings for the commands of the main screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding, BindingsMap

from tui_dl.ui.actions import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui_dl.ui.action import Action
    from tui_dl.ui.keymap import Keymap


def bindings(keymap: Keymap) -> Iterator[Binding]:
    """Yield one for each key of each command."""
    for action in ACTIONS:
        for key in keymap.keys_of(action):
            yield _binding(action, key)


def _binding(action: type[Action], key: str) -> Binding:
    return Binding(textual_name(key), f"act('{action.name}')", action.label, show=False, id=action.name)


def textual_name(key: str) -> str:
    """Return a key as bindings take it: a comma would stand for the end of one."""
    return "comma" if key == "," else key


def with_bindings(own: BindingsMap, given: BindingsMap) -> BindingsMap:
    """Return both together; where a key is in both, the given one is asked first."""
    return BindingsMap.merge([given, own])
