"""Printing never blocks the loop, loses no line and notices when the reader has gone."""

from __future__ import annotations

import asyncio
import io
import os
import threading

from tui_dl.cli.printer import MOST_WAITING_LINES, Printer


class Stream(io.StringIO):
    """A stream whose reader takes text only while it is allowed to."""

    def __init__(self) -> None:
        super().__init__()
        self.is_reading = threading.Event()
        self.is_reading.set()
        self.has_begun = threading.Event()
        self.has_status = threading.Event()

    def write(self, text: str) -> int:
        """Take text as soon as the reader reads."""
        self.has_begun.set()
        self.is_reading.wait(10)
        written = super().write(text)
        if text and not text.endswith("\n"):
            self.has_status.set()
        return written


async def test_lines_keep_their_order() -> None:
    """Every line is written, in order, by the time the context ends."""
    stream = Stream()
    async with Printer(stream) as printer:
        for number in range(1000):
            printer.line(str(number))
    assert stream.getvalue().split() == [str(number) for number in range(1000)]


async def test_of_status_lines_a_slow_reader_sees_the_newest() -> None:
    """Frames that come too late are dropped, lines are not."""
    stream = Stream()
    async with Printer(stream) as printer:
        stream.is_reading.clear()
        printer.line("first")
        await asyncio.to_thread(stream.has_begun.wait)
        for number in range(100):
            printer.status(f"frame {number}")
        stream.is_reading.set()
        await asyncio.to_thread(stream.has_status.wait, 5)
        printer.line("last")
    written = stream.getvalue()
    assert written.startswith("first\n")
    assert written.count("frame") == 1
    assert "frame 99" in written


async def test_a_line_takes_the_place_of_the_status_line() -> None:
    """The status line is cleared first, so that nothing of it stays behind a shorter line."""
    stream = Stream()
    async with Printer(stream) as printer:
        printer.status("a long status")
        await asyncio.to_thread(stream.has_status.wait, 5)
        printer.line("done")
    assert "a long status\r\x1b[Kdone\n" in stream.getvalue()


async def test_the_end_clears_the_status_line() -> None:
    """The shell's prompt begins on an empty line."""
    stream = Stream()
    async with Printer(stream) as printer:
        printer.status("status")
        await asyncio.to_thread(stream.has_status.wait, 5)
    assert stream.getvalue().endswith("\r\x1b[K")


async def test_whoever_makes_lines_waits_for_a_slow_reader() -> None:
    """Memory stays bounded: `room()` holds until the reader has caught up."""
    stream = Stream()
    async with Printer(stream) as printer:
        stream.is_reading.clear()
        for _ in range(MOST_WAITING_LINES * 2):
            printer.line("x")
        waiting = asyncio.create_task(printer.room())
        await asyncio.sleep(0.02)
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
