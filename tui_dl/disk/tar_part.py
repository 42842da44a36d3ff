"""The bytes of a tar shard: samples appended behind what is durable, the archive's end, and proof that it is ours."""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

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
_OPEN_SAMPLE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Packed(NamedTuple):
    """A file whose bytes are in a shard."""

    path: str
    """Where it lies."""
    inode: int
    """`st_ino`: with the time, who it is."""
    mtime_ns: int
    """`st_mtime_ns`."""


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


def append_samples(fd: int, offset: int, samples: Sequence[Sample]) -> tuple[int, list[Packed]]:
    """Append samples at `offset`, blocking; return where the next begins, all before it durable, and what was packed.

    Where it fails, what was written behind `offset` is given back to the disk.
    """
    appender = _Appender(fd, offset)
    try:
        packed = [_append(appender, sample) for sample in samples]
        appender.flush()
        sync_file(fd)
    except BaseException:
        with suppress(OSError):
            os.ftruncate(fd, offset)
        raise
    return appender.offset, packed


def _append(appender: _Appender, sample: Sample) -> Packed:
    fd = os.open(sample.path, _OPEN_SAMPLE)
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), sample.path)
        size_bytes, mtime = facts.st_size, max(0, int(facts.st_mtime))
        appender.add(header(sample.payload, size_bytes, mtime))
        left = size_bytes
        while left:
            piece = os.read(fd, min(left, PIECE_BYTES))
            if not piece:
                raise OSError(errno.EIO, "it became shorter", sample.path)
            appender.add(piece)
            left -= len(piece)
    finally:
        os.close(fd)
    about = sample.facts
    appender.add(_padding(size_bytes), header(sample.facts_name, len(about), mtime), about, _padding(len(about)))
    return Packed(sample.path, facts.st_ino, facts.st_mtime_ns)


def _padding(size_bytes: int) -> bytes:
    return bytes(-size_bytes % BLOCK_BYTES)


def header(name: str, size_bytes: int, mtime: int) -> bytes:
    """Return the header of a regular file, as `tarfile` writes it; its own way takes five times as long."""
    raw, octal = name.encode("ascii"), b"%011o\0%011o\0" % (size_bytes, mtime)
    if len(raw) >= _NAME_BYTES or len(octal) > _MTIME_END - _SIZE_AT:
        # The oldest form is read by all; only a giant needs another.
        return _tarinfo(name, size_bytes, mtime).tobuf(tarfile.GNU_FORMAT)
    block = bytearray(_TEMPLATE)
    block[: len(raw)] = raw
    block[_SIZE_AT:_MTIME_END] = octal
    block[_SUM_AT : _SUM_AT + 7] = b"%06o\0" % (_TEMPLATE_SUM + sum(raw) + sum(octal))
    return bytes(block)


def _tarinfo(name: str, size_bytes: int, mtime: int) -> tarfile.TarInfo:
    one = tarfile.TarInfo(name)
    one.size, one.mtime, one.mode = size_bytes, mtime, MODE
    return one


def _template() -> bytes:
    """Return the header of an empty file without a name, its size, time and sum left out."""
    block = bytearray(_tarinfo("", 0, 0).tobuf(tarfile.USTAR_FORMAT))
    block[_SIZE_AT:_MTIME_END] = bytes(_MTIME_END - _SIZE_AT)
    block[_SUM_AT : _SUM_AT + 8] = b" " * 8
    return bytes(block)


_NAME_BYTES: Final = 100
_SIZE_AT: Final = 124
_MTIME_END: Final = 148
_SUM_AT: Final = _MTIME_END
_TEMPLATE: Final = _template()
_TEMPLATE_SUM: Final = sum(_TEMPLATE)


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
