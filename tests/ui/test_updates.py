"""What is drawn when: only rows that look different, at the screen's own rate, and nothing for what is far away."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.ui.fake_engine import MIB, FakeEngine, HugeEngine, make_task
from tests.ui.pilots import lines_of, running, screen_text, settle
from tests.ui.scene import make_scene
from tui_dl.core.events import EventKind
from tui_dl.core.status import Status
from tui_dl.ui.bridge import Bridge
from tui_dl.ui.columns import LiveSort
from tui_dl.ui.row_model import PAGE_ROWS, RowModel
from tui_dl.ui.view_state import ViewState
from tui_dl.ui.viewer import FIRST_ROWS, Viewer

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from textual.geometry import Region
    from textual.message import Message

    from tui_dl.core.commands import Command, CommandOutcome
    from tui_dl.ui.app import TuiDlApp

HUGE = 1_000_000


def watch_refreshes(app: TuiDlApp, monkeypatch: pytest.MonkeyPatch) -> list[Region]:
    """Remember which regions of the table are refreshed from now on; the clock of the ages stands still."""
    monkeypatch.setattr(app.main, "_whole_now", lambda: app.main.look.now)
    app.main.table.redraw_changed()
    regions: list[Region] = []
    monkeypatch.setattr(app.main.table, "refresh", lambda *changed, **_options: regions.extend(changed))
    return regions


async def test_nothing_is_drawn_when_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks without news refresh no row."""
    async with running(make_scene()) as (app, pilot):
        regions = watch_refreshes(app, monkeypatch)
        for _tick in range(5):
            await settle(app, pilot)
    assert regions == []


async def test_only_the_row_that_changed_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row's new speed refreshes one line."""
    engine = make_scene()
    async with running(engine) as (app, pilot):
        regions = watch_refreshes(app, monkeypatch)
        engine.run(2, int(1.4 * 1024 * MIB), 33 * MIB)
        app.main.refresh_from_engine()
        await pilot.pause()
    assert {(region.y, region.height) for region in regions} == {(1, 1)}


async def test_a_change_too_small_to_see_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes more, which show as the same text, refresh nothing."""
    engine = make_scene()
    async with running(engine) as (app, pilot):
        regions = watch_refreshes(app, monkeypatch)
        engine.progress[1] = replace(
            engine.progress[1], downloaded_bytes=engine.progress[1].downloaded_bytes + 10, speed_bps=41.3 * MIB + 5
        )
        app.main.refresh_from_engine()
        await pilot.pause()
    assert regions == []


async def test_an_event_changes_the_row() -> None:
    """A row that ends shows its end without a new view."""
    engine = make_scene()
    async with running(engine) as (app, pilot):
        del engine.progress[4]
        engine.set_task(replace(engine.tasks[4], status=Status.COMPLETED), EventKind.COMPLETED)
        await settle(app, pilot)
        row = next(line for line in lines_of(app) if "linux-6.12" in line)
    assert row.endswith("done")


async def test_a_new_row_appears_and_the_cursor_stays_on_its_own() -> None:
    """Rows that come in front of the current one do not move the cursor to another download."""
    engine = FakeEngine(make_task(task_id, f"file-{task_id}") for task_id in range(10, 20))
    async with running(engine) as (app, pilot):
        await pilot.press("j", "j")
        engine.set_task(make_task(5, "newcomer"), EventKind.ADDED)
        for _turn in range(40):
            await settle(app, pilot)
            if "newcomer" in screen_text(app):
                break
            await pilot.pause(0.02)
        assert "newcomer" in screen_text(app)
        assert app.main.table.current_id == 12


async def test_a_million_rows_are_never_walked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scrolling, the far end and a filter fetch pages, and a frame looks at visible rows alone."""
    engine = HugeEngine(HUGE)
    async with running(engine) as (app, pilot):
        asked = []
        looked = 0
        original = RowModel.row

        def counting(model: RowModel, index: int) -> object:
            nonlocal looked
            looked += 1
            return original(model, index)

        monkeypatch.setattr(RowModel, "row", counting)
        for key in ("pagedown", "ctrl+d", "G", "/"):
            await pilot.press(key)
            await settle(app, pilot)
            asked.append(engine.asked_rows)
        assert "part-1000000.bin" in screen_text(app)
        await pilot.press(*"x", "enter")
        await settle(app, pilot)
        assert len(app.main.model) == HUGE // 10
    assert engine.asked_rows < 12 * PAGE_ROWS
    assert looked < 60 * app.size.height


