"""A thread that reads the terminal's keys and notices when the terminal is gone."""

from __future__ import annotations

import os
import select
import threading
import time
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING, Final

from textual._parser import ParseError
from textual._xterm_parser import XTermParser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.message import Message

READ_BYTES: Final = 4096
TICK_S: Final = 0.02
"""How often a half-read sequence is looked at: a lone ESC becomes the escape key after Textual's ESCAPE_DELAY."""

SETTLED_S: Final = 0.5
"""Without input for so long no sequence is half-read, and the thread sleeps until a key or the end comes."""

GONE: Final = select.POLLHUP | select.POLLERR | select.POLLNVAL


class KeyboardReader(threading.Thread):
    """Feeds what is typed to Textual's parser; ends, once, at a hang-up or when told to.

    `on_message` and `on_hangup` are called from this thread. After `stop()` nothing more is delivered.
    """

    def __init__(
        self,
        fd: int,
        *,
        on_message: Callable[[Message], None],
        on_hangup: Callable[[], None],
        is_debug: bool = False,
    ) -> None:
        super().__init__(name="tui-dl-terminal-keys", daemon=True)
        self._fd = fd
        self._on_message = on_message
        self._on_hangup = on_hangup
        self._parser = XTermParser(is_debug)
        self._wake_in_fd, self._wake_out_fd = os.pipe()
        self._is_stopped = threading.Event()
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Tell the thread to end, without waiting for it."""
        with self._lock:
            if not self._is_stopped.is_set():
                self._is_stopped.set()
                os.close(self._wake_out_fd)  # hangs up the pipe that the thread polls

    def run(self) -> None:
        """Read until stopped or the terminal hangs up."""
        try:
            is_gone = not self._read_keys()
        except OSError:
            is_gone = True
        finally:
            self._end_parser()
            os.close(self._wake_in_fd)
        if is_gone and not self._is_stopped.is_set():
            self.stop()
            self._on_hangup()

    def _read_keys(self) -> bool:
        """Read until stopped (True) or until the terminal is gone (False or OSError)."""
        poller = select.poll()
        poller.register(self._fd, select.POLLIN)
        poller.register(self._wake_in_fd, select.POLLIN)
        decode = getincrementaldecoder("utf-8")("replace").decode
        last_input_at = float("-inf")
        while not self._is_stopped.is_set():
            is_settled = time.monotonic() - last_input_at > SETTLED_S
            happened = dict(poller.poll(None if is_settled else TICK_S * 1000))
            if self._wake_in_fd in happened:
                break
            mask = happened.get(self._fd, 0)
            if mask & select.POLLIN:
                typed = os.read(self._fd, READ_BYTES)
                if not typed:
                    return False
                last_input_at = time.monotonic()
                self._deliver(self._parser.feed(decode(typed)))
            elif mask & GONE:
                return False
            self._deliver(self._parser.tick())
        return True

    def _deliver(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if not self._is_stopped.is_set():
                self._on_message(message)

    def _end_parser(self) -> None:
        """Close the parser's generator; what it still held is of no use."""
        try:
            list(self._parser.feed(""))
        except (EOFError, ParseError):
            return
