"""What is written: yt-dlp's bytes while one video is alone, whole lines where several are on their way."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest

from tui_dl.media.screen import LaneStream, Screen


class Terminal(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._is_terminal


def lanes(real: Terminal, clock: Any = None) -> tuple[Screen, list[LaneStream]]:
    """Return a screen with the streams of a planner and two lanes."""
    screen = Screen(clock or (lambda: 0.0))
    streams = []
    for writer in ("planner", 0, 1):
        ydl = SimpleNamespace(_out_files=SimpleNamespace(out=real, error=real, screen=real))
        screen.attach(ydl, writer)
        streams.append(ydl._out_files.out)
    return screen, streams


def test_one_writer_alone_is_passed_on_as_it_is() -> None:
    """To the byte, in its pieces."""
    real = Terminal(is_terminal=False)
    screen, (planner, first, _) = lanes(real)
    planner.write("[generic] Extracting\n")
    screen.begin(0, "one")
    for piece in ("[download] Destination: a\n", "\r[download]   1%", "\r\x1b[K[download] 100%", "\n"):
        first.write(piece)
    screen.end(0)
    planner.write("end\n")
    assert real.getvalue() == (
        "[generic] Extracting\n[download] Destination: a\n\r[download]   1%\r\x1b[K[download] 100%\nend\n"
    )


def test_lines_of_several_are_whole() -> None:
    """However their pieces come; what was begun before the second one is ended with a line."""
    real = Terminal(is_terminal=False)
    screen, (planner, first, second) = lanes(real)
    screen.begin(0, "one")
    first.write("\r[download]   1%")
    planner.write("[generic] two\n")
    screen.begin(1, "two")
    for stream, piece in (
        *((first, "[Merger] Mer"), (second, "[info] b: Down"), (first, "ging\n"), (second, "loading\n")),
        *((first, "\r[download]  50%"), (second, "\r[download]  10%"), (first, "\r[download] 100%  "), (first, "\n")),
    ):
        stream.write(piece)
    assert real.getvalue().splitlines() == [
        *("", "[download]   1%", "[generic] two", "[Merger] Merging", "[info] b: Downloading"),
        *("[download]  50%", "[download]  10%", "[download] 100%"),
    ]


def test_what_is_begun_in_lines_is_ended_in_them() -> None:
    """A planner that writes now and then beside one lane leaves no progress behind."""
    real, now = Terminal(is_terminal=True), [0.0]
    screen, (planner, first, _) = lanes(real, lambda: now[0])
    screen.begin(0, "One")
    for second in range(1, 4):
        now[0] = float(second)
        planner.write(f"[generic] {second}\n")
        first.write(f"\r\x1b[K[download] {second}%")
    first.write("\r\x1b[K[download] 100%\n")
    screen.end(0)
    assert rendered(real.getvalue()) == ["[generic] 1", "[generic] 2", "[generic] 3", "[download] 100%"]


def test_a_pipe_gets_progress_now_and_then() -> None:
    """Once a second for each video, and always the end."""
    real, now = Terminal(is_terminal=False), [0.0]
    screen, (_, first, second) = lanes(real, lambda: now[0])
    screen.begin(0, "one")
    screen.begin(1, "two")
    for tenth in range(25):
        now[0] = tenth / 10
        first.write(f"\r[download] {tenth}%")
    second.write("\r[download] 100%\n")
    assert real.getvalue().splitlines() == ["[download] 0%", "[download] 10%", "[download] 20%", "[download] 100%"]


def test_a_terminal_has_a_row_for_each_video_below_the_lines() -> None:
    """With its name, redrawn in place, and gone when it ends."""
    real, now = Terminal(is_terminal=True), [0.0]
    screen, (planner, first, second) = lanes(real, lambda: now[0])
    screen.begin(0, "One")
    screen.begin(1, "Two")
    first.write("\r\x1b[K[download] 1%")
    now[0] = 1.0
    second.write("\r\x1b[K[download] 2%")
    planner.write("[generic] three\n")
    first.write("\r\x1b[K[download] 100%\n")
    screen.end(1)
    shown = rendered(real.getvalue())
    assert shown == ["[generic] three", "[download] 100%"]
    assert "[download] 1%  One\n[download] 2%  Two" in real.getvalue()


def rendered(text: str) -> list[str]:
    """Return what a terminal shows in the end."""
    rows, row, column, position = [""], 0, 0, 0
    while position < len(text):
        if text.startswith("\x1b[K", position):
            rows[row] = rows[row][:column]
            position += 3
        elif text.startswith("\x1b[A", position):
            row -= 1
            position += 3
        elif text[position] == "\r":
            column, position = 0, position + 1
        elif text[position] == "\n":
            row, column, position = row + 1, 0, position + 1
            if row == len(rows):
                rows.append("")
        else:
            rows[row] = rows[row][:column].ljust(column) + text[position] + rows[row][column + 1 :]
            column, position = column + 1, position + 1
    return [one for one in rows if one]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_it_looks_like_the_real_stream(is_terminal: bool) -> None:
    """yt-dlp asks for its encoding, and whether it is a terminal."""
    _, (stream, *_rest) = lanes(Terminal(is_terminal=is_terminal))
    assert stream.isatty() is is_terminal
    assert stream.encoding == "utf-8"
    stream.flush()
