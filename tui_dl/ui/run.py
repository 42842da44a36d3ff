"""Runs the screen on a terminal, inside a loop that may hold the engine too."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

from tui_dl.core.ports_session import Leaving
from tui_dl.ui.glyphs import glyphs_for
from tui_dl.ui.prompt_history import PromptHistory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui_dl.core.ports import EnginePort
    from tui_dl.core.ports_lists import ListPort
    from tui_dl.core.ports_session import TerminalOwner
    from tui_dl.core.ports_terminal import TerminalGrant
    from tui_dl.core.settings import Settings
    from tui_dl.core.task import DownloadTask

KEYS_PER_S = "120"
"""Textual's cap on updates a second: at 60 a key waits up to 25 ms for its frame, at 120 half of it (measured)."""


async def run_screen(
    connect: Callable[[], Awaitable[EnginePort]],
    *,
    settings: Settings,
    grant: TerminalGrant,
    folder: str,
    first_rows: Sequence[DownloadTask] = (),
    on_hangup: Callable[[], None] | None = None,
    lists: ListPort | None = None,
    owner: TerminalOwner | None = None,
    history: PromptHistory | None = None,
) -> Leaving:
    """Show the screen until the person leaves it; raises what `connect` raised, after the terminal is restored.

    Run it on a loop of `ui.loop.new_loop`. The engine is the caller's: it is neither started nor closed here.
    `owner`: whoever lent the terminal to a session, which goes on without the screen; None in the foreground.
    `history`: what was typed at the prompt of the screens before.
    """
    os.environ.setdefault("TEXTUAL_FPS", KEYS_PER_S)  # read when textual is imported, below
    from tui_dl.ui.app import TuiDlApp  # noqa: PLC0415 - textual is imported only for a screen
    from tui_dl.ui.start import Start  # noqa: PLC0415
    from tui_dl.ui.terminal.driver import driver_for  # noqa: PLC0415
    from tui_dl.ui.terminal.lent import LentScreen  # noqa: PLC0415
    from tui_dl.ui.terminal.signals import installed  # noqa: PLC0415

    start = Start(
        history=history if history is not None else PromptHistory(),
        connect=connect,
        folder=folder,
        settings=settings,
        environment=grant.environment,
        glyphs=glyphs_for(grant.environment, wants_ascii=settings.ascii),
        first_rows=first_rows,
        lists=lists,
        owner=owner,
    )
    app = TuiDlApp(start, driver_class=driver_for(grant, on_hangup=on_hangup))
    if owner is not None:
        owner.has_shown(LentScreen(app))
    # A terminal that tells its size in band is heard there; most send the signal alone, to whoever stands before it.
    signals = {} if owner is not None else {signal.SIGWINCH: app.terminal_resized}
    with installed(asyncio.get_running_loop(), signals):
        leaving = await app.run_async(mouse=settings.mouse)
    if app.failure is not None:
        raise app.failure
    return leaving if leaving is not None else Leaving.LOST
