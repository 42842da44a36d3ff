"""The names in a folder as they once were, and which other names it would take for one of them."""

from __future__ import annotations

import os
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from tui_dl.core.name_folding import folded
from tui_dl.core.name_set import NameSet

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LOOKED_AT: Final = 64
"""Entries of a folder that are tried; nearly every name has a letter."""


class FolderNames:
    """Answers whether a name is taken, in eight bytes a name."""

    __slots__ = ("_is_blind", "_names")

    def __init__(self, names: Iterable[str] = (), *, is_blind: bool = False) -> None:
        self._names = NameSet(map(folded, names) if is_blind else names)
        self._is_blind = is_blind

    def __contains__(self, name: str) -> bool:
        """Whether a name leads to a file there; where case does not count, it is not counted."""
        return (folded(name) if self._is_blind else name) in self._names

    def __len__(self) -> int:
        """How many names there are."""
        return len(self._names)


def names_in(folder: str) -> FolderNames:
    """List a folder, blocking; one that cannot be read has no names: what is taken there the naming finds."""
    try:
        with os.scandir(folder) as entries:
            names = (entry.name for entry in entries)
            first = list(islice(names, MOST_LOOKED_AT))
            return FolderNames(chain(first, names), is_blind=bool(_told_by_any(folder, first)))
    except OSError:
        return FolderNames()


def is_case_blind(folder: str) -> bool | None:
    """Return whether a name in the other case leads to the same file, blocking; nothing is made to find out.

    Asked are names that are there already: in the folder, or while it is empty or not made yet, in those above it on
    the same file system. None where nothing tells.
    """
    try:
        while not os.path.isdir(folder):  # noqa: PTH112  # text in
            folder = os.path.dirname(folder)  # noqa: PTH120  # text in, text out
        device = os.stat(folder).st_dev  # noqa: PTH116  # as above
        while os.stat(folder).st_dev == device:  # noqa: PTH116  # as above
            with os.scandir(folder) as entries:
                told = _told_by_any(folder, [entry.name for entry in islice(entries, MOST_LOOKED_AT)])
            if told is not None or folder == os.path.dirname(folder):  # noqa: PTH120  # as above
                return told
            folder = os.path.dirname(folder)  # noqa: PTH120  # as above
    except OSError:
        return None
    return None


def _told_by_any(folder: str, names: Iterable[str]) -> bool | None:
    answers = (_told_by(folder, name) for name in names)
    return next((told for told in answers if told is not None), None)


def _told_by(folder: str, name: str) -> bool | None:
    other = name.swapcase()
    if other == name or other.swapcase() != name:
        return None
    try:
        there = os.lstat(os.path.join(folder, name))  # noqa: PTH118  # text in, text out
    except OSError:
        return None
    try:
        twin = os.lstat(os.path.join(folder, other))  # noqa: PTH118  # as above
    except OSError:
        return False
    # Some file systems in user space number their files by path: two spellings of one then differ in that alone.
    return os.path.samestat(there, twin) or _looks(there) == _looks(twin)


def _looks(facts: os.stat_result) -> tuple[int, ...]:
    return facts.st_dev, facts.st_mode, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns
