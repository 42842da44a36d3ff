"""A mixin for the app that keeps its output small and never lets a slow terminal hold it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from tui_dl.ui.terminal.diff import DiffUpdate
from tui_dl.ui.terminal.driver import TerminalDriver
from tui_dl.ui.terminal.sequences import SYNC_BEGIN, SYNC_END

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen

SYNC_FROM_CHARS: Final = 512
"""Frames shorter than this arrive in one piece anyway and are not worth the 16 bytes of a synchronised update."""

AHEAD_CHARS: Final = 256
"""What may be pending when a frame is drawn: a key's small frame or two that the writer has not come to yet."""

_METHODS: Final = (
    (App, ("_display", "_shutdown", "post_display_hook", "_handle_exception", "_check_bindings")),
    (LinuxDriver, ("_patch_lflag", "_patch_iflag", "_enable_mouse_support", "_enable_bracketed_paste")),
    (LinuxDriver, ("_disable_line_wrap", "_query_in_band_window_resize")),
)
_ATTRIBUTES: Final = (
    (App, ("_batch_count", "_sync_available", "_driver", "_closed", "_running")),
    (LayoutUpdate, ("strips", "region")),
    (ChopsUpdate, ("chops", "spans", "chop_ends")),
)


def missing_names() -> list[str]:
    """List the private names of Textual that we lean on and that the installed version lacks; empty is well."""
    methods = [f"{owner.__name__}.{name}" for owner, names in _METHODS for name in names if not hasattr(owner, name)]
    attributes = [
        f"{owner.__name__}.{name}"
        for owner, names in _ATTRIBUTES
        for name in names
        if not any(name in _names_in_constructor(base) for base in owner.__mro__[:-1])
    ]
    return methods + attributes


def _names_in_constructor(owner: type) -> tuple[str, ...]:
    """Give the names that the constructor of `owner` itself sets or uses."""
    code = getattr(vars(owner).get("__init__"), "__code__", None)
    return code.co_names if code is not None else ()


class CalmOutput(App[Any]):
    """Writes changed cells alone, and drops frames while the terminal has not taken the last one.

    Use: `class TuiDlApp(CalmOutput)` and `TuiDlApp(driver_class=driver_for(grant))`. With another driver (tests,
    textual-serve) or another Textual than we know, the output is Textual's own.
    """

    _diff: DiffUpdate | None = None
    _diff_epoch = -1
    _is_behind = False
    _last_cursor = (0, 0)
    _is_calm: bool | None = None

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Take the place of Textual's output for updates of the compositor on our own driver."""
        driver = self._driver
        if renderable is None or not isinstance(driver, TerminalDriver) or not self._can_draw():
            super()._display(screen, renderable)
        elif driver.pending > AHEAD_CHARS or driver.has_hung_up:
            self._fall_behind(driver)
            self.post_display_hook()
        elif isinstance(renderable, (LayoutUpdate, ChopsUpdate)) and self._has_known_textual():
            self._draw(driver, renderable)
            self.post_display_hook()
        else:
            self._diff = None
            super()._display(screen, renderable)

    def _can_draw(self) -> bool:
        """Tell whether Textual would draw now; what it would not draw must not reach the shadow either."""
        return self._running and not self._closed and not self._batch_count

    def _has_known_textual(self) -> bool:
        if self._is_calm is None:
            self._is_calm = not missing_names()
        return self._is_calm

    def _draw(self, driver: TerminalDriver, update: LayoutUpdate | ChopsUpdate) -> None:
        """Write the difference; a partial update on an unknown terminal asks for a full one instead."""
        diff = self._diff
        if diff is None or self._diff_epoch != driver.mode_epoch or (diff.columns, diff.rows) != self.size:
            self._diff = diff = DiffUpdate(self.size.width, self.size.height, self.console.color_system)
            self._diff_epoch = driver.mode_epoch
        if not diff.has_content and not _covers(update, diff):
            self.screen.refresh()
            return
        text = diff.render(update)
        text += self._cursor_move(has_text=bool(text))
        if len(text) >= SYNC_FROM_CHARS and self._sync_available:
            text = f"{SYNC_BEGIN}{text}{SYNC_END}"
        driver.write(text)

    def _cursor_move(self, *, has_text: bool) -> str:
        """Place the hidden cursor where a widget wants it (input methods open their window there)."""
        x, y = self.screen.outer_size.clamp_offset(self.cursor_position)
        is_wanted = has_text and (x, y) != (0, 0)
        if not is_wanted and (x, y) == self._last_cursor:
            return ""
        self._last_cursor = (x, y)
        return f"\x1b[{y + 1};{x + 1}H"

    def _fall_behind(self, driver: TerminalDriver) -> None:
        """Drop this frame; when the terminal has taken the last one, everything is drawn and compared once."""
        if not self._is_behind and not driver.has_hung_up:
            self._is_behind = True
            if not driver.call_when_drained(self._catch_up):
                self.call_later(self._catch_up)

    def _catch_up(self) -> None:
        self._is_behind = False
        if self._running and self._screen_stack:
            self.screen.refresh()

    def action_repaint(self) -> None:
        """Draw the whole screen anew, over whatever another program left on it."""
        self._diff = None
        self.screen.refresh()

    def write_aside(self, sequence: str) -> None:
        """Write what changes no cell: a bell, a note."""
        if self._driver is not None:
            self._driver.write(sequence)

    def terminal_resized(self) -> None:
        """Take over the terminal's size; the callback for SIGWINCH."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.refresh_size()

    async def _shutdown(self) -> None:
        """Let the terminal have its own back before errors are printed and the caller goes on, without blocking."""
        if isinstance(self._driver, TerminalDriver):
            await self._driver.drained()
        await super()._shutdown()


def _covers(update: LayoutUpdate | ChopsUpdate, diff: DiffUpdate) -> bool:
    return isinstance(update, LayoutUpdate) and tuple(update.region) == (0, 0, diff.columns, diff.rows)
