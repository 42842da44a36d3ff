"""Folders that we made: made with the first file that goes there, removed again while nothing is in them."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError, Reason

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_REMEMBERED: Final = 10_000
"""Folders remembered, the latest ones; older ones stay, empty or not."""


MOST_TRIES: Final = 3
"""How often a folder is made again whose parent was removed in that moment."""


class MadeFolders:
    """Remembers who they are, so that a folder which somebody put in the place of ours stays. Used in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Of the two below, never held over a call to the disk: a dead mount would stop all others."""
        self._made: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._wanted: set[str] | None = None

    def make(self, path: str) -> None:
        """Make a folder and those above it, where they are missing; raises `OSError` or `FileSystemError`."""
        with self._lock:
            if self._wanted is not None:
                self._wanted.add(path)
        for _ in range(MOST_TRIES):
            # One above may be removed in that moment, since nothing is in it yet.
            with suppress(FileNotFoundError):
                self._make(path)
                return
        self._make(path)

    def start_removal(self) -> None:
        """From now on, remember which folders are asked for: those are not removed by the next `remove_empty()`."""
        with self._lock:
            self._wanted = set()

    def remove_empty(self, kept: Collection[str]) -> list[str]:
        """Remove those of ours that nothing is in, but none that is kept; returns what was removed."""
        with self._lock:
            # The longest first: what is in them is gone when it is the turn of those above.
            paths = sorted(self._made.keys() - set(kept), key=len, reverse=True)
        removed = [path for path in paths if self._remove(path)]
        with self._lock:
            self._wanted = None
        return removed

    def _make(self, path: str) -> None:
        missing = []
        while not os.path.isdir(path):  # noqa: PTH112  # text in
            missing.append(path)
            path = os.path.dirname(path)  # noqa: PTH120  # text in, text out
        for one in reversed(missing):
            try:
                os.mkdir(one)  # noqa: PTH102  # text in
            except FileExistsError:
                if not os.path.isdir(one):  # noqa: PTH112  # as above
                    text = f"{one} is a file, so that no folder can have this name"
                    raise FileSystemError(Reason.FOLDER_MISSING, text) from None
                continue  # another process made it meanwhile: it is not ours
            self._remember(one)

    def _remember(self, path: str) -> None:
        facts = os.lstat(path)
        with self._lock:
            self._made[path] = (facts.st_dev, facts.st_ino)
            while len(self._made) > MOST_REMEMBERED:
                self._made.popitem(last=False)

    def _remove(self, path: str) -> bool:
        with self._lock:
            made = self._made.get(path)
            is_wanted = self._wanted is not None and path in self._wanted
        if made is None or is_wanted:
            return False
        try:
            facts = os.lstat(path)
            if (facts.st_dev, facts.st_ino) == made:
                os.rmdir(path)  # noqa: PTH106  # text in
        except FileNotFoundError:
            made = None
        except OSError:
            return False  # something is in it
        with self._lock:
            self._made.pop(path, None)
        return made is not None and (facts.st_dev, facts.st_ino) == made
