"""Metalink files of this machine, read within bounds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.metalink_names import MOST_METALINK_BYTES

if TYPE_CHECKING:
    from tui_dl.core.metalink import Metalink

_SHOWN_CELLS: Final = 80


def read_metalink(path: str, folder: str) -> Metalink:
    """Return what a file describes, blocking; relative paths begin in `folder`, `~` is the home.

    Raises `UsageError` that names it where it cannot be read or is none.
    """
    try:
        with (Path(folder) / Path(path).expanduser()).open("rb") as file:
            document = file.read(MOST_METALINK_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:  # a NUL inside; no home
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{display_text(path, _SHOWN_CELLS)}: cannot be read: {reason}") from None
    from tui_dl.core.metalink import parse_metalink  # noqa: PLC0415  # most runs never see a Metalink

    return parse_metalink(document, Path(path).name)
