"""Which connection fetches which bytes: free ranges, halves of the largest remainder, run-on.

Pure bookkeeping on one thread: a reader owns the bytes before `Segment.end`, and splitting only ever lowers that
end ahead of a safe zone, so no lock is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui_dl.core.ranges import ByteRange, RangeSet

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB: Final = 1024 * 1024
MIN_RANGE_BYTES: Final = MIB
"""A new range is not shorter than this ..."""
MIN_RANGE_S: Final = 0.25
"""... nor than what its connection would fetch in this time. With a whole second the last two of a download that is
paced by connection went by with half of them idle: 5 % of 13 s."""
MIN_OPEN_SPLIT_BYTES: Final = 16 * MIB
"""An open-ended request is split only if this much remains, since what is in flight behind the cut is lost (5 MiB
seen) ..."""
MIN_OPEN_SPLIT_S: Final = 2.0
"""... or this much time at its rate, whichever is larger ..."""
SLOW_OPEN_SPLIT_S: Final = 8.0
"""... or if it would take this long, however little it is: what is in flight at such a rate is little, too."""
ALIGNMENT_BYTES: Final = 64 * 1024
"""Cuts fall on multiples of this, so that extents stay whole."""


@dataclass(eq=False, slots=True)
class Segment:
    """A byte range being fetched by one connection."""

    start: int
    """First byte."""
    position: int
    """Next byte to arrive; everything before it was received."""
    end: int | None
    """One past the last byte wanted; None while the length is unknown."""
    is_open_ended: bool = False
    """Whether the request behind it goes on beyond every end, so that the first cut costs what is in flight there."""

    @property
    def remaining_bytes(self) -> int | None:
        """Bytes still to come, None while the length is unknown."""
        return None if self.end is None else self.end - self.position


class SegmentPlan:
    """The bytes of one file: held, being fetched, free."""

    def __init__(self, total_bytes: int | None, held: RangeSet | None = None) -> None:
        self.total_bytes = total_bytes
        """Length of the file, None while unknown."""
        self.held = held if held is not None else RangeSet()
        """Bytes handed to the disk."""
        self.alignment_bytes = ALIGNMENT_BYTES
        """Cuts fall on multiples of this where there is room for it."""
        self.segments: list[Segment] = []
        """Ranges being fetched."""

    @property
    def is_complete(self) -> bool:
        """Whether every byte is held; never while the length is unknown."""
        return self.total_bytes is not None and self.held.covers(0, self.total_bytes)

    def free(self) -> Iterator[ByteRange]:
        """Yield what is neither held nor being fetched, in order."""
        if self.total_bytes is None:
            return
        taken = self.held.copy()
        for segment in self.segments:
            taken.add(segment.start, self.total_bytes if segment.end is None else segment.end)
        yield from taken.gaps(self.total_bytes)

    def begin(self, start: int, end: int | None, *, is_open_ended: bool = False) -> Segment:
        """Give a known range to a connection (the first request)."""
        segment = Segment(start, start, end, is_open_ended)
        self.segments.append(segment)
        return segment

    def take(self, rate_bps: float) -> Segment | None:
        """Give the next range to an idle connection, or None where nothing is worth one more.

        `rate_bps` is the mean rate of a connection: a cut must leave `MIN_RANGE_S` worth on both sides.
        """
        for gap in self.free():
            return self.begin(gap.start, gap.end)
        return self._split(rate_bps)

    def _split(self, rate_bps: float) -> Segment | None:
        victim = self._victim(rate_bps)
        if victim is None or victim.end is None:
            return None
        cut = victim.position + (victim.end - victim.position) // 2
        aligned = cut - cut % self.alignment_bytes
        cut = aligned if aligned > victim.position + MIN_RANGE_BYTES else cut - cut % ALIGNMENT_BYTES
        segment = self.begin(cut, victim.end)
        victim.end = cut
        victim.is_open_ended = False  # what is in flight behind its end is lost from now on, wherever that lies
        return segment

    def _victim(self, rate_bps: float) -> Segment | None:
        """Return the largest remainder among those worth a cut: a large open-ended one spares no smaller one."""
        least = 2 * max(MIN_RANGE_BYTES, int(rate_bps * MIN_RANGE_S))
        least_open = max(least, MIN_OPEN_SPLIT_BYTES, int(rate_bps * MIN_OPEN_SPLIT_S))
        if rate_bps:
            least_open = max(least, min(least_open, int(rate_bps * SLOW_OPEN_SPLIT_S)))
        worth_it = (
            one for one in self.segments if (one.remaining_bytes or 0) >= (least_open if one.is_open_ended else least)
        )
        return max(worth_it, key=lambda one: one.remaining_bytes or 0, default=None)

    def can_split(self, rate_bps: float) -> bool:
        """Whether `take()` would find something, without taking it."""
        return next(self.free(), None) is not None or self._victim(rate_bps) is not None

    def run_on(self, segment: Segment, answer_end: int | None) -> bool:
        """Let a connection that reached its end read on into the next bytes, if they are free and its answer has them.

        `answer_end` is one past the last byte of the answer being read; None if it goes to the end of the file.
        """
        if segment.end is None or self.total_bytes is None:
            return False
        limit = self.total_bytes if answer_end is None else answer_end
        for gap in self.free():
            if gap.start == segment.end and limit > gap.start:
                segment.end = min(gap.end, limit)
                return True
        return False

    def release(self, segment: Segment) -> None:
        """Take a range back from its connection; what is not held becomes free."""
        if segment in self.segments:
            self.segments.remove(segment)

    def hold(self, start: int, end: int) -> None:
        """Note bytes that were handed to the disk."""
        self.held.add(start, end)

    def drop(self, start: int, end: int) -> int:
        """Hold a range no longer; return how many of its bytes were held."""
        before = self.held.total_bytes
        self.held.remove(start, end)
        return before - self.held.total_bytes

    def forget_all(self) -> None:
        """Hold nothing any more: the file is another version."""
        self.held = RangeSet()
        self.segments.clear()
