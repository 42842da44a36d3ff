"""Lists of addresses, streamed from a file or a pipe: as much as is there, never all at once."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final

from tui_dl.cli.daemon_calls import in_daemon
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.list_bytes import ListBytes
from tui_dl.core.list_formats import new_reader
from tui_dl.core.list_kinds import ListFormat, format_of
from tui_dl.core.list_unpacking import BLOCK_BYTES
from tui_dl.core.url_list import BadLines, LineCutter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui_dl.cli.parquet_list import ParquetRows
    from tui_dl.core.parts import Part
    from tui_dl.core.url_list import BadLine, Line

STANDARD: Final = "-"
"""Stands for standard input."""
TURN_LINES: Final = 1000
"""Lines understood before the loop gets a turn: a block of blanks has sixty times as many as one of addresses."""
HOLD_S: Final = 0.25
"""How long an address of a slow pipe waits for options on the lines below it."""
_PARQUET_MAGIC: Final = b"PAR1"


async def read_lines(
    source: str, *, kind: ListFormat = ListFormat.AUTO, part: Part | None = None, stdin_fd: int = 0
) -> AsyncIterator[list[Line | BadLine]]:
    """Yield what the lines of a file say, or of standard input for `-`, in blocks as they arrive.

    `kind` tells the format, `part` which lines are meant. Raises `UsageError` if it cannot be read.
    """
    name = name_of(source)
    with ExitStack() as stack:
        try:
            if source == STANDARD:
                descriptor = stdin_fd
            else:
                # In a thread: it may lie on a disk that hangs, and a named pipe waits for its writer.
                descriptor = await in_daemon(partial(os.open, source, os.O_RDONLY | os.O_CLOEXEC))
                stack.callback(os.close, descriptor)
            opened = _Opened(name, source, kind, part, descriptor)
            async for block in opened.blocks(stack):
                yield block
        except OSError as error:
            raise UsageError(f"--input {display_text(name)}: cannot be read: {error.strerror}") from None
        except UsageError as error:
            raise UsageError(f"--input {display_text(name)}: {error.message}") from None


def name_of(source: str) -> str:
    """Return how messages call a list."""
    return "standard input" if source == STANDARD else source


class _Opened:
    """One list that is open."""

    def __init__(self, name: str, source: str, kind: ListFormat, part: Part | None, descriptor: int) -> None:
        self._bad = BadLines(name)
        self._kind = format_of(source) if kind is ListFormat.AUTO else kind
        self._part = part
        self._descriptor = descriptor

    async def blocks(self, stack: ExitStack) -> AsyncIterator[list[Line | BadLine]]:
        """Yield what it says; what it needs meanwhile is given back with the stack."""
        if self._kind is ListFormat.PARQUET:
            rows = await in_daemon(partial(self._parquet, b"", stack))
        else:
            octets = ListBytes(partial(os.read, self._descriptor))
            first = await in_daemon(octets.read)
            if not (self._kind is ListFormat.AUTO and first.startswith(_PARQUET_MAGIC)):
                async for block in self._lines(octets, first):
                    yield block
                return
            rows = await in_daemon(partial(self._parquet, first, stack))
        while found := await in_daemon(rows.read):
            yield found

    async def _lines(self, octets: ListBytes, first: bytes) -> AsyncIterator[list[Line | BadLine]]:
        reader = new_reader(self._kind, self._bad, self._part)
        cutter, count, chunk = LineCutter(), 0, first
        while chunk:
            lines = cutter.feed(chunk)
            count += len(lines)
            for start in range(0, len(lines), TURN_LINES):
                if found := reader.feed(lines[start : start + TURN_LINES]):
                    yield found
                await asyncio.sleep(0)
            reading = asyncio.ensure_future(in_daemon(octets.read))
            try:
                if reader.is_holding and not (await asyncio.wait({reading}, timeout=HOLD_S))[0]:
                    yield reader.finish()
                chunk = await reading
            finally:
                reading.cancel()
        # Where a list is damaged its last line is cut, and may look like an address that nobody wrote.
        last = [] if octets.damage else cutter.finish()
        found = [*reader.feed(last), *reader.finish()]
        if octets.damage:
            found.append(self._bad.of_text(count + 1, "", octets.damage))
        yield found

    def _parquet(self, head: bytes, stack: ExitStack) -> ParquetRows:
        """Open a list whose end must be read first: what comes out of a pipe goes through a file without a name."""
        from tui_dl.cli.parquet_list import ParquetRows  # noqa: PLC0415  # nearly no list is one

        file: BinaryIO = io.FileIO(self._descriptor, closefd=False)
        if not file.seekable():
            file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  # the stack is its context
            file.write(head)
            while block := os.read(self._descriptor, BLOCK_BYTES):
                file.write(block)
        file.seek(0)
        return ParquetRows(file, self._bad, self._part)
