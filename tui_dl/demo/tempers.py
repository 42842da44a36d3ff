"""What the demonstration serves: one record per file, each with a temper of its own, and its content by offset."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final
from zlib import crc32

KIB: Final = 1024
MIB: Final = 1024 * 1024
BLOCK_BYTES: Final = 64 * KIB
_STAMP_BYTES: Final = 8
SMALL_FILES: Final = 100


class Host(Enum):
    """Ports of the demonstration: a host that refuses must not slow the others, as on the real net."""

    FILES = 0
    """Behaves well."""
    FLAKY = 1
    """Cuts, fails and changes files."""
    BUSY = 2
    """Says 429."""
    MANY = 3
    """Holds the small files."""


class Trouble(Enum):
    """What goes wrong, besides pace and missing abilities."""

    NONE = "none"
    TWICE = "fails twice, then well"
    MISSING = "404"
    BUSY = "429 with Retry-After, then well"
    CHANGES = "cut halfway and changed, then well"


@dataclass(frozen=True, slots=True)
class Temper:
    """One file of the demonstration."""

    name: str
    """Last part of its address."""
    size_bytes: int
    """Length of its content."""
    host: Host = Host.FILES
    """Which port serves it."""
    pace_bps: int = 0
    """Bytes per second for each connection; 0 for as fast as it goes."""
    has_ranges: bool = True
    """Whether a Range is answered with 206."""
    has_length: bool = True
    """Whether Content-Length is sent."""
    trouble: Trouble = Trouble.NONE
    """What goes wrong with it."""
    retry_after_s: int = 0
    """Seconds that a 429 asks to wait."""
    delay_s: float = 0.0
    """Seconds before each answer."""

    @property
    def seed(self) -> int:
        """Names the content of its first version; the next version has the next seed."""
        return crc32(self.name.encode()) * 2


def content(seed: int, start: int, end: int) -> bytes:
    """Return the bytes [start, end) of the content that a seed names; every block bears its own number."""
    first, last = start // BLOCK_BYTES, -(-end // BLOCK_BYTES)
    joined = b"".join(index.to_bytes(_STAMP_BYTES) + _noise(seed) for index in range(first, last))
    return joined[start - first * BLOCK_BYTES : end - first * BLOCK_BYTES]


@lru_cache(maxsize=32)
def _noise(seed: int) -> bytes:
    return random.Random(seed).randbytes(BLOCK_BYTES - _STAMP_BYTES)  # noqa: S311  # content, no secret


def all_tempers() -> tuple[Temper, ...]:
    """Return every file of the demonstration, in the order in which it is added."""
    return (*_LARGE, *small_files())


def small_files() -> tuple[Temper, ...]:
    """Return the hundred small ones, of 5 to 50 KB."""
    return tuple(
        Temper(
            f"small-{index:03}.dat", 5_000 + 45_000 * (index * 37 % SMALL_FILES) // SMALL_FILES, Host.MANY, delay_s=0.3
        )
        for index in range(1, SMALL_FILES + 1)
    )


_LARGE: Final = (
    Temper("fast.iso", 96 * MIB),
    Temper("throttled.tar", 48 * MIB, pace_bps=384 * KIB),
    Temper("no-ranges.zip", 16 * MIB, pace_bps=768 * KIB, has_ranges=False),
    Temper("no-length.log", 8 * MIB, pace_bps=512 * KIB, has_ranges=False, has_length=False),
    Temper("fails-twice.bin", 6 * MIB, Host.FLAKY, pace_bps=MIB, trouble=Trouble.TWICE),
    Temper("changes.db", 6 * MIB, Host.FLAKY, pace_bps=MIB, trouble=Trouble.CHANGES),
    Temper("missing.pdf", 0, trouble=Trouble.MISSING),
    Temper("too-many-requests.bin", 4 * MIB, Host.BUSY, pace_bps=MIB, trouble=Trouble.BUSY, retry_after_s=6),
)
