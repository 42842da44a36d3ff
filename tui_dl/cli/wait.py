"""`tui-dl wait`: until downloads are done, with an exit code that tells how they ended."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import click

from tui_dl.cli.control import ControlCommand, check_ids, rows_of_few
from tui_dl.cli.controlling import reach_session
from tui_dl.cli.exits import DONE, SOME_FAILED
from tui_dl.cli.options import log_options
from tui_dl.cli.quick_log import logging_if_asked
from tui_dl.cli.targets import target_options
from tui_dl.core.query import allowed_statuses
from tui_dl.core.status import FACTS, UNFINISHED, Status
from tui_dl.core.target_words import targets_of
from tui_dl.core.wire_commands import query_json
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui_dl.core.query import TaskQuery
    from tui_dl.core.target_words import Targets
    from tui_dl.session.calling import Caller

ROUND_S: Final = 20.0
"""How long the session is asked to wait at a time, so that it forgets soon whoever went away."""
MOST_IDS: Final = 50_000
"""Ids waited for at a time."""
_MOVING: Final = UNFINISHED - {Status.PAUSED}
_WELL: Final = frozenset({Status.COMPLETED, Status.SKIPPED})


class WaitCommand(ControlCommand):
    """Explains its exit codes."""

    EXIT_CODES = (
        ("0", "all were completed, or there is nothing to wait for"),
        ("1", "some failed, were cancelled or are paused, or --timeout passed"),
        ("2", "no such id"),
        ("3", "the session ended meanwhile"),
    )


@click.command(cls=WaitCommand)
@target_options
@click.option("--timeout", "limit_s", type=click.FloatRange(min=0), metavar="SECONDS", help="Wait no longer.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object with how they ended.")
@log_options
def wait(**given: Any) -> int:
    """Wait until downloads are done.

    Those named by id are waited for even while they are paused; of a filter's, and of --all, those that are under way
    or queued now. A session is started where none runs and there is something to do.
    """
    targets = targets_of(given["words"], is_all=given["is_all"])
    locations = find_locations(os.environ)
    with logging_if_asked(given):
        caller = reach_session(locations, starts=False)
        if caller is None:
            from tui_dl.cli.queue_alone import ended_alone  # noqa: PLC0415  # the usual way has a session

            ended = ended_alone(locations.journal_file, targets)
            if ended is not None:
                return _tell(Counter(ended), given, is_done=True)
            caller = reach_session(locations, starts=True, verbose=given["verbose"])
        assert caller is not None
        with caller:
            if targets.query is None:
                check_ids(targets.ids, {row["id"]: row for row in rows_of_few(caller, targets)})
                ids: Sequence[int] = targets.ids
            else:
                ids = _moving_ids(caller, targets.query)
            counts, is_done = _wait(caller, ids, targets, given["limit_s"])
    return _tell(counts, given, is_done=is_done)


def _moving_ids(caller: Caller, query: TaskQuery) -> list[int]:
    """Return the rows of a question that are under way or queued."""
    statuses = [status.value for status in allowed_statuses(query) & _MOVING]
    if not statuses:
        return []
    asked, ids = {**query_json(query), "statuses": statuses}, list[int]()
    while True:
        page = caller.call("tui_dl.view", {"query": asked, "offset": len(ids), "limit": MOST_IDS})["ids"]
        ids += page
        if len(page) < MOST_IDS:
            return ids


def _wait(caller: Caller, ids: Sequence[int], targets: Targets, limit_s: float | None) -> tuple[Counter[Status], bool]:
    """Wait for one portion after the other; return how they stand then, and whether none is waited for any more."""
    ends_at = None if limit_s is None else time.monotonic() + limit_s
    counts: Counter[Status] = Counter()
    is_done = True
    for start in range(0, len(ids), MOST_IDS):
        wanted = {"ids": list(ids[start : start + MOST_IDS]), "ends_at_pause": targets.query is not None}
        while True:
            left_s = ROUND_S if ends_at is None else min(ROUND_S, max(ends_at - time.monotonic(), 0.0))
            found = caller.call("tui_dl.wait", {**wanted, "timeout_s": left_s})
            if found["is_done"] or (ends_at is not None and time.monotonic() >= ends_at):
                break
        is_done = is_done and found["is_done"]
        counts.update({Status(name): number for name, number in found["counts"].items()})
    return counts, is_done


def _tell(counts: Mapping[Status, int], given: Mapping[str, Any], *, is_done: bool) -> int:
    """Say how they ended and return the exit code."""
    if given["is_json"]:
        named = {status.value: number for status, number in counts.items()}
        click.echo(json.dumps({"event": "waited", "is_done": is_done, "counts": named}, separators=(",", ":")))
    else:
        words = ", ".join(f"{number:,} {FACTS[status].label}" for status, number in counts.items() if number)
        click.echo(words or "nothing to wait for", err=True)
    is_well = is_done and not any(number for status, number in counts.items() if status not in _WELL)
    return DONE if is_well else SOME_FAILED
