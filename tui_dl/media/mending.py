"""A stream with gaps: only the fragments that were missing are fetched, and put where they belong."""

from __future__ import annotations

import os
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tui_dl.core.ports_media import FragmentOutcome
    from tui_dl.media.fragment_notes import FragmentNotes
    from tui_dl.media.fragments import FragmentTransfer

    Append = Callable[[dict[str, Any], FragmentOutcome], None]

COPY_BYTES: Final = 1 << 20
Fragment = dict[str, Any]


class Mending:
    """Of one part file."""

    def __init__(self, transfer: FragmentTransfer, ctx: dict[str, Any], notes: FragmentNotes, last: int) -> None:
        """`last` is the fragment up to which all are held but those in the gaps."""
        self._transfer, self._ctx, self._notes, self._last = transfer, ctx, notes, last
        self._pieces: dict[int, bytes] = {}

    def run(self, fragments: Iterator[Fragment]) -> Iterator[Fragment]:
        """Mend what can be had; return the fragments that come after all of that."""
        wanted: list[Fragment] = []
        following: list[Fragment] = []
        for fragment in fragments:
            if fragment["frag_index"] > self._last:
                following.append(fragment)
                break
            if fragment["frag_index"] in self._notes.gaps:
                wanted.append(fragment)
        self._transfer.append_all(iter(wanted), self._take)
        if self._pieces:
            self._mend()
        self._ctx["fragment_index"] = self._last
        return chain(following, fragments)

    def _take(self, fragment: Fragment, outcome: FragmentOutcome) -> None:
        assert outcome.body is not None
        self._pieces[fragment["frag_index"]] = self._transfer.content(fragment, outcome.body)

    def _mend(self) -> None:
        """Write the part file anew with the pieces in it, and put it in the place of the one that is there."""
        path, gaps = str(self._ctx["tmpfilename"]), dict(sorted(self._notes.gaps.items()))
        mended, left = f"{path}.mended", {}
        added = 0
        with open(path, "rb") as held, open(mended, "wb") as whole:  # noqa: PTH123  # yt-dlp's names are text
            for index, place in gaps.items():
                _copy(held, whole, place)
                if (piece := self._pieces.get(index)) is None:
                    left[index] = place + added
                else:
                    whole.write(piece)
                    added += len(piece)
            _copy(held, whole, None)
            whole.flush()
            os.fsync(whole.fileno())
            size = whole.tell()
        self._ctx["fragment_index"] = self._last
        self._notes.will_mend(self._ctx, size, left)
        self._ctx["dest_stream"].close()
        os.replace(mended, path)  # noqa: PTH105  # as above
        self._notes.part_bytes = None
        self._ctx["dest_stream"], _ = self._transfer.open_part(path)
        self._notes.has_mended(self._ctx, left)


def _copy(source: IO[bytes], target: IO[bytes], up_to: int | None) -> None:
    """Copy up to a place of the source; None: to its end."""
    while up_to is None or source.tell() < up_to:
        most = COPY_BYTES if up_to is None else min(COPY_BYTES, up_to - source.tell())
        block = source.read(most)
        if not block:
            return
        target.write(block)
