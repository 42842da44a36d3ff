"""What a manifest says of one line of a list: the columns, and how a row of the journal fills them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import mask_secrets, mask_url
from tui_dl.core.errors import REASONS, Reason
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui_dl.core.task import DownloadTask

COLUMNS: Final = {
    "list": str,
    "line": int,
    "url": str,
    "final_url": str,
    "path": str,
    "member": str,
    "status": str,
    "reason": str,
    "text": str,
    "bytes": int,
    "sha256": str,
    "content_type": str,
    "http_status": int,
    "attempts": int,
}
"""Columns of our own, in order, with the type of their values; each may be absent (None)."""
GONE: Final = "gone"
"""Status of what the server does not have."""
DUPLICATE: Final = "duplicate"
"""Reason of a line whose address and target an earlier line of the same batch has."""
REMOVED: Final = "removed"
"""Status of a line whose row somebody took out of the queue."""
_IS_GONE: Final = frozenset({Reason.NOT_FOUND, Reason.GONE})
_OWN_PREFIX: Final = "list_"


def is_gone(task: DownloadTask) -> bool:
    """Whether it failed because the server does not have it (404, 410)."""
    return task.status is Status.FAILED and task.reason in _IS_GONE


def own_columns(extra: str) -> dict[str, Any]:
    """Return the list's own columns of a line."""
    columns = json.loads(extra) if extra else {}
    return columns if isinstance(columns, dict) else {}


def own_name(name: str) -> str:
    """Return the column for one of the list's own: its name, with a prefix where it is one of ours."""
    return f"{_OWN_PREFIX}{name}" if name in COLUMNS else name


def record_of_task(task: DownloadTask, line: int, *, is_duplicate: bool = False) -> dict[str, Any]:
    """Return what is known of a line whose row is this one.

    An address after redirects often carries a signature of its own, so secrets in it are masked.
    """
    is_there = task.status is Status.COMPLETED
    record = {
        "list": None,
        "line": line or None,
        "url": task.url,
        "final_url": mask_url(task.final_url) if task.final_url not in ("", task.url) else task.final_url or None,
        "path": task.path or None,
        "member": task.member or None,
        "status": GONE if is_gone(task) else task.status.value,
        "reason": task.reason.value if task.reason is not None else None,
        "text": _text(task),
        "bytes": _bytes(task) if is_there else None,
        "sha256": task.sha256 or None if is_there else None,
        "content_type": task.content_type or None,
        "http_status": task.http_status,
        "attempts": _attempts(task),
    }
    if is_duplicate:
        record |= {"status": Status.SKIPPED.value, "reason": DUPLICATE, "text": "an earlier line asks for the same"}
    return record


def record_of_bad_line(line: int, text: str, problem: str) -> dict[str, Any]:
    """Return what is known of a line that holds no usable address."""
    return _bare(line, text, Status.FAILED.value) | {"reason": Reason.BAD_URL.value, "text": problem}


def record_of_failure(line: int, url: str) -> dict[str, Any]:
    """Return what is known of a line that failed, without its row."""
    return _bare(line, url, Status.FAILED.value)


def record_of_removed(line: int, url: str) -> dict[str, Any]:
    """Return what is known of a line whose row is in the queue no more."""
    return _bare(line, url, REMOVED)


def names_of(own: Iterable[str]) -> tuple[str, ...]:
    """Return all columns: ours, then the list's own."""
    return tuple(dict.fromkeys((*COLUMNS, *(own_name(name) for name in own))))


def _bare(line: int, url: str, status: str) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS) | {"line": line or None, "url": url, "status": status}


def _text(task: DownloadTask) -> str | None:
    """Return why it is as it is, in words, secrets masked."""
    words = task.reason_text or (REASONS[task.reason].meaning if task.reason is not None else "")
    return mask_secrets(words) if words else None


def _bytes(task: DownloadTask) -> int:
    return task.downloaded_bytes if task.total_bytes is None else task.total_bytes


def _attempts(task: DownloadTask) -> int | None:
    """Return how often it was tried in vain, and the last time; None before the first."""
    if task.started_at is None:
        return None
    return max(task.retry_count, 1) if task.status is Status.FAILED else task.retry_count + 1
