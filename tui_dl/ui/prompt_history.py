"""Lines that were typed at the prompt, to be had again; in memory alone, and nothing that may hold a secret."""

from __future__ import annotations

from collections import deque
from typing import Final

MOST_LINES: Final = 100
MOST_CHARS: Final = 1_000
"""A longer line was pasted, and is not kept."""
ADDRESS: Final = "://"
"""What names an address may hold a password or a token: it is not kept."""


class PromptHistory:
    """The last lines, the newest at the end; a session keeps one for all its screens and writes it nowhere."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MOST_LINES)

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, line: str) -> None:
        """Keep a line; one that was there already moves to the end."""
        if not line or ADDRESS in line or len(line) > MOST_CHARS:
            return
        if line in self._lines:
            self._lines.remove(line)
        self._lines.append(line)

    def beginning(self, begun: str) -> list[str]:
        """Return the lines that begin so, the newest first."""
        return [line for line in reversed(self._lines) if line.startswith(begun)]