async def test_selecting_a_million_rows_sends_a_question() -> None:
    """`*` on a huge view is one command with a question, not a million ids."""
    engine = HugeEngine(HUGE)
    async with running(engine) as (app, pilot):
        await pilot.press("*", "p")
        await settle(app, pilot)
    assert [(one.ids, one.query) for one in engine.commands] == [((), ViewState().query())]


def bridge_of(engine: FakeEngine, *, is_remote: bool = False) -> tuple[Bridge, list[Message]]:
    """Make a bridge, and the list of what it posts."""
    posted: list[Message] = []
    return Bridge(engine, posted.append, is_remote=is_remote), posted


@pytest.mark.parametrize(("is_remote", "expected"), [(False, 4), (True, 2)])
def test_numbers_come_less_often_than_bars(is_remote: bool, expected: int) -> None:
    """In eight ticks numbers come four times, over SSH twice; bars come each time."""
    bridge, posted = bridge_of(make_scene(), is_remote=is_remote)
    for _tick in range(8):
        bridge.tick()
    ticks = [message for message in posted if isinstance(message, Bridge.Ticked)]
    assert (len(ticks), sum(tick.has_numbers for tick in ticks)) == (8, expected)


def test_an_unwatched_window_is_drawn_once_a_second() -> None:
    """Without the focus only each fourth tick looks at the engine, and no event is lost."""
    engine = make_scene()
    bridge, posted = bridge_of(engine)
    bridge.has_focus = False
    for _tick in range(4):
        engine.set_task(engine.tasks[6])
        bridge.tick()
    happened = [message for message in posted if isinstance(message, Bridge.Happened)]
    assert [len(message.events) for message in happened] == [4]
    assert sum(isinstance(message, Bridge.Ticked) for message in posted) == 1


def test_a_still_engine_posts_nothing() -> None:
    """Without live rows, events or changes nothing is posted after the first snapshot."""
    bridge, posted = bridge_of(FakeEngine([make_task(1, "a")]))
    for _tick in range(9):
        bridge.tick()
    assert len(posted) <= 2


def test_a_closed_bridge_hears_nothing() -> None:
    """After the screen is gone the engine keeps no listener of it."""
    engine = make_scene()
    bridge, _posted = bridge_of(engine)
    bridge.close()
    assert engine._listeners == []


async def test_changes_of_the_engine_ask_for_a_view_at_most_four_times_a_second() -> None:
    """A burst of generations becomes few views; a person's choice is answered at once all the same."""
    engine, model = FakeEngine([make_task(1, "a")]), RowModel()
    viewer = viewer_of(engine, model)
    viewer.note(0)
    await viewer._renew()
    for generation in range(1, 50):
        viewer.note(generation)
        await viewer._renew()
    assert len(engine.queries) == 1
    viewer.ask(ViewState().filtered("a"))
    await viewer._renew()
    assert len(engine.queries) == 2


def viewer_of(
    engine: FakeEngine, model: RowModel, heard: list[object] | None = None, first_rows_s: float = 60.0
) -> Viewer:
    """Make a viewer whose time stands still; `heard` gets lengths of views and whether it is busy."""
    told = heard if heard is not None else []

    def show(ids: array[int], is_whole: bool) -> None:
        told.append((len(ids), is_whole))
        model.replace(ids)

    return Viewer(
        engine,
        model,
        on_view=show,
        on_rows=lambda: None,
        on_busy=told.append,
        clock=lambda: 0.0,
        first_rows_s=first_rows_s,
    )


async def test_a_long_view_begins_with_its_first_rows() -> None:
    """Of many rows the first are shown while the rest is on its way; then all of them."""
    engine, model, heard = HugeEngine(1_000_000), RowModel(), list[object]()
    viewer = viewer_of(engine, model, heard)
    await viewer._renew()
    assert heard == [(FIRST_ROWS, False), (1_000_000, True), False]


