"""The forms of a manifest: CSV, JSON Lines and Parquet, each written as a stream of records."""

from __future__ import annotations

import csv
import json
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final, Protocol

from tui_dl.core.errors import UsageError
from tui_dl.core.manifest import COLUMNS, names_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import BinaryIO

FORMS: Final = (".csv", ".jsonl", ".parquet")
"""Endings of a manifest's name; each stands for its form."""
_ROW_GROUP_ROWS: Final = 16 * 1024
"""Rows of one group of a Parquet file; as many are held in memory."""


class ManifestForm(Protocol):
    """Takes records and writes them in its form; all methods block."""

    def write(self, records: Sequence[dict[str, Any]]) -> None:
        """Write some records."""
        ...

    def finish(self) -> None:
        """Write what is left, without closing the file."""
        ...


def check_form(path: Path) -> None:
    """Raise `UsageError` where the name tells no form that can be written here."""
    if path.suffix.lower() not in FORMS:
        raise UsageError(f"--manifest {path.name}: its name must end in {', '.join(FORMS[:-1])} or {FORMS[-1]}")
    if path.suffix.lower() == ".parquet":
        _pyarrow()


def form_of(path: Path, file: BinaryIO, own: Iterable[str]) -> ManifestForm:
    """Return what writes the form that the name tells; `own` are the names of the list's own columns."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return CsvForm(file, own)
    return ParquetForm(file, own) if suffix == ".parquet" else JsonForm(file)


class CsvForm:
    """Comma-separated values with a head line (RFC 4180), UTF-8; bytes of foreign names stay as they are."""

    def __init__(self, file: BinaryIO, own: Iterable[str]) -> None:
        self._names = names_of(own)
        self._text = TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="", write_through=True)
        self._writer = csv.writer(self._text)
        self._writer.writerow(self._names)

    def write(self, records: Sequence[dict[str, Any]]) -> None:
        """Write some records."""
        self._writer.writerows([[_as_text(record.get(name)) for name in self._names] for record in records])

    def finish(self) -> None:
        """Let go of the file."""
        self._text.detach()


class JsonForm:
    """One JSON object a line; what is not known is left out."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, records: Sequence[dict[str, Any]]) -> None:
        """Write some records."""
        known = ({name: value for name, value in one.items() if value is not None} for one in records)
        lines = [json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in known]
        # What UTF-8 cannot hold is written as JSON writes it: \udcff.
        self._file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))

    def finish(self) -> None:
        """Do nothing more: every line is written."""


class ParquetForm:
    """Apache Parquet, the list's own columns as text; written in groups of rows."""

    def __init__(self, file: BinaryIO, own: Iterable[str]) -> None:
        self._arrow, parquet = _pyarrow()
        types = {int: self._arrow.int64(), str: self._arrow.string()}
        self._names = names_of(own)
        fields = [(name, types[COLUMNS.get(name, str)]) for name in self._names]
        self._schema = self._arrow.schema(fields)
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._waiting: list[dict[str, Any]] = []

    def write(self, records: Sequence[dict[str, Any]]) -> None:
        """Take some records; write those of a full group."""
        self._waiting += records
        if len(self._waiting) >= _ROW_GROUP_ROWS:
            self._write_group()

    def finish(self) -> None:
        """Write the last group and the file's end."""
        if self._waiting:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        columns = {name: [_storable(name, record.get(name)) for record in self._waiting] for name in self._names}
        self._waiting = []
        self._writer.write_table(self._arrow.table(columns, schema=self._schema))


def _pyarrow() -> tuple[Any, Any]:
    try:
        # Of the extra `parquet`, without types, and slow to load.
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError("--manifest: Parquet needs pyarrow: pip install 'tui-dl[parquet]'") from None


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _storable(name: str, value: Any) -> Any:
    if value is None or COLUMNS.get(name) is int:
        return value
    return _as_text(value).encode("utf-8", "replace").decode()
