"""A thread that carries text to the terminal, so that a terminal that stops reading stops nobody else."""

from __future__ import annotations

import os
import select
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK_BYTES: Final = 1024
"""Most bytes handed over at once: what a shared, blocking descriptor can hold us up for is one chunk."""

POLL_S: Final = 0.05
"""How often a writer that waits for a stalled terminal looks whether it was told to stop."""

BACKLOG_CHARS: Final = 4 * 1024 * 1024
"""Text beyond this is dropped: nobody who draws frames gets here, since frames stop while text is pending."""

CANCEL: Final = "\x18"
"""CAN ends an escape sequence that was cut in the middle (ECMA-48, honoured by xterm and its kin)."""


class TerminalWriter(threading.Thread):
    """Writes to a descriptor in the order given; no method of it waits for the terminal.

    The terminal is opened a second time where possible: that open file description is ours alone, so it can
    be non-blocking while the shell's stays as it was. Where it is not possible, chunks are written after
    `poll` has found room, and a terminal that stalls within a chunk keeps this daemon thread, nothing else.
    """

    def __init__(self, fd: int, *, on_dead: Callable[[], None] | None = None) -> None:
        super().__init__(name="tui-dl-terminal-writer", daemon=True)
        self._given_fd = fd
        self._on_dead = on_dead
        self._wake = threading.Condition()
        self._parts: list[str] = []
        self._pending = 0
        self._is_cut = False
        self._deadline_at: float | None = None
        self._on_drained: Callable[[], None] | None = None
        self._is_dead = False

    @property
    def pending(self) -> int:
        """Characters queued and not yet handed to the kernel."""
        return self._pending

    @property
    def is_dead(self) -> bool:
        """Whether the terminal is gone (EIO, EPIPE, EBADF ...); what is written then vanishes."""
        return self._is_dead

    def write(self, text: str) -> None:
        """Queue `text`; what UTF-8 cannot carry becomes `?`. After `finish` it vanishes."""
        with self._wake:
            is_taken = self._deadline_at is None and not self._is_dead
            if text and is_taken and self._pending + len(text) <= BACKLOG_CHARS:
                self._parts.append(text)
                self._pending += len(text)
                self._wake.notify()

    def call_when_drained(self, callback: Callable[[], None]) -> bool:
        """Call `callback` once, from the writer's thread, when nothing is pending; False if nothing is now."""
        with self._wake:
            if not self._pending:
                return False
            self._on_drained = callback
            return True

    def discard(self) -> None:
        """Drop what the terminal has not taken; a sequence that is cut by this is ended with CAN."""
        with self._wake:
            queued = sum(map(len, self._parts))
            self._parts.clear()
            self._is_cut = self._pending > queued
            self._pending -= queued

    def finish(self, within_s: float) -> None:
        """Take no care for longer than `within_s`: the thread ends when drained, at the latest then."""
        with self._wake:
            self._deadline_at = time.monotonic() + within_s
            self._wake.notify()

    def stop(self, timeout_s: float) -> bool:
        """Finish and wait for the end, at most `timeout_s`; tell whether the thread has ended."""
        self.finish(timeout_s)
        if self.is_alive():
            self.join(timeout_s)
        return not self.is_alive()

    def run(self) -> None:
        """Write until told to finish or the terminal is gone."""
        own_fd = _own_description(self._given_fd)
        fd = self._given_fd if own_fd is None else own_fd
        try:
            while (text := self._next_text()) is not None:
                self._deliver(fd, text.encode("utf-8", "replace"))
                self._settle(len(text))
        except OSError:
            self._die()
        finally:
            if own_fd is not None:
                os.close(own_fd)

    def _next_text(self) -> str | None:
        """Wait for text and join all of it; None at the end."""
        with self._wake:
            while not self._parts:
                if self._deadline_at is not None:
                    return None
                self._wake.wait()
            text = "".join(self._parts)
            self._parts.clear()
            return text

    def _deliver(self, fd: int, encoded: bytes) -> None:
        """Hand all bytes to the kernel, or leave when told to discard them or when the time is over."""
        poller = select.poll()
        poller.register(fd, select.POLLOUT)
        left = memoryview(encoded)
        while left and not self._is_over() and not self._is_cut:
            happened = poller.poll(POLL_S * 1000)
            if any(mask & (select.POLLHUP | select.POLLNVAL | select.POLLERR) for _fd, mask in happened):
                raise OSError("the terminal hung up")
            if happened:
                left = left[_write_some(fd, left[:CHUNK_BYTES]) :]

    def _is_over(self) -> bool:
        return self._deadline_at is not None and time.monotonic() >= self._deadline_at

    def _settle(self, chars: int) -> None:
        """Count `chars` as gone, end a cut sequence, and tell who waits for a drained terminal."""
        with self._wake:
            self._pending -= chars
            if self._is_cut:
                self._is_cut = False
                self._parts.insert(0, CANCEL)
                self._pending += len(CANCEL)
            on_drained = None
            if not self._pending:
                on_drained, self._on_drained = self._on_drained, None
        if on_drained is not None:
            on_drained()

    def _die(self) -> None:
        with self._wake:
            self._is_dead = True
            self._parts.clear()
            self._pending = 0
        if self._on_dead is not None:
            self._on_dead()


def _write_some(fd: int, chunk: memoryview) -> int:
    """Write what fits. A terminal may be writable and yet refuse (one byte of room, two needed): then rest a little."""
    try:
        return os.write(fd, chunk)
    except InterruptedError:
        return 0
    except BlockingIOError:
        time.sleep(POLL_S)
        return 0


def _own_description(fd: int) -> int | None:
    """Open the terminal behind `fd` anew, non-blocking and never as the controlling one; None where it cannot be."""
    try:
        if not os.isatty(fd):
            return None
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
