"""What a row says of its status, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import REASONS, Reason
from tui_dl.core.status import FACTS, Status
from tui_dl.core.task import Flag
from tui_dl.ui.format import wait_time

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask

FLAG_WORDS: Final[dict[Flag, str]] = {
    Flag.LENGTH_UNVERIFIED: "length unverified",
    Flag.VERSION_UNVERIFIED: "version unverified",
    Flag.RESTARTED: "fetched again: it had changed",
    Flag.INSECURE: "server not verified",
}
EXPIRED: Final = frozenset({Reason.FORBIDDEN, Reason.GONE, Reason.NOT_FOUND, Reason.WEB_PAGE})
"""Reasons that an expired link has, as often as not."""
FRESH_LINK: Final = ", e: new link"
SILENT: Final = frozenset({Status.PENDING, Status.DOWNLOADING})
"""Statuses that the numbers of the row tell by themselves."""


def status_phrase(task: DownloadTask, now: float, max_retries: int) -> str:
    """Return `waits 23 s: too many requests (429), 2 of 8` and its like; empty where numbers say enough.

    `now` is Unix time. The result may hold text from outside: show it sanitised.
    """
    status = task.status
    if status in SILENT:
        return ""
    if status is Status.WAITING:
        return _waiting(task, now, max_retries)
    if status is Status.COMPLETED:
        return ", ".join(("completed" if task.flags else "done", *(FLAG_WORDS[flag] for flag in sorted(task.flags))))
    label = FACTS[status].label
    why = reason_words(task)
    way_out = FRESH_LINK if status is Status.FAILED and task.reason in EXPIRED else ""
    return f"{label}: {why}{way_out}" if why else label


def reason_words(task: DownloadTask) -> str:
    """Return why a task waits or failed, with its particulars where they are known."""
    if task.reason_text:
        return task.reason_text
    return REASONS[task.reason].meaning if task.reason is not None else ""


def _waiting(task: DownloadTask, now: float, max_retries: int) -> str:
    phrase = "waits" if task.due_at is None else f"waits {wait_time(task.due_at - now)}"
    if why := reason_words(task):
        phrase = f"{phrase}: {why}"
    if task.retry_count:
        most = task.max_retries if task.max_retries is not None else max_retries
        phrase = f"{phrase}, {task.retry_count} of {most}" if most else phrase
    return phrase
