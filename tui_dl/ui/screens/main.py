"""The main screen: places the widgets, and carries messages between them, the engine and the desk."""

from __future__ import annotations

import time
from array import array
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import BindingsMap
from textual.message import Message
from textual.screen import Screen

from tui_dl.core.events import EventKind
from tui_dl.core.query_text import BadTerm
from tui_dl.core.status import Tab
from tui_dl.ui.batch_watch import BatchWatch
from tui_dl.ui.bindings import bindings, with_bindings
from tui_dl.ui.breakpoints import BREAKPOINTS_X, BREAKPOINTS_Y, classes_for
from tui_dl.ui.bridge import TICK_S, Bridge
from tui_dl.ui.columns import COLUMNS
from tui_dl.ui.desk import ScreenDesk
from tui_dl.ui.format import units_named
from tui_dl.ui.keymap import action_named
from tui_dl.ui.media_text import Spot
from tui_dl.ui.missing import MissingPrograms
from tui_dl.ui.notice_text import notice_pieces
from tui_dl.ui.notifying import HOLD_S, Notifier
from tui_dl.ui.row import Look
from tui_dl.ui.row_model import RowModel
from tui_dl.ui.situating import situation_of
from tui_dl.ui.view_state import ViewState
from tui_dl.ui.viewer import Viewer
from tui_dl.ui.widgets.details import DetailsPane
from tui_dl.ui.widgets.filter_line import FilterHint, FilterLine
from tui_dl.ui.widgets.header import HeaderLine
from tui_dl.ui.widgets.key_bar import KeyBar
from tui_dl.ui.widgets.line import Line, Piece, Tone
from tui_dl.ui.widgets.prompt import PromptBar
from tui_dl.ui.widgets.table_head import TableHead
from tui_dl.ui.widgets.tabs import FILTER_TARGET, TabLine
from tui_dl.ui.widgets.task_table import TaskTable

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.geometry import Size

    from tui_dl.core.ports import BatchView, EnginePort, EngineSnapshot
    from tui_dl.ui.start import Start

RESORT_EVERY: Final = 4
"""Ticks with numbers between two sorts by speed: rows that swap places twice a second cannot be read."""


