"""What the screen is started with, in one record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui_dl.core.settings import Settings
from tui_dl.ui.glyphs import UNICODE, Glyphs
from tui_dl.ui.keymap import Keymap
from tui_dl.ui.open_path import open_path
from tui_dl.ui.prompt_history import PromptHistory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from tui_dl.core.ports import EnginePort
    from tui_dl.core.ports_lists import ListPort
    from tui_dl.core.ports_session import TerminalOwner
    from tui_dl.core.task import DownloadTask


@dataclass(frozen=True, slots=True)
class Start:
    """Everything the screen needs from outside."""

    connect: Callable[[], Awaitable[EnginePort]]
    """Fetches the engine; awaited once, after the first paint, so that heavy imports belong in there."""
    folder: str
    """Absolute folder that the add dialog offers."""
    settings: Settings = field(default_factory=Settings)
    """Units, retries, theme, mouse, keys and glyphs are read."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Of the terminal: NO_COLOR, SSH_CONNECTION and the colours are looked at."""
    glyphs: Glyphs = UNICODE
    """Drawing characters."""
    first_rows: Sequence[DownloadTask] = ()
    """Rows of the first page, shown until the engine is there."""
    lists: ListPort | None = None
    """Reads lists that the person names; None where nothing here does."""
    owner: TerminalOwner | None = None
    """Whoever lent the terminal to a session; None where engine and screen end together."""
    history: PromptHistory = field(default_factory=PromptHistory)
    """What was typed at the prompt; a session gives all its screens the same."""
    opener: Callable[[str], Awaitable[bool]] = open_path
    """Opens a file or folder; False where nothing here can."""

    @property
    def keymap(self) -> Keymap:
        """Keys of the commands."""
        return Keymap(dict(self.settings.keys))

    @property
    def is_remote(self) -> bool:
        """Whether the terminal is at the far end of an SSH link."""
        return bool(self.environment.get("SSH_CONNECTION") or self.environment.get("SSH_TTY"))
