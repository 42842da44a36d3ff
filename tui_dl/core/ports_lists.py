"""Lists of addresses as the screen asks for them: how much is in one, and adding it. Who reads files fulfils this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class ListPreview:
    """What is in a list."""

    addresses: int
    """Lines that hold a usable address."""
    bad_lines: int = 0
    """Lines that hold none."""
    problem: str = ""
    """What is wrong with the first of those, and where; safe to show."""


@dataclass(frozen=True, slots=True)
class ListAdd:
    """A list that is to be added."""

    path: str
    """Absolute path."""
    folder: str
    """Absolute folder for what it names no folder for."""
    name_template: str = ""
    """Template of folders and names; empty: that of the settings."""
    batch: str = ""
    """Name of the batch; empty: the list's own name."""


class ListPort(Protocol):
    """Whoever reads lists."""

    async def preview(self, path: str, tell: Callable[[int], None]) -> ListPreview:
        """Read all of a list and say what is in it; `tell` gets the addresses so far. Raises `UsageError`."""
        ...

    async def add(self, wish: ListAdd, tell: Callable[[int], None]) -> ListPreview:
        """Add a list to the queue; `tell` gets the addresses so far. Raises `TuiDlError`."""
        ...
