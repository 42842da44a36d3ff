"""Lists in JSON Lines: an object on each line with the columns as its keys, or just an address in quotes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.addresses import wire_url
from tui_dl.core.columns import Columns
from tui_dl.core.errors import UsageError
from tui_dl.core.url_list import MOST_ROW_BYTES, BadLine, BadLines, Line, decoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.parts import Part

_MOST_SHAPES: Final = 64
_DECODER: Final = json.JSONDecoder(parse_constant=str)


class JsonRows:
    """Reads such a list."""

    def __init__(self, bad: BadLines, part: Part | None = None, *, start: int = 1) -> None:
        self._bad: Final = bad
        self._part: Final = part
        self._next = start
        self._shapes: dict[tuple[str, ...], Columns] = {}
        """Columns by the keys of an object: those of a list are nearly always the same."""

    @property
    def is_holding(self) -> bool:
        """Whether a row waits: never for another row's sake."""
        return False

    def feed(self, lines: Sequence[bytes]) -> list[Line | BadLine]:
        """Return what the next lines say. Raises `UsageError` for one array instead of lines."""
        found: list[Line | BadLine] = []
        for number, text in enumerate(decoded(lines, MOST_ROW_BYTES), self._next):
            if self._part is not None and not self._part.has(number):
                continue
            if text is None:
                found.append(self._bad.of_octets(number, lines[number - self._next], MOST_ROW_BYTES))
            elif (bare := text.strip()) and not bare.startswith("#"):
                found.append(self._row(number, bare))
        self._next += len(lines)
        return found

    def finish(self) -> list[Line | BadLine]:
        """Return nothing: no row waits for another."""
        return []

    def _row(self, number: int, text: str) -> Line | BadLine:
        if number == 1 and text.startswith("["):
            raise UsageError("the list is one JSON array; one object a line is wanted (jq -c '.[]' makes it so)")
        try:
            return self._line(number, _loaded(text))
        except UsageError as error:
            return self._bad.of_text(number, text, error.message)

    def _line(self, number: int, value: Any) -> Line:
        if isinstance(value, str):
            return Line(number, wire_url(value.strip(), is_typed=True))
        if not isinstance(value, dict):
            raise UsageError("neither an object nor an address in quotes")
        keys = tuple(value)
        columns = self._shapes.get(keys)
        if columns is None:
            columns = Columns(keys)
            if len(self._shapes) < _MOST_SHAPES:
                self._shapes[keys] = columns
        return columns.line(number, tuple(value.values()))


def _loaded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"no JSON: {error.msg} at character {error.pos + 1}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"no JSON that can be read: {error}") from None
