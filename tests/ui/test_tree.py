"""Playlists in the table: a head with its entries, opened and closed, chosen from, and while they stream in."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.ui.fake_engine import FakeEngine, make_task
from tests.ui.media_scene import HEAD, entry, head, running_playlist, waiting_playlist
from tests.ui.pilots import lines_of, notices, running, screen_text, settle
from tests.ui.test_hostile_text import HOSTILE, MIXTURES, assert_harmless
from tui_dl.core.commands import CommandName
from tui_dl.core.errors import Reason
from tui_dl.core.events import EventKind
from tui_dl.core.media import Kind
from tui_dl.core.query import SortKey
from tui_dl.core.status import Status
from tui_dl.ui.columns import LiveSort
from tui_dl.ui.glyphs import ASCII
from tui_dl.ui.row_model import PAGE_ROWS
from tui_dl.ui.viewer import LEAST_PAUSE_S

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui_dl.ui.app import TuiDlApp


def row_with(app: TuiDlApp, words: str) -> str:
    """Return the line that shows these words."""
    return next((line for line in lines_of(app) if words in line), "")


async def press(app: TuiDlApp, pilot: Pilot[Any], *keys: str) -> None:
    """Press keys and see what came of them."""
    await pilot.press(*keys)
    await settle(app, pilot)


async def test_a_playlist_is_a_tree() -> None:
    """The head says how many there are and were chosen, in the place of its size; entries stand below it."""
    async with running(waiting_playlist()) as (app, _pilot):
        lines = [line.strip() for line in lines_of(app)]
    name = "▾ Conference 2026 · 3 videos, 2 chosen"
    start = next(index for index, line in enumerate(lines) if line.startswith(name))
    assert lines[start].endswith("waits for your choice")
    assert [line.split("  ")[0] for line in lines[start + 1 : start + 4]] == [
        *("│ [✓] 01 Keynote", "│ [✓] 02 Engines that do not block", "│ [ ] 03 Closing")
    ]
    assert [line.split("  ")[-1].strip() for line in lines[start + 1 : start + 4]] == [
        "12:34, 720p",
        "12:34, as configured, subtitles en",
        "not chosen",
    ]


async def test_rows_under_way_say_what_is_done_with_them() -> None:
    """The head has a bar, a speed and counts; merging, yt-dlp's own downloader and missing fragments are named."""
    async with running(running_playlist()) as (app, _pilot):
        assert row_with(app, "Conference").endswith("31 %  11.9 MiB/s    12:04      0 of 3, 1 failed")
        assert row_with(app, "Keynote").endswith("100 %  merging")
        assert row_with(app, "Engines").endswith("by yt-dlp")
        assert row_with(app, "Closing").endswith("failed: 2 fragments are missing")


@pytest.mark.parametrize("keys", [["z"], ["j", "j", "z"]])
async def test_a_key_closes_and_opens_it(keys: list[str]) -> None:
    """From the head or an entry; the cursor stays with the playlist."""
    async with running(waiting_playlist()) as (app, pilot):
        await press(app, pilot, "j", *keys)
        assert ("Keynote" in screen_text(app), app.main.table.current_id) == (False, HEAD)
        assert "▸ ▸ Conference 2026" in screen_text(app)
        await press(app, pilot, "z")
        assert "▸ ▾ Conference 2026" in screen_text(app)
        assert "Keynote" in screen_text(app)


async def test_what_is_selected_stays_when_a_playlist_closes() -> None:
    """It hides rows, and is no other view."""
    async with running(waiting_playlist()) as (app, pilot):
        await press(app, pilot, "space", "z")
        assert app.main.model.selection.ids == (1,)


async def test_the_mouse_opens_and_chooses() -> None:
    """A click on the triangle, and one on the mark of an entry; the rest of the row does neither."""
    engine = waiting_playlist()
    async with running(engine) as (app, pilot):
        await pilot.click("#table", offset=(5, 3))
        await pilot.click("#table", offset=(12, 3))
        await settle(app, pilot)
        assert [(one.name, one.ids, one.arguments) for one in engine.commands] == [
            (CommandName.CHOOSE, (HEAD + 2,), {"chosen": False})
        ]
        await pilot.click("#table", offset=(2, 1))
        await settle(app, pilot)
        assert "Keynote" not in screen_text(app)


