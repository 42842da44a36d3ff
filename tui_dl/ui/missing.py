"""Programs that media need and that are not there: said above the table for as long as a row wants one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import REASONS, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui_dl.core.task import DownloadTask

_USUAL: Final = f"{REASONS[Reason.EXTRA_MISSING].meaning}. {REASONS[Reason.EXTRA_MISSING].hint}"
MOST_ROWS: Final = 1_000
"""Remembered, so that a list of a million videos fills no memory; one would do."""


class MissingPrograms:
    """Remembers which rows want what is not installed, by the events of these rows."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def note(self, tasks: Iterable[DownloadTask]) -> None:
        """Take note of rows that something happened to."""
        for task in tasks:
            if task.reason is not Reason.EXTRA_MISSING:
                self._texts.pop(task.id, None)
            elif len(self._texts) < MOST_ROWS:
                self._texts[task.id] = task.reason_text or _USUAL

    def forget(self) -> bool:
        """Say it no more; whether anything was said."""
        was_said = bool(self._texts)
        self._texts.clear()
        return was_said

    @property
    def texts(self) -> tuple[str, ...]:
        """What is missing, each once; show it sanitised."""
        return tuple(dict.fromkeys(self._texts.values()))
