"""Textual's driver on a granted terminal: it blocks nobody, survives a lost terminal and leaves no trace."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import termios
import time
import tty
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import constants, events
from textual.driver import Driver
from textual.drivers.linux_driver import (
    KITTY_DISAMBIGUATE_ESCAPE_CODES,
    KITTY_REPORT_ALL_KEYS,
    KITTY_REPORT_ASSOCIATED_TEXT,
    LinuxDriver,
)
from textual.geometry import Size

from tui_dl.ui.terminal import sequences
from tui_dl.ui.terminal.appearance import dress
from tui_dl.ui.terminal.keyboard import KeyboardReader
from tui_dl.ui.terminal.writer import TerminalWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from tui_dl.core.ports_terminal import TerminalGrant

RESTORE_S: Final = 0.4
"""How long a terminal that does not read may hold up the end of the screen."""

KITTY_KEYS: Final = KITTY_DISAMBIGUATE_ESCAPE_CODES | KITTY_REPORT_ALL_KEYS | KITTY_REPORT_ASSOCIATED_TEXT


class TerminalDriver(LinuxDriver):
    """LinuxDriver without its signal handlers, its blocking queue and its use of the standard streams.

    Made by `driver_for(grant)`; `start_application_mode` and `stop_application_mode` may alternate (suspend,
    resume). Window changes come through `resized` or `refresh_size`; nothing listens to SIGWINCH here.
    """

    grant: ClassVar[TerminalGrant]
    """The terminal to work on."""
    on_hangup: ClassVar[Callable[[], None] | None] = None
    """Called on the loop, once, when the terminal is gone; without it the app exits."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        """Take the place of LinuxDriver's constructor, which installs handlers for SIGTSTP and SIGCONT."""
        grant = self.grant
        Driver.__init__(self, app, debug=debug, mouse=mouse, size=size or (grant.columns, grant.rows))
        self.fileno = grant.in_fd
        self.input_tty = os.isatty(grant.in_fd)
        self.attrs_before: list[Any] | None = None
        self._attrs_ours: list[Any] | None = None
        self.exit_event = Event()
        self._must_signal_resume = False
        self._in_band_window_resize = False
        self._mouse_pixels = False
        self._keyboard: KeyboardReader | None = None
        self._ending_keyboard: KeyboardReader | None = None
        self._writer: TerminalWriter | None = None
        self._give_up_at = 0.0
        self._has_hung_up = False
        self._is_taken = False
        self._takes_stop_signal = False
        self.mode_epoch = 0
        """Grows whenever the terminal's content is unknown again: a new start, a resumed one."""
        dress(app, grant.environment)

    @property
    def can_suspend(self) -> bool:
        """Whether the process may be stopped (Ctrl+Z) or the terminal lent to another program."""
        return self.grant.can_suspend

    @property
    def is_taken(self) -> bool:
        """Whether the terminal shows the screen now; not while it is lent to a shell."""
        return self._is_taken

    @property
    def pending(self) -> int:
        """Characters that the terminal has not taken yet."""
        return self._writer.pending if self._writer is not None else 0

    @property
    def has_hung_up(self) -> bool:
        """Whether the terminal is gone; output then vanishes."""
        return self._has_hung_up

    def call_when_drained(self, callback: Callable[[], None]) -> bool:
        """Call `callback` once on the loop when the terminal has taken all; False if it has already."""
        writer = self._writer
        return writer is not None and writer.call_when_drained(lambda: self._call_on_loop(callback))

    async def drained(self) -> None:
        """Return when the restore sequences are out, at the latest `RESTORE_S` after the mode was left.

        Nobody reads from the terminal any more then, so that its descriptors may be closed.
        """
        left_s = self._give_up_at - time.monotonic()
        if self._writer is not None and left_s > 0:
            await asyncio.to_thread(self._writer.join, left_s)
        if self._ending_keyboard is not None:
            await asyncio.to_thread(self._ending_keyboard.join, RESTORE_S)
            self._ending_keyboard = None

    def write(self, data: str) -> None:
        """Queue `data`; outside application mode the terminal belongs to others, and it vanishes."""
        if self._writer is not None:
            self._writer.write(data)

    def _get_terminal_size(self) -> tuple[int, int]:
        with contextlib.suppress(OSError):
            columns, rows = os.get_terminal_size(self.grant.out_fd)
            if columns and rows:
                return columns, rows
        return self.grant.columns, self.grant.rows

    def refresh_size(self) -> None:
        """Ask the terminal for its size and tell the app; the callback for SIGWINCH."""
        if not self._in_band_window_resize:
            self.resized(*self._get_terminal_size())

    def resized(self, columns: int, rows: int) -> None:
        """Tell the app that the terminal is now `columns` by `rows` cells."""
        size = Size(max(1, columns), max(1, rows))
        self.send_message(events.Resize(size, size))

    def start_application_mode(self) -> None:
        """Take the terminal: alternate screen, raw keys, mouse, paste and focus reports."""
        self.mode_epoch += 1
        self._is_taken = True
        self.exit_event.clear()
        self._writer = TerminalWriter(self.grant.out_fd, on_dead=self._hang_up)
        self._writer.start()
        self._set_raw_keys()
        self.write("\x1b[?1049h\x1b[?25l\x1b[?1004h")
        if not constants.DISABLE_KITTY_KEY:
            self.write(f"\x1b[>{KITTY_KEYS}u")
        self._keyboard = KeyboardReader(
            self.fileno, on_message=self.process_message, on_hangup=self._hang_up, is_debug=self._debug
        )
        self._keyboard.start()
        self._request_terminal_sync_mode_support()
        self._query_in_band_window_resize()
        self._enable_bracketed_paste()
        self._disable_line_wrap()
        self._enable_mouse_support()
        self.refresh_size()
        self._take_stop_signal()
        if self.mode_epoch > 1:
            self._app.call_later(self._app.refresh)
        if self._must_signal_resume:
            self._must_signal_resume = False
            self.send_message(self.SignalResume())

    def _set_raw_keys(self) -> None:
        """Turn echo, line editing, signals and flow control off, remembering what was."""
        try:
            self.attrs_before = termios.tcgetattr(self.fileno)
            attrs = termios.tcgetattr(self.fileno)
            attrs[tty.LFLAG] = self._patch_lflag(attrs[tty.LFLAG])
            attrs[tty.IFLAG] = self._patch_iflag(attrs[tty.IFLAG])
            attrs[tty.CC][termios.VMIN] = 1
            termios.tcsetattr(self.fileno, termios.TCSANOW, attrs)
            self._attrs_ours = termios.tcgetattr(self.fileno)
        except termios.error:
            self.attrs_before = None

    def _put_keys_back(self) -> None:
        """Give the terminal its line settings back, unless a shell that took over has set its own meanwhile."""
        if self.attrs_before is not None:
            with contextlib.suppress(termios.error):
                if termios.tcgetattr(self.fileno) == self._attrs_ours:
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            self.attrs_before = None

    def _request_terminal_sync_mode_support(self) -> None:
        """Ask for synchronised output; Apple's terminal would print a letter, so it is not asked."""
        if self.input_tty and self.grant.environment.get("TERM_PROGRAM", "") != "Apple_Terminal":
            self.write("\x1b[?2026$p")

    def disable_input(self) -> None:
        """Stop the keys: nothing typed from now on reaches the app, and what waits unread is dropped."""
        if self._keyboard is None:
            return
        self._keyboard.stop()
        self._ending_keyboard, self._keyboard = self._keyboard, None
        self.exit_event.set()
        with contextlib.suppress(termios.error):
            termios.tcflush(self.fileno, termios.TCIFLUSH)

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was found; a terminal that is behind loses its last frame instead."""
        self._is_taken = False
        self.disable_input()
        self._leave_stop_signal()
        self._put_keys_back()
        if self._writer is not None:
            if self._writer.pending:
                self._writer.discard()
            self._writer.write(sequences.restore(has_kitty_keys=not constants.DISABLE_KITTY_KEY))
            self._writer.finish(RESTORE_S)
        self._give_up_at = time.monotonic() + RESTORE_S
        self._in_band_window_resize = self._mouse_pixels = False

    def close(self) -> None:
        """End the writer; waits for what `drained` has not, never beyond `RESTORE_S` after the mode was left."""
        if self._is_taken:
            self.stop_application_mode()
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.stop(max(0.0, self._give_up_at - time.monotonic()))

    def close_if_left(self) -> None:
        """Do the same, unless the terminal was taken again."""
        if not self._is_taken:
            self.close()

    def _take_stop_signal(self) -> None:
        """Let SIGTSTP give the terminal back before the process stops, where the grant allows it."""
        if self.grant.can_suspend and not self._takes_stop_signal:
            with contextlib.suppress(ValueError, RuntimeError):  # not the main thread: the signal stays the default's
                self._loop.add_signal_handler(signal.SIGTSTP, self._stop_and_go_on)
                self._takes_stop_signal = True

    def _leave_stop_signal(self) -> None:
        if self._takes_stop_signal:
            self._takes_stop_signal = False
            self._loop.remove_signal_handler(signal.SIGTSTP)

    def _stop_and_go_on(self) -> None:
        """Stop the process; the line after the kill runs when the shell continues it."""
        self.suspend_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._must_signal_resume = True
        self.resume_application_mode()

    def _hang_up(self) -> None:
        """Take note that the terminal is gone; called from the reader's or the writer's thread."""
        self._call_on_loop(self._hung_up)

    def _hung_up(self) -> None:
        if not self._has_hung_up and self._writer is not None:
            self._has_hung_up = True
            on_hangup = type(self).on_hangup or self._app.exit
            on_hangup()

    def _call_on_loop(self, callback: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(callback)


def driver_for(grant: TerminalGrant, *, on_hangup: Callable[[], None] | None = None) -> type[TerminalDriver]:
    """Make the class to hand to `App(driver_class=...)`, which instantiates it itself.

    `on_hangup` is called on the loop when the terminal is gone; by default the app exits.
    """
    callback = None if on_hangup is None else staticmethod(on_hangup)
    return type("GrantedTerminalDriver", (TerminalDriver,), {"grant": grant, "on_hangup": callback})
