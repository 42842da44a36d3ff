"""The engine of a session: started once, asked for settings of later command lines, closed at the end."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import UsageError
from tui_dl.core.settings import setting_named

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.settings import Settings
    from tui_dl.engine.engine import AsyncDownloadEngine

LIVE: Final = {
    "concurrent_downloads": (CommandName.SET_CONCURRENCY, "value"),
    "limit_rate": (CommandName.SET_LIMIT, "limit"),
}
"""Settings that a running engine takes, each with the command and argument that set it."""


class SessionEngine:
    """Fulfils `session.ports.EnginePlace`."""

    def __init__(self, settings: Settings, journal_file: Path) -> None:
        """Take what it is started with; nothing is opened yet."""
        self._settings = settings
        self._journal_file = journal_file
        self._stack = AsyncExitStack()
        self._engine: AsyncDownloadEngine | None = None

    @property
    def running(self) -> AsyncDownloadEngine | None:
        """The engine, None before it has started."""
        return self._engine

    async def start(self) -> AsyncDownloadEngine:
        """Start it."""
        from tui_dl.cli.compose import open_engine  # noqa: PLC0415  # a first screen comes before the engine

        opening = open_engine(self._settings, self._journal_file, is_get=False)
        self._engine = (await self._stack.enter_async_context(opening)).engine
        return self._engine

    def snapshot(self) -> EngineSnapshot | None:
        """Return the present state, None before it has started."""
        return self._engine.snapshot() if self._engine is not None else None

    async def take_options(self, options: Mapping[str, Any]) -> str:
        """Let settings hold from now on that can be set live; name the first that cannot, where it differs."""
        assert self._engine is not None
        now = self._engine.settings
        try:
            wanted = {setting_named(name).name: value for name, value in options.items()}
        except UsageError as error:
            return error.message
        differing = {name: value for name, value in wanted.items() if getattr(now, name) != value}
        for name in differing.keys() - LIVE.keys():
            option = name.replace("_", "-")
            return (
                f"--{option} differs from what the running session was started with;"
                " `tui-dl stop` first, or use --foreground or `tui-dl get`"
            )
        for name, value in differing.items():
            command, argument = LIVE[name]
            await self._engine.execute(Command(command, arguments={argument: value}))
        return ""

    async def aclose(self) -> None:
        """Make everything durable and close it."""
        await self._stack.aclose()
