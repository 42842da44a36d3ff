"""Printing never blocks the loop, loses no line and notices when the reader has gone."""

from __future__ import annotations

import asyncio
import io
import os
import threading

from tui_dl.cli.frame import Line, Span
from tui_dl.cli.printer import MOST_WAITING_LINES, Printer
from tui_dl.cli.terminal import Terminal

TERMINAL = Terminal(size=lambda: (80, 24), has_colour=False, has_utf8=True)


def lines(*texts: str) -> list[Line]:
    """Return lines of one piece each."""
    return [(Span(text),) for text in texts]


class Stream(io.StringIO):
    """A stream whose reader takes text only while it is allowed to."""

    def __init__(self) -> None:
        super().__init__()
        self.is_reading = threading.Event()
        self.is_reading.set()
        self.has_begun = threading.Event()
        self.has_frame = threading.Event()
        self.has_line = threading.Event()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        """Take text as soon as the reader reads."""
        self.has_begun.set()
        self.is_reading.wait(10)
        written = super().write(text)
        self.pieces.append(text)
        if text and not text.endswith("\n"):
            self.has_frame.set()
        if "\n" in text and "done" in text:
            self.has_line.set()
        return written


async def test_lines_keep_their_order() -> None:
    """Every line is written, in order, by the time the context ends."""
    stream = Stream()
    async with Printer(stream) as printer:
        for number in range(1000):
            printer.line(str(number))
    assert stream.getvalue().split() == [str(number) for number in range(1000)]


async def test_of_frames_a_slow_reader_sees_the_newest() -> None:
    """Frames that come too late are dropped, lines are not."""
    stream = Stream()
    async with Printer(stream, terminal=TERMINAL) as printer:
        stream.is_reading.clear()
        printer.line("first")
        await asyncio.to_thread(stream.has_begun.wait)
        for number in range(100):
            printer.frame(lines(f"frame {number}"))
        stream.is_reading.set()
        await asyncio.to_thread(stream.has_frame.wait, 5)
        printer.line("last")
    written = stream.getvalue()
    assert written.startswith("first\n")
    assert "frame 99" in written
    assert "frame 50" not in written


async def test_a_line_stands_above_the_frame() -> None:
    """The frame is taken away first and stands below the line again, in one piece, so that nothing flickers."""
    stream = Stream()
    async with Printer(stream, terminal=TERMINAL) as printer:
        printer.frame(lines("a long status", "second"))
        await asyncio.to_thread(stream.has_frame.wait, 5)
        printer.line("done")
        await asyncio.to_thread(stream.has_line.wait, 5)
    assert "\r\x1b[1A\x1b[Jdone\n\ra long status\x1b[K\nsecond\x1b[K" in stream.pieces


async def test_the_end_takes_the_frame_away() -> None:
    """The shell's prompt begins on an empty line."""
    stream = Stream()
    async with Printer(stream, terminal=TERMINAL) as printer:
        printer.frame(lines("status"))
        await asyncio.to_thread(stream.has_frame.wait, 5)
    assert stream.getvalue().endswith("\r\x1b[J")


async def test_without_a_terminal_there_is_no_frame() -> None:
    """A log gets lines alone."""
    stream = Stream()
    async with Printer(stream) as printer:
        printer.frame(lines("status"))
        printer.line("done")
    assert stream.getvalue() == "done\n"


async def test_whoever_makes_lines_waits_for_a_slow_reader() -> None:
    """Memory stays bounded: `room()` holds until the reader has caught up."""
    stream = Stream()
    async with Printer(stream) as printer:
        stream.is_reading.clear()
        for _ in range(MOST_WAITING_LINES * 2):
            printer.line("x")
        waiting = asyncio.create_task(printer.room())
        await asyncio.to_thread(stream.has_begun.wait, 10)
        await asyncio.sleep(0)
        assert not waiting.done()
        stream.is_reading.set()
        await asyncio.wait_for(waiting, 5)


async def test_a_reader_that_has_gone_is_noticed_once() -> None:
    """A broken pipe is told on the loop, ends no thread with a traceback, and lets nobody wait."""
    reading, writing = os.pipe()
    os.close(reading)
    gone = asyncio.Event()
    with os.fdopen(writing, "w") as stream:
        async with Printer(stream, gone.set) as printer:
            printer.line("hello")
            await asyncio.wait_for(gone.wait(), 5)
            printer.line("nobody hears")
            await asyncio.wait_for(printer.room(), 5)
        # what the buffer still holds cannot be written: closing would complain
        stream.buffer.raw.close()  # type: ignore[attr-defined]  # BufferedWriter has raw


async def test_a_reader_that_never_reads_does_not_keep_the_program() -> None:
    """The end waits a moment and no longer."""
    stream = Stream()
    stream.is_reading.clear()
    began_at = asyncio.get_running_loop().time()
    async with Printer(stream) as printer:
        printer.line("never read")
    assert asyncio.get_running_loop().time() - began_at < 3
    stream.is_reading.set()