@pytest.mark.parametrize(
    ("keys", "ids", "chosen"),
    [
        (["j", "space"], (HEAD,), True),
        (["j", "j", "space"], (HEAD + 1,), False),
        (["j", "j", "j", "j", "space"], (HEAD + 3,), True),
        (["j", "j", "v", "j", "v", "space"], (HEAD + 1, HEAD + 2), False),
        (["space", "j", "space"], (HEAD + 1,), False),
    ],
)
async def test_space_chooses(keys: list[str], ids: tuple[int, ...], chosen: bool) -> None:
    """An entry is turned, a head means all, a selection all that is selected; a row outside of it itself alone."""
    engine = waiting_playlist()
    async with running(engine) as (app, pilot):
        await press(app, pilot, *keys)
    assert [(one.name, one.ids, one.arguments["chosen"]) for one in engine.commands] == [
        (CommandName.CHOOSE, ids, chosen)
    ]


async def test_space_goes_on_from_entry_to_entry() -> None:
    """Two presses deselect two; D downloads the chosen."""
    engine = waiting_playlist()
    async with running(engine) as (app, pilot):
        await press(app, pilot, "j", "j", "space")
        await press(app, pilot, "space")
        await press(app, pilot, "D")
    assert [(one.name, one.ids) for one in engine.commands] == [
        *((CommandName.CHOOSE, (HEAD + 1,)), (CommandName.CHOOSE, (HEAD + 2,))),
        (CommandName.DOWNLOAD_CHOSEN, (HEAD + 3,)),
    ]


async def test_a_choice_is_seen_without_an_event() -> None:
    """The engine tells nothing of a record whose choice alone has changed: it is fetched again."""
    engine = waiting_playlist()
    async with running(engine) as (app, pilot):
        before = engine.tasks[HEAD + 1]
        engine.tasks[HEAD + 1] = replace(before, facts=replace(before.facts, is_chosen=False))
        await press(app, pilot, "j", "j", "space")
        await settle(app, pilot)
        assert "[ ] 01 Keynote" in screen_text(app)


async def test_the_footer_offers_choosing_where_it_applies() -> None:
    """Neither for files nor for a playlist that is under way."""
    footers = {}
    for name, engine in (("waiting", waiting_playlist()), ("running", running_playlist())):
        async with running(engine) as (app, pilot):
            for row in ("file", "head", "entry"):
                footers[name, row] = lines_of(app)[-1]
                await press(app, pilot, "j")
    for words in ("Space Choose", "D Download chosen"):
        assert {key for key, line in footers.items() if words in line} == {("waiting", "head"), ("waiting", "entry")}
    without = {key for key, line in footers.items() if "m Formats" not in line}
    assert without == {("waiting", "file"), ("running", "file")}
    assert "z Close list" in footers["running", "head"]


async def test_a_video_alone_waits_for_the_word_only() -> None:
    """There is nothing to choose from: Space selects, D downloads."""
    engine = FakeEngine([make_task(1, "video", Status.WAITING, kind=Kind.MEDIA, reason=Reason.CHOICE)])
    async with running(engine) as (app, pilot):
        assert "D Download chosen" in lines_of(app)[-1]
        assert "Space Choose" not in lines_of(app)[-1]
        await press(app, pilot, "space")
        assert app.main.model.selection.ids == (1,)
        await press(app, pilot, "D")
    assert [(one.name, one.ids) for one in engine.commands] == [(CommandName.DOWNLOAD_CHOSEN, (1,))]


async def test_entries_stream_in_without_the_cursor_jumping() -> None:
    """The head counts them, and the current row stays where it is."""
    engine = FakeEngine(
        [head(Status.RESOLVING, is_reading=True, entry_count=1, chosen_count=1), make_task(99, "after")]
    )
    async with running(engine) as (app, pilot):
        await press(app, pilot, "G")
        for number in range(1, 8):
            engine.set_task(entry(number, reason=Reason.CHOICE), EventKind.ADDED)
        engine.set_task(replace(engine.tasks[HEAD], facts=replace(engine.tasks[HEAD].facts, entry_count=7)))
        for _turn in range(40):
            await settle(app, pilot)
            if "07" in screen_text(app):
                break
        assert "07" in screen_text(app)
        assert row_with(app, "Conference").endswith("reading, 7 so far")
        assert app.main.table.current_id == 99


