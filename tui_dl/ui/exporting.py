"""Writes failed downloads to a file of their own: addresses, or CSV with the reasons."""

from __future__ import annotations

import asyncio
import csv
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from tui_dl.core.errors import REASONS, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.ports import EnginePort
    from tui_dl.core.query import TaskQuery
    from tui_dl.core.task import DownloadTask

PAGE_ROWS: Final = 2_000
"""Rows fetched and written at a time."""
CSV_COLUMNS: Final = ("line", "url", "reason", "text", "http_status", "attempts", "dir", "filename")
"""Columns of the CSV, named as those of `--failed-list`; `url`, `dir` and `filename` are what a list is read by."""


async def export(port: EnginePort, query: TaskQuery, path: str) -> int:
    """Write the rows of a query to a new file and return how many; `.csv` gives CSV, any other name addresses.

    Raises `UsageError` where the file is there already or cannot be written; nothing half is left then.
    """
    ids = await port.view(query)
    target = Path(path)
    try:
        # Never one that is there: nobody asked to lose it.
        file = await asyncio.to_thread(_open_new, target)
    except OSError as error:
        reason = "is there already; choose another name" if isinstance(error, FileExistsError) else error.strerror
        raise UsageError(f"{path}: {reason}") from None
    is_csv = target.suffix.casefold() == ".csv"
    written = 0
    try:
        if is_csv:
            await asyncio.to_thread(csv.writer(file).writerow, CSV_COLUMNS)
        for start in range(0, len(ids), PAGE_ROWS):
            rows = await port.rows(ids[start : start + PAGE_ROWS])
            await asyncio.to_thread(_write, file, rows, is_csv=is_csv)
            written += len(rows)
        await asyncio.to_thread(file.close)
    except BaseException as error:
        await asyncio.to_thread(_give_up, file, target)
        if isinstance(error, OSError):
            raise UsageError(f"{path}: {error.strerror}") from None
        raise
    return written


def _open_new(path: Path) -> IO[str]:
    return path.open("x", encoding="utf-8", newline="", errors="surrogateescape")


def _give_up(file: IO[str], path: Path) -> None:
    with suppress(OSError):
        file.close()
    with suppress(OSError):
        path.unlink()


def _write(file: IO[str], rows: Sequence[DownloadTask], *, is_csv: bool) -> None:
    if is_csv:
        csv.writer(file).writerows(_csv_row(task) for task in rows)
    else:
        file.writelines(f"{task.url}\n" for task in rows)


def _csv_row(task: DownloadTask) -> tuple[object, ...]:
    reason = task.reason.value if task.reason is not None else ""
    text = task.reason_text or (REASONS[task.reason].meaning if task.reason is not None else "")
    where = (task.dir, task.filename)
    return (task.line or "", task.url, reason, text, task.http_status or "", task.retry_count, *where)
