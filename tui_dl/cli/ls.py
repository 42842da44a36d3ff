"""`tui-dl ls`: what is in the queue and what came of it, from the journal, without an engine."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from tui_dl.cli.completed_words import complete_filter
from tui_dl.cli.exits import DONE
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import PlainCommand, log_options
from tui_dl.cli.streams import is_terminal
from tui_dl.cli.targets import write_filter_help
from tui_dl.core.errors import UsageError
from tui_dl.core.query import SortKey, Term, TermKind
from tui_dl.core.query_text import parse_query
from tui_dl.core.status import Status
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tui_dl.core.query import TaskQuery
    from tui_dl.disk.locations import Locations
    from tui_dl.journal.looking import Look

_FORMS = ("is_json", "is_csv", "has_urls")
"""Parameters that choose what is written; one of them at most."""


class ListCommand(PlainCommand):
    """Explains in its help how a filter is written."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's shape
        """List the terms."""
        write_filter_help(formatter)


@click.command(cls=ListCommand)
@click.argument("words", nargs=-1, metavar="[FILTER]...", shell_complete=complete_filter)
@click.option("--failed", "is_failed", is_flag=True, help="What failed: the same as status:failed.")
@click.option("--batch", metavar="NAME", help="What one add brought: the same as batch:=NAME.")
@click.option("--all", "is_all", is_flag=True, help="Also what runs of `get` finished; a filter looks there anyway.")
@click.option("--group", "is_grouped", is_flag=True, help="Failures by reason and host, with their number.")
@click.option("--batches", "is_batches", is_flag=True, help="The adds with their numbers, instead of downloads.")
@click.option("--sort", type=click.Choice([key.value for key in SortKey]), default="position", help="Order.")
@click.option("-r", "--reverse", "is_descending", is_flag=True, help="The other way round.")
@click.option("-n", "--limit", type=click.IntRange(min=1), metavar="N", help="The first N.")
@click.option("-w", "--watch", "is_watching", is_flag=True, help="Show it anew each second, until Ctrl+C.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object a line.")
@click.option("--csv", "is_csv", is_flag=True, help="A table with a head line, as a manifest has.")
@click.option("--urls", "has_urls", is_flag=True, help="Addresses alone, for `tui-dl get -i -`.")
@log_options
def ls(**given: Any) -> int:
    """List downloads, or failures by group.

    On a terminal this is a table; in a pipe each line has id, status, bytes held, bytes in all, reason, file and
    address, separated by tabs. A failed group is tried again by
    `tui-dl ls --failed reason:503 --urls | tui-dl get -i -`, typed in the folder it was for. Where a list gave names,
    give the list again, or what --failed-list wrote.
    """
    query = query_of(given)
    _check(given)
    locations = find_locations(os.environ)
    with logging_to(given["log_file"], given["verbose"]):
        from tui_dl.journal.looking import look_at  # noqa: PLC0415  # `--help` must not pay for the journal

        try:
            if given["is_watching"]:
                from tui_dl.cli.watching import watch  # noqa: PLC0415  # as above

                return watch(locations, query, given["limit"])
            with look_at(locations.journal_file) as look:
                _write(look, query, given, locations)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read had enough, as `head` has.
            return DONE
    return DONE


def query_of(given: Mapping[str, Any]) -> TaskQuery:
    """Return the question that was typed; raises `UsageError`."""
    query = parse_query(" ".join(given["words"]), sort=SortKey(given["sort"]), is_descending=given["is_descending"])
    if given["batch"] is not None:
        if not given["batch"]:
            raise UsageError("--batch is empty; `tui-dl ls --batches` names them")
        query = replace(query, terms=(*query.terms, Term(TermKind.BATCH, given["batch"], is_exact=True)))
    if given["is_failed"] or given["is_grouped"]:
        query = replace(query, statuses=frozenset({Status.FAILED}))
    return replace(query, has_history=given["is_all"] or query.is_filtered)


def _check(given: Mapping[str, Any]) -> None:
    for name in ("is_json", "is_csv", "has_urls", "is_grouped", "is_batches"):
        if given["is_watching"] and given[name]:
            raise UsageError("--watch shows the table of downloads; leave the other forms out")
    if sum(bool(given[form]) for form in _FORMS) > 1:
        raise UsageError("--json, --csv and --urls exclude each other; keep one")
    if given["is_grouped"] and (given["is_csv"] or given["has_urls"]):
        raise UsageError("--group counts downloads, so it has neither addresses nor their table; leave --group out")
    if given["is_batches"]:
        for name, option in (("is_grouped", "--group"), ("is_csv", "--csv"), ("has_urls", "--urls")):
            if given[name]:
                raise UsageError(f"--batches lists adds, so {option} has no meaning; leave one of them out")
        if given["words"] or given["is_failed"] or given["batch"] is not None:
            raise UsageError("--batches lists all adds; leave the filter out")


def _write(look: Look | None, query: TaskQuery, given: Mapping[str, Any], locations: Locations) -> None:
    from tui_dl.cli import listing  # noqa: PLC0415  # `--help` must not pay for it
    from tui_dl.cli.live_numbers import live_numbers  # noqa: PLC0415  # as above

    limit = given["limit"]
    if given["is_batches"]:
        found = () if look is None else look.batches()[:limit]
        _print(listing.batch_objects(found) if given["is_json"] else listing.batch_lines(found, _columns()))
    elif given["is_grouped"]:
        groups = () if look is None else look.failure_groups(query)[:limit]
        _print(listing.group_objects(groups) if given["is_json"] else listing.group_lines(groups, _columns()))
    else:
        blocks = iter(()) if look is None else look.rows(query, limit)
        if given["is_csv"]:
            listing.write_csv(blocks, sys.stdout.buffer, live_numbers(locations))
        elif given["is_json"]:
            _print(listing.row_objects(blocks, live_numbers(locations)))
        elif given["has_urls"]:
            _print(task.url for block in blocks for task in block)
        else:
            _print(listing.row_lines(blocks, _columns(), live_numbers(locations)))


def _columns() -> int | None:
    """Return how wide the terminal is, None where there is none."""
    if not is_terminal(sys.stdout):
        return None
    return max(os.get_terminal_size(sys.stdout.fileno()).columns, 1)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
