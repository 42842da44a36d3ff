"""The `.ytdl` file beside a part file: yt-dlp's own notes on how far a stream is, and the length that belongs to them.

yt-dlp appends a fragment and then notes it: killed in between, it appends that fragment once more. With the length a
later run of ours cuts what was not noted; yt-dlp itself passes over it.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LENGTH: Final = "part_bytes"
"""Our key among yt-dlp's."""
GAPS: Final = "gaps"
"""Another one: fragments that could not be had, with the place in the part file where each belongs."""
FORMAT: Final = "format"
"""Another one: the format whose fragments these are, since several of one video have the same name."""
MENDING: Final = "mending"
"""Another one: length and gaps once what is being put into the gaps is in the part file."""


class FragmentNotes:
    """One file, written in place: opening it anew for each fragment was a fourth of the time of a stream."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None
        self.gaps = {}
        self._mending = None
        self._noted_format = ""
        self.format_id = ""
        """Format whose fragments are written now; empty where none is named."""
        self.part_bytes: int | None = None
        """Length of the part file that the notes are of; None where only yt-dlp wrote them."""
        with suppress(OSError, ValueError, AttributeError):
            with open(path, encoding="utf-8") as file:  # noqa: PTH123  # yt-dlp's names are text
                held = json.load(file).get("downloader", {})
            self._take(held)
            self._mending = held.get(MENDING)

    gaps: dict[int, int]
    """Fragments that could not be had: where each belongs in the part file."""
    _mending: dict[str, Any] | None

    def _take(self, held: dict[str, Any]) -> None:
        noted = held.get(LENGTH)
        self._noted_format = str(held.get(FORMAT) or self._noted_format)
        self.part_bytes = noted if isinstance(noted, int) and noted >= 0 else None
        self.gaps = {int(index): int(place) for index, place in held.get(GAPS) or ()}

    def fits(self, held_bytes: int) -> bool:
        """Whether a part file has all that the notes say, and of the same format; more is cut."""
        mending, self._mending = self._mending, None
        if mending is not None and mending.get(LENGTH) == held_bytes:
            # It came to its end with the pieces in their gaps, but was not noted so.
            self._take(mending)
        if self._noted_format and self.format_id and self._noted_format != self.format_id:
            return False
        return self.part_bytes is None or held_bytes >= self.part_bytes

    def begin_anew(self) -> None:
        """Forget all that is noted: the part file is empty."""
        self.part_bytes, self.gaps, self._mending = 0, {}, None

    def will_mend(self, ctx: dict[str, Any], part_bytes: int, gaps: Mapping[int, int]) -> None:
        """Note what will be once a mended part file takes the place of the one that is there. Raises `OSError`."""
        self._mending = {LENGTH: part_bytes, GAPS: sorted(gaps.items())}
        self.write(ctx)

    def has_mended(self, ctx: dict[str, Any], gaps: dict[int, int]) -> None:
        """Note that it did. Raises `OSError`."""
        self._mending, self.gaps = None, gaps
        self.write(ctx)

    def write(self, ctx: dict[str, Any]) -> None:
        """Note how far it is. Raises `OSError`."""
        noted: dict[str, Any] = {"current_fragment": {"index": ctx["fragment_index"]}}
        if "extra_state" in ctx:
            noted["extra_state"] = ctx["extra_state"]
        if ctx.get("fragment_count") is not None:
            noted["fragment_count"] = ctx["fragment_count"]
        stream = ctx.get("dest_stream")
        noted[LENGTH] = 0 if stream is None else os.fstat(stream.fileno()).st_size
        if self.format_id:
            noted[FORMAT] = self.format_id
        if self.gaps:
            noted[GAPS] = sorted(self.gaps.items())
        if self._mending is not None:
            noted[MENDING] = self._mending
        text = json.dumps({"downloader": noted}).encode()
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        os.pwrite(self._descriptor, text, 0)
        os.ftruncate(self._descriptor, len(text))

    def close(self) -> None:
        """Leave it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
