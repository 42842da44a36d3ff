"""The list of what failed: plain addresses that `get -i` takes again, or a table that says why."""

from __future__ import annotations

import csv
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import Reason
from tui_dl.core.manifest import GONE
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

COLUMNS: Final = ("line", "url", "reason", "text", "http_status", "attempts", "list")
"""Columns of the table."""
_FAILED: Final = frozenset({Status.FAILED.value, GONE})


class FailedAddresses:
    """One address a line; a line of the list that held none becomes a comment."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, records: Sequence[dict[str, Any]]) -> None:
        """Write those of the records that failed."""
        lines = [_address(one) for one in records if one["status"] in _FAILED]
        self._file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))

    def finish(self) -> None:
        """Do nothing more: every line is written."""


class FailedTable:
    """Comma-separated values with a head line: where it stood, what it was, and why it failed."""

    def __init__(self, file: BinaryIO) -> None:
        self._text = TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="", write_through=True)
        self._writer = csv.writer(self._text)
        self._writer.writerow(COLUMNS)

    def write(self, records: Sequence[dict[str, Any]]) -> None:
        """Write those of the records that failed."""
        failed = [one for one in records if one["status"] in _FAILED]
        self._writer.writerows([["" if one[name] is None else one[name] for name in COLUMNS] for one in failed])

    def finish(self) -> None:
        """Let go of the file."""
        self._text.detach()


def _address(record: dict[str, Any]) -> str:
    if record["reason"] == Reason.BAD_URL.value:
        return f"# line {record['line']}: {record['text']}"
    return str(record["url"])
