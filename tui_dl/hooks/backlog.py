"""Events that wait for their command: a few in memory, any number in a file without a name. None is lost."""

from __future__ import annotations

import struct
import tempfile
from collections import deque
from typing import IO, Final

MOST_IN_MEMORY: Final = 1_000
"""Events of some 600 bytes each."""
_LENGTH: Final = struct.Struct("!I")


class Backlog:
    """First in, first out. For one thread."""

    def __init__(self) -> None:
        self._first: deque[bytes] = deque()
        self._file: IO[bytes] | None = None
        self._filed = 0
        self._read_at = self._write_at = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._first) + self._filed

    def put(self, told: bytes) -> None:
        """Add the last one; raises `OSError` where it needs the disk and that refuses."""
        if not self._filed and len(self._first) < MOST_IN_MEMORY:
            self._first.append(told)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the backlog
        self._file.seek(self._write_at)
        self._file.write(_LENGTH.pack(len(told)) + told)
        self._file.flush()
        self._write_at = self._file.tell()
        self._filed += 1

    def take(self) -> bytes | None:
        """Return the first one, None where none waits."""
        if not self._first and self._filed:
            self._fetch()
        return self._first.popleft() if self._first else None

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()

    def _fetch(self) -> None:
        """Bring the first ones of the file into memory; a file that is read through is emptied."""
        assert self._file is not None
        self._file.seek(self._read_at)
        while self._filed and len(self._first) < MOST_IN_MEMORY:
            (length,) = _LENGTH.unpack(self._file.read(_LENGTH.size))
            self._first.append(self._file.read(length))
            self._filed -= 1
        self._read_at = self._file.tell()
        if not self._filed:
            self._read_at = self._write_at = 0
            self._file.truncate(0)
