"""Which files are wanted by their media type and size: said before, judged at the first answer's head."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import Reason, Unwanted, UsageError
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from tui_dl.core.settings import Settings
    from tui_dl.core.task import TaskOptions

UNNAMED_TYPE: Final = "application/octet-stream"
"""What a body is whose type nobody names (RFC 9110 §8.3)."""
REFUSALS: Final = frozenset({Reason.UNWANTED_TYPE, Reason.TOO_SMALL, Reason.TOO_LARGE})
"""Reasons of what was left out here; another wish may take it."""
_ANY: Final = "*"
_TOKEN: Final = r"[a-z0-9!#$&^_.+-]+"  # noqa: S105  # a word of a header, no secret
_PATTERN: Final = re.compile(rf"{_TOKEN}/(?:{_TOKEN}|\*)|\*/\*|\*")
_SHOWN_CELLS: Final = 80


def accepted_types(text: Any) -> str:
    """Return media types as they are kept: in lower case, by commas; raises `UsageError`."""
    if not isinstance(text, str):
        raise UsageError('expected media types, as "image/*"')
    words = [word.lower() for word in re.split(r"[,\s]+", text) if word]
    for word in words:
        if not _PATTERN.fullmatch(word):
            shown = display_text(word, _SHOWN_CELLS)
            raise UsageError(f"{shown!r} is no media type; write image/png, image/* or *, several by commas")
    return ",".join(dict.fromkeys(words))


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What is wanted of one task; every method raises `Unwanted` for what is not."""

    types: tuple[str, ...] = ()
    """Patterns in lower case; empty for any."""
    min_bytes: int = 0
    """Smallest length."""
    max_bytes: int = 0
    """Largest length; 0 for any."""

    def judge_type(self, content_type: str) -> None:
        """Judge a `Content-Type`; what it says besides the type does not count."""
        if not self.types:
            return
        found = content_type.partition(";")[0].strip().lower() or UNNAMED_TYPE
        family = f"{found.partition('/')[0]}/*"
        if not any(one in (_ANY, "*/*", found, family) for one in self.types):
            text = f"{display_text(found, _SHOWN_CELLS)} came, and {' or '.join(self.types)} is wanted"
            raise Unwanted(Reason.UNWANTED_TYPE, text)

    def judge_length(self, total_bytes: int | None) -> None:
        """Judge a length; an unknown one (None) may do."""
        if total_bytes is None:
            return
        self.judge_so_far(total_bytes, "it has")
        if total_bytes < self.min_bytes:
            text = f"it has {total_bytes:,} bytes, and at least {self.min_bytes:,} are wanted"
            raise Unwanted(Reason.TOO_SMALL, text)

    def judge_so_far(self, came_bytes: int, words: str = "more came of unknown length:") -> None:
        """Judge what has come, of which there may be more."""
        if 0 < self.max_bytes < came_bytes:
            text = f"{words} {came_bytes:,} bytes, and at most {self.max_bytes:,} are wanted"
            raise Unwanted(Reason.TOO_LARGE, text)


def acceptance_of(settings: Settings, options: TaskOptions) -> Acceptance:
    """Return what is wanted of a task: what was said for it alone, else what the settings say."""
    return _acceptance(
        settings.accept if options.accept is None else options.accept,
        settings.min_size if options.min_bytes is None else options.min_bytes,
        settings.max_size if options.max_bytes is None else options.max_bytes,
    )


@lru_cache(maxsize=64)
def _acceptance(types: str, min_bytes: int, max_bytes: int) -> Acceptance:
    # Whoever sets the engine's settings by hand may have written them as people do.
    words = accepted_types(types)
    return Acceptance(tuple(words.split(",")) if words else (), min_bytes, max_bytes)


def was_left_out(status: Status | str, reason: Reason | str | None) -> bool:
    """Whether a row was skipped as unwanted, so that whoever asks for it again may want it now."""
    return status == Status.SKIPPED and reason in REFUSALS


def check_sizes(min_bytes: int | None, max_bytes: int | None) -> None:
    """Raise `UsageError` where no file can have a size between the two; 0 and None are no bound."""
    if min_bytes and max_bytes and min_bytes > max_bytes:
        raise UsageError(f"min_size ({min_bytes:,} bytes) is more than max_size ({max_bytes:,}), so no file would do")
