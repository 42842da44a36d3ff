"""The log of a command: written by a thread, one safe line per record, secrets masked."""

from __future__ import annotations

import logging
import os
import queue
import sys
from contextlib import contextmanager, suppress
from io import FileIO, TextIOWrapper
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_dl.core.display_text import display_text, mask_secrets
from tui_dl.core.errors import TuiDlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVELS: Final = (logging.WARNING, logging.INFO, logging.DEBUG)
"""Level for no `-v`, `-v` and `-vv`."""
SESSION_LOG_BYTES: Final = 1024 * 1024
"""Size at which a session begins a new log."""
SESSION_LOGS_KEPT: Final = 3
"""Older ones that stay beside it."""
_FORMAT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_SESSION: Final = "tui_dl.session"
_NAMES: Final = ("tui_dl", "asyncio")
_MOST_WAITING_RECORDS: Final = 20_000


class SafeFormatter(logging.Formatter):
    """Masks secrets and makes every line harmless, those of a traceback too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as lines that neither act on a terminal nor give away a secret."""
        return "\n".join(display_text(mask_secrets(line)) for line in super().format(record).splitlines())


class _DroppingQueueHandler(QueueHandler):
    """Drops records rather than wait for a disk that hangs."""

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            return


class _PrivateFileHandler(logging.FileHandler):
    """Makes the file for its owner alone: addresses tell what a person reads."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return TextIOWrapper(FileIO(descriptor, "a"), encoding=self.encoding, errors=self.errors, write_through=True)


class _RotatingPrivateHandler(RotatingFileHandler):
    """The same, in a few files of bounded size."""

    def _open(self) -> TextIOWrapper:
        return open(  # the handler closes it
            self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=_private
        )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


@contextmanager
def logging_to(file: str | None, verbose: int, *, fallback: Path | None = None) -> Iterator[None]:
    """Log to `file`, else with `-v` to `fallback`, else with `-v` to standard error, until the context ends.

    `fallback` is for commands whose standard error is the screen. Raises `UsageError` if the file cannot be written.
    """
    target = Path(file) if file else (fallback if verbose else None)
    # A log file holds what happened even without -v; only its absence makes the program silent.
    level = LEVELS[min(verbose + (1 if file and not verbose else 0), len(LEVELS) - 1)]
    with _logging(_handler(target, has_stderr=fallback is None, verbose=verbose), level):
        yield


@contextmanager
def session_log(file: Path, verbose: int) -> Iterator[None]:
    """Log what a session does, the oldest dropped, until the context ends; a disk that refuses is done without."""
    handler: logging.Handler = logging.NullHandler()
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _RotatingPrivateHandler(
            file, maxBytes=SESSION_LOG_BYTES, backupCount=SESSION_LOGS_KEPT, encoding="utf-8", errors="backslashreplace"
        )
    # Who came and went is always told; what happens to each of a million rows only to those who ask.
    own = logging.getLogger(_SESSION)
    own.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    with _logging(handler, LEVELS[min(verbose, len(LEVELS) - 1)]):
        yield
    own.setLevel(logging.NOTSET)


@contextmanager
def _logging(handler: logging.Handler, level: int) -> Iterator[None]:
    handler.setFormatter(SafeFormatter(_FORMAT))
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(_MOST_WAITING_RECORDS)
    entry = _DroppingQueueHandler(waiting)
    listener = QueueListener(waiting, handler)
    loggers = [logging.getLogger(name) for name in _NAMES]
    for logger in loggers:
        logger.addHandler(entry)
        logger.setLevel(level)
        logger.propagate = False
    entry_logger = loggers[0]
    listener.start()
    try:
        yield
    finally:
        error = sys.exc_info()[1]
        if isinstance(error, TuiDlError):
            entry_logger.info("ended with %s: %s", error.reason, error.message)
        elif isinstance(error, Exception):
            entry_logger.error("ended with an error", exc_info=error)
        for logger in loggers:
            logger.removeHandler(entry)
            logger.propagate = True
        listener.stop()
        handler.close()


def _handler(target: Path | None, *, has_stderr: bool, verbose: int) -> logging.Handler:
    if target is None:
        return logging.StreamHandler() if has_stderr and verbose else logging.NullHandler()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return _PrivateFileHandler(target, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(f"--log {display_text(str(target))}: cannot be written: {error.strerror}") from None