async def test_the_way_back_to_a_long_view_asks_nothing() -> None:
    """A filter that is dropped shows the rows that were there, unless something changed meanwhile."""
    engine, model, heard = HugeEngine(1_000_000), RowModel(), list[object]()
    viewer = viewer_of(engine, model, heard)
    for state in (ViewState(), ViewState().filtered("x"), ViewState()):
        viewer.ask(state)
        await viewer._renew()
    asked = len(engine.queries)
    assert (heard[-2:], asked) == ([(1_000_000, True), False], 4)
    viewer.note(7)
    viewer.ask(ViewState().filtered("x"))
    await viewer._renew()
    assert len(engine.queries) == asked + 1


async def test_a_newer_choice_does_not_wait_for_the_older_ones_view() -> None:
    """While a long view is on its way another filter breaks it off."""
    engine, model = HugeEngine(1_000_000), RowModel()
    engine.gate.clear()
    viewer = viewer_of(engine, model)
    running_viewer = asyncio.ensure_future(viewer.run())
    await until(lambda: engine.waiting == 1)
    viewer.ask(ViewState().filtered("x"))
    await until(lambda: engine.queries[-1].terms != () and engine.waiting == 1)
    engine.gate.set()
    await until(lambda: len(model) == 100_000)
    running_viewer.cancel()
    await asyncio.wait([running_viewer])
    assert running_viewer.cancelled()


async def test_rows_that_are_rare_are_not_waited_for_at_the_head_of_the_queue() -> None:
    """Looking at all of them is quicker then."""
    engine, model = HugeEngine(1_000_000), RowModel()
    engine.has_rare_rows = True
    viewer = viewer_of(engine, model, first_rows_s=0.0)
    await viewer._renew()
    assert len(model) == 1_000_000


async def test_rows_come_while_a_long_view_is_on_its_way() -> None:
    """The first rows have their records although the rest of the view takes long."""
    engine, model = HugeEngine(1_000_000), RowModel()
    engine.gate.clear()
    viewer = viewer_of(engine, model)
    running_viewer = asyncio.ensure_future(viewer.run())
    await until(lambda: engine.waiting == 1)
    viewer.want(0, 30)
    await until(lambda: model.row(30) is not None)
    assert engine.waiting == 1
    running_viewer.cancel()
    await asyncio.wait([running_viewer])


async def until(is_so: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    for _turn in range(1000):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come")


async def test_speed_sorts_live_rows_first() -> None:
    """Sorted by speed the fastest download is on top and the waiting queue follows in its order."""
    engine = make_scene()
    async with running(engine) as (app, pilot):
        app.main.choose(ViewState(order=LiveSort.SPEED, is_descending=True))
        await settle(app, pilot)
        first = [app.main.model.id_at(index) for index in range(7)]
    assert first == [1, 2, 4, 5, 3, 6, 7]


@pytest.mark.parametrize(("key", "row"), [("down", 1), ("pagedown", 30), ("end", HUGE - 1)])
async def test_every_key_that_moves_moves_the_cursor(key: str, row: int) -> None:
    """In a table longer than the screen the keys of the list move the cursor, not only what is in sight."""
    async with running(HugeEngine(HUGE)) as (app, pilot):
        await pilot.press(key)
        await settle(app, pilot)
        assert app.main.table.cursor == row
        assert any(line.startswith("\u25b8") for line in lines_of(app))
        await pilot.press("g")
        await settle(app, pilot)
        assert app.main.table.cursor == 0


@pytest.mark.parametrize(("key", "words"), [("P", "pausing or resuming 1,000,000"), ("R", "retrying 1,000,000")])
async def test_a_key_for_all_says_at_once_what_goes_on(key: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine counts the rows it has come to with its next tick, which was half a second later."""
    engine, gate = HugeEngine(HUGE), asyncio.Event()
    monkeypatch.setattr(
        engine, "_counts", lambda: {Status.PAUSED if key == "P" else Status.FAILED: HUGE, Status.COMPLETED: 7}
    )
    carry_out = engine.execute

    async def execute(command: Command) -> CommandOutcome:
        await gate.wait()
        return await carry_out(command)

    monkeypatch.setattr(engine, "execute", execute)
    async with running(engine) as (app, pilot):
        await pilot.press(key)
        await pilot.pause()
        assert words in screen_text(app)
        gate.set()
        await settle(app, pilot)
        assert words not in screen_text(app)
