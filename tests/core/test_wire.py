"""Commands and rows survive the way to another process and back."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.commands import Command, CommandName, CommandOutcome
from tui_dl.core.errors import Reason
from tui_dl.core.media import Kind, MediaChoice, MediaFacts
from tui_dl.core.query import SortKey, TaskQuery, Term, TermKind
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadTask, Flag, OnExists, TaskOptions
from tui_dl.core.wire_commands import command_json, command_of, outcome_json, outcome_of
from tui_dl.core.wire_tasks import task_json, task_of

statuses = st.frozensets(st.sampled_from(Status), max_size=3)
sizes = st.none() | st.integers(0, 1 << 50)
terms = st.builds(
    Term,
    st.sampled_from(TermKind),
    st.text(max_size=5),
    statuses,
    sizes,
    sizes,
    is_exact=st.booleans(),
    is_negated=st.booleans(),
)
ids = st.lists(st.integers(0, (1 << 63) - 1), max_size=3).map(tuple)
queries = st.builds(
    TaskQuery,
    st.text(max_size=5),
    statuses,
    st.text(max_size=5),
    st.none() | st.integers(0, 1 << 40),
    st.sampled_from(SortKey),
    st.booleans(),
    st.lists(terms, max_size=3).map(tuple),
    st.booleans(),
    st.booleans(),
    ids,
)
commands = st.builds(
    Command,
    st.sampled_from(CommandName),
    ids,
    queries,
    ids,
    st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4), max_size=2),
)


@given(commands)
def test_commands_come_back(command: Command) -> None:
    """Every command is the same after it was written as JSON and read."""
    assert command_of(json.loads(json.dumps(command_json(command)))) == command


@given(ids, st.text(max_size=9), st.booleans(), st.none() | st.integers(0, 9))
def test_outcomes_come_back(found: tuple[int, ...], message: str, is_refused: bool, value: int | None) -> None:
    """Every outcome does."""
    outcome = CommandOutcome(len(found), found, message, is_refused, found[:1], value)
    assert outcome_of(json.loads(json.dumps(outcome_json(outcome)))) == outcome


def test_rows_come_back_without_secrets() -> None:
    """A row does, but for its validator and the values of secret headers."""
    options = TaskOptions(
        connections=3, headers=(("Cookie", "a=b"), ("X-Plain", "c")), mirrors=("http://m/",), on_exists=OnExists.SKIP
    )
    row = DownloadTask(
        7,
        "http://h/f",
        "/d",
        "f",
        Status.FAILED,
        reason=Reason.NOT_FOUND,
        flags=frozenset({Flag.INSECURE}),
        options=options,
        finished_at=1.5,
        kind=Kind.ENTRY,
        facts=MediaFacts(
            "Title", index=2, is_chosen=False, choice=MediaChoice("720p", sort="res:720", subtitles=("en",))
        ),
    )
    back = task_of(json.loads(json.dumps(task_json(row))))
    assert back.options.headers == (("Cookie", "***"), ("X-Plain", "c"))
    assert (back.status, back.reason, back.flags, back.options.mirrors) == (
        row.status,
        row.reason,
        row.flags,
        options.mirrors,
    )
    assert back.finished_at == 1.5
    assert (back.kind, back.facts) == (row.kind, row.facts)
