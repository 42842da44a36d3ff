"""The engine of a session: started once, asked for settings of later command lines, closed at the end."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import UsageError
from tui_dl.core.live_settings import LIVE
from tui_dl.session.protocol import PROXY_NAMES, proxy_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.settings import Settings
    from tui_dl.engine.engine import AsyncDownloadEngine
    from tui_dl.hooks.hooks import Hooks


class SessionEngine:
    """Fulfils `session.ports.EnginePlace`."""

    def __init__(self, settings: Settings, journal_file: Path) -> None:
        """Take what it is started with; nothing is opened yet."""
        self._settings = settings
        self._journal_file = journal_file
        self._stack = AsyncExitStack()
        self._engine: AsyncDownloadEngine | None = None
        self._hooks: Hooks | None = None

    @property
    def running(self) -> AsyncDownloadEngine | None:
        """The engine, None before it has started."""
        return self._engine

    async def start(self) -> AsyncDownloadEngine:
        """Start it."""
        from tui_dl.cli.compose import open_engine  # noqa: PLC0415  # a first screen comes before the engine

        opening = open_engine(self._settings, self._journal_file, is_get=False)
        opened = await self._stack.enter_async_context(opening)
        self._engine, self._hooks = opened.engine, opened.hooks
        return self._engine

    def snapshot(self) -> EngineSnapshot | None:
        """Return the present state, None before it has started."""
        return self._engine.snapshot() if self._engine is not None else None

    def has_errands(self) -> bool:
        """Return whether commands on events run or are due."""
        return self._hooks is not None and self._hooks.is_busy

    def refusal_of_proxies(self, proxies: Mapping[str, str] | None) -> str:
        """Return which proxy of a later environment is not ours; the session hears ours alone.

        An environment without any (cron, ssh with a command) has no wish, and what is added from there goes our way.
        """
        settings = self._settings
        if proxies is None or settings.proxy or not settings.use_environment_proxy:
            return ""
        ours = proxy_environment(os.environ)
        for name in PROXY_NAMES:
            if proxies.get(name) and proxies[name] != ours.get(name):
                return (
                    f"the running session was started with another {name} in its environment;"
                    " `tui-dl stop` first, or use --foreground or `tui-dl get`"
                )
        return ""

    async def take_options(self, options: Mapping[str, Any]) -> str:
        """Let settings hold from now on that can be set live; name the first that cannot, where it differs."""
        assert self._engine is not None
        now = self._engine.settings
        differing = {name: value for name, value in options.items() if getattr(now, name, None) != value}
        limit = differing.pop("limit_rate", None)
        if lasting := sorted(differing.keys() - set(LIVE)):
            option = lasting[0].replace("_", "-")
            return (
                f"--{option} is not what the running session was started with;"
                " `tui-dl stop` first, or use --foreground or `tui-dl get`"
            )
        try:
            if differing:
                await self._engine.execute(Command(CommandName.SET_SETTINGS, arguments={"settings": differing}))
            if limit is not None:
                await self._engine.execute(Command(CommandName.SET_LIMIT, arguments={"limit": limit, "for_good": True}))
        except UsageError as error:
            return error.message
        return ""

    async def aclose(self) -> None:
        """Make everything durable and close it."""
        await self._stack.aclose()