class MainScreen(Screen[None]):
    """Holds what the person sees; the state goes down to the widgets, wishes come up as messages."""

    class Aside(Message):
        """Something for the terminal itself that changes no cell: a bell, a note."""

        def __init__(self, sequence: str) -> None:
            super().__init__()
            self.sequence = sequence

    AUTO_FOCUS: ClassVar[str | None] = "#table"
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS_X
    VERTICAL_BREAKPOINTS = BREAKPOINTS_Y

    def __init__(self, start: Start) -> None:
        super().__init__()
        self.start = start
        """What the screen was started with."""
        self.keymap = start.keymap
        """Keys of the commands."""
        self._bindings = with_bindings(self._bindings, BindingsMap(bindings(self.keymap)))
        self.port: EnginePort | None = None
        """The engine, once it is there."""
        self.snapshot: EngineSnapshot | None = None
        """The newest one."""
        self.state = ViewState()
        """What is shown."""
        self.model = RowModel()
        """The rows."""
        self.look = Look(
            start.glyphs,
            units_named(start.settings.units),
            self._whole_now(),
            start.settings.max_retries,
            refresh_key=self.keymap.first("refresh"),
        )
        """How rows are drawn."""
        self.table = TaskTable(self.model, self.look, id="table")
        self.details = DetailsPane(id="details")
        self._filter_hint = FilterHint(id="filter-hint")
        self.filter_line = FilterLine(self._filter_hint, start.glyphs, id="filter")
        self.prompt = PromptBar(start.history, start.glyphs)
        self.desk = ScreenDesk(self)
        """Where the actions act."""
        self._header = HeaderLine(id="header")
        self._notices = Line(id="notices")
        self._tabs = TabLine(id="tabs")
        self._head = TableHead(id="head")
        self._keys = KeyBar(self.keymap, id="keys")
        self.ended: BatchView | None = None
        """Batch whose end is said, if one is."""
        self.clock = time.monotonic
        """Seconds that only grow, for what takes long."""
        self.missing = MissingPrograms()
        """What rows want that is not installed."""
        self.notifier = Notifier(
            start.settings.notify, lambda text: self.post_message(self.Aside(text)), start.environment, self.clock
        )
        """Who tells a person that looks elsewhere."""
        self._is_to_notify = False
        self._batch_watch = BatchWatch(self.show_end, self.clock)
        self._bridge: Bridge | None = None
        self._viewer: Viewer | None = None
        self._number_ticks = 0
        self._is_looking = False
        self._is_asking_details = False
        self._has_resumed = False

    def expect_size(self, size: Size) -> None:
        """Take the classes of this size before there are styles: with the first resize all were computed again."""
        self.update_classes(classes_for(size.width, size.height), update=False)

    def _whole_now(self) -> float:
        """Unix time in whole seconds, so that a row which counts down changes once a second."""
        return float(round(time.time()))

    def compose(self) -> ComposeResult:
        """Place the widgets from top to bottom."""
        yield self._header
        yield self._notices
        yield self._tabs
        yield self.filter_line
        yield self._filter_hint
        yield self._head
        yield self.table
        yield self.details
        yield self.prompt
        yield self._keys

    def on_mount(self) -> None:
        """Show the first page at once, and fetch the engine when it is painted."""
        if self.start.first_rows:
            ids = [task.id for task in self.start.first_rows]
            self.model.put(ids, self.start.first_rows)
            self.table.show_view(array("q", ids), is_far=False)
        self._header.say((Piece("tui-dl", Tone.STRONG),))
        self.show_state()
        self.call_after_refresh(self._begin)

    @work(group="engine")
    async def _begin(self) -> None:
        """Wait for the engine, then follow it."""
        self.port = port = await self.start.connect()
        self._bridge = Bridge(port, self.post_message, is_remote=self.start.is_remote)
        self._viewer = Viewer(
            port, self.model, on_view=self._show_view, on_rows=self._show_rows, on_busy=self._show_busy
        )
        self._bridge.tick(is_forced=True)
        self.desk.commander.begin()
        self.set_interval(TICK_S, self._bridge.tick)
        await self._viewer.run()

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Keep the styles of the first time: they were computed when the widgets were placed, just before."""
        if not self._has_resumed:
            self._has_resumed = True
            event.refresh_styles = False

    def on_unmount(self) -> None:
        """Let go of the engine."""
        if self._bridge is not None:
            self._bridge.close()

    # From the engine

    def on_bridge_happened(self, event: Bridge.Happened) -> None:
        """Take over the records that came with events."""
        # A row that was just added is in no table yet, and a list adds thousands between two ticks.
        tasks = [one.task for one in event.events if one.kind is not EventKind.ADDED]
        for task in tasks:
            self.model.take(task)
        self._batch_watch.note(tasks)
        self.missing.note(tasks)
        if self.notifier.note(event.events) and not self._is_to_notify:
            self._is_to_notify = True
            self.set_timer(HOLD_S, self._notify)
        self.table.redraw_changed()

    def _notify(self) -> None:
        self._is_to_notify = False
        if self.port is not None:
            self.notifier.look(self.port.snapshot().counts)

    def on_bridge_ticked(self, event: Bridge.Ticked) -> None:
        """Show a snapshot."""
        self.snapshot = event.snapshot
        self.model.live = event.snapshot.live
        if event.has_numbers:
            self._show_numbers(event.snapshot)
        if self._viewer is not None:
            self._viewer.note(event.snapshot.generation)
        self.table.redraw_changed()
        self.show_state()

    def _show_numbers(self, snapshot: EngineSnapshot) -> None:
        self.model.numbers = snapshot.live
        self.look = replace(self.look, now=self._whole_now())
        self.table.show_look(self.look)
        self._header.show_snapshot(snapshot, self.look.glyphs, self.look.units)
        self.show_notices()
        if self.port is not None:
            self.run_worker(self._batch_watch.look(self.port, snapshot.live.values()), group="batches")
        self._number_ticks += 1
        if self._viewer is not None and not self._number_ticks % RESORT_EVERY:
            self._viewer.sort_again()
        self.show_details()

    def show_notices(self) -> None:
        """Show what goes on behind, how a batch ended, and what a person should know for as long as it holds."""
        pieces = notice_pieces(self)
        self._notices.say(pieces)
        self._notices.set_class(bool(pieces), "-shown")

    def show_end(self, batch: BatchView | None) -> None:
        """Say how a batch ended, or let go of it."""
        self.ended = batch
        self.show_notices()

    @on(Line.Clicked, "#notices")
    def _open_failures(self) -> None:
        self.desk.open_failures()

    def _show_view(self, ids: array[int], is_whole: bool) -> None:
        self.table.show_view(ids, is_far=is_whole, is_whole=is_whole)

    def _show_rows(self) -> None:
        self.table.redraw_changed()
        self._keys.show_situation(situation_of(self))

    def _show_busy(self, is_busy: bool) -> None:
        if is_busy != self._is_looking:
            self._is_looking = is_busy
            self.show_state()

    # To the widgets

    def show_state(self) -> None:
        """Bring tabs, heads and keys up to what is chosen and selected."""
        counts = self.snapshot.counts if self.snapshot is not None else {}
        glyphs = self.look.glyphs
        selected = self.model.selection.count(len(self.model))
        self._tabs.show_state(self.state, counts, selected, glyphs, is_looking=self._is_looking)
        self._head.show_columns(self.table.placed, self.state, glyphs)
        self._keys.show_situation(situation_of(self))

    def show_keys(self, *, are_shown: bool) -> None:
        """Show the last line, or leave its place to the prompt."""
        self._keys.display = are_shown

    def choose(self, state: ViewState) -> None:
        """Show another tab, filter or order."""
        if state == self.state:
            return
        is_same_view = state.is_same_view(self.state)
        self.state = state
        if not is_same_view or self.model.selection.query is not None:
            self.model.selection.clear()
        self.look = replace(self.look, is_tree=state.is_tree, closed=state.closed)
        self.table.show_look(self.look)
        self.show_state()
        if self._viewer is not None:
            self._viewer.ask(state, keeps_place=is_same_view)

    def fetch_again(self) -> None:
        """Have the records of the visible rows fetched anew."""
        self.model.renew()
        if self._viewer is not None:
            self._viewer.want(*self.table.window)

    def refresh_from_engine(self) -> None:
        """Show at once what a command changed."""
        if self._bridge is not None:
            self._bridge.tick(is_forced=True)

    @work(group="details")
    async def show_details(self) -> None:
        """Show the current row in the pane, if it is open; never asks twice at the same time."""
        if self.port is None or not self.details.has_class("-shown") or self._is_asking_details:
            return
        self._is_asking_details = True
        try:
            task_id = None
            while task_id != (task_id := self.table.current_id):
                details = await self.port.details(task_id) if task_id is not None else None
                if details is None:
                    self.details.show_nothing()
                else:
                    self.details.show_details(details, self.model.numbers.get(details.task.id), self.look)
        finally:
            self._is_asking_details = False

    # From the person

    def action_act(self, name: str) -> None:
        """Do what a key stands for."""
        action_named(name).run(self.desk)

    def take_focus(self, *, has_focus: bool) -> None:
        """Draw once a second while the window is not looked at, and at full rate again."""
        self.notifier.take_focus(has_focus=has_focus)
        if self._bridge is not None:
            self._bridge.has_focus = has_focus

    @on(Line.Clicked, "#keys")
    def _act_by_click(self, event: Line.Clicked) -> None:
        self.action_act(event.target)

    @on(Line.Clicked, "#tabs")
    def _choose_tab(self, event: Line.Clicked) -> None:
        if event.target == FILTER_TARGET:
            self.desk.open_filter()
        else:
            self.choose(self.state.on_tab(Tab(event.target)))

    @on(Line.Clicked, "#head")
    def _choose_order(self, event: Line.Clicked) -> None:
        column = next(column for column in COLUMNS if column.key == event.target)
        self.choose(self.state.ordered_by(column.sort))

    def on_task_table_looked(self, event: TaskTable.Looked) -> None:
        """Have the records of visible rows fetched."""
        if self._viewer is not None:
            self._viewer.want(event.first, event.last)

    def on_task_table_cursor_moved(self) -> None:
        """Show keys and details of the new row."""
        self.show_state()
        self.show_details()

    def on_task_table_relaid(self) -> None:
        """Put the heads above their columns."""
        self.show_state()
        if self.snapshot is not None:
            self._header.show_snapshot(self.snapshot, self.look.glyphs, self.look.units)

    def on_task_table_double_clicked(self) -> None:
        """Show the details."""
        self.desk.toggle_details()

    def on_task_table_edge_clicked(self) -> None:
        """Select the row or let it go."""
        self.desk.select_here()

    def on_task_table_spot_clicked(self, event: TaskTable.SpotClicked) -> None:
        """Open or close the playlist, or choose the entry."""
        if event.spot is Spot.TRIANGLE:
            self.desk.fold()
        else:
            self.desk.choose_here()

    def on_details_pane_page_chosen(self) -> None:
        """Show the other page."""
        self.show_details()

    def on_filter_line_typed(self, event: FilterLine.Typed) -> None:
        """Filter while the person types; what is not understood changes nothing and is said in place."""
        try:
            state = self.state.filtered(event.text)
        except BadTerm as problem:
            self.filter_line.take_answer(problem)
            return
        self.choose(state)
        self.filter_line.take_answer(None)

    @on(Line.Clicked, "#filter-hint")
    def _take_candidate(self, event: Line.Clicked) -> None:
        self.filter_line.take_candidate(event.target)

    def on_filter_line_closed(self) -> None:
        """Give the keys back to the table."""
        self.set_focus(self.table)
        self.filter_line.release()

    def on_prompt_bar_entered(self, event: PromptBar.Entered) -> None:
        """Do what was typed."""
        self.desk.prompting.enter(event.text)

    def on_prompt_bar_left(self, event: PromptBar.Left) -> None:
        """Give the keys back to the table."""
        self.desk.prompting.leave(event.text)
