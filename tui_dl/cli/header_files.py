"""Header lines that stand in a file, so that no list of processes shows what is secret in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_BYTES: Final = 64 * 1024
_SHOWN_CELLS: Final = 120


def header_lines(given: Iterable[str]) -> Iterator[str]:
    """Yield the lines given with `--header`, those of a file for `@FILE`; empty ones and `#` comments are left out.

    Raises `UsageError`, which never shows what is inside.
    """
    for line in given:
        if line.startswith("@"):
            yield from _lines_of(line[1:])
        else:
            yield line


def _lines_of(file: str) -> Iterator[str]:
    shown = f"--header @{display_text(file, _SHOWN_CELLS)}"
    try:
        with Path(file).expanduser().open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        text = content.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{shown}: not text") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a usable path"
        raise UsageError(f"{shown}: cannot be read: {why}") from None
    if len(content) > MOST_BYTES:
        raise UsageError(f"{shown}: longer than {MOST_BYTES // 1024} KiB")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            yield line
