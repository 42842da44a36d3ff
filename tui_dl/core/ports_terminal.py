"""The terminal as the screen receives it: descriptors and facts, granted by whoever owns them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class TerminalGrant:
    """One terminal, made by the foreground or by a session and consumed by the screen.

    The descriptors stay the granter's: the screen neither closes them nor changes their file status
    flags (the shell shares the open file description), and puts the line settings back when it ends.
    """

    in_fd: int
    """Descriptor that keys are read from; a terminal."""
    out_fd: int
    """Descriptor that the screen is written to; a terminal, maybe the same as `in_fd`."""
    columns: int
    """Width in cells at the moment of granting, at least 1."""
    rows: int
    """Height in cells at the moment of granting, at least 1."""
    environment: Mapping[str, str] = field(repr=False)
    """What describes the terminal (TERM, COLORTERM, NO_COLOR, TERM_PROGRAM, LANG, SSH_CONNECTION ...),
    taken where the command was typed."""
    can_suspend: bool
    """Whether Ctrl+Z may stop this process; never true where others' downloads live in it."""
