"""How much of a disk stays free: the setting `min_free`, and what it means on small disks and for the journal."""

from __future__ import annotations

from typing import Final

from tui_dl.core.settings import MIB, MIN_FREE

JOURNAL_BYTES: Final = 16 * MIB
"""Room that the journal's own disk needs, however much more is to stay free where downloads go."""
_SMALL_DISK_SHARE: Final = 10
"""The default is at most this part of a disk: one of 64 MiB stays of use."""


def kept_bytes(min_free: int, disk_bytes: int) -> int:
    """Return what stays free on a disk of this size: what a person asked for, the default at most a tenth."""
    return min(min_free, disk_bytes // _SMALL_DISK_SHARE) if min_free == MIN_FREE else min_free


def journal_bytes(min_free: int, disk_bytes: int) -> int:
    """Return the same for the disk that the journal alone is on."""
    return min(kept_bytes(min_free, disk_bytes), JOURNAL_BYTES)


def in_words(size_bytes: int) -> str:
    """Return a size for a reason's text: three digits and a binary unit."""
    size, unit = float(max(size_bytes, 0)), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1000:
            break
        size, unit = size / 1024, larger
    return f"{size:.3g} {unit}"
