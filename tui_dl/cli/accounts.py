"""The written account of a batch: its manifest and the list of its failures, in the order of its lines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from tui_dl.cli.failed_list import FailedAddresses, FailedTable, place_asked
from tui_dl.cli.line_log import LineLog
from tui_dl.cli.manifest_files import form_of
from tui_dl.core.events import EventKind
from tui_dl.core.id_set import IdSet
from tui_dl.core.manifest import (
    own_columns,
    own_name,
    record_of_bad_line,
    record_of_failure,
    record_of_removed,
    record_of_task,
)
from tui_dl.disk.os_errors import map_os_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from tui_dl.cli.line_log import ListedLine
    from tui_dl.cli.manifest_files import ManifestForm
    from tui_dl.core.events import Event
    from tui_dl.core.task import DownloadTask, NewTask
    from tui_dl.core.url_list import BadLine
    from tui_dl.disk.replaced_file import ReplacedFile

    Told = Callable[[int, int], None]
    Blocks = AsyncIterator[tuple[int, list[dict[str, Any]]]]


class Rows(Protocol):
    """What an account asks of the journal."""

    async def flush(self) -> None:
        """Make all that was told readable."""
        ...

    async def rows(self, ids: Sequence[int]) -> list[DownloadTask]:
        """Return rows in this order, those that are gone left out."""
        ...

    async def children(self, ids: Sequence[int]) -> list[DownloadTask]:
        """Return the rows whose parent is one of these, in the order of the queue."""
        ...


class Accounts:
    """Notes the lines of a batch as they are added, and writes what became of them."""

    def __init__(
        self,
        folder: Path,
        *,
        manifest: ReplacedFile | None,
        failed_list: ReplacedFile | None,
        usual_dir: str | None = None,
    ) -> None:
        """`folder` takes the lines that do not fit into memory. Blocks, as `discard()` does.

        With `usual_dir`, the folder of what no list gives one, the list of failures names the files as their lines do.
        """
        self._log = LineLog(folder, usual_dir)
        self._manifest = manifest
        self._failed_list = failed_list
        self._failed = IdSet()
        self._documents = IdSet()
        """Those of the failed that did not fail themselves, but some of the files that they named."""

    async def note(self, block: Sequence[NewTask | BadLine], ids: Sequence[int], list_name: str = "") -> None:
        """Take a block of lines as they were added; `ids` are the rows of those that are not bad, in order."""
        await self._log.add(block, ids, list_name)

    def hear(self, event: Event) -> None:
        """Note which rows failed, so that no others are asked for."""
        task = event.task
        if event.kind is EventKind.FAILED:
            self._failed.add(task.id)
            if task.parent_id:
                self._failed.add(task.parent_id)
                self._documents.add(task.parent_id)
        elif event.kind in (EventKind.COMPLETED, EventKind.RETRYING):
            self._failed.discard(task.id)

    async def write_failed_list(self, journal: Rows) -> None:
        """Write what failed so far, if that is wanted; raises `FileSystemError`."""
        if self._failed_list is not None:
            file, self._failed_list = self._failed_list, None
            is_table = file.path.suffix.lower() == ".csv"
            form: ManifestForm = await asyncio.to_thread(FailedTable if is_table else FailedAddresses, file.file)
            await self._write(file, form, self._failures(journal, needs_rows=is_table))

    async def write_manifest(self, journal: Rows, told: Told) -> None:
        """Write a record for each line, if that is wanted; `told` hears how many of how many lines are through."""
        if self._manifest is not None:
            file, self._manifest = self._manifest, None
            form = await asyncio.to_thread(form_of, file.path, file.file, self._log.own_names)
            await self._write(file, form, self._all(journal), told)

    def discard(self) -> None:
        """Leave what was not written as it was before."""
        for file in (self._manifest, self._failed_list):
            if file is not None:
                file.discard()
        self._log.close()

    async def _write(self, file: ReplacedFile, form: ManifestForm, blocks: Blocks, told: Told | None = None) -> None:
        try:
            through = 0
            async for lines, records in blocks:
                await asyncio.to_thread(form.write, records)
                through += lines
                if told is not None:
                    told(through, self._log.count)
            await asyncio.to_thread(form.finish)
            await asyncio.to_thread(file.commit)
        except OSError as error:
            raise map_os_error(error, f"write {file.path}") from error
        finally:
            await asyncio.to_thread(file.discard)

    async def _all(self, journal: Rows) -> Blocks:
        """Yield the records of all lines, block by block, and how many lines they are of."""
        await journal.flush()
        seen = IdSet()
        async for block in self._log.blocks():
            yield len(block), await self._records_of(journal, block, seen)

    async def _failures(self, journal: Rows, *, needs_rows: bool) -> Blocks:
        """Yield the records of lines that failed, and of some that did not.

        Whoever stops a batch waits a second or two: where the addresses are enough, no rows are read.
        """
        await journal.flush()
        seen = IdSet()
        async for block in self._log.blocks_of(self._failed):
            if needs_rows:
                yield len(block), await self._records_of(journal, block, seen, has_places=True)
                continue
            records: list[dict[str, Any]] = []
            for line in block:
                if line.problem or line.task_id in self._documents:
                    records += await self._records_of(journal, (line,), seen)
                elif seen.add(line.task_id):
                    records.append(record_of_failure(line.number, line.url) | place_asked(line))
            yield len(block), records

    async def _records_of(
        self, journal: Rows, lines: Sequence[ListedLine], seen: IdSet, *, has_places: bool = False
    ) -> list[dict[str, Any]]:
        ids = [line.task_id for line in lines if line.task_id]
        tasks = {task.id: task for task in await journal.rows(ids)} if ids else {}
        children: dict[int, list[DownloadTask]] = {}
        for child in await journal.children(ids) if ids else ():
            children.setdefault(child.parent_id, []).append(child)
        records = []
        for line in lines:
            own = {own_name(name): value for name, value in own_columns(line.extra).items()}
            own["list"] = line.list_name or None
            first, *named = (record | own for record in _of_line(line, tasks.get(line.task_id), children, seen))
            records += [first | place_asked(line) if has_places else first, *named]
        return records


def _of_line(
    line: ListedLine, task: DownloadTask | None, children: dict[int, list[DownloadTask]], seen: IdSet
) -> list[dict[str, Any]]:
    """Return the record of a line, and after it those of the files that its document named."""
    if line.problem:
        return [record_of_bad_line(line.number, line.url, line.problem)]
    if task is None:
        return [record_of_removed(line.number, line.url)]
    is_duplicate = not seen.add(task.id)
    record = record_of_task(task, line.number, is_duplicate=is_duplicate)
    named = () if is_duplicate else children.get(task.id, ())
    return [record, *(record_of_task(child, line.number) for child in named)]
