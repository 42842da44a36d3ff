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

    from tui_dl.cli.line_log import ListedLine

FILENAME: Final = "filename"
DIR: Final = "dir"
COLUMNS: Final = ("line", "url", "reason", "text", "http_status", "attempts", "list", FILENAME, DIR)
"""Columns of the table, which is a list for `get -i` itself: the last two say where the file goes."""
_FAILED: Final = frozenset({Status.FAILED.value, GONE})


class FailedAddresses:
    """One address a line; a line of the list that held none becomes a comment.

    What a line said of name and folder stands below the address, as in aria2's lists: tried again, it is the same row.
    """

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
        self._writer.writerows(
            [["" if (value := one.get(name)) is None else value for name in COLUMNS] for one in failed]
        )

    def finish(self) -> None:
        """Let go of the file."""
        self._text.detach()


def _address(record: dict[str, Any]) -> str:
    if record["reason"] == Reason.BAD_URL.value:
        where = f"{record['list']}:{record['line']}" if record["list"] else f"line {record['line']}"
        return f"# {where}: {record['text']}"
    options = (f"\n  {option}={record[name]}" for option, name in (("dir", DIR), ("out", FILENAME)) if record.get(name))
    return "".join((str(record["url"]), *options))


def place_asked(line: ListedLine) -> dict[str, str]:
    """Return what a line said of name and folder; a folder that no list can name is left out."""
    return {FILENAME: line.name, DIR: line.dir if line.dir.isprintable() and line.dir == line.dir.strip() else ""}
