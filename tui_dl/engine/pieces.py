"""Pieces of a part file, checked as soon as they are whole, so that wrong bytes are found early and fetched again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.digests import new_hasher
from tui_dl.core.errors import ContentError, Reason, UsageError
from tui_dl.core.ranges import ByteRange, RangeSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui_dl.core.digests import Hasher
    from tui_dl.core.pieces import Pieces
    from tui_dl.disk.part_file import PartFile

RUN_BYTES: Final = 64 * 1024 * 1024
"""Neighbouring pieces up to this are read in one go; whoever waits hears of what is wrong at least as often."""


class PieceChecker:
    """Knows which bytes of a part file have the digests that were named for them."""

    def __init__(self, part: PartFile, pieces: Pieces, total_bytes: int) -> None:
        """Raise `ContentError` where a file of this length has not so many pieces."""
        try:
            pieces.check_length(total_bytes)
        except UsageError as error:
            raise ContentError(Reason.LENGTH_MISMATCH, error.message) from None
        self._part = part
        self._pieces = pieces
        self.total_bytes = total_bytes
        """Length of the file."""
        self.piece_bytes = pieces.length_bytes
        """Length of every piece but the last."""
        self.verified = RangeSet()
        """Bytes of pieces that have their digests, as long as nobody writes there again."""

    async def check(self, held: RangeSet) -> list[ByteRange]:
        """Check every piece that lies wholly in `held` and is not verified; return those that are wrong.

        What is wrong is to be dropped from what is held: it is reported again as long as it is there. The file is read
        in the disk's threads; nothing may be written meanwhile to what is held.
        """
        bad: list[ByteRange] = []
        for run in self._unverified(held):
            found = await self._values(run)
            for index, value in zip(run, found, strict=True):
                piece = self._pieces.range_of(index, self.total_bytes)
                if value == self._pieces.hexes[index]:
                    self.verified.add(*piece)
                else:
                    bad.append(piece)
        return bad

    async def describe(self, piece: ByteRange) -> str:
        """Return in words what a wrong piece has and should have."""
        index = piece.start // self._pieces.length_bytes
        (value,) = await self._values(range(index, index + 1))
        algorithm, wanted = self._pieces.algorithm, self._pieces.hexes[index]
        return f"the {algorithm} of bytes {piece.start}-{piece.end} is {value}, the one given is {wanted}"

    def forget(self, piece: ByteRange) -> None:
        """Note that these bytes are written again."""
        self.verified.remove(*piece)

    def _unverified(self, held: RangeSet) -> Iterator[range]:
        """Yield runs of neighbouring pieces to check, none much longer than `RUN_BYTES`."""
        most = max(1, RUN_BYTES // self._pieces.length_bytes)
        gaps = [gap for run in held for gap in self.verified.gaps(run.end, run.start)]
        for gap in gaps:
            indices = self._pieces.indices_within(gap, self.total_bytes)
            for first in range(indices.start, indices.stop, most):
                yield range(first, min(first + most, indices.stop))

    async def _values(self, run: range) -> list[str]:
        """Return the digest of each piece of a run as the file holds it; empty where the file ends before."""
        start = self._pieces.range_of(run.start, self.total_bytes).start
        end = self._pieces.range_of(run.stop - 1, self.total_bytes).end
        cutter = _Cutter(self._pieces.algorithm, self._pieces.length_bytes)
        reached = await self._part.read_through(cutter.take, start, end)
        values = cutter.finish()
        if reached < end:
            values[-1:] = [""] if values else []
        return values + [""] * (len(run) - len(values))


def piece_values(pieces: Pieces, buffers: Sequence[bytes]) -> list[str]:
    """Return the digest of each piece of a whole file in memory."""
    cutter = _Cutter(pieces.algorithm, pieces.length_bytes)
    for buffer in buffers:
        cutter.take(buffer)
    return cutter.finish()


class _Cutter:
    """Computes the digests of equal pieces in a row."""

    def __init__(self, algorithm: str, length_bytes: int) -> None:
        self._algorithm = algorithm
        self._length_bytes = length_bytes
        self._hasher: Hasher | None = None
        self._room_bytes = 0
        self._values: list[str] = []

    def take(self, buffer: bytes) -> None:
        """Take the next bytes."""
        view = memoryview(buffer)
        while view:
            if self._hasher is None:
                self._hasher, self._room_bytes = new_hasher(self._algorithm), self._length_bytes
            taken = view[: self._room_bytes]
            self._hasher.update(taken)
            self._room_bytes -= len(taken)
            view = view[len(taken) :]
            if not self._room_bytes:
                self._end_piece()

    def finish(self) -> list[str]:
        """Return all values, the last one of a piece that may be shorter."""
        self._end_piece()
        return self._values

    def _end_piece(self) -> None:
        if self._hasher is not None:
            self._values.append(self._hasher.hexdigest())
            self._hasher = None
