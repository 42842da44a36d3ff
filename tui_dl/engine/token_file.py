"""A token that stands in a file, so that no list of processes and no shell's history shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

MOST_BYTES: Final = 64 * 1024
_SHOWN_CELLS: Final = 120


def read_token(text: str) -> str:
    """Return the token that `@FILE` names, without white space around it; any other text is the token itself.

    Raises `UsageError`, which never shows what is inside. Reads a file, so never on the loop.
    """
    if not text.startswith("@"):
        return text
    shown = f"--bearer {display_text(text, _SHOWN_CELLS)}"
    try:
        with Path(text[1:]).expanduser().open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a usable path"
        raise UsageError(f"{shown}: cannot be read: {why}") from None
    if len(content) > MOST_BYTES or not content.isascii():
        raise UsageError(f"{shown}: not a file with one token")
    return content.decode("ascii").strip()
