"""What a row says of its status, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import REASONS, Reason
from tui_dl.core.media import Kind
from tui_dl.core.status import FACTS, FINISHED, LIVE, Status
from tui_dl.core.task import Flag
from tui_dl.ui.format import count, duration, wait_time
from tui_dl.ui.format_choice import words_of

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
FRESH_LINK: Final = ", {key}: new link"
SILENT: Final = frozenset({Status.PENDING, Status.DOWNLOADING})
"""Statuses that the numbers of the row tell by themselves."""
CHOICES: Final = frozenset({Reason.CHOICE, Reason.NOT_CHOSEN})
"""Reasons of what a person chooses from, or has left out."""


def is_for_choice(task: DownloadTask) -> bool:
    """Whether a person may still choose whether an entry is wanted; of a head: which of its entries are."""
    return task.reason is not None and task.reason in CHOICES


def shown_name(task: DownloadTask) -> str:
    """Return what a row is called: a video by its title. Show it sanitised."""
    return task.facts.title or task.filename or task.url


def status_phrase(task: DownloadTask, now: float, max_retries: int, stage: str = "", refresh_key: str = "e") -> str:
    """Return `waits 23 s: too many requests (429), 2 of 8` and its like; empty where numbers say enough.

    `now` is Unix time, `stage` what `DownloadProgress` says of it, `refresh_key` the key for another address. The
    result may hold text from outside: show it sanitised.
    """
    status = task.status
    if task.kind is not Kind.FILE:
        if task.kind is Kind.PLAYLIST and (phrase := _of_playlist(task)):
            return phrase
        if is_for_choice(task):
            return _choice_words(task)
    if status in SILENT:
        return ""
    if stage and status in LIVE:
        return stage
    if status is Status.WAITING:
        return _waiting(task, now, max_retries)
    if status is Status.COMPLETED:
        return ", ".join(("completed" if task.flags else "done", *(FLAG_WORDS[flag] for flag in sorted(task.flags))))
    label = FACTS[status].label
    why = reason_words(task)
    way_out = FRESH_LINK.format(key=refresh_key) if status is Status.FAILED and task.reason in EXPIRED else ""
    return f"{label}: {why}{way_out}" if why else label


def reason_words(task: DownloadTask) -> str:
    """Return why a task waits or failed, with its particulars where they are known."""
    if task.reason_text:
        return task.reason_text
    if task.reason is Reason.INCOMPLETE and (missing := task.facts.missing):
        return f"{count(missing)} fragment{' is' if missing == 1 else 's are'} missing"
    return REASONS[task.reason].meaning if task.reason is not None else ""


def _waiting(task: DownloadTask, now: float, max_retries: int) -> str:
    phrase = "waits" if task.due_at is None else f"waits {wait_time(task.due_at - now)}"
    if why := reason_words(task):
        phrase = f"{phrase}: {why}"
    if task.retry_count:
        most = task.max_retries if task.max_retries is not None else max_retries
        phrase = f"{phrase}, {task.retry_count} of {most}" if most else phrase
    return phrase


def _of_playlist(task: DownloadTask) -> str:
    """Return what is said of the head of a playlist; empty where the same is said of every row."""
    facts = task.facts
    if facts.is_reading and task.status not in FINISHED:
        return f"reading, {count(facts.entry_count or 0)} so far"
    if task.status is Status.FAILED:
        return task.reason_text
    if task.status not in (Status.COMPLETED, Status.PAUSED, Status.CANCELLED) or not facts.chosen_count:
        return ""
    words = entries_words(task)
    return words if task.status is Status.COMPLETED else f"{FACTS[task.status].label}: {words}"


def entries_words(task: DownloadTask) -> str:
    """Return `11 of 12 done, 1 failed`."""
    facts = task.facts
    failed = f", {count(facts.failed_count)} failed" if facts.failed_count else ""
    return f"{count(facts.done_count)} of {count(facts.chosen_count)} done{failed}"


def _choice_words(task: DownloadTask) -> str:
    """Return what a row says that somebody chooses from: an entry what would come, for its mark says the rest."""
    facts = task.facts
    if task.kind is not Kind.ENTRY:
        return REASONS[Reason.CHOICE].meaning
    if task.reason is Reason.NOT_CHOSEN or not facts.is_chosen:
        return REASONS[Reason.NOT_CHOSEN].meaning
    chosen = "" if facts.choice.is_empty else words_of(facts.choice)
    known = (duration(facts.duration_s), chosen)
    return ", ".join(filter(None, known)) or REASONS[Reason.CHOICE].meaning
