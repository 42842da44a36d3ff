"""What an order adds to the screen's queue, block by block beside the screen."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from tui_dl.cli.adding_ahead import AddingAhead
from tui_dl.cli.list_orders import STANDARD
from tui_dl.core.url_list import BadLine

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from tui_dl.cli.order import Order
    from tui_dl.core.task import NewTask

MOST_BAD_LINES: Final = 10
"""Lines without an address that are named one by one after the screen."""
_BLOCK_BYTES: Final = 64 * 1024


class Queue(Protocol):
    """What rows are added to: an engine, or the session that holds one."""

    def add_checked(self, news: Sequence[NewTask], *, batch: str) -> Coroutine[Any, Any, object]:
        """Return what adds rows that were checked, durable when it is awaited."""
        ...


class Feed:
    """Adds the addresses of an order, its lists each as a batch."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._piped: IO[bytes] | None = None
        self.bad_lines: list[BadLine] = []
        """The first `MOST_BAD_LINES` lines that hold no usable address."""
        self.bad_count = 0
        """How many lines hold none."""

    async def prepare(self) -> None:
        """Take what must be taken before the screen has the terminal: all of a pipe, into a file without a name.

        Raises `UsageError` for a bad line under `--strict`.
        """
        lists = self._order.lists
        if STANDARD in lists.files:
            from tui_dl.cli.daemon_calls import in_daemon  # noqa: PLC0415  # most orders have no pipe

            self._piped = await in_daemon(_spooled)
        await lists.check()

    def close(self) -> None:
        """Give back what a pipe left."""
        if self._piped is not None:
            self._piped.close()

    async def add_to(self, engine: Queue, *, most_adds: int = 1) -> None:
        """Add everything; raises `UsageError` for a list that cannot be read.

        `most_adds`: how many blocks may be under way, for a queue that keeps their order itself.
        """
        order = self._order
        if order.news:
            await engine.add_checked(order.news, batch=order.lists.batch)
        stdin_fd = self._piped.fileno() if self._piped is not None else 0

        def add(news: Sequence[NewTask], batch: str) -> Coroutine[Any, Any, object]:
            return engine.add_checked(news, batch=batch)

        async with AddingAhead(add, most_adds=most_adds) as ahead:
            async for block in order.lists.blocks(stdin_fd):
                news = []
                for one in order.listed_tasks(block.lines, block.name):
                    if isinstance(one, BadLine):
                        self._note(one)
                    else:
                        news.append(one)
                if news:
                    await ahead.put(news, block.batch)

    def _note(self, line: BadLine) -> None:
        self.bad_count += 1
        if len(self.bad_lines) < MOST_BAD_LINES:
            self.bad_lines.append(line)


def _spooled() -> IO[bytes]:
    """Return all of standard input as a file that can be read from its start."""
    import tempfile  # noqa: PLC0415  # most orders have no pipe

    file = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the feed
    while block := os.read(0, _BLOCK_BYTES):
        file.write(block)
    file.flush()
    file.seek(0)
    return file
