"""`tui-dl pause|resume|cancel|retry|move|priority`: what a person wants of downloads that are there."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import click

from tui_dl.cli.controlling import execute, reach_session, rows_of
from tui_dl.cli.exits import DONE, SOME_FAILED
from tui_dl.cli.options import PlainCommand, log_options
from tui_dl.cli.quick_log import logging_if_asked
from tui_dl.cli.targets import target_options, write_filter_help
from tui_dl.core.commands import CommandName
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.sharing import Priority
from tui_dl.core.status import FACTS, UNFINISHED, Status
from tui_dl.core.target_words import targets_of
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui_dl.core.commands import Command, CommandOutcome
    from tui_dl.core.target_words import Targets

MOST_LOOKED_AT: Final = 10_000
"""Ids that are looked at before something is done to them."""
_MOVING: Final = UNFINISHED - {Status.PAUSED}
_ENDS: Final = {"up": CommandName.MOVE_UP, "down": CommandName.MOVE_DOWN}


@dataclass(frozen=True, slots=True)
class Intent:
    """A kind of command, in words."""

    done: str
    """What was done to a download: `3 paused`."""
    wanted: frozenset[Status] = frozenset()
    """Where it leads: a download that is there already is no failure."""
    nothing: str = ""
    """What is said where nothing changed; empty: why in general words."""
    is_of_queue: bool = False
    """Whether it is done to the queue itself where no session runs; else one is started."""


PAUSE: Final = Intent("paused", frozenset({Status.PAUSED}), is_of_queue=True)
RESUME: Final = Intent("resumed", _MOVING)
CANCEL: Final = Intent("cancelled", frozenset({Status.CANCELLED}), is_of_queue=True)
DELETE: Final = Intent("cancelled", frozenset())
RETRY: Final = Intent("tried again", _MOVING)
MOVE: Final = Intent("moved", nothing="nothing moved: it stands there, or does not wait for its turn", is_of_queue=True)
PRIORITY: Final = Intent("changed", frozenset(Status), is_of_queue=True)


class ControlCommand(PlainCommand):
    """Explains in its help how downloads are named."""

    EXIT_CODES: ClassVar[tuple[tuple[str, str], ...]] = (
        ("0", "done"),
        ("1", "nothing matches, or not all could be"),
        ("2", "no such id"),
    )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's shape
        """List the terms of a filter, and the exit codes."""
        write_filter_help(formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl(list(self.EXIT_CODES))


_JSON: Final = click.option("--json", "is_json", is_flag=True, help="One JSON object with what was done.")


@click.command(cls=ControlCommand)
@target_options
@_JSON
@log_options
def pause(**given: Any) -> int:
    """Pause downloads until `tui-dl resume`.

    Without a session they are paused in the queue, and stay so at the next start.
    """
    return carry_out(given, CommandName.PAUSE, PAUSE)


@click.command(cls=ControlCommand)
@target_options
@_JSON
@log_options
def resume(**given: Any) -> int:
    """Let paused downloads go on; a session is started where none runs."""
    return carry_out(given, CommandName.RESUME, RESUME)


@click.command(cls=ControlCommand)
@target_options
@click.option("--delete", "is_deleting", is_flag=True, help="Delete the part file, too.")
@_JSON
@log_options
def cancel(**given: Any) -> int:
    """Cancel downloads; row and part file stay, and `tui-dl retry` takes them up again."""
    if given["is_deleting"]:
        return carry_out(given, CommandName.DELETE_PART, DELETE)
    return carry_out(given, CommandName.CANCEL, CANCEL)


@click.command(cls=ControlCommand)
@target_options
@click.option("--restart", "is_restarting", is_flag=True, help="Drop what has arrived first.")
@_JSON
@log_options
def retry(**given: Any) -> int:
    """Try again what failed, was cancelled, or waits; a session is started where none runs."""
    arguments = {"restart": True} if given["is_restarting"] else None
    return carry_out(given, CommandName.RETRY, RETRY, arguments)


@click.command(cls=ControlCommand)
@click.argument("where", metavar="top|bottom|up|down|N")
@target_options
@_JSON
@log_options
def move(where: str, **given: Any) -> int:
    """Move downloads in the queue: to the top, to the bottom, by one, or to place N (from 1)."""
    if where in _ENDS:
        return carry_out(given, _ENDS[where], MOVE)
    places: dict[str, dict[str, Any]] = {
        "top": {"position": 0, "how": "set"},
        "bottom": {"position": 0, "how": "end"},
    }
    if where.isascii() and where.isdigit() and int(where):
        arguments = {"position": int(where) - 1, "how": "set"}
    elif where in places:
        arguments = places[where]
    else:
        raise UsageError(f"{display_text(where, 40)!r} is no place; say top, bottom, up, down, or a number from 1")
    return carry_out(given, CommandName.MOVE_TO, MOVE, arguments)


@click.command(cls=ControlCommand)
@click.argument("level", type=click.Choice([one.value for one in Priority]))
@target_options
@_JSON
@log_options
def priority(level: str, **given: Any) -> int:
    """Give downloads a priority: who is first, and who has more of what is scarce."""
    return carry_out(given, CommandName.SET_PRIORITY, PRIORITY, {"value": level})


def carry_out(
    given: Mapping[str, Any], name: CommandName, intent: Intent, arguments: dict[str, Any] | None = None
) -> int:
    """Do it through the session, or to the queue itself where none runs; say what was done, return the exit code."""
    targets = targets_of(given["words"], is_all=given["is_all"])
    command = targets.command(name, arguments)
    locations = find_locations(os.environ)
    with logging_if_asked(given):
        caller = reach_session(locations, starts=not intent.is_of_queue, verbose=given["verbose"])
        if caller is None:
            from tui_dl.cli.queue_alone import carry_out_alone  # noqa: PLC0415  # the usual way has a session

            statuses, outcome = carry_out_alone(locations.journal_file, command)
        else:
            with caller:
                statuses = _statuses(targets.ids, {row["id"]: row["status"] for row in rows_of_few(caller, targets)})
                outcome = execute(caller, command)
    return tell(given, command, intent, statuses, outcome)


def rows_of_few(caller: Any, targets: Targets) -> list[dict[str, Any]]:
    """Return the rows that ids name, none where they are very many or a question is asked."""
    return rows_of(caller, targets.ids) if len(targets.ids) <= MOST_LOOKED_AT and targets.ids else []


def _statuses(ids: Sequence[int], found: Mapping[int, str]) -> list[Status]:
    """Return how rows stand before anything is done; raises `UsageError` for ids that there are not."""
    check_ids(ids, found)
    return [Status(found[one]) for one in ids if one in found]


def check_ids(ids: Sequence[int], found: Mapping[int, Any]) -> None:
    """Raise `UsageError` where ids are not in the queue; very many are not looked at."""
    missing = [one for one in ids if one not in found] if len(ids) <= MOST_LOOKED_AT else []
    if missing:
        shown = ", ".join(map(str, missing[:5])) + (" ..." if len(missing) > 5 else "")
        raise UsageError(f"no download has the id {shown}; `tui-dl ls --all` lists them")


def tell(
    given: Mapping[str, Any], command: Command, intent: Intent, statuses: Sequence[Status], outcome: CommandOutcome
) -> int:
    """Say what was done and return the exit code."""
    changed = outcome.changed
    already = sum(status in intent.wanted for status in statuses)
    is_well = changed + already >= len(command.ids) if command.ids else changed > 0
    if given["is_json"]:
        facts = {"event": command.name.value, "changed": changed, "ids": list(outcome.ids), "message": outcome.message}
        click.echo(json.dumps(facts, ensure_ascii=True, separators=(",", ":")))
    else:
        click.echo(_words(command, intent, statuses, outcome), err=True)
    return DONE if is_well and not outcome.is_refused else SOME_FAILED


def _words(command: Command, intent: Intent, statuses: Sequence[Status], outcome: CommandOutcome) -> str:
    message = f"; {display_text(outcome.message)}" if outcome.message else ""
    if outcome.is_refused:
        return display_text(outcome.message)
    if not outcome.changed and intent.nothing:
        return intent.nothing
    if command.query is not None:
        return f"{outcome.changed:,} {intent.done}{message}" if outcome.changed else f"nothing to be {intent.done}"
    left = [status for status in statuses if status not in intent.wanted][outcome.changed :]
    words = f"{outcome.changed:,} {intent.done}"
    if len(statuses) - len(left) > outcome.changed:
        words += f", {len(statuses) - len(left) - outcome.changed:,} already so"
    if left:
        words += f", {len(left):,} cannot be ({FACTS[left[-1]].label})"
    return words + message