async def test_a_thousand_entries_ask_for_few_views() -> None:
    """However many come, a view is asked for four times a second at most, and visible rows alone are fetched."""
    engine = FakeEngine([head(Status.RESOLVING, is_reading=True)])
    async with running(engine) as (app, pilot):
        queries, asked, began_at = len(engine.queries), engine.asked_rows, time.monotonic()
        for number in range(1, 1001):
            engine.set_task(entry(number, reason=Reason.CHOICE), EventKind.ADDED)
            if not number % 10:
                app.main.refresh_from_engine()
                await pilot.pause()
        while len(app.main.model) < 1001:
            await settle(app, pilot)
        views = len(engine.queries) - queries
        assert views <= 2 + (time.monotonic() - began_at) / LEAST_PAUSE_S
        assert engine.asked_rows - asked <= 2 * PAGE_ROWS * views


async def test_in_an_order_of_speeds_there_is_no_tree() -> None:
    """Each entry has its own place; the journal's orders keep the tree."""
    async with running(running_playlist()) as (app, pilot):
        app.main.choose(app.main.state.ordered_by(SortKey.NAME))
        await settle(app, pilot)
        assert "│ 01 Keynote" in screen_text(app)
        app.main.choose(app.main.state.ordered_by(LiveSort.SPEED))
        await settle(app, pilot)
        assert "│" not in screen_text(app)
        await press(app, pilot, "g", "z")
        assert "In this order each entry has its own place" in notices(app)[0]


async def test_what_is_counted_has_no_closed_playlists() -> None:
    """Failures of one that is closed are failures still."""
    engine = running_playlist()
    async with running(engine) as (app, pilot):
        await press(app, pilot, "j", "z", "f")
        assert "1 failed" in screen_text(app)
    assert not engine.queries[-1].closed_ids


async def test_what_is_missing_is_said_above_the_table() -> None:
    """With the command that installs it, until the row goes on."""
    engine = waiting_playlist()
    text = "ffmpeg is not installed: apt install ffmpeg"
    async with running(engine) as (app, pilot):
        failed = entry(1, Status.FAILED, reason=Reason.EXTRA_MISSING, reason_text=text)
        engine.set_task(failed, EventKind.FAILED)
        await settle(app, pilot)
        notice = app.main.query_one("#notices").plain  # type: ignore[attr-defined]
        assert text in notice
        engine.set_task(replace(failed, status=Status.PENDING, reason=None, reason_text=""))
        await settle(app, pilot)
        assert text not in app.main.query_one("#notices").plain  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 50)])
async def test_the_tree_fits_every_size(size: tuple[int, int]) -> None:
    """Triangle, mark and number are there, and no line is too long."""
    async with running(waiting_playlist(), size, glyphs=ASCII) as (app, _pilot):
        text = screen_text(app)
        assert "v Conference" in text
        assert "| [x] 01 Keynote" in text
        assert "| [ ] 03 Closing" in text
        assert text.isascii()
        assert max(map(len, lines_of(app))) <= size[0]


async def test_names_have_the_room_of_what_is_empty() -> None:
    """On 80 columns a title is read while there is neither size nor bar; both come back when there is."""
    async with running(waiting_playlist(), (80, 24)) as (app, _pilot):
        assert "Conference 2026 · 3 videos, 2 chosen" in screen_text(app)
        assert "02 Engines that do not block" in screen_text(app)
    async with running(running_playlist(), (80, 24)) as (app, _pilot):
        assert "━" in row_with(app, "Engines")
        assert "640 MiB" in row_with(app, "Engines")


@pytest.mark.parametrize("text", MIXTURES)
async def test_titles_act_on_nothing(text: str) -> None:
    """Neither in the tree nor in the details."""
    engine = waiting_playlist()
    for task in list(engine.tasks.values()):
        facts = replace(task.facts, title=text, extractor=text, video_id=text, format_label=text)
        engine.tasks[task.id] = replace(task, facts=facts, filename=HOSTILE[0])
    async with running(engine) as (app, pilot):
        for keys in (["enter"], ["j"], ["j"]):
            await press(app, pilot, *keys)
            assert_harmless(screen_text(app))
