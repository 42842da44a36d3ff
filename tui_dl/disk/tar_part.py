"""The bytes of a tar shard: samples appended behind what is durable, the archive's end, and proof that it is ours."""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_dl.core.sharding import key_of
from tui_dl.disk.durable import sync_file
from tui_dl.disk.writer import write_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.sharding import Sample

BLOCK_BYTES: Final = tarfile.BLOCKSIZE
PIECE_BYTES: Final = 1 << 20
"""Most that is read of a file at a time."""
GATHERED_BYTES: Final = 4 << 20
"""What is gathered before a write."""
MODE: Final = 0o644
_MOST_USTAR_BYTES: Final = 0o77777777777
_OPEN_SAMPLE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class _Appender:
    """Gathers what is to be written and writes it in large pieces."""

    def __init__(self, fd: int, offset: int) -> None:
        self.fd = fd
        self.offset = offset
        """Where the next byte goes, what is gathered included."""
        self._buffers: list[bytes] = []
        self._gathered_bytes = 0

    def add(self, *buffers: bytes) -> None:
        for buffer in buffers:
            self._buffers.append(buffer)
            self._gathered_bytes += len(buffer)
            self.offset += len(buffer)
        if self._gathered_bytes >= GATHERED_BYTES:
            self.flush()

    def flush(self) -> None:
        write_all(self.fd, self._buffers, self.offset - self._gathered_bytes)
        self._buffers, self._gathered_bytes = [], 0

    def pad(self, size_bytes: int) -> None:
        if rest := -size_bytes % BLOCK_BYTES:
            self.add(bytes(rest))


def append_samples(fd: int, offset: int, samples: Sequence[Sample]) -> int:
    """Append samples at `offset`, blocking; return where the next begins, all before it durable.

    Where it fails, what was written behind `offset` is given back to the disk.
    """
    appender = _Appender(fd, offset)
    try:
        for sample in samples:
            _append(appender, sample)
        appender.flush()
        sync_file(fd)
    except BaseException:
        with suppress(OSError):
            os.ftruncate(fd, offset)
        raise
    return appender.offset


def _append(appender: _Appender, sample: Sample) -> None:
    fd = os.open(sample.path, _OPEN_SAMPLE)
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), sample.path)
        appender.add(_header(sample.payload, facts.st_size, facts.st_mtime))
        left = facts.st_size
        while left:
            piece = os.read(fd, min(left, PIECE_BYTES))
            if not piece:
                raise OSError(errno.EIO, "it became shorter", sample.path)
            appender.add(piece)
            left -= len(piece)
        appender.pad(facts.st_size)
        appender.add(_header(sample.facts_name, len(sample.facts), facts.st_mtime), sample.facts)
        appender.pad(len(sample.facts))
    finally:
        os.close(fd)


def _header(name: str, size_bytes: int, mtime: float) -> bytes:
    one = tarfile.TarInfo(name)
    one.size, one.mtime, one.mode = size_bytes, max(0, int(mtime)), MODE
    # The oldest form is read by all; only the size of a giant needs another.
    return one.tobuf(tarfile.USTAR_FORMAT) if size_bytes <= _MOST_USTAR_BYTES else one.tobuf(tarfile.GNU_FORMAT)


def write_end(fd: int, offset: int) -> None:
    """End the archive at `offset`, blocking, and make all of it durable."""
    os.ftruncate(fd, offset)
    write_all(fd, [bytes(end_bytes(offset))], offset)
    os.fsync(fd)


def end_bytes(offset: int) -> int:
    """Return the length of an archive's end: two empty blocks, filled up to a whole record."""
    return 2 * BLOCK_BYTES + -(offset + 2 * BLOCK_BYTES) % tarfile.RECORDSIZE


def holds(fd: int, number: int, samples: int, size_bytes: int) -> bool:
    """Whether a file begins with exactly so many samples of the shard of this number, blocking."""
    if os.fstat(fd).st_size < size_bytes:
        return False
    offset = members = 0
    while offset < size_bytes:
        try:
            one = tarfile.TarInfo.frombuf(os.pread(fd, BLOCK_BYTES, offset), "utf-8", "surrogateescape")
        except tarfile.HeaderError:
            return False
        if not one.name.startswith(key_of(number, members // 2) + "."):
            return False
        members += 1
        offset += BLOCK_BYTES + one.size + -one.size % BLOCK_BYTES
    return offset == size_bytes and members == 2 * samples


def is_whole(fd: int, number: int, samples: int, size_bytes: int) -> bool:
    """Whether a file is exactly that shard with its end, blocking."""
    length = end_bytes(size_bytes)
    if os.fstat(fd).st_size != size_bytes + length or not holds(fd, number, samples, size_bytes):
        return False
    return os.pread(fd, length, size_bytes) == bytes(length)
