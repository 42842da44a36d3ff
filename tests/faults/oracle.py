"""The content of every served file: bytes that follow from (seed, offset), so any misplaced byte is noticed."""

from __future__ import annotations

import hashlib
import random
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BLOCK_BYTES = 1 << 20
"""One block: a header with its own index, then a rotation of the seed's base block."""

HEADER_BYTES = 8
"""Length of the big-endian block index each block begins with."""

ROTATION_STEP_BYTES = 40_503
"""How much further each block is rotated; odd, so blocks repeat only after 2**20 of them (1 TiB)."""


@lru_cache(maxsize=16)
def _doubled_base(seed: int) -> bytes:
    """Return the seed's random block twice in a row, so that every rotation of it is one slice."""
    return random.Random(seed).randbytes(BLOCK_BYTES) * 2


def _block(seed: int, index: int) -> tuple[bytes, int]:
    """Return the doubled base and where block `index` begins in it (the header is not applied)."""
    return _doubled_base(seed), (index * ROTATION_STEP_BYTES) % BLOCK_BYTES


def content(seed: int, start: int, end: int) -> bytes:
    """Return the bytes [start, end) of the endless content of a seed."""
    parts: list[bytes] = []
    position = start
    while position < end:
        index, within = divmod(position, BLOCK_BYTES)
        stop = min(BLOCK_BYTES, within + end - position)
        if within < HEADER_BYTES:
            parts.append(index.to_bytes(HEADER_BYTES, "big")[within:stop])
        if stop > HEADER_BYTES:
            base, rotation = _block(seed, index)
            parts.append(base[rotation + max(within, HEADER_BYTES) : rotation + stop])
        position += stop - within
    return b"".join(parts)


def sha256_of(seed: int, size_bytes: int) -> str:
    """Return the SHA-256 (hex) of the first `size_bytes` of a seed's content."""
    digest = hashlib.sha256()
    for start in range(0, size_bytes, BLOCK_BYTES):
        digest.update(content(seed, start, min(start + BLOCK_BYTES, size_bytes)))
    return digest.hexdigest()


def check(path: Path, seed: int, size_bytes: int) -> int | None:
    """Return the first wrong offset of a file, or None when it is exactly the content.

    A file cut short is wrong at its length, one too long is wrong at `size_bytes`.
    """
    with path.open("rb") as file:
        position = 0
        while position < size_bytes:
            wanted = content(seed, position, min(position + BLOCK_BYTES, size_bytes))
            found = file.read(len(wanted))
            if found != wanted:
                return position + _first_difference(found, wanted)
            position += len(wanted)
        return size_bytes if file.read(1) else None


def first_wrong(held: bytes, seed: int, start: int) -> int | None:
    """Return the first absolute offset at which bytes said to begin at `start` differ from the content."""
    wanted = content(seed, start, start + len(held))
    return None if held == wanted else start + _first_difference(held, wanted)


def _first_difference(left: bytes, right: bytes) -> int:
    """Return the first index at which two strings of bytes differ, the shorter one's length included."""
    both = min(len(left), len(right))
    return next((index for index in range(both) if left[index] != right[index]), both)
