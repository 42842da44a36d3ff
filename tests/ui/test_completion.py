"""What a filter can go on with."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from tests.ui.fake_engine import FakeEngine, make_task
from tests.ui.pilots import running, screen_text, settle
from tui_dl.core.query_text import parse_terms
from tui_dl.core.status import Status
from tui_dl.ui.completion import Known, complete, is_term_begun
from tui_dl.ui.term_text import terms_text

KNOWN = Known(hosts=("cdn.example.org", "b.example"), batches=("my films", "books"))


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ("host:", "status:", "batch:", "size:", "name:", "reason:")),
        ("ho", ("host:",)),
        ("-st", ("-status:",)),
        ("iso host:", ("host:cdn.example.org", "host:b.example")),
        ("host:exam", ("host:cdn.example.org", "host:b.example")),
        ("status:fai", ("status:failed",)),
        ("status:paused,fai", ("status:paused,failed",)),
        ("batch:fi", ('batch:"my films"',)),
        ('batch:"my f', ('batch:"my films"',)),
        ("reason:dns", ("reason:dns-failed",)),
        ("status:failed", ()),
        ("debian", ()),
    ],
)
def test_what_is_offered(typed: str, offered: tuple[str, ...]) -> None:
    """Terms by their beginning, values by any part of them."""
    assert complete(typed, len(typed), KNOWN).candidates == offered


def test_a_candidate_takes_the_place_of_its_word() -> None:
    """What stands before and behind it stays, and the cursor goes on behind it."""
    completion = complete("iso status:fai png", 14, KNOWN)
    assert completion.applied("iso status:fai png", 14) == ("iso status:failed png", 18)


def test_a_size_has_an_example() -> None:
    """Where nothing is known to choose from it is said how it is written."""
    assert ">1G" in complete("size:", 5, KNOWN).example


@pytest.mark.parametrize(
    "typed",
    [
        "debian",
        '"two words"',
        "status:failed,paused",
        "-host:a.example",
        'batch:"=my films"',
        "size:>1M",
        "size:1M..2M",
        "-size:<10K",
        "reason:=not-found host:=a.example:8080",
        'url:"a b" -dir:x name:*.iso',
        '"host:"',
    ],
)
def test_terms_are_written_as_they_are_read(typed: str) -> None:
    """Terms that were written again are the same terms."""
    terms = parse_terms(typed)
    assert parse_terms(terms_text(terms)) == terms


async def test_a_bad_term_is_named_and_nothing_typed_is_lost() -> None:
    """The line stays open with its text, the rows stay as they were, and Enter does not close it."""
    engine = FakeEngine([make_task(1, "a.iso"), make_task(2, "b.png", Status.FAILED)])
    async with running(engine) as (app, pilot):
        await pilot.press("/", *"iso sizz:4", "enter")
        await settle(app, pilot)
        assert "did you mean size:" in screen_text(app)
        assert (app.main.filter_line.value, len(app.main.model)) == ("iso sizz:4", 2)
        assert app.main.filter_line.has_class("-shown")
        await pilot.press("escape")
        await settle(app, pilot)
        assert not app.main.filter_line.has_class("-shown")


async def test_tab_completes() -> None:
    """A word that is begun is offered and taken by Tab; it is no mistake while it may go on."""
    engine = FakeEngine([make_task(1, "a.iso"), make_task(2, "b.png", Status.FAILED)])
    async with running(engine) as (app, pilot):
        await pilot.press("/", *"sta", "tab", *"fai")
        await settle(app, pilot)
        assert "Tab status:failed" in screen_text(app)
        await pilot.press("tab", "enter")
        await settle(app, pilot)
        assert (app.main.state.filter, len(app.main.model)) == ("status:failed", 1)


@pytest.mark.parametrize(
    ("typed", "is_begun"),
    [("stat", True), ("iso -ho", True), ("status:", False), ("status:fa", False), ("iso ", False), ("statu e", False)],
)
def test_half_a_term_is_known_as_one(typed: str, is_begun: bool) -> None:
    """Rows that hold `stat` are not what the one who types `status:failed` looks for."""
    assert is_term_begun(typed, len(typed)) is is_begun


async def test_half_a_term_leaves_the_rows_alone() -> None:
    """Enter says that the word was meant as it stands."""
    engine = FakeEngine([make_task(1, "a.iso"), make_task(2, "stat.png", Status.FAILED)])
    async with running(engine) as (app, pilot):
        with patch("tui_dl.ui.widgets.filter_line.REST_S", 0.0):
            await pilot.press("/", *"stat")
            await settle(app, pilot)
            assert len(app.main.model) == 2
            await pilot.press("enter")
            await settle(app, pilot)
            assert len(app.main.model) == 1
