"""The lines of a batch in their order, with the rows they became: kept in a nameless file, read again as a stream."""

from __future__ import annotations

import asyncio
import json
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Final, NamedTuple

from tui_dl.core.manifest import own_columns
from tui_dl.core.url_list import BadLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from pathlib import Path

    from tui_dl.core.id_set import IdSet
    from tui_dl.core.task import NewTask

MOST_IN_MEMORY_BYTES: Final = 256 * 1024
"""A longer list goes to a file without a name, which vanishes with the process."""
MOST_OWN_NAMES: Final = 256
"""Columns of the list that get a column of their own; further ones are left to the journal."""
BLOCK_LINES: Final = 1_000
"""Lines given back at a time."""
SEARCHED_LINES: Final = 20_000
"""Lines looked at in one go for those that are wanted."""


class ListedLine(NamedTuple):
    """One line, or one address of the command line."""

    task_id: int
    """The row it became, or the one that was there; 0 for a bad line."""
    number: int
    """In its list, from 1; 0 for an address that was typed."""
    url: str
    """The address as it was added; what a bad line holds, safe to show."""
    extra: str = ""
    """The list's own columns, as a JSON object; empty for none."""
    problem: str = ""
    """What is wrong with a bad line."""
    name: str = ""
    """File name that was asked for, where it is noted; empty for none."""
    dir: str = ""
    """Absolute folder that the list gives, where it is noted; empty for that of the command."""
    list_name: str = ""
    """The list that holds it; empty for an address that was typed."""


class LineLog:
    """Takes lines as they are added and gives them back in that order."""

    def __init__(self, folder: Path, usual_dir: str | None = None) -> None:
        """Keep them beside what is made of them: `folder` has room, the system's own may be memory.

        `usual_dir` is where files go that no list gives a folder; None: names and folders are not noted.
        """
        self._usual_dir = usual_dir
        self._file: SpooledTemporaryFile[str] = SpooledTemporaryFile(  # noqa: SIM115  # closed by `close()`
            MOST_IN_MEMORY_BYTES, mode="w+", encoding="ascii", dir=str(folder)
        )
        self._lock = asyncio.Lock()
        self._list_numbers: dict[str, int] = {}
        self.count = 0
        """Lines taken."""
        self.own_names: dict[str, None] = {}
        """Names of the list's own columns, in the order of their appearance."""

    async def add(self, block: Sequence[NewTask | BadLine], ids: Sequence[int], list_name: str = "") -> None:
        """Take a block of lines of one list; `ids` are the rows of those that are not bad, in order."""
        rows = iter(ids)
        # A number for the name, which may be a long path, a million times.
        list_number = self._list_numbers.setdefault(list_name, len(self._list_numbers))
        lines = [_bad(one) if isinstance(one, BadLine) else self._good(one, next(rows)) for one in block]
        for line in lines:
            if line.extra and len(self.own_names) < MOST_OWN_NAMES:
                self.own_names.update(dict.fromkeys(own_columns(line.extra)))
        # ASCII alone: a lone surrogate of a foreign list goes in and comes out as it is.
        rows_of_text = (json.dumps((*line[:-1], list_number), separators=(",", ":")) for line in lines)
        text = "".join(f"{row}\n" for row in rows_of_text)
        async with self._lock:
            await asyncio.to_thread(self._file.write, text)
        self.count += len(lines)

    async def blocks(self) -> AsyncIterator[list[ListedLine]]:
        """Yield all lines in order, in blocks."""
        async with self._lock:
            await asyncio.to_thread(self._file.seek, 0)
            while block := await asyncio.to_thread(self._read):
                yield block

    async def blocks_of(self, ids: IdSet) -> AsyncIterator[list[ListedLine]]:
        """Yield the lines of these rows, and the bad ones, in order; the others are passed over quickly."""
        async with self._lock:
            await asyncio.to_thread(self._file.seek, 0)
            while (block := await asyncio.to_thread(self._search, ids)) is not None:
                if block:
                    yield block

    def close(self) -> None:
        """Forget all."""
        self._file.close()

    def _read(self) -> list[ListedLine]:
        return self._lines(islice(self._file, BLOCK_LINES))

    def _search(self, ids: IdSet) -> list[ListedLine] | None:
        """Return what is wanted of the next lines; None at the end. A line begins with its row: `[7,...`."""
        texts = list(islice(self._file, SEARCHED_LINES))
        if not texts:
            return None
        wanted = (text for text in texts if (one := int(text[1 : text.index(",")])) == 0 or one in ids)
        return self._lines(wanted)

    def _lines(self, texts: Iterable[str]) -> list[ListedLine]:
        names = list(self._list_numbers)
        return [
            ListedLine(task_id, number, url, extra, problem, name, folder, names[place])
            for task_id, number, url, extra, problem, name, folder, place in map(json.loads, texts)
        ]

    def _good(self, new: NewTask, task_id: int) -> ListedLine:
        if self._usual_dir is None:
            return ListedLine(task_id, new.line, new.url, new.extra)
        folder = "" if new.dir == self._usual_dir else new.dir
        return ListedLine(task_id, new.line, new.url, new.extra, name=new.name, dir=folder)


def _bad(line: BadLine) -> ListedLine:
    return ListedLine(0, line.number, line.text_shown, problem=line.problem)
