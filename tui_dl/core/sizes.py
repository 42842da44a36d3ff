"""Sizes as a person types them: `1048576`, `512K`, `1.5M`; K, M, G, T are powers of 1024."""

from __future__ import annotations

from typing import Final

from tui_dl.core.errors import UsageError

_UNITS: Final = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def parse_size(text: str) -> int:
    """Return bytes for `1048576`, `512K`, `1.5M`, `2GiB`, `5MB/s` (1024 each); raises `UsageError`."""
    plain = text.strip().upper().removesuffix("/S").removesuffix("B").removesuffix("I").strip()
    unit = plain[-1:] if plain[-1:] in "KMGT" else ""
    number = plain.removesuffix(unit) if unit else plain
    try:
        value = float(number) * _UNITS[unit]
        size = int(value)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is not a size; write bytes, or 512K, 5M, 1.5G") from None
    if size < 0:
        raise UsageError(f"{text!r} is negative; a size is 0 or more")
    return size
