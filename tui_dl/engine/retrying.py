"""What follows a failed attempt: another one after a pause, a wait for the world to change, or the end."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.backoff import Backoff, count_attempt
from tui_dl.core.errors import FileSystemError, HttpError, NameNotFoundError, Reason, TuiDlError
from tui_dl.core.task import changed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.settings import Settings
    from tui_dl.core.task import DownloadTask

logger = logging.getLogger(__name__)

AFTER_PROGRESS_S: Final = 0.25
"""Longest pause before an attempt that follows one with progress."""
LOCAL_WAIT_S: Final = 2.0
"""A full disk or a want of descriptors is looked at again this often; that is no attempt."""
NETWORK_WAIT_S: Final = 5.0
"""The same for a network that is down."""
ANSWERED_LATELY_S: Final = 10.0
"""If any host answered within this time, the network is up and the fault is the host's."""
LOCAL_WAITS: Final = frozenset({Reason.DISK_FULL, Reason.LOW_SPACE, Reason.QUOTA_EXCEEDED, Reason.TOO_MANY_FILES})


@dataclass(frozen=True, slots=True)
class NextStep:
    """Whether and when the task goes on."""

    delay_s: float | None
    """Seconds until the next attempt; None: it failed."""
    retry_count: int
    """Attempts without progress so far."""
    reason: Reason
    """Why it waits or failed."""
    text: str
    """The same in words."""


def next_step(
    task: DownloadTask,
    error: TuiDlError,
    settings: Settings,
    *,
    has_progressed: bool,
    random: float,
    since_answer_s: float,
    strategy: Callable[[DownloadTask, Exception], bool] | None = None,
) -> NextStep:
    """Decide after a failed attempt. `strategy` may overrule what is worth a retry, within the allowed attempts."""
    if isinstance(error, FileSystemError):
        delay_s = LOCAL_WAIT_S if error.is_retryable and error.reason in LOCAL_WAITS else None
        return NextStep(delay_s, task.retry_count, error.reason, error.message)
    if error.reason is Reason.NO_NETWORK and since_answer_s > ANSWERED_LATELY_S:
        return NextStep(NETWORK_WAIT_S, task.retry_count, Reason.NO_NETWORK, error.message)
    if error.reason in (Reason.HOST_ASKED, Reason.HOST_BUSY):
        return NextStep(error.retry_after_s or LOCAL_WAIT_S, task.retry_count, error.reason, error.message)
    retry_count = count_attempt(task.retry_count, has_progressed=has_progressed)
    most = settings.max_retries if task.options.max_retries is None else task.options.max_retries
    is_worth_it = _is_worth_it(error, since_answer_s)
    if strategy is not None:
        is_worth_it = _foreign_verdict(strategy, task, error, most, ours=is_worth_it)
    if not is_worth_it or retry_count > most:
        return NextStep(None, retry_count, error.reason, _final_text(error, retry_count, most))
    backoff = Backoff(settings.retry_delay, settings.max_retry_delay)
    if has_progressed and error.retry_after_s is None:
        delay_s = random * min(settings.retry_delay, AFTER_PROGRESS_S)
    else:
        delay_s = backoff.delay_s(retry_count, random=random, retry_after_s=error.retry_after_s)
    return NextStep(delay_s, retry_count, error.reason, error.message)


def _is_worth_it(error: TuiDlError, since_answer_s: float) -> bool:
    """Whether another attempt may end better. A name that is not there, while hosts answer, is as final as a 404."""
    return error.is_retryable and not (isinstance(error, NameNotFoundError) and since_answer_s <= ANSWERED_LATELY_S)


def _foreign_verdict(
    strategy: Callable[[DownloadTask, Exception], bool], task: DownloadTask, error: TuiDlError, most: int, *, ours: bool
) -> bool:
    """Ask who uses the library, naming the attempts allowed wherever they come from; what it raises is logged."""
    told = changed(task, {"options": replace(task.options, max_retries=most)})
    try:
        return strategy(told, error)
    except Exception:  # foreign code may raise anything, and that is no fault of ours nor of the download
        logger.exception("a retry strategy failed; the engine decides as it does without one")
        return ours


def _final_text(error: TuiDlError, retry_count: int, most: int) -> str:
    if error.is_retryable and retry_count > most > 0 and not (isinstance(error, HttpError) and error.status == 0):
        return f"{error.message}, after {retry_count} attempts"
    return error.message
