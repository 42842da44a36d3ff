"""Notices that somebody else changed an open file between our own writes."""

from __future__ import annotations

import os
from typing import NamedTuple


class _Seen(NamedTuple):
    """What a change of content changes too."""

    modified_ns: int
    size_bytes: int


class Watch:
    """Compares time of change and length before each of our writes with those after the last one.

    For the thread that writes. It costs two `fstat` a write. It does not notice a change that falls into the same
    tick of the kernel's clock (4 ms) as our own and leaves the length alone; and file systems that give times of their
    server may raise a false alarm, so an alarm calls for comparing sums, not for an error.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._seen = _look(fd)
        self._is_alarmed = False

    @property
    def is_alarmed(self) -> bool:
        """Whether somebody else wrote to it, cut it or lengthened it; stays so."""
        return self._is_alarmed

    def before_change(self) -> None:
        """Look whether it is as we left it."""
        self._is_alarmed = self._is_alarmed or _look(self._fd) != self._seen

    def after_change(self) -> None:
        """Remember how we leave it."""
        self._seen = _look(self._fd)


def _look(fd: int) -> _Seen:
    facts = os.fstat(fd)
    return _Seen(facts.st_mtime_ns, facts.st_size)
