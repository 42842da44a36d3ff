"""The keys of the screen as `tui-dl config` shows them and writes them into a file to begin with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tui_dl.cli.settings_file import KEYS
from tui_dl.ui.actions import ACTIONS
from tui_dl.ui.key_names import key_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui_dl.ui.keymap import Keys


def shown_keys(own: Keys) -> Iterator[str]:
    """Yield the table of the keys that a person gave commands, if any."""
    if own:
        yield ""
        yield f"[{KEYS}]"
    for name, keys in own:
        yield f"{name} = {_value(keys)}"


def keys_block() -> str:
    """Return the table with all commands and their usual keys, commented out."""
    lines = [
        "# Keys of the main screen: one, several as a list, [] for none; a character, or a name as ctrl+d, alt+x, f2.",
        f"# [{KEYS}]",
    ]
    entries = [(f"{action.name} = {_value(action.keys)}", action.explanation()) for action in ACTIONS]
    width = max(len(entry) for entry, _text in entries)
    return "\n".join([*lines, *(f"# {entry:<{width}}  # {text}" for entry, text in entries)]) + "\n"


def _value(keys: Sequence[str]) -> str:
    shown = [key if len(key) == 1 else key_text(key).lower() for key in keys]
    return json.dumps(shown[0] if len(shown) == 1 else shown, ensure_ascii=False)
