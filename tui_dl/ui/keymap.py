"""Which keys the commands have: their own, or those that a person gave them in the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.ui.action import Group
from tui_dl.ui.actions import ACTIONS
from tui_dl.ui.key_names import key_text, read_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.ui.action import Action

Keys = tuple[tuple[str, tuple[str, ...]], ...]
"""Names of commands with the keys a person gave them, as `Settings.keys` holds them."""
LETTING_GO: Final = "escape"
"""The key that leaves lines and dialogs."""
_SHOWN_CELLS: Final = 40


class BadKeys(UsageError):  # noqa: N818  # named for what it is about, beside `BadTerm`
    """A mistake in the table of keys; `name` is the command as it was written there."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        """Which entry is at fault; empty: the table as a whole."""


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys of all commands."""

    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By names of commands, where they differ from the usual ones."""

    def keys_of(self, action: type[Action]) -> tuple[str, ...]:
        """Return the keys of a command; the first is shown."""
        return self.own.get(action.name, action.keys)

    def text_of(self, action: type[Action]) -> str:
        """Return all keys of a command as a person reads them; without any, how it is typed at the prompt."""
        return " ".join(key_text(key) for key in self.keys_of(action)) or f":{action.name}"

    def first(self, name: str) -> str:
        """Return the first key of the command of this name as it is shown, or how it is typed."""
        action = action_named(name)
        keys = self.keys_of(action)
        return key_text(keys[0]) if keys else f":{name}"


def read_keys(table: Any) -> Keys:
    """Return what a table of keys says; raises `BadKeys`."""
    if not isinstance(table, dict):
        raise BadKeys("", 'expected a table: [keys] and below it lines such as pause = "p"')
    own: dict[str, tuple[str, ...]] = {}
    for written, value in table.items():
        action = _action_written(written)
        if action.name in own:
            raise BadKeys(written, f"{action.name} is there twice")
        own[action.name] = _keys_written(written, action, value)
    _refuse_clashes(Keymap(own), table)
    return tuple(own.items())


def _action_written(written: str) -> type[Action]:
    name = written.replace("_", "-")
    found = next((action for action in ACTIONS if action.name == name), None)
    if found is None:
        near = get_close_matches(name, [action.name for action in ACTIONS], n=1)
        hint = f"did you mean {near[0]}?" if near else "`tui-dl config init` writes all of them"
        raise BadKeys(written, f"there is no command {display_text(written, _SHOWN_CELLS)!r}; {hint}")
    return found


def _keys_written(written: str, action: type[Action], value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) and value else value or []
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        raise BadKeys(
            written, f'{action.name}: expected a key as "p", several as ["p", "f2"], or [] for none, not {value!r}'
        )
    try:
        keys = tuple(dict.fromkeys(read_key(text) for text in texts))
    except UsageError as error:
        raise BadKeys(written, f"{action.name}: {error.message}") from None
    if LETTING_GO in keys and action.name != "back":
        raise BadKeys(written, f"{action.name}: Esc leaves lines and dialogs, and stays with the command back")
    return keys


def _refuse_clashes(keymap: Keymap, table: Mapping[str, Any]) -> None:
    """Refuse a key that two commands would have; the entry that took it is named, and the way out."""
    taken: dict[str, type[Action]] = {}
    for action in ACTIONS:
        for key in keymap.keys_of(action):
            if key not in taken:
                taken[key] = action
                continue
            # Of the two one stands in the table; if both do, the later one there is at fault.
            written = [one for one in table if one.replace("_", "-") in (action.name, taken[key].name)]
            at_fault = written[-1].replace("_", "-")
            other = taken[key].name if at_fault == action.name else action.name
            raise BadKeys(
                written[-1],
                f"{key_text(key)} cannot be both {at_fault} and {other};"
                f" give {other} another key, or free it with {other} = []",
            )


def actions_of(group: Group) -> list[type[Action]]:
    """Return the actions of a chapter, in order."""
    return [action for action in ACTIONS if action.group is group]


def action_named(name: str) -> type[Action]:
    """Return an action; KeyError for an unknown name."""
    return next((action for action in ACTIONS if action.name == name), None) or _unknown(name)


def _unknown(name: str) -> type[Action]:
    raise KeyError(name)


def key_table() -> str:
    """Return all keys as a Markdown table, for the README."""
    lines = ["| key | command | what it does |", "| --- | --- | --- |"]
    for group in Group:
        for action in actions_of(group):
            keys = " ".join(f"`{key_text(key)}`" for key in action.keys)
            lines.append(f"| {keys} | `{action.name}` | {action.explanation()} |")
    return "\n".join(lines) + "\n"
