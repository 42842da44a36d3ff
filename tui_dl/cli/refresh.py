"""`tui-dl refresh`: give a download in the queue a fresh link, without the screen."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from tui_dl.cli import curl
from tui_dl.cli.completed_words import complete_rows
from tui_dl.cli.compose import run_loop
from tui_dl.cli.exits import DONE, SOME_FAILED
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import PlainCommand, log_options
from tui_dl.core.addresses import shown_url, with_blanks
from tui_dl.core.curl_download import with_headers
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import TuiDlError, UsageError
from tui_dl.core.header_lines import parse_header
from tui_dl.core.status import FACTS, Status
from tui_dl.core.target_words import id_of
from tui_dl.core.url_list import check_url
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tui_dl.core.commands import CommandOutcome
    from tui_dl.core.task import DownloadTask
    from tui_dl.disk.locations import Locations
    from tui_dl.journal.readdressing import Readdressed
    from tui_dl.session.calling import Caller

    Headers = tuple[tuple[str, str], ...]


@click.command(cls=PlainCommand)
@click.argument("which", metavar="ID|URL", shell_complete=complete_rows)
@click.argument("new_url", metavar="[NEW_URL]", required=False)
@click.option("--curl", "curl", metavar="COMMAND|-", help="A browser's 'copy as cURL' instead of NEW_URL; -: a pipe.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Request header; repeat.")
@log_options
def refresh(**given: Any) -> int:
    """Give a download a fresh link; what has arrived is kept.

    ID or URL name the download as it is in the queue. What it holds is compared with what the new link gives before
    anything is added to it. The session goes on with it, started where none runs, unless the download is paused; what
    another tui-dl runs is left to its screen.
    """
    locations = find_locations(os.environ)
    which = which_row(given["which"])
    url, headers = fresh_link(given)
    with logging_to(given["log_file"], given["verbose"]):
        if not locations.journal_file.exists():
            raise UsageError("the queue is empty; `tui-dl get` or `tui-dl` add downloads")
        from tui_dl.cli.controlling import reach_session  # noqa: PLC0415  # `--help` must not pay for it

        caller = reach_session(locations, starts=False)
        if caller is not None:
            with caller:
                return _refresh_there(caller, which, url, headers)
        done, outcome = run_loop(_refresh(locations.journal_file, which, url, headers))
        if outcome.is_refused or done.after is None or done.after.status is Status.PAUSED:
            who = ""
        else:
            who = f"; {_go_on(locations)} goes on with it"
        click.echo(display_text(outcome.message) + who, err=True)
        return SOME_FAILED if outcome.is_refused else DONE


def which_row(text: str) -> int | str:
    """Return the id that a text means (decimal, or aria2's 16 hexadecimal digits), else the address."""
    if (task_id := id_of(text)) is not None:
        return task_id
    from tui_dl.engine.refreshing import checked_address  # noqa: PLC0415  # `--help` must not pay for the journal

    return checked_address(text, None)[0]


def fresh_link(given: Mapping[str, Any]) -> tuple[str, Headers | None]:
    """Return the new address with its headers, None to keep those of the row; raises `UsageError`."""
    headers = tuple(parse_header(line) for line in given["headers"])
    if bool(given["new_url"]) == bool(given["curl"]):
        raise UsageError("give the new address, or --curl with the command that a browser copied; one of them")
    if given["new_url"]:
        return check_url(with_blanks(given["new_url"]), is_typed=True), headers or None
    downloads = curl.downloads_of({"curl": (given["curl"],)})
    if len(downloads) != 1:
        raise UsageError(f"--curl: one address is wanted here, not {len(downloads)}")
    if downloads[0].proxy:
        raise UsageError("--curl: its -x belongs to the run that downloads: give --proxy there, and take it out here")
    return downloads[0].url, with_headers(downloads[0], headers).headers or None


def _refresh_there(caller: Caller, which: int | str, url: str, headers: Headers | None) -> int:
    """Tell the session, which has the row in hand or may take it at any moment."""
    from tui_dl.cli.controlling import execute  # noqa: PLC0415  # as above
    from tui_dl.core.commands import Command, CommandName  # noqa: PLC0415  # as above

    arguments = {"url": url, "headers": None if headers is None else [list(one) for one in headers]}
    ids = (which,) if isinstance(which, int) else _ids_of(caller, which)
    outcome = execute(caller, Command(CommandName.REFRESH, ids=ids, arguments=arguments))
    click.echo(display_text(outcome.message), err=True)
    return SOME_FAILED if outcome.is_refused else DONE


def _ids_of(caller: Caller, url: str) -> tuple[int, ...]:
    """Return the id of the one row that has an address; raises `UsageError`."""
    from tui_dl.core.query import TaskQuery, Term, TermKind  # noqa: PLC0415  # as above
    from tui_dl.core.wire_commands import query_json  # noqa: PLC0415  # as above
    from tui_dl.core.wire_tasks import task_of  # noqa: PLC0415  # as above

    query = TaskQuery(terms=(Term(TermKind.URL, url, is_exact=True),), has_history=True)
    rows = [task_of(row) for row in caller.call("tui_dl.rows", {"query": query_json(query)})["rows"]]
    if len(rows) > 1:
        lines = "\n".join(map(_line, rows))
        raise UsageError(f"several downloads have this address; name one by its id:\n{lines}")
    if not rows:
        raise UsageError(f"no download in the queue has {shown_url(url)}")
    return (rows[0].id,)


def _go_on(locations: Locations) -> str:
    """Start the session that takes the download up; return who does: what has just failed has no session any more."""
    from tui_dl.cli.controlling import reach_session  # noqa: PLC0415  # as above

    try:
        caller = reach_session(locations, starts=True)
    except TuiDlError:  # `background = false`, or it cannot start, which the next `tui-dl` tells
        return "`tui-dl`"
    if caller is not None:
        caller.close()
    return "the session"


async def _refresh(
    journal_file: Path, which: int | str, url: str, headers: Headers | None
) -> tuple[Readdressed, CommandOutcome]:
    """Change the row in the queue itself, as no session has it."""
    from tui_dl.engine import refreshing  # noqa: PLC0415  # `--help` must not pay for the journal
    from tui_dl.journal.journal import Journal  # noqa: PLC0415  # as above
    from tui_dl.journal.readdressing import AddressChange  # noqa: PLC0415  # as above

    bare, headers = refreshing.checked_address(url, headers)
    options_of = partial(refreshing.options_for, url=bare, headers=headers)
    async with await Journal.open(journal_file) as journal:
        done = await journal.readdress(AddressChange(which, bare, options_of, takes_over=False))
    _refuse_unclear(done, which)
    return done, refreshing.outcome_of(done, has_own_headers=headers is not None)


def _refuse_unclear(done: Readdressed, which: int | str) -> None:
    if done.several:
        rows = "\n".join(_line(task) for task in done.several)
        raise UsageError(f"several downloads have this address; name one by its id:\n{rows}")
    if done.before is None:
        shown = shown_url(which) if isinstance(which, str) else f"the id {which}"
        raise UsageError(f"no download in the queue has {shown}")


def _line(task: DownloadTask) -> str:
    return f"    {task.id}  {display_text(task.filename)} in {display_text(task.dir)}, {FACTS[task.status].label}"
