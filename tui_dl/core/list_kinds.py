"""Formats of lists, and which of them a file's name tells."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ListFormat(StrEnum):
    """How a list is written."""

    AUTO = "auto"
    """By suffix, else by the first line."""
    PLAIN = "plain"
    """An address on each line and nothing else."""
    ARIA2 = "aria2"
    """As aria2's input file: options below an address, mirrors behind a TAB. A plain list is one, too."""
    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    PARQUET = "parquet"


_SUFFIXES: Final = {
    ".csv": ListFormat.CSV,
    ".tsv": ListFormat.TSV,
    ".tab": ListFormat.TSV,
    ".jsonl": ListFormat.JSONL,
    ".ndjson": ListFormat.JSONL,
    ".parquet": ListFormat.PARQUET,
    ".aria2": ListFormat.ARIA2,
}
_PACKED: Final = (".gz", ".xz", ".zst", ".zstd", ".lzma")


def format_of(name: str) -> ListFormat:
    """Return the format that a file's name tells, compression apart; `AUTO` where it tells none."""
    name = name.lower()
    name = next((name.removesuffix(suffix) for suffix in _PACKED if name.endswith(suffix)), name)
    return next((kind for suffix, kind in _SUFFIXES.items() if name.endswith(suffix)), ListFormat.AUTO)
