"""What lanes and planner write: yt-dlp's own lines, whole ones where several videos are on their way."""

from __future__ import annotations

import re
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

REDRAW_S: Final = 0.1
"""How often progress is redrawn on a terminal."""
PIPE_PROGRESS_S: Final = 1.0
"""How often a video's progress is a line where nothing can be redrawn."""
_SEQUENCES: Final = re.compile(r"\x1b\[(?:K|A|\d*[ABCDGJK])")
_ERASE: Final = "\x1b[K"


class LaneStream:
    """A stream as yt-dlp writes to it; gives on what it is given, or whole lines of it."""

    def __init__(self, screen: Screen, writer: object, real: TextIO) -> None:
        self._screen, self._writer, self._real = screen, writer, real
        self.encoding = real.encoding
        self._rest = ""

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._real.isatty()

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._real.fileno()

    def flush(self) -> None:
        """Do nothing: what is written is written at once."""

    def write(self, text: str) -> int:
        """Write a piece of text: part of a line, or several."""
        with self._screen.lock:
            if self._screen.is_passing(self._writer, self._real):
                self._screen.put(self._real, text)
                self._rest = ""
                return len(text)
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._screen.line(self._writer, self._real, _last_part(line))
            if "\r" in self._rest and (progress := _last_part(self._rest)):
                self._screen.progress(self._writer, self._real, progress)
        return len(text)


class Screen:
    """Standard output and error of all writers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock = threading.RLock()
        """Held while anything is written."""
        self._clock = clock
        self._active: dict[object, str] = {}
        self._passing: object = None
        self._is_open_line = False
        self._is_lines = False
        self._shown: dict[object, str] = {}
        self._drawn = 0
        self._redrawn_at = 0.0
        self._told_at: dict[object, float] = {}

    def attach(self, ydl: Any, writer: object) -> None:
        """Put streams of ours in the place of a `YoutubeDL`'s."""
        files = ydl._out_files
        streams = {id(real): LaneStream(self, writer, real) for real in (files.out, files.error, files.screen)}
        files.out, files.error, files.screen = (streams[id(one)] for one in (files.out, files.error, files.screen))

    def begin(self, writer: object, name: str) -> None:
        """Note that a lane has a video."""
        with self.lock:
            self._active[writer] = name

    def end(self, writer: object) -> None:
        """Note that it is done with it."""
        with self.lock:
            self._active.pop(writer, None)
            self._told_at.pop(writer, None)
            if self._shown.pop(writer, None) is not None:
                self._redraw()

    # -- for streams, under the lock -----------------------------------------------------------------------------------

    def is_passing(self, writer: object, real: TextIO) -> bool:
        """Whether text goes on as it is: while one writer is alone, its output is yt-dlp's own to the byte."""
        others = [one for one in self._active if one != writer]
        if self._is_lines:
            # Not to and fro: what was begun in lines is ended in them.
            self._is_lines = bool(self._active or self._shown)
        elif others:
            self._is_lines = True
            if self._is_open_line:
                self.put(real, "\n")
                self._is_open_line = False
        return not self._is_lines

    def put(self, real: TextIO, text: str) -> None:
        """Write text as it is."""
        encoding = real.encoding or "utf-8"
        buffer = getattr(real, "buffer", None)
        if buffer is None:
            real.write(text)
        else:
            buffer.write(text.encode(encoding, "ignore"))
        real.flush()
        self._is_open_line = bool(text) and not text.endswith("\n")

    def line(self, writer: object, real: TextIO, text: str) -> None:
        """Write a whole line."""
        self._shown.pop(writer, None)
        self._erase()
        self.put(real, text + "\n")
        self._redraw()

    def progress(self, writer: object, real: TextIO, text: str) -> None:
        """Show how far a video is: below the lines on a terminal, now and then as a line elsewhere."""
        now = self._clock()
        if not real.isatty():
            if now - self._told_at.get(writer, float("-inf")) >= PIPE_PROGRESS_S:
                self._told_at[writer] = now
                self.put(real, text + "\n")
            return
        self._shown[writer] = f"{text}  {self._active.get(writer, '')}"
        self._terminal = real
        if now - self._redrawn_at >= REDRAW_S:
            self._redraw()

    _terminal: TextIO | None = None

    def _erase(self) -> None:
        if self._drawn and self._terminal is not None:
            self.put(self._terminal, f"\r{_ERASE}" + f"\x1b[A{_ERASE}" * (self._drawn - 1))
            self._drawn = 0

    def _redraw(self) -> None:
        if self._terminal is None:
            return
        self._erase()
        width = shutil.get_terminal_size().columns - 1
        rows = [_clipped(text, width) for text in self._shown.values()]
        if rows:
            self.put(self._terminal, "\n".join(rows))
        self._drawn = len(rows)
        self._redrawn_at = self._clock()


def _last_part(line: str) -> str:
    """Return what a line shows in the end: the last thing that was written over it."""
    parts = [_SEQUENCES.sub("", part).rstrip() for part in line.split("\r")]
    return next((part for part in reversed(parts) if part), "")


def _clipped(text: str, width: int) -> str:
    """Return a text that fits a row; colours do not count."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return text if len(plain) <= width else plain[:width]
