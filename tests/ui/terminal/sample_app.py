"""A small app on a granted terminal, run in a process of its own and commanded over a socket, one JSON a line."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import uvloop
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Footer, Input, Label

from tui_dl.core.ports_terminal import TerminalGrant
from tui_dl.ui.terminal import sequences
from tui_dl.ui.terminal.driver import TerminalDriver, driver_for
from tui_dl.ui.terminal.grant import terminal_size
from tui_dl.ui.terminal.screen_output import CalmOutput
from tui_dl.ui.terminal.signals import installed

if TYPE_CHECKING:
    from textual.app import ComposeResult

NAMES = (
    "debian-12.iso",
    "日本語の長い名前.mkv",
    "naïve café.txt",
    "한국어 파일.zip",
    "e\u0301tude.flac",
    "🎬 film.mp4",
    "Ωmega",
)
QUIET_S = 0.05
"""Longer than Textual gathers changes before it draws them."""
QUIET_TURNS = 100
"""Turns of the loop that a change takes at most, by way of the queues of widgets, to what is drawn."""
QUIET_ROUNDS = 2
"""A change may wait for two timers one after the other: a new size is taken over, then drawn."""
HEARTBEAT_S = 0.05
STYLES = [Style.parse(text) for text in ("white on black", "bold red on #202020", "italic #80ff00", "reverse")]


class Rows(ScrollView, can_focus=True):
    """Three hundred lines whose text depends on a seed."""

    def __init__(self) -> None:
        super().__init__()
        self.seed = 0

    def on_mount(self) -> None:
        """Make it scroll."""
        self.virtual_size = Size(60, 300)

    def render_line(self, y: int) -> Strip:
        """Draw line `y` of the window."""
        row = y + round(self.scroll_y)
        rng = random.Random(row * 1000 + self.seed)
        style = rng.choice(STYLES)
        parts = [
            Segment(f"{row:4} ", STYLES[0]),
            Segment(rng.choice(NAMES), style),
            Segment(f" {rng.randrange(10**6):8} ", STYLES[0]),
            Segment("━" * rng.randrange(20) + "╸", style),
        ]
        return Strip(parts).adjust_cell_length(self.size.width, STYLES[0])


class Question(ModalScreen[None]):
    """A dialog that covers the middle of wide characters."""

    CSS = "Question { align: center middle; } Label { width: 31; height: 5; border: round red; }"

    def compose(self) -> ComposeResult:
        """Show a label with wide characters and a field."""
        yield Label("日本 really? 本当に?")
        yield Input(placeholder="type")


class SampleApp(CalmOutput):
    """Rows and a footer, beating and obeying."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, driver_class: type[TerminalDriver], control: socket.socket) -> None:
        super().__init__(driver_class=driver_class)
        self.control = control
        self.shown = asyncio.Event()
        self.rows = Rows()
        self.is_churning = False
        self.beats = 0

    def compose(self) -> ComposeResult:
        """Show the rows above the footer."""
        yield self.rows
        yield Footer()

    def post_display_hook(self) -> None:
        """Take note of a frame."""
        self.shown.set()

    def on_mount(self) -> None:
        """Begin to obey and to beat."""
        self.run_worker(self.obey())
        self.run_worker(self.beat())

    async def beat(self) -> None:
        """Tell 20 times a second that the loop lives, and how much the terminal owes."""
        while True:
            self.beats += 1
            self.tell(beat=self.beats, pending=self.driver.pending, cpu_s=time.process_time())
            await asyncio.sleep(HEARTBEAT_S)
            if self.is_churning:
                self.rows.seed = self.beats
                self.rows.refresh()

    @property
    def driver(self) -> TerminalDriver:
        """The driver under test."""
        assert isinstance(self._driver, TerminalDriver)
        return self._driver

    def tell(self, **what: Any) -> None:
        """Send one line to the test."""
        self.control.sendall(json.dumps(what).encode() + b"\n")

    async def obey(self) -> None:
        """Take commands until the test is gone."""
        reader, writer = await asyncio.open_connection(sock=self.control.dup())
        try:
            while line := await reader.readline():
                command = json.loads(line)
                await getattr(self, "do_" + command.pop("do"))(**command)
        finally:
            writer.close()

    async def settle(self) -> None:
        """Return when nothing is drawn any more and the terminal has taken all.

        Timers that were due within a round have rung after it; on a busy machine what they began needs its turns.
        """
        quiet = 0
        while quiet < QUIET_ROUNDS or self.driver.pending:
            self.shown.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.shown.wait(), QUIET_S)
            for _turn in range(QUIET_TURNS):
                await asyncio.sleep(0)
            quiet = 0 if self.shown.is_set() else quiet + 1

    async def do_show(self, mark: str) -> None:
        """Settle, tell what the compositor holds and set a mark in the output."""
        await self.settle()
        update = self.screen._compositor.render_update(full=True, screen_stack=self._background_screens)
        lines = ["".join(strip.text for strip in line) for line in update.strips]  # type: ignore[union-attr]
        self.driver.write(sequences.window_title(mark))
        self.tell(mark=mark, lines=lines)

    async def do_session(self, seed: int, steps: int) -> None:
        """Do random things as a person might."""
        rng = random.Random(seed)
        for _ in range(steps):
            match rng.choice(["scroll", "modal", "toast", "seed", "part", "theme"]):
                case "scroll":
                    self.rows.scroll_to(y=rng.randrange(280), animate=False)
                case "modal" if isinstance(self.screen, Question):
                    self.pop_screen()
                case "modal":
                    await self.push_screen(Question())
                case "toast":
                    self.notify(rng.choice(NAMES), timeout=60)
                case "seed":
                    self.rows.seed = rng.randrange(1000)
                    self.rows.refresh()
                case "part":
                    self.rows.seed = rng.randrange(1000)
                    self.rows.refresh(self.rows.size.region.shrink((1, rng.randrange(9), 1, rng.randrange(9))))
                    self.rows.refresh()
                case "theme":
                    self.theme = rng.choice(["textual-dark", "nord", "gruvbox"])
            await asyncio.sleep(rng.random() * 0.02)  # a person's pace: some changes meet in one frame, others do not

    async def do_refresh(self) -> None:
        """Draw everything again although nothing changed."""
        for _ in range(3):
            self.screen.refresh()
            self.rows.refresh()
            await self.settle()

    async def do_repaint(self) -> None:
        """Draw the whole terminal again."""
        self.action_repaint()

    async def do_churn(self, is_on: bool) -> None:
        """Change every row all the time, or stop it."""
        self.is_churning = is_on

    def on_key(self, key: Any) -> None:
        """Tell which key came."""
        self.tell(key=key.key)


class LoopWithPlainTasks(uvloop.Loop):
    """uvloop that stays without Textual's eager tasks, which crash it on Python 3.13."""

    def set_task_factory(self, _factory: object) -> None:
        """Keep the loop's own tasks."""


async def main() -> None:
    """Run on the terminal of the descriptor given, with or without an owner that wants to live on."""
    tty_fd, control_fd, mode = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    columns, rows = terminal_size(tty_fd)
    grant = TerminalGrant(tty_fd, tty_fd, columns, rows, dict(os.environ), can_suspend=mode == "suspend")
    control = socket.socket(fileno=control_fd)

    def live_on() -> None:
        control.sendall(b'{"gone": true}\n')

    app = SampleApp(driver_for(grant, on_hangup=live_on if mode == "session" else None), control)
    if mode == "stock":
        app._is_calm = False
    loop = asyncio.get_running_loop()
    with installed(loop, {signal.SIGTERM: app.exit, signal.SIGHUP: app.exit, signal.SIGWINCH: app.terminal_resized}):
        await app.run_async()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=LoopWithPlainTasks if sys.argv[3] == "uvloop" else None) as runner:
        runner.run(main())
