"""Where the session meets the screen: a terminal is lent, shown on, and given back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tui_dl.core.ports_terminal import TerminalGrant


class Leaving(StrEnum):
    """How a screen was left."""

    GO_ON = "go-on"
    """The person left it; downloads go on."""
    STOP = "stop"
    """The person wants everything stopped, to go on at the next start."""
    LOST = "lost"
    """Its terminal is gone, or whoever lent it wants it back."""


@dataclass(frozen=True, slots=True)
class ScreenWish:
    """A terminal to show the screen on, and where its person stands."""

    grant: TerminalGrant
    """The terminal; it stays whose it is."""
    folder: str
    """Absolute folder in which the command was typed; the add dialog offers it."""


class ShownScreen(Protocol):
    """A screen that is on, as whoever lent the terminal steers it."""

    def resized(self) -> None:
        """Fill the window, which has another size."""
        ...

    async def stand_aside(self) -> None:
        """Give the terminal back for a while; returns when that is done, or the terminal does not listen."""
        ...

    def come_back(self) -> None:
        """Take the terminal again, whatever was written on it meanwhile."""
        ...

    def leave(self) -> None:
        """End, as if the terminal were gone."""
        ...


class TerminalOwner(Protocol):
    """Whoever lent a terminal to the screen."""

    def has_shown(self, screen: ShownScreen) -> None:
        """Take note that the screen is about to be on; it can be steered from now on."""
        ...

    def wants_aside(self) -> None:
        """Be told that the person wants the shell (Ctrl+Z)."""
        ...


class ScreenPort(Protocol):
    """Whoever can show the screen on a lent terminal."""

    async def show(self, wish: ScreenWish, owner: TerminalOwner) -> Leaving:
        """Show it until it is left; raises what kept it from being shown. Cancelling ends it, the terminal restored."""
        ...
