"""The lines of `tui-dl ls`: a table for people, fields between tabs for pipes, JSON and CSV for programs."""

from __future__ import annotations

import json
import time
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tui_dl.cli.live_numbers import NOTHING_LIVE
from tui_dl.cli.manifest_files import CsvForm
from tui_dl.core.display_text import cell_count, display_text, mask_secrets, mask_url
from tui_dl.core.errors import REASONS
from tui_dl.core.manifest import own_columns, own_name, record_of_task
from tui_dl.core.status import FACTS, Status
from tui_dl.core.task_lines import task_line
from tui_dl.ui.format import Units, count, duration, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tui_dl.cli.live_numbers import LiveNumbers
    from tui_dl.core.ports import BatchView, FailureGroup
    from tui_dl.core.task import DownloadTask

_UNITS: Final = Units()
_ROW_HEAD: Final = ("ID", "STATUS", "SIZE", "DONE", "NAME", "HOST", "WHY")
_LIVE_HEAD: Final = ("ID", "STATUS", "SIZE", "DONE", "SPEED", "LEFT", "NAME", "HOST", "WHY")
"""The same while something runs."""
_NUMBER_CELLS: Final = (8, 11, 9, 5)
_LIVE_CELLS: Final = (*_NUMBER_CELLS, 11, 8)
"""Widths of the columns before the texts, which share the rest of the terminal."""
_TEXT_SHARES: Final = (0.45, 0.25)
"""Parts of it that name and host have; the last column has what is left."""
_GROUP_HEAD: Final = ("COUNT", "REASON", "HOST", "WHAT TO DO")
_GROUP_CELLS: Final = (9, 18, 30)
_BATCH_HEAD: Final = ("ADDED", "ROWS", "DONE", "FAILED", "OPEN", "SIZE", "NAME")
_BATCH_CELLS: Final = (16, 11, 11, 11, 11, 9)
_ENDED: Final = (Status.COMPLETED, Status.FAILED, Status.SKIPPED, Status.CANCELLED)


def row_lines(
    blocks: Iterable[Sequence[DownloadTask]], columns: int | None, live: LiveNumbers = NOTHING_LIVE
) -> Iterator[str]:
    """Yield a table of this width, or fields between tabs for None; `live`: what the session knows beyond it."""
    tasks = (live.of(task) for task in chain.from_iterable(blocks))
    if columns is None:
        yield from ("\t".join(_fields(task)) for task in tasks)
        return
    head, cells = (_LIVE_HEAD, _LIVE_CELLS) if live.rows else (_ROW_HEAD, _NUMBER_CELLS)
    rest = max(columns - sum(cells) - len(head) + 1, 0)
    widths = (*cells, *(int(rest * share) for share in _TEXT_SHARES))
    yield _aligned(head, widths, columns)
    for task in tasks:
        shown = _cells(task)
        if live.rows:
            numbers = (_UNITS.speed(live.speed_of(task.id)), duration(live.eta_of(task.id)))
            shown = (*shown[: len(_NUMBER_CELLS)], *numbers, *shown[len(_NUMBER_CELLS) :])
        yield _aligned(shown, widths, columns)


def group_lines(groups: Sequence[FailureGroup], columns: int | None) -> Iterator[str]:
    """Yield the groups as a table of this width, or as fields between tabs for None: count, reason, host, words."""
    if columns is None:
        for one in groups:
            yield "\t".join((str(one.count), one.reason.value, display_text(one.host), _words(one)))
        return
    yield _aligned(_GROUP_HEAD, _GROUP_CELLS, columns)
    for one in groups:
        cells = (count(one.count), one.reason.value, display_text(one.host), REASONS[one.reason].hint)
        yield _aligned(cells, _GROUP_CELLS, columns)


def batch_lines(batches: Sequence[BatchView], columns: int | None) -> Iterator[str]:
    """Yield the adds as a table of this width, or as fields between tabs for None."""
    if columns is None:
        yield from ("\t".join(_batch_fields(one)) for one in batches)
        return
    yield _aligned(_BATCH_HEAD, _BATCH_CELLS, columns)
    for one in batches:
        numbers = (count(number) for number in _batch_numbers(one))
        cells = (_local(one.at), *numbers, _UNITS.size(one.total_bytes), display_text(one.name))
        yield _aligned(cells, _BATCH_CELLS, columns)


