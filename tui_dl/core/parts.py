"""One part of a list for each job of an array: lines in turn, so that every job agrees without asking another."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tui_dl.core.errors import UsageError

_WRITTEN: Final = re.compile(r"\s*([0-9]{1,9})\s*/\s*([0-9]{1,9})\s*")


class Part(NamedTuple):
    """Which lines of a list are meant."""

    number: int
    """From 1 to `of`."""
    of: int
    """Parts in all, at least 1."""

    def has(self, line: int) -> bool:
        """Whether a line (from 1) belongs to this part: every line belongs to exactly one."""
        return (line - self.number) % self.of == 0


def parse_part(text: str) -> Part:
    """Return the part of `3/16`; raises `UsageError`."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise UsageError("--part: write it as NUMBER/PARTS, for example 3/16")
    part = Part(int(match[1]), int(match[2]))
    if not 1 <= part.number <= part.of:
        raise UsageError(f"--part {part.number}/{part.of}: the parts are counted from 1 to {part.of}")
    return part
