"""Triage and batches: what failed and why, what was added and how it ended."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from tests.ui.fake_engine import FakeEngine, make_task
from tests.ui.pilots import lines_of, notices, running, screen_text, settle
from tui_dl.core.commands import Command, CommandName, CommandOutcome
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.ports import FailureGroup
from tui_dl.core.query import TaskQuery
from tui_dl.core.query_text import parse_terms
from tui_dl.core.status import Status, Tab
from tui_dl.ui.exporting import export
from tui_dl.ui.glyphs import ASCII
from tui_dl.ui.triage import TriageRow, group_terms, triage_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tui_dl.core.task import DownloadTask

GROUPS = (
    FailureGroup(Reason.NOT_FOUND, "a.example", 3),
    FailureGroup(Reason.DNS_FAILED, "b.example", 4),
    FailureGroup(Reason.NOT_FOUND, "b.example", 2),
)
NOT_FOUND_AT_A = "status:failed reason:=not-found host:=a.example"


def failed_scene() -> FakeEngine:
    """Make failures of two reasons at two hosts, in two batches, and one file that is done."""
    hosts = [group for group in GROUPS for _ in range(group.count)]
    tasks = [
        make_task(number, f"f{number}", Status.FAILED, reason=group.reason, host=group.host, batch_id=1 + number % 2)
        for number, group in enumerate(hosts, 1)
    ]
    engine = FakeEngine([*tasks, make_task(50, "done", Status.COMPLETED, batch_id=1, downloaded_bytes=2048)])
    engine.names_of_batches = {1: "films", 2: "my books"}
    return engine


def test_reasons_stand_by_their_totals_with_open_ones_unfolded() -> None:
    """The largest reason is first; only an open one shows its hosts."""
    rows = triage_rows(GROUPS, {Reason.DNS_FAILED})
    assert [(row.reason, row.host, row.count, row.hosts) for row in rows] == [
        (Reason.NOT_FOUND, None, 5, 2),
        (Reason.DNS_FAILED, None, 4, 1),
        (Reason.DNS_FAILED, "b.example", 4, 0),
    ]


@pytest.mark.parametrize(
    ("scope", "host", "terms"),
    [
        ("", None, "status:failed reason:=not-found"),
        ("batch:films png", "a.example", f"batch:films png {NOT_FOUND_AT_A}"),
        ("host:example", "a.example", NOT_FOUND_AT_A),
        ("host:example reason:404", None, "host:example status:failed reason:=not-found"),
        ("-host:b.example", None, "-host:b.example status:failed reason:=not-found"),
    ],
)
def test_a_group_is_a_question_within_the_scope(scope: str, host: str | None, terms: str) -> None:
    """Two hosts would mean either of them, so a wider term of the scope gives way to the group's own."""
    row = TriageRow(Reason.NOT_FOUND, 1, host)
    assert group_terms(parse_terms(scope), row) == parse_terms(terms)


async def test_the_screen_of_failures_counts_and_hints() -> None:
    """`f` shows reasons with totals and hosts, and the way out of the one under the cursor."""
    async with running(failed_scene()) as (app, pilot):
        await pilot.press("f")
        await settle(app, pilot)
        text = screen_text(app)
        assert "9 failed: 2 reasons, 2 hosts" in text
        assert "5  ▾ not found (404)   2 hosts" in text
        assert "Check the address, or give a fresh link" in text
        await pilot.press("space")
        await settle(app, pilot)
        assert "a.example" not in screen_text(app)
        await pilot.press("escape")
        assert app.screen is app.main


@pytest.mark.parametrize(
    ("keys", "name", "terms"),
    [
        (["r"], CommandName.RETRY, "status:failed reason:=not-found"),
        (["j", "r"], CommandName.RETRY, NOT_FOUND_AT_A),
        (["j", "x", "y"], CommandName.CLEAR_FINISHED, NOT_FOUND_AT_A),
        (["u"], CommandName.UNDO, None),
    ],
)
async def test_a_group_is_retried_dropped_or_brought_back(
    keys: list[str], name: CommandName, terms: str | None
) -> None:
    """The engine is asked for the rows of the group by a question."""
    engine = failed_scene()
    engine.outcome = CommandOutcome(3)
    async with running(engine) as (app, pilot):
        await pilot.press("f")
        await settle(app, pilot)
        for key in keys:
            await pilot.press(key)
            await settle(app, pilot)
        assert len(notices(app)) == 1
    query = None if terms is None else TaskQuery(terms=parse_terms(terms))
    assert engine.commands == [Command(name, query=query)]


async def test_dropping_names_how_many_and_no_drops_none() -> None:
    """What is taken off the list is counted in the question."""
    engine = failed_scene()
    async with running(engine) as (app, pilot):
        await pilot.press("f")
        await settle(app, pilot)
        await pilot.press("j", "x")
        await settle(app, pilot)
        assert "Take 3 failed downloads of a.example off the list?" in screen_text(app)
        await pilot.press("escape")
        await settle(app, pilot)
    assert engine.commands == []


async def test_enter_shows_the_rows_of_a_group() -> None:
    """The table is filtered by the group, and the filter says so."""
    async with running(failed_scene()) as (app, pilot):
        await pilot.press("f")
        await settle(app, pilot)
        await pilot.press("j", "enter")
        await settle(app, pilot)
        assert app.screen is app.main
        assert (app.main.state.filter, app.main.state.tab) == (NOT_FOUND_AT_A, Tab.ALL)
        assert len(app.main.model) == 3


