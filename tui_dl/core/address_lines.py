"""Lists with an address on each line; options of aria2's input file below it, mirrors beside it behind a TAB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import ABSOLUTE, PLAIN_URL, wire_url
from tui_dl.core.aria2_input import aria2_line, check_option
from tui_dl.core.errors import UsageError
from tui_dl.core.url_list import MOST_LINE_BYTES, BadLine, BadLines, Line, decoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.parts import Part

_OPTION: Final = re.compile(r"\s+([a-z][a-z0-9-]*)\s*=\s*(.*)", re.DOTALL)
_ORPHAN: Final = "an option without an address above it"
_LATE: Final = "an option that came too late: its address was taken already"


class AddressLines:
    """Reads such a list. `has_options` is False where every line is an address and nothing else."""

    def __init__(self, bad: BadLines, part: Part | None = None, *, has_options: bool = True, start: int = 1) -> None:
        self._bad: Final = bad
        self._part: Final = part
        self._has_options: Final = has_options
        self._next = start
        self._held: Line | None = None
        self._mirrors: list[str] = []
        self._options: list[tuple[int, str, str]] = []
        self._has_shown_options = False
        self._orphan = _ORPHAN
        """What is wrong with an option that comes now; empty: it belongs to an address that is left out anyway."""

    @property
    def is_holding(self) -> bool:
        """Whether an address waits for options that may never come; where a list has any, they are waited for."""
        return self._held is not None and not self._has_shown_options

    def feed(self, lines: Sequence[bytes]) -> list[Line | BadLine]:
        """Return what the next lines say; the last address may wait for its options."""
        found: list[Line | BadLine] = []
        is_plain, part = PLAIN_URL.fullmatch, self._part
        for number, text in enumerate(decoded(lines, MOST_LINE_BYTES), self._next):
            if text is not None and is_plain(text):
                if self._held is not None:
                    found.append(self._settled())
                self._held = Line(number, text) if part is None or part.has(number) else None
                self._orphan = ""
            else:
                self._take(number, text, lines[number - self._next], found)
        self._next += len(lines)
        if not self._has_options:
            found += self.finish()
        return found

    def finish(self) -> list[Line | BadLine]:
        """Return the address that waits."""
        if self._held is None:
            return []
        settled = self._settled()
        self._orphan = _LATE
        return [settled]

    def _take(self, number: int, text: str | None, octets: bytes, found: list[Line | BadLine]) -> None:
        """Take a line that is no address as most are: an option, a comment, an address that needs a closer look."""
        text = text if text is None else text.removesuffix("\r")
        if text is not None and (not (bare := text.strip()) or bare.startswith("#")):
            return
        option = _OPTION.fullmatch(text) if text and self._has_options and not ABSOLUTE.match(text.strip()) else None
        if option is not None:
            self._take_option(number, option, found)
            return
        if self._held is not None:
            found.append(self._settled())
        self._orphan = ""
        if self._part is not None and not self._part.has(number):
            return
        if text is None:
            found.append(self._bad.of_octets(number, octets, MOST_LINE_BYTES))
            return
        try:
            self._hold(number, text.strip())
        except UsageError as error:
            self._held = None
            found.append(self._bad.of_text(number, text, error.message))

    def _hold(self, number: int, text: str) -> None:
        if self._has_options and "\t" in text:
            first, *mirrors = (one for one in map(str.strip, text.split("\t")) if one)
            self._held = Line(number, wire_url(first, is_typed=True))
            # what is wrong with a mirror is wrong with this line
            self._held = aria2_line(number, self._held.url, mirrors, ())
            self._mirrors = mirrors
        else:
            self._held = Line(number, wire_url(text, is_typed=True))

    def _take_option(self, number: int, option: re.Match[str], found: list[Line | BadLine]) -> None:
        self._has_shown_options = True
        if self._held is not None:
            self._options.append((number, option[1], option[2].strip()))
        elif self._orphan and (self._part is None or self._part.has(number)):
            found.append(self._bad.of_text(number, option[0], self._orphan))

    def _settled(self) -> Line | BadLine:
        """Return the address that waits with its options, or the first of them that cannot be kept."""
        held, options, mirrors = self._held, self._options, self._mirrors
        assert held is not None
        self._held, self._options, self._mirrors = None, [], []
        if not options:
            return held
        try:
            return aria2_line(held.number, held.url, mirrors, ((name, value) for _, name, value in options))
        except UsageError as error:
            return self._bad_option(options, error.message)

    def _bad_option(self, options: list[tuple[int, str, str]], problem: str) -> BadLine:
        for number, name, value in options:
            try:
                check_option(name, value)
            except UsageError as error:
                return self._bad.of_text(number, f"{name}={value}", error.message)
        number, name, value = options[0]
        return self._bad.of_text(number, f"{name}={value}", problem)
