"""What one machine sends another to add: an object a line, each an address with what was asked for it."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

STANDARD: Final = "-"
VERSION: Final = 1
"""In the first line; a later form that this one cannot read has another."""
BLOCK: Final = 500
_MOST_LINE_BYTES: Final = 2 * 1024 * 1024


def line_of(wish: dict[str, Any], batch: str) -> bytes:
    """Return a wish as its line."""
    return json.dumps({**wish, "batch": batch} if batch else wish, separators=(",", ":")).encode() + b"\n"


def first_line() -> bytes:
    """Return the line that says what follows."""
    return json.dumps({"tui_dl": VERSION}).encode() + b"\n"


def blocks_of(source: str, *, folder: Path, home: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield batch by batch, and no more than `BLOCK` at once, what lines say; raises `UsageError` for a wrong one.

    Those that name no folder go to `folder`, relative ones begin at `home`.
    """
    with _opened(source) as file:
        lines = iter(lambda: file.readline(_MOST_LINE_BYTES), b"")
        _check_first(next(lines, b""))
        yield from _blocks(lines, folder, home)


def _opened(source: str) -> AbstractContextManager[IO[bytes]]:
    if source == STANDARD:
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(source).open("rb")
    except OSError as error:
        raise UsageError(f"--from-json {display_text(source)}: cannot be read: {error.strerror}") from None


def _check_first(line: bytes) -> None:
    version = _object(1, line).get("tui_dl")
    if version != VERSION:
        raise UsageError("--from-json: the other machine has another version of tui-dl; both must fit")


def _blocks(lines: Iterable[bytes], folder: Path, home: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    batch, wishes = "", list[dict[str, Any]]()
    for number, line in enumerate(lines, 2):
        wish = _object(number, line)
        wanted = str(wish.pop("batch", ""))
        if wishes and (wanted != batch or len(wishes) >= BLOCK):
            yield batch, wishes
            wishes = []
        batch = wanted
        said = str(wish.get("dir") or "")
        wish["dir"] = os.path.normpath(home / Path(said).expanduser()) if said else str(folder)
        wishes.append(wish)
    if wishes:
        yield batch, wishes


def _object(number: int, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"--from-json, line {number}: no JSON object")
    return found
