"""The writer's promises: order, no waiting, an honest count, a bounded end."""

from __future__ import annotations

import os
import select
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tui_dl.ui.terminal.writer import BACKLOG_CHARS, TerminalWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., TerminalWriter]

DEADLINE_S = 5.0
MORE_THAN_A_PTY_HOLDS = 300_000


def read_until(fd: int, condition: Callable[[bytes], bool]) -> bytes:
    """Read until `condition` holds of all that came."""
    read = b""
    deadline_at = time.monotonic() + DEADLINE_S
    while not condition(read):
        ready, _, _ = select.select([fd], [], [], max(0.0, deadline_at - time.monotonic()))
        assert ready, f"{len(read)} bytes came, then no more"
        read += os.read(fd, 65536)
    return read


@pytest.fixture
def pty() -> Iterator[tuple[int, int]]:
    """Open a pseudo terminal in raw output mode and close it afterwards."""
    master_fd, slave_fd = os.openpty()
    yield master_fd, slave_fd
    for fd in (master_fd, slave_fd):
        try:
            os.close(fd)
        except OSError:
            continue


@pytest.fixture
def started() -> Iterator[Callable[..., TerminalWriter]]:
    """Make writers that are stopped at the test's end."""
    writers: list[TerminalWriter] = []

    def start(fd: int, on_dead: Callable[[], None] | None = None) -> TerminalWriter:
        writer = TerminalWriter(fd, on_dead=on_dead)
        writers.append(writer)
        writer.start()
        return writer

    yield start
    for writer in writers:
        writer.stop(1.0)


def test_text_arrives_in_order_and_is_counted(pty: tuple[int, int], started: Start) -> None:
    """Five thousand writes come out as one stream, and nothing is pending afterwards."""
    writer = started(pty[1])
    is_drained = threading.Event()
    words = [f"{number};" for number in range(5000)]
    for word in words:
        writer.write(word)
    if not writer.call_when_drained(is_drained.set):
        is_drained.set()
    text = "".join(words).encode()
    assert read_until(pty[0], lambda read: len(read) >= len(text)) == text
    assert is_drained.wait(DEADLINE_S)
    assert writer.pending == 0


def test_what_utf8_cannot_carry_becomes_a_question_mark(pty: tuple[int, int], started: Start) -> None:
    """A lone surrogate from a file name does not end the thread."""
    writer = started(pty[1])
    writer.write("a\udcffé")
    assert read_until(pty[0], lambda read: len(read) >= 4) == "a?é".encode()


def test_write_does_not_wait_for_a_stalled_terminal(pty: tuple[int, int], started: Start) -> None:
    """Nobody reads: writing returns at once and what is owed is told."""
    writer = started(pty[1])
    before_at = time.monotonic()
    for _ in range(100):
        writer.write("x" * (MORE_THAN_A_PTY_HOLDS // 100))
    assert time.monotonic() - before_at < 0.5
    assert writer.pending > 0


def test_stop_is_bounded_on_a_stalled_terminal(pty: tuple[int, int], started: Start) -> None:
    """Nobody reads: stopping takes its time-out and the thread is gone, since the descriptor is its own."""
    writer = started(pty[1])
    writer.write("x" * MORE_THAN_A_PTY_HOLDS)
    before_at = time.monotonic()
    writer.stop(0.2)
    assert time.monotonic() - before_at < 0.5
    writer.join(DEADLINE_S)
    assert not writer.is_alive()


def test_the_shells_descriptor_stays_blocking(pty: tuple[int, int], started: Start) -> None:
    """The open file description is shared with the shell, so its flags are not ours to change."""
    writer = started(pty[1])
    writer.write("x")
    read_until(pty[0], lambda read: read == b"x")
    assert os.get_blocking(pty[1])


def test_discard_ends_a_cut_sequence_and_lets_the_rest_through(pty: tuple[int, int], started: Start) -> None:
    """After discarding a frame that the terminal took half of, CAN comes first, then what was written later."""
    writer = started(pty[1])
    writer.write("x" * MORE_THAN_A_PTY_HOLDS)
    select.select([pty[0]], [], [], DEADLINE_S)
    writer.discard()
    writer.write("END")
    read = read_until(pty[0], lambda read: read.endswith(b"END"))
    assert read.endswith(b"x\x18END")
    assert len(read) < MORE_THAN_A_PTY_HOLDS


def test_a_dead_terminal_is_told_once_and_swallows_the_rest(pty: tuple[int, int], started: Start) -> None:
    """When the other side is closed, `on_dead` is called and later text vanishes."""
    is_dead = threading.Event()
    writer = started(pty[1], on_dead=is_dead.set)
    os.close(pty[0])
    writer.write("x")
    assert is_dead.wait(DEADLINE_S)
    writer.write("y")
    assert writer.is_dead
    assert writer.pending == 0


def test_a_pipe_is_written_with_the_descriptor_given(started: Start) -> None:
    """What is no terminal cannot be opened anew and is written all the same."""
    read_fd, write_fd = os.pipe()
    try:
        writer = started(write_fd)
        writer.write("plain")
        assert read_until(read_fd, lambda read: len(read) >= 5) == b"plain"
        assert writer.stop(1.0)
    finally:
        os.close(read_fd)
        os.close(write_fd)


def test_the_backlog_is_bounded(pty: tuple[int, int], started: Start) -> None:
    """A writer that nobody takes heed of does not grow without end."""
    writer = started(pty[1])
    for _ in range(6):
        writer.write("x" * (BACKLOG_CHARS // 4))
    assert writer.pending <= BACKLOG_CHARS
