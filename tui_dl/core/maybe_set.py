"""A set of texts that grows without growing in memory: "no" is certain, "yes" is a maybe."""

from __future__ import annotations

from typing import Final

_BITS: Final = 1 << 25
"""4 MiB, of which only what is written to is taken; after a million texts one yes in six thousand is false."""
_PROBES: Final = 4


class MaybeSet:
    """A Bloom filter over Python's own hashes, which differ from process to process."""

    __slots__ = ("_bits", "_has_any")

    def __init__(self) -> None:
        self._bits = bytearray()
        self._has_any = False

    def add(self, text: str) -> None:
        """Put a text into it."""
        if not self._has_any:
            self._bits = bytearray(_BITS // 8)
            self._has_any = True
        first = hash(text)
        step = (first >> 32) | 1
        bits = self._bits
        for probe in range(_PROBES):
            bit = (first + probe * step) % _BITS
            bits[bit >> 3] |= 1 << (bit & 7)

    def __contains__(self, text: str) -> bool:
        """Whether a text may have been put in; False is certain."""
        if not self._has_any:
            return False
        first = hash(text)
        step = (first >> 32) | 1
        bits = self._bits
        for probe in range(_PROBES):  # a generator for each text costs twice the time
            bit = (first + probe * step) % _BITS
            if not bits[bit >> 3] & 1 << (bit & 7):
                return False
        return True