def row_objects(blocks: Iterable[Sequence[DownloadTask]], live: LiveNumbers = NOTHING_LIVE) -> Iterator[str]:
    """Yield a JSON object for each row: the fields of `get --json`, and what a manifest adds."""
    now = time.time()
    for task in map(live.of, chain.from_iterable(blocks)):
        line = task_line("row", task, None, now) | live.pace_of(task.id) | _known(record_of_task(task, task.line))
        line |= {"file": task.filename, "dir": task.dir, "status": task.status.value}
        yield _as_json(line | {own_name(name): value for name, value in own_columns(task.extra).items()})


def group_objects(groups: Sequence[FailureGroup]) -> Iterator[str]:
    """Yield a JSON object for each group."""
    for one in groups:
        facts = REASONS[one.reason]
        words = {"text": _words(one), "meaning": facts.meaning, "hint": facts.hint}
        yield _as_json({"event": "group", "reason": one.reason.value, "host": one.host, "count": one.count, **words})


def batch_objects(batches: Sequence[BatchView]) -> Iterator[str]:
    """Yield a JSON object for each add."""
    for one in batches:
        line = {"event": "batch", "id": one.id, "name": one.name, "at": one.at, "is_get": one.is_get}
        times = {"started_at": one.started_at, "finished_at": one.finished_at}
        counts = {status.value: number for status, number in one.counts.items()}
        yield _as_json(_known({**line, "total": one.total, "counts": counts, "total_bytes": one.total_bytes, **times}))


def write_csv(blocks: Iterable[Sequence[DownloadTask]], file: BinaryIO, live: LiveNumbers = NOTHING_LIVE) -> None:
    """Write the columns of a manifest; the list's own are left out, since they are not known beforehand."""
    form = CsvForm(file, ())
    for block in blocks:
        form.write([record_of_task(task, task.line) for task in map(live.of, block)])
    form.finish()


def _fields(task: DownloadTask) -> tuple[str, ...]:
    held = str(task.downloaded_bytes)
    total = "" if task.total_bytes is None else str(task.total_bytes)
    reason = task.reason.value if task.reason is not None else ""
    name = display_text(task.path or task.filename)
    return (str(task.id), task.status.value, held, total, reason, name, display_text(mask_url(task.url)))


def _cells(task: DownloadTask) -> tuple[str, ...]:
    share = None
    if task.total_bytes is not None and task.status not in (Status.COMPLETED, Status.SKIPPED):
        share = 100.0 * task.downloaded_bytes / task.total_bytes if task.total_bytes else 100.0
    size = "" if task.total_bytes is None else _UNITS.size(task.total_bytes)
    name, host = display_text(task.filename or mask_url(task.url)), display_text(task.host)
    why = display_text(mask_secrets(task.reason_text))
    return (str(task.id), FACTS[task.status].label, size, percent(share), name, host, why)


def _aligned(cells: Sequence[str], widths: Sequence[int], columns: int) -> str:
    """Return one line of a table: numbers and texts in their widths, the last cell as long as there is room."""
    parts = []
    for text, width in zip(cells, widths, strict=False):
        cut = display_text(text, width)
        parts.append(cut + " " * (width - cell_count(cut)))
    return display_text(" ".join((*parts, *cells[len(widths) :])).rstrip(), columns)


def _words(group: FailureGroup) -> str:
    return display_text(mask_secrets(group.text)) or REASONS[group.reason].meaning


def _batch_numbers(batch: BatchView) -> tuple[int, int, int, int]:
    """Return rows, those done (skipped ones included), failed, and open."""
    counts = {status: batch.counts.get(status, 0) for status in _ENDED}
    done = counts[Status.COMPLETED] + counts[Status.SKIPPED]
    return batch.total, done, counts[Status.FAILED], batch.total - sum(counts.values())


def _batch_fields(batch: BatchView) -> tuple[str, ...]:
    numbers = (str(number) for number in _batch_numbers(batch))
    return (str(batch.id), _local(batch.at), *numbers, str(batch.total_bytes), display_text(batch.name))


def _local(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _known(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if value is not None}


def _as_json(line: dict[str, Any]) -> str:
    # ASCII alone: neither an escape sequence nor a lone surrogate gets through.
    return json.dumps(line, ensure_ascii=True, separators=(",", ":"))
