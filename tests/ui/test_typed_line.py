"""The line of the prompt: what it means, what can follow, and what is said of mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tui_dl.core.errors import UsageError
from tui_dl.core.query import SortKey
from tui_dl.core.query_text import parse_query
from tui_dl.core.target_words import Targets
from tui_dl.ui.actions import ACTIONS
from tui_dl.ui.columns import LiveSort
from tui_dl.ui.completion import Known
from tui_dl.ui.prompt_history import MOST_CHARS, MOST_LINES, PromptHistory
from tui_dl.ui.typed_line import complete_line, read_line

if TYPE_CHECKING:
    from tui_dl.ui.action import Action

KNOWN = Known(hosts=("cdn.example.org", "b.example"), batches=("my films",), themes=("nord", "tui-dl-dark"))


def query(text: str) -> Targets:
    """Make the targets of a filter."""
    return Targets(query=parse_query(text))


@pytest.mark.parametrize(
    ("line", "name", "given", "targets"),
    [
        ("pause", "pause", {}, None),
        (":pause host:example.org", "pause", {}, query("host:example.org")),
        ("retry status:failed -host:x", "retry", {}, query("status:failed -host:x")),
        ("retry --restart 7 9 7", "retry", {"restart": True}, Targets((7, 9))),
        ("cancel --all", "cancel", {}, query("")),
        ('can batch:"my films"', "cancel", {}, query('batch:"my films"')),
        ("limit 5M", "limit", {"limit": 5 * 2**20}, None),
        ("limit off --for-good", "limit", {"limit": 0, "for_good": True}, None),
        ("limit 5M .", "limit", {"limit": 5 * 2**20}, Targets()),
        ("limit 512K name:*.iso", "limit", {"limit": 512 * 1024}, query("name:*.iso")),
        ("limit 08:00,512K Sat-23:00,off", "limit", {"limit": "08:00,512K Sat-23:00,off"}, None),
        ("concurrency 20", "concurrency", {"value": 20}, None),
        ("conc -2", "concurrency", {"delta": -2}, None),
        ("connections +1 7", "connections", {"delta": 1}, Targets((7,))),
        ("priority high name:*.iso", "priority", {"value": "high"}, query("name:*.iso")),
        ("prio l", "priority", {"value": "low"}, None),
        ("move top size:>1G", "move", {"position": 0, "how": "set"}, query("size:>1G")),
        ("move bottom", "move", {"position": 0, "how": "end"}, None),
        ("move 3 7", "move", {"position": 2, "how": "set"}, Targets((7,))),
        ("sort size", "sort", {"order": SortKey.SIZE}, None),
        ("sort speed down", "sort", {"order": LiveSort.SPEED, "is_descending": True}, None),
        ("sort", "sort", {}, None),
        ('filter host:x "two words"', "filter", {"filter": 'host:x "two words"'}, None),
        ("tab failed", "tab", {"tab": "failed"}, None),
        ("12,345", "row", {"row": 12345}, None),
        ("set per_host 4", "set", {"settings": {"per_host": 4}}, None),
        ("set timeout=2.5", "set", {"settings": {"timeout": 2.5}}, None),
        ("clear-finished batch:old", "clear-finished", {}, query("batch:old")),
        ("delete_part status:cancelled", "delete-part", {}, query("status:cancelled")),
        ("q", "quit", {}, None),
        ("theme nord", "theme", {"theme": "nord"}, None),
        (
            "add https://a.example/x  https://b.example/y",
            "add",
            {"text": "https://a.example/x  https://b.example/y"},
            None,
        ),
    ],
)
def test_what_a_line_means(line: str, name: str, given: dict[str, Any], targets: Targets | None) -> None:
    """A name or its beginning, the argument, and ids or a filter."""
    found = read_line(line)
    assert (found.action.name, dict(found.typed.given), found.typed.targets) == (name, given, targets)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_command_can_be_typed_by_its_name(action: type[Action]) -> None:
    """What wants something after it says so, the others are understood as they stand."""
    if action.argument is None or not action.argument.is_needed:
        assert read_line(action.name).action is action
    else:
        with pytest.raises(UsageError, match=f"^{action.name} wants "):
            read_line(action.name)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("frobnicate", "there is no command 'frobnicate'; Tab offers all"),
        ("puase", "did you mean pause?"),
        ("pa", "'pa' may be pause, pause-all, page-down, page-up, palette: type more of it, or Tab"),
        ("\x1b[31m", "there is no command '"),
        ("pause hst:x", "there is no term hst: .did you mean host:"),
        ("pause 7 name:x", "ids and a filter do not go together"),
        ("pause --all host:x", "--all means every download"),
        ("pause --restart", "pause has no --restart; it takes --all"),
        ('pause "x', "its quotation mark is not closed"),
        ("quit now", "quit takes nothing more: 'now'"),
        ("concurrency many", "concurrency: 'many' is no number; write 20"),
        ("concurrency 0", "concurrency: concurrent_downloads: 0 is out of bounds"),
        ("limit fast", "limit: 'FAST' is not a size|limit: 'fast' is not a size"),
        ("limit -5M", "limit: '-5M' is negative"),
        ("priority urgent", "priority: 'urgent' is not known here; known are high, normal, low"),
        ("priority", "priority wants high.normal.low after it"),
        ("move nowhere", "move: 'nowhere' is no place; say top, bottom, or a number from 1"),
        ("sort sise", "did you mean size?"),
        ("sort size sideways", "known are up, down"),
        ("filter size:big", "filter: size:big: "),
        ("row 0", "they begin at 1"),
        ("set ascii true", "set: ascii holds from one start to the next"),
        ("set per_host", "write the new value after the setting"),
        ("set prehost 3", "did you mean 'per_host'"),
    ],
)
def test_a_mistake_is_named_with_the_way_out(line: str, words: str) -> None:
    """What is wrong, and what to type instead."""
    with pytest.raises(UsageError, match=words):
        read_line(line)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("retr", ("retry", "retry-failed")),
        (":dele", ("delete-part",)),
        ("pause ho", ("host:",)),
        ("pause host:exam", ("host:cdn.example.org", "host:b.example")),
        ("pause --", ("--all",)),
        ("retry --r", ("--restart",)),
        ("priority ", ("high", "normal", "low")),
        ("priority high st", ("status:",)),
        ("sort s", ("size", "speed", "status")),
        ("sort size ", ("up", "down")),
        ("filter batch:fi", ('batch:"my films"',)),
        ("set per_h", ("per_host",)),
        ("theme n", ("nord",)),
        ("tab f", ("failed",)),
        ("quit ", ()),
        ("frobnicate x", ()),
    ],
)
def test_what_is_offered(typed: str, offered: tuple[str, ...]) -> None:
    """Names, then what the command takes, then terms and the values known of them."""
    assert complete_line(typed, len(typed), KNOWN).candidates == offered


def test_a_single_command_is_explained() -> None:
    """How it is typed, and what it does."""
    about = "limit [5M|off|TIMETABLE] [--for-good] [ID|FILTER|--all]: Set a speed limit, for all or for these."
    assert complete_line("limi", 4, KNOWN).example == about


def test_a_candidate_takes_the_place_of_its_word() -> None:
    """The colon that a person typed again stays in front."""
    assert complete_line(":dele x", 5, KNOWN).applied(":dele x", 5) == (":delete-part x", 13)


def test_history_keeps_what_may_be_seen_again() -> None:
    """The newest first, each once, a hundred at most; no address, and nothing that was pasted by the page."""
    history = PromptHistory()
    for line in ("pause", "retry host:x", "pause", "add https://user:secret@a.example/", "x" * (MOST_CHARS + 1), ""):
        history.add(line)
    assert history.beginning("") == ["pause", "retry host:x"]
    assert history.beginning("re") == ["retry host:x"]
    for number in range(MOST_LINES + 5):
        history.add(f"row {number}")
    assert len(history) == MOST_LINES
