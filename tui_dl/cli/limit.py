"""`tui-dl limit`: how fast, for everything, for a host, or for single downloads; at once, while they run."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import click

from tui_dl.cli.control import ControlCommand, check_ids, rows_of_few
from tui_dl.cli.controlling import NO_SESSION, execute, reach_session
from tui_dl.cli.exits import DONE, SOME_FAILED
from tui_dl.cli.options import log_options
from tui_dl.cli.quick_log import logging_if_asked
from tui_dl.cli.targets import target_options
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.target_words import Targets, targets_of
from tui_dl.core.timetable import limit_value
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.commands import CommandOutcome
    from tui_dl.session.calling import Caller


@click.command(cls=ControlCommand)
@click.argument("rate", metavar="[SIZE|TIMETABLE|off]", required=False)
@target_options
@click.option("--host", metavar="HOST[:PORT]", help="For all downloads from a host.")
@click.option("--for-good", "is_for_good", is_flag=True, help="Instead of a timetable, not until its next switch.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object with what holds.")
@log_options
def limit(rate: str | None, **given: Any) -> int:
    """Limit the speed: of everything, of a host, or of the downloads that are named.

    SIZE is bytes per second (500K, 5M); `off` lifts the limit; without it the limit that holds is said. It holds until
    the session ends, that of single downloads as long as they do; `limit_rate` in the settings holds always.
    """
    locations = find_locations(os.environ)
    targets = targets_of(given["words"], is_all=given["is_all"]) if given["words"] or given["is_all"] else None
    if targets is not None and given["host"] is not None:
        raise UsageError("--host is for all downloads of a host; leave it out, or the ids and the filter")
    if rate is None and (targets is not None or given["host"] is not None):
        raise UsageError("say how fast: 500K, 5M, off, or a timetable")
    arguments = {} if rate is None else _arguments(rate, given)
    with logging_if_asked(given):
        # What holds for single downloads is kept with them, so a session that takes it up is worth starting.
        caller = reach_session(locations, starts=targets is not None, verbose=given["verbose"])
        if caller is None:
            raise UsageError(f"{NO_SESSION} whose speed could be limited; `limit_rate` in the settings holds always")
        with caller:
            if rate is None:
                return _tell_limit(caller.call("tui_dl.snapshot"), given)
            return _set(caller, targets, arguments, given)


def _arguments(rate: str, given: Mapping[str, Any]) -> dict[str, Any]:
    arguments: dict[str, Any] = {"limit": limit_value(rate)}
    if given["host"] is not None:
        arguments["host"] = given["host"]
    return arguments | ({"for_good": True} if given["is_for_good"] else {})


def _set(caller: Caller, targets: Targets | None, arguments: dict[str, Any], given: Mapping[str, Any]) -> int:
    if targets is not None:
        check_ids(targets.ids, {row["id"]: row for row in rows_of_few(caller, targets)})
    command = Command(CommandName.SET_LIMIT, arguments=arguments)
    outcome = execute(caller, command if targets is None else targets.command(CommandName.SET_LIMIT, arguments))
    return _tell(outcome, given, is_for_some=targets is not None)


def _tell(outcome: CommandOutcome, given: Mapping[str, Any], *, is_for_some: bool) -> int:
    if given["is_json"]:
        facts = {"event": "set-limit", "changed": outcome.changed, "message": outcome.message}
        click.echo(json.dumps(facts, separators=(",", ":")))
    else:
        count = f"{outcome.changed:,} downloads: " if is_for_some and outcome.changed != 1 else ""
        click.echo(count + display_text(outcome.message or "done"), err=True)
    is_well = not outcome.is_refused and (outcome.changed or not is_for_some)
    return DONE if is_well else SOME_FAILED


def _tell_limit(snapshot: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    from tui_dl.ui.format import Units  # noqa: PLC0415  # `--help` must not pay for it

    bps, until_at = snapshot["limit_rate_bps"], snapshot["limit_until_at"]
    if given["is_json"]:
        click.echo(json.dumps({"event": "limit", "limit_rate_bps": bps, "limit_until_at": until_at}))
        return DONE
    until = "" if until_at is None else time.strftime(" until %H:%M", time.localtime(until_at))
    click.echo(f"{Units().limit(bps)}{until}")
    return DONE
