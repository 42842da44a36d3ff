"""The processes that read media pages for the queue: each asked by one at a time, ended where it is cancelled."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import ContentError, Reason, UsageError
from tui_dl.core.media_rules import error_of_words

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from tui_dl.core.errors import TuiDlError

MOST_AT_ONCE: Final = 2
"""Processes at once; more only while playlists that are being read hold some."""
MOST_HELD: Final = 6
IDLE_S: Final = 120.0
"""A process that nobody asked for so long ends: it holds about 60 MB."""
LEAVE_S: Final = 2.0
Message = dict[str, Any]


class ReaderEnded(Exception):  # noqa: N818  # a turn of events
    """A process ended before its answer."""


class Reader:
    """One process and the thread that hears it; all else on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start it, which takes a while: never on the loop."""
        self._loop = loop
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tui_dl.media.reader_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._thread = threading.Thread(target=self._listen, name="tui-dl-reader", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with suppress(OSError, ValueError):
            for line in self._process.stdout:
                self._put(json.loads(line))
        self._put(None)
        self._process.wait()

    def _put(self, message: Message | None) -> None:
        with suppress(RuntimeError):  # the loop is gone
            self._loop.call_soon_threadsafe(self._messages.put_nowait, message)

    def send(self, message: Message) -> None:
        """Send one message. Raises `ReaderEnded`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise ReaderEnded from None

    async def receive(self) -> Message:
        """Return the next message. Raises `ReaderEnded`."""
        message = await self._messages.get()
        if message is None:
            raise ReaderEnded
        return message

    def kill(self) -> None:
        """End it at once, whatever it does and has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def join(self) -> None:
        """Wait for its end and close what is left; never on the loop."""
        self._thread.join(LEAVE_S)
        if not self._thread.is_alive() and self._process.stdout is not None:
            self._process.stdout.close()


class Readers:
    """All of them; made when they are wanted."""

    def __init__(self) -> None:
        self._idle: list[Reader] = []
        self._all: set[Reader] = set()
        self._coming: set[asyncio.Future[Reader]] = set()
        self._ended: list[Reader] = []
        self._held = 0
        self._room = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self.count = 0
        """Addresses that were read."""

    async def ask(self, request: Mapping[str, Any], note_line: Callable[[str], None]) -> AsyncGenerator[Message, None]:
        """Yield the answers to a request, one for all but playlists. Raises `TuiDlError`; left early, it is ended."""
        reader = await self._take()
        self.count += 1
        is_held = is_usable = False
        try:
            await asyncio.to_thread(reader.send, dict(request))
            while True:
                message = await reader.receive()
                if "say" in message:
                    note_line(str(message["say"]))
                    continue
                is_usable = "error" in message
                _raise_error(message)
                yield message
                if "playlist" in message:
                    is_held, self._held = True, self._held + 1
                    self._room.set()
                if not is_held or message.get("is_last"):
                    break
                if "entries" in message:
                    reader.send({"more": True})
            is_usable = True
        except ReaderEnded:
            words = "the process that read the page has ended"
            raise ContentError(Reason.NO_MEDIA, words, is_retryable=True) from None
        finally:
            self._held -= is_held
            self._give_back(reader, is_usable=is_usable)

    async def _take(self) -> Reader:
        """Return a process that nobody else asks."""
        while not self._idle and len(self._all) + len(self._coming) >= min(MOST_HELD, MOST_AT_ONCE + self._held):
            self._room.clear()
            await self._room.wait()
        if self._idle:
            return self._idle.pop()
        coming = asyncio.ensure_future(asyncio.to_thread(Reader, asyncio.get_running_loop()))
        self._coming.add(coming)
        try:
            reader = await asyncio.shield(coming)
        except asyncio.CancelledError:
            # Whoever comes next may have it.
            coming.add_done_callback(self._take_in)
            raise
        finally:
            if coming.done():
                self._coming.discard(coming)
        self._all.add(reader)
        return reader

    def _take_in(self, coming: asyncio.Future[Reader]) -> None:
        self._coming.discard(coming)
        if not coming.cancelled() and coming.exception() is None:
            self._all.add(coming.result())
            self._give_back(coming.result(), is_usable=True)

    def _give_back(self, reader: Reader, *, is_usable: bool) -> None:
        """Let others ask a process; one whose answer nobody waited for is in no state to go on."""
        if is_usable:
            self._idle.append(reader)
            self._end_idle_later()
        else:
            self._end(reader)
        self._room.set()

    def _end(self, reader: Reader) -> None:
        reader.kill()
        self._all.discard(reader)
        self._ended.append(reader)

    def _end_idle_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(IDLE_S, self._end_idle)

    def _end_idle(self) -> None:
        for reader in self._idle:
            self._end(reader)
        self._idle.clear()

    async def aclose(self) -> None:
        """End all of them, and wait for their ends."""
        if self._timer is not None:
            self._timer.cancel()
        if self._coming:
            await asyncio.wait(self._coming)
            await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()
        readers, self._all = [*self._all, *self._ended], set()
        self._idle, self._ended = [], []
        for reader in readers:
            reader.kill()
        for reader in readers:
            await asyncio.to_thread(reader.join)


def _raise_error(message: Message) -> None:
    """Raise what an error is that a process tells."""
    error = message.get("error")
    if error is None:
        return
    if error.get("is_usage"):
        raise UsageError(str(error["text"]))
    raise told_error(error)


def told_error(error: Mapping[str, Any]) -> TuiDlError:
    """Return our error for one that a process tells."""
    retry_after = str(error.get("retry_after") or "")
    return error_of_words(
        str(error.get("text") or ""),
        status=int(error.get("status") or 0),
        is_network=bool(error.get("is_network")),
        retry_after_s=float(retry_after) if retry_after.isdigit() and len(retry_after) < 7 else None,
    )
