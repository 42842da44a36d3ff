"""Lists in Parquet, row group by row group, through pyarrow (extra `parquet`)."""

from __future__ import annotations

import json
import math
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tui_dl.core.columns import Columns
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tui_dl.core.parts import Part
    from tui_dl.core.url_list import BadLine, BadLines, Line

MAGIC: Final = b"PAR1"
"""How such a file begins."""
_ROWS: Final = 1000
"""Rows taken at a time."""
_BUFFER_BYTES: Final = 1024 * 1024
_SHOWN_CELLS: Final = 200


class ParquetRows:
    """Reads such a list; a row's line number is its place in the file, from 1."""

    def __init__(self, file: BinaryIO, bad: BadLines, part: Part | None) -> None:
        """Open it; raises `UsageError` for what is none, or names no column for addresses, or without pyarrow."""
        self._bad = bad
        self._part = part
        arrow, parquet = _arrow()
        self._errors: tuple[type[Exception], ...] = (arrow.ArrowException, OSError)
        try:
            self._file = parquet.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER_BYTES)
            fields = list(self._file.schema_arrow)
        except self._errors as error:
            raise UsageError(f"no Parquet that can be read: {_shown(error)}") from None
        wanted = [field for field in fields if not _is_binary(arrow, field.type)]
        self._columns = Columns([field.name for field in wanted])
        self._converters = [_converter(arrow, field.type) for field in wanted]
        names = [field.name for field in wanted]
        self._batches: Iterator[Any] = self._file.iter_batches(batch_size=_ROWS, columns=names, use_threads=False)
        self._next = 1

    def read(self) -> list[Line | BadLine]:
        """Return what the next rows say; nothing at the end."""
        while True:
            try:
                batch = next(self._batches, None)
            except self._errors as error:
                self._batches = iter(())
                return [self._bad.of_text(self._next, "", f"damaged from here on: {_shown(error)}")]
            if batch is None:
                return []
            start, self._next = self._next, self._next + batch.num_rows
            if found := self._lines(batch, start):
                return found

    def _lines(self, batch: Any, start: int) -> list[Line | BadLine]:
        columns = [
            [convert(value) for value in column.to_pylist()] if convert else column.to_pylist()
            for convert, column in zip(self._converters, batch.columns, strict=True)
        ]
        found: list[Line | BadLine] = []
        for number, row in enumerate(zip(*columns, strict=True), start):
            if self._part is not None and not self._part.has(number):
                continue
            try:
                found.append(self._columns.line(number, row))
            except UsageError as error:
                shown = next((one for one in row if isinstance(one, str)), "")
                found.append(self._bad.of_text(number, shown, error.message))
        return found


def _arrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError("a list in Parquet needs pyarrow: pip install 'tui-dl[parquet]'") from None


def _is_binary(arrow: Any, kind: Any) -> bool:
    """Whether a column holds bytes, pictures perhaps: they are no words for a manifest."""
    types = arrow.types
    return any(
        is_such(kind)
        for is_such in (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view)
    )


def _converter(arrow: Any, kind: Any) -> Callable[[Any], Any] | None:
    """Return what makes a value one that JSON knows; None where all are."""
    types = arrow.types
    if types.is_string(kind) or types.is_large_string(kind) or types.is_integer(kind) or types.is_boolean(kind):
        return None
    return _float if types.is_floating(kind) else _plain


def _float(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _plain(value: Any) -> Any:
    return None if value is None else json.loads(json.dumps(value, default=str), parse_constant=str)


def _shown(error: Exception) -> str:
    return display_text(str(error).partition("\n")[0], _SHOWN_CELLS)
