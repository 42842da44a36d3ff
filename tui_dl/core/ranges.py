"""Byte ranges and sets of them. Ends are exclusive everywhere but in `range_header()`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class ByteRange(NamedTuple):
    """Bytes `start <= offset < end` of a file."""

    start: int
    end: int

    @property
    def length_bytes(self) -> int:
        """Number of bytes."""
        return self.end - self.start


def range_header(start: int, end: int | None) -> str:
    """Render a `Range` value; the one place where the end is inclusive (RFC 9110 §14.1.2)."""
    return f"bytes={start}-" if end is None else f"bytes={start}-{end - 1}"


class RangeSet:
    """A set of byte offsets, kept as sorted, disjoint, non-adjacent ranges.

    Adding in order is O(1) amortised; any other change is O(log n) plus the ranges it touches.
    """

    __slots__ = ("_ends", "_starts")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in ranges:
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        """Hold `start <= offset < end` too. An empty range changes nothing; a negative one is refused."""
        if start < 0 or end < start:
            raise ValueError(f"not a byte range: {start}..{end}")
        if start == end:
            return
        starts, ends = self._starts, self._ends
        if not ends or start > ends[-1]:
            starts.append(start)
            ends.append(end)
            return
        first = bisect_left(ends, start)
        last = bisect_right(starts, end)
        if first < last:
            start = min(start, starts[first])
            end = max(end, ends[last - 1])
        starts[first:last] = [start]
        ends[first:last] = [end]

    def remove(self, start: int, end: int) -> None:
        """Hold `start <= offset < end` no longer."""
        if start >= end:
            return
        starts, ends = self._starts, self._ends
        first = bisect_right(ends, start)
        last = bisect_left(starts, end)
        if first >= last:
            return
        kept = []
        if starts[first] < start:
            kept.append((starts[first], start))
        if ends[last - 1] > end:
            kept.append((end, ends[last - 1]))
        starts[first:last] = [pair[0] for pair in kept]
        ends[first:last] = [pair[1] for pair in kept]

    def update(self, other: RangeSet) -> None:
        """Hold all that another set holds."""
        for start, end in other:
            self.add(start, end)

    def copy(self) -> RangeSet:
        """Return an independent copy."""
        twin = RangeSet()
        twin._starts = self._starts.copy()
        twin._ends = self._ends.copy()
        return twin

    def gaps(self, end: int, start: int = 0) -> Iterator[ByteRange]:
        """Yield what is missing of `start <= offset < end`, in order."""
        cursor = start
        for low, high in self:
            if high <= cursor:
                continue
            if low >= end:
                break
            if low > cursor:
                yield ByteRange(cursor, low)
            cursor = high
        if cursor < end:
            yield ByteRange(cursor, end)

    def covers(self, start: int, end: int) -> bool:
        """Whether every byte of `start <= offset < end` is held."""
        if start >= end:
            return True
        index = bisect_right(self._starts, start) - 1
        return index >= 0 and self._ends[index] >= end

    def overlaps(self, start: int, end: int) -> bool:
        """Whether any byte of `start <= offset < end` is held."""
        index = bisect_right(self._ends, start)
        return start < end and index < len(self._starts) and self._starts[index] < end

    @property
    def total_bytes(self) -> int:
        """Number of bytes held."""
        return sum(self._ends) - sum(self._starts)

    @property
    def prefix_bytes(self) -> int:
        """Length of the run that begins at 0."""
        return self._ends[0] if self._starts and self._starts[0] == 0 else 0

    @property
    def end(self) -> int:
        """One past the last byte held; 0 when empty."""
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[ByteRange]:
        for start, end in zip(self._starts, self._ends, strict=True):
            yield ByteRange(start, end)

    def __len__(self) -> int:
        """Return the number of disjoint ranges."""
        return len(self._starts)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RangeSet):
            return NotImplemented
        return self._starts == other._starts and self._ends == other._ends

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"RangeSet({[tuple(pair) for pair in self]})"
