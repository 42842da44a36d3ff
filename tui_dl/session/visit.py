"""One terminal lent to the session: the screen on it, and what its client says meanwhile."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import TuiDlError
from tui_dl.core.ports_session import Leaving, ScreenWish
from tui_dl.core.ports_terminal import TerminalGrant
from tui_dl.session.protocol import Word

if TYPE_CHECKING:
    from tui_dl.core.ports_session import ScreenPort, ShownScreen
    from tui_dl.session.channel import Channel
    from tui_dl.session.protocol import Hello

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.2
"""How often it is looked whether the client was stopped without a word (SIGSTOP)."""
ENDING_S: Final = 2.0
"""How long the end of a screen may take before it is cut off."""
MOST_CELLS: Final = 10_000
_STAT_BYTES: Final = 512


class Visit:
    """Fulfils `TerminalOwner` for a client; `run` shows the screen until it is left, lost or taken over."""

    def __init__(self, channel: Channel, hello: Hello, screens: ScreenPort, *, client_pid: int) -> None:
        self._channel = channel
        self._hello = hello
        self._screens = screens
        self._client_pid = client_pid
        self._screen: ShownScreen | None = None
        self._showing: asyncio.Task[Leaving] | None = None
        self._is_aside = False
        self._is_ending = False
        self.failure: BaseException | None = None
        """Why the screen could not be shown, or ended."""
        self.is_over = asyncio.Event()
        """Set when the terminal is not used any more."""

    async def run(self) -> Leaving:
        """Show the screen; return how it was left, the terminal given back."""
        in_fd, out_fd = self._channel.descriptors
        columns, rows = _size(self._hello.size)
        grant = TerminalGrant(
            in_fd=in_fd,
            out_fd=out_fd,
            columns=columns,
            rows=rows,
            environment=dict(self._hello.environment),
            can_suspend=False,
        )
        self._showing = asyncio.ensure_future(self._screens.show(ScreenWish(grant, self._hello.folder), self))
        beside = [asyncio.ensure_future(one) for one in (self._listen(), self._watch())]
        try:
            return await self._outcome(self._showing)
        finally:
            for one in beside:
                one.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            self.is_over.set()

    async def _outcome(self, showing: asyncio.Task[Leaving]) -> Leaving:
        """Wait for the screen; a fault of it is its own and harms nobody else."""
        try:
            return await showing
        except asyncio.CancelledError:
            if not showing.cancelled():
                showing.cancel()
                await asyncio.wait([showing], timeout=ENDING_S)
                raise
            return Leaving.LOST
        except TuiDlError as error:
            self.failure = error
        except Exception as error:  # the border of a screen: it is logged and ends this one alone
            logger.exception("a screen failed")
            self.failure = error
        return Leaving.LOST

    def end(self) -> None:
        """End the screen in order, at the latest after `ENDING_S`."""
        showing, self._is_ending = self._showing, True
        if showing is None or showing.done():
            return
        if self._screen is None:
            showing.cancel()
            return
        self._screen.leave()
        asyncio.get_running_loop().call_later(ENDING_S, showing.cancel)

    # -- the terminal's owner ------------------------------------------------------------------------------------------

    def has_shown(self, screen: ShownScreen) -> None:
        """Take note of the screen."""
        self._screen = screen

    def wants_aside(self) -> None:
        """Give the terminal to the shell: the client stops itself when it hears of it."""
        if self._screen is not None and not self._is_aside:
            self._is_aside = True
            asyncio.ensure_future(self._step_aside(self._screen))  # noqa: RUF006  # ends by itself within a second

    async def _step_aside(self, screen: ShownScreen) -> None:
        await screen.stand_aside()
        self._channel.say(Word.ASIDE)

    # -- the client ----------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Do what the client says, until it is gone."""
        while (message := await self._channel.next()) is not None:
            await self._heed(message)
        self.end()

    async def _heed(self, message: dict[str, Any]) -> None:
        word, screen = message.get("word"), self._screen
        if word == Word.LEAVE:
            self.end()
        elif screen is None or self._is_ending:
            return
        elif word == Word.SIZE:
            screen.resized()
        elif word == Word.ASIDE:
            self.wants_aside()
        elif word == Word.BACK:
            if not self._is_aside:
                await screen.stand_aside()
            self._is_aside = False
            screen.come_back()

    async def _watch(self) -> None:
        """Leave the terminal alone when the client was stopped without a word: the shell has it then."""
        try:
            stat = os.open(f"/proc/{self._client_pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return  # no such system, or gone already: its connection tells
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                with suppress(OSError):
                    state = os.pread(stat, _STAT_BYTES, 0).rpartition(b")")[2][1:2]
                    # Not "t": a debugger stops it for moments, and no signal says that it goes on.
                    if state == b"T" and self._screen is not None and not self._is_aside:
                        self._is_aside = True
                        await self._screen.stand_aside()
        finally:
            os.close(stat)


def _size(given: Any) -> tuple[int, int]:
    """Return columns and rows that a terminal can have, whatever was sent."""
    try:
        columns, rows = (min(max(int(one), 1), MOST_CELLS) for one in given)
    except (TypeError, ValueError):
        return 80, 24
    return columns, rows
