"""What a row keeps of a server's answer, for manifests and triage."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import HttpError

if TYPE_CHECKING:
    from tui_dl.core.errors import TuiDlError
    from tui_dl.core.ports import TransportAnswer

_MOST_TYPE_CELLS: Final = 127
"""A longer media type is none (RFC 6838 §4.2 allows 127 letters for each half); it is cut."""


def facts_of_answer(answer: TransportAnswer) -> dict[str, object]:
    """Return the fields of a row that an accepted answer sets."""
    return {"http_status": answer.status or None, "content_type": _shown_type(answer.headers.get("Content-Type", ""))}


def facts_of_failure(error: TuiDlError) -> dict[str, object]:
    """Return the fields of a row that a failed attempt sets: the status that it failed with, if it was one."""
    return {"http_status": error.status or None if isinstance(error, HttpError) else None}


@lru_cache(maxsize=64)
def _shown_type(value: str) -> str:
    return display_text(value.strip(), _MOST_TYPE_CELLS)