async def test_a_group_is_exported_to_a_path_that_is_asked(tmp_path: Path) -> None:
    """`e` asks for the file and says how many addresses went there."""
    async with running(failed_scene()) as (app, pilot):
        await pilot.press("f")
        await settle(app, pilot)
        await pilot.press("j", "e")
        await settle(app, pilot)
        app.screen.query_one("#path", Input).value = str(tmp_path / "lost.txt")
        await pilot.press("enter")
        for _turn in range(100):
            if notices(app):
                break
            await pilot.pause(0.01)
        assert notices(app) == [f"3 addresses written to {tmp_path / 'lost.txt'}"]
    assert (tmp_path / "lost.txt").read_text() == "".join(f"https://host.example/f{n}\n" for n in (1, 2, 3))


async def test_an_export_as_csv_says_why(tmp_path: Path) -> None:
    """A name that ends in .csv gets a table with reasons, in the columns that a list is read by."""
    path = tmp_path / "lost.csv"
    assert await export(failed_scene(), TaskQuery(terms=parse_terms("reason:dns")), str(path)) == 4
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["url"], row["reason"], row["dir"]) for row in rows][:1] == [
        ("https://host.example/f4", "dns-failed", "/downloads")
    ]


async def test_an_export_overwrites_nothing(tmp_path: Path) -> None:
    """A file that is there stays as it is, and the message names it."""
    path = tmp_path / "mine.txt"
    path.write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        await export(failed_scene(), TaskQuery(), str(path))
    assert path.read_text() == "mine"


async def test_an_export_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """Where the rows cannot be had, half a file would look like a whole one."""

    class Broken(FakeEngine):
        """Has no rows."""

        async def rows(self, ids: Sequence[int]) -> list[DownloadTask]:
            raise UsageError(f"gone: {len(ids)}")

    with pytest.raises(UsageError, match="gone"):
        await export(Broken(failed_scene().tasks.values()), TaskQuery(), str(tmp_path / "x.txt"))
    assert not (tmp_path / "x.txt").exists()


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 36), (200, 50)])
@pytest.mark.parametrize("key", ["f", "b"])
async def test_the_lists_fit_every_size(size: tuple[int, int], key: str) -> None:
    """Head, counts and the way back are there on the smallest screen, in ASCII and without colours."""
    async with running(failed_scene(), size, glyphs=ASCII, environment={"NO_COLOR": "1"}) as (app, pilot):
        await pilot.press(key)
        await settle(app, pilot)
        lines = lines_of(app)
        assert lines[0].strip().startswith("Failures" if key == "f" else "Batches")
        assert any(line.startswith(">") for line in lines)
        assert "Back" in lines[-1]
        assert all(line.isascii() for line in lines)


async def test_batches_are_listed_and_lead_to_their_rows_and_failures() -> None:
    """`b` shows each batch with what became of it; Enter filters by it, f goes to its failures."""
    async with running(failed_scene()) as (app, pilot):
        await pilot.press("b")
        await settle(app, pilot)
        assert "my books" in lines_of(app)[2]
        assert "my books: 0 of 5 done, 5 failed, 0 B in 1:40" in screen_text(app)
        await pilot.press("enter")
        await settle(app, pilot)
        assert app.main.state.filter == 'batch:"=my books"'
        await pilot.press("b")
        await settle(app, pilot)
        await pilot.press("f")
        await settle(app, pilot)
        assert "Failures  " in lines_of(app)[0]
        assert 'batch:"=my books"' in lines_of(app)[0]


async def test_a_batch_that_ended_is_summed_up_and_f_leads_to_its_failures() -> None:
    """When the last row of a batch has ended one line says how it went; Esc lets it go."""
    engine = FakeEngine([make_task(1, "a", batch_id=7), make_task(2, "b", batch_id=7)])
    engine.names_of_batches = {7: "films"}
    async with running(engine) as (app, pilot):
        engine.run(1, 10, 1000.0)
        app.main.refresh_from_engine()
        await settle(app, pilot)
        assert "films:" not in screen_text(app)
        engine.progress.clear()
        engine.set_task(make_task(1, "a", Status.COMPLETED, batch_id=7, downloaded_bytes=1024))
        engine.set_task(make_task(2, "b", Status.FAILED, batch_id=7, reason=Reason.NOT_FOUND))
        await settle(app, pilot)
        await settle(app, pilot)
        assert "films: 1 of 2 done, 1 failed, 1.00 KiB in 1:40" in screen_text(app)
        assert "f: failures" in screen_text(app)
        await pilot.press("f")
        await settle(app, pilot)
        assert "/ batch:=films" in lines_of(app)[0]
        await pilot.press("escape")
        await settle(app, pilot)
        assert "films:" not in screen_text(app)


async def test_a_single_download_is_not_summed_up() -> None:
    """Its row tells its end."""
    engine = FakeEngine([make_task(1, "a", batch_id=7)])
    async with running(engine) as (app, pilot):
        engine.set_task(make_task(1, "a", Status.COMPLETED, batch_id=7))
        await settle(app, pilot)
        await settle(app, pilot)
        assert "1 of 1 done" not in screen_text(app)
