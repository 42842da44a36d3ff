"""Packed lists: gzip, xz and zstd, told by their first bytes and unpacked step by step.

No step yields more than asked for: a bomb is unpacked as slowly as its lines are taken, and no further if they are not.
"""

from __future__ import annotations

import lzma
import zlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK_BYTES: Final = 64 * 1024
"""Most that one step reads or yields."""
_MOST_XZ_BYTES: Final = 256 * 1024 * 1024
"""Memory that unpacking xz may take; `xz -9` asks for 65 MiB."""
_GZIP: Final = b"\x1f\x8b\x08"
_XZ: Final = (b"\xfd7zXZ\0", b"\x5d\0\0")
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
MAGIC: Final = (_GZIP, *_XZ, _ZSTD)
"""How packed lists begin."""
_ZSTD_MODULES: Final = ("compression.zstd", "backports.zstd")
"""The standard library's from Python 3.14 on, and the same as a package."""


class _Unpacker(Protocol):
    """What the standard library's decompressors have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the manners of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._is_full = False

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail and not self._is_full

    def decompress(self, data: bytes, max_length: int) -> bytes:
        octets = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        # behind a full answer there may be more that zlib holds already
        self._is_full = len(octets) == max_length
        return octets


class Unpacking:
    """The unpacked bytes of a list, drawn from `source(most) -> bytes`, which returns nothing at the end."""

    def __init__(self, source: Callable[[int], bytes], head: bytes) -> None:
        """`head` is what was read already. Raises `UsageError` where its packing needs what is not installed."""
        self._source = source
        self._head = head
        self._new_unpacker, self._errors = _unpacker_for(head)
        self._unpacker = self._new_unpacker()
        self.damage = ""
        """Why there is no more, in words; empty while nothing is wrong."""

    def read(self, _most: int = BLOCK_BYTES) -> bytes:
        """Return the next bytes, at most a block; nothing at the end or where the packing is broken."""
        while not self.damage:
            try:
                block = self._step()
            except EOFError:
                self.damage = "the packed list ends too early; what follows is missing"
            except self._errors:
                self.damage = "the packed list is damaged here; what follows is missing"
            else:
                if block is None or block:
                    return block or b""
        return b""

    def _step(self) -> bytes | None:
        """Return some bytes, or none yet; None at the end. Raises where the packing is broken."""
        if self._unpacker.eof:
            # further members may follow, and zeros as tapes and xz have them
            rest = self._unpacker.unused_data.lstrip(b"\0")
            while not rest:
                fresh = self._raw()
                if not fresh:
                    return None
                rest = fresh.lstrip(b"\0")
            self._unpacker = self._new_unpacker()
            return self._unpacker.decompress(rest, BLOCK_BYTES)
        fresh = b""
        if self._unpacker.needs_input and not (fresh := self._raw()):
            raise EOFError
        return self._unpacker.decompress(fresh, BLOCK_BYTES)

    def _raw(self) -> bytes:
        if self._head:
            block, self._head = self._head, b""
            return block
        return self._source(BLOCK_BYTES)


_Known = tuple["Callable[[], _Unpacker]", tuple[type[Exception], ...]]


def _unpacker_for(head: bytes) -> _Known:
    """Return what unpacks a list that begins like this, and what it raises."""
    if head.startswith(_GZIP):
        return _Gzip, (zlib.error,)
    if head.startswith(_XZ):
        return lambda: lzma.LZMADecompressor(memlimit=_MOST_XZ_BYTES), (lzma.LZMAError,)
    return _zstd()


def _zstd() -> _Known:
    for name in _ZSTD_MODULES:
        try:
            module: Any = import_module(name)
        except ImportError:
            continue
        return module.ZstdDecompressor, (module.ZstdError,)
    raise UsageError("the list is packed with zstd; install what reads it: pip install 'tui-dl[zstd]'")
