"""`tui-dl refresh`: give a download in the queue a fresh link, without the screen."""

from __future__ import annotations

import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from tui_dl.cli import curl
from tui_dl.cli.completed_words import complete_rows
from tui_dl.cli.compose import run_loop
from tui_dl.cli.exits import DONE, SOME_FAILED
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import PlainCommand, log_options
from tui_dl.core.addresses import shown_url
from tui_dl.core.curl_command import with_headers
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.header_lines import parse_header
from tui_dl.core.status import FACTS, Status
from tui_dl.core.url_list import check_url
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tui_dl.core.task import DownloadTask
    from tui_dl.journal.readdressing import Readdressed

    Headers = tuple[tuple[str, str], ...]

_GID: Final = re.compile(r"[0-9a-f]{16}")
_ID: Final = re.compile(r"[0-9]{1,19}")
_MOST_ID: Final = 2**63 - 1


@click.command(cls=PlainCommand)
@click.argument("which", metavar="ID|URL", shell_complete=complete_rows)
@click.argument("new_url", metavar="[NEW_URL]", required=False)
@click.option("--curl", "curl", metavar="COMMAND|-", help="A browser's 'copy as cURL' instead of NEW_URL; -: a pipe.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Request header; repeat.")
@log_options
def refresh(**given: Any) -> int:
    """Give a download a fresh link; what has arrived is kept.

    ID or URL name the download as it is in the queue. What it holds is compared with what the new link gives before
    anything is added to it. While another tui-dl runs it, use the key e there.
    """
    locations = find_locations(os.environ)
    which = which_row(given["which"])
    url, headers = fresh_link(given)
    with logging_to(given["log_file"], given["verbose"]):
        if not locations.journal_file.exists():
            raise UsageError("the queue is empty; `tui-dl get` or `tui-dl` add downloads")
        return run_loop(_refresh(locations.journal_file, which, url, headers))


def which_row(text: str) -> int | str:
    """Return the id that a text means (decimal, or aria2's 16 hexadecimal digits), else the address."""
    if _GID.fullmatch(text):
        return int(text, 16) & _MOST_ID
    if _ID.fullmatch(text) and int(text) <= _MOST_ID:
        return int(text)
    from tui_dl.engine.refreshing import checked_address  # noqa: PLC0415  # `--help` must not pay for the journal

    return checked_address(text, None)[0]


def fresh_link(given: Mapping[str, Any]) -> tuple[str, Headers | None]:
    """Return the new address with its headers, None to keep those of the row; raises `UsageError`."""
    headers = tuple(parse_header(line) for line in given["headers"])
    if bool(given["new_url"]) == bool(given["curl"]):
        raise UsageError("give the new address, or --curl with the command that a browser copied; one of them")
    if given["new_url"]:
        return check_url(given["new_url"], is_typed=True), headers or None
    downloads = curl.downloads_of({"curl": (given["curl"],)})
    if len(downloads) != 1:
        raise UsageError(f"--curl: one address is wanted here, not {len(downloads)}")
    if downloads[0].proxy:
        raise UsageError("--curl: its -x belongs to the run that downloads: give --proxy there, and take it out here")
    return downloads[0].url, with_headers(downloads[0], headers).headers or None


async def _refresh(journal_file: Path, which: int | str, url: str, headers: Headers | None) -> int:
    from tui_dl.engine import refreshing  # noqa: PLC0415  # `--help` must not pay for the journal
    from tui_dl.journal.journal import Journal  # noqa: PLC0415  # as above
    from tui_dl.journal.readdressing import AddressChange  # noqa: PLC0415  # as above

    bare, headers = refreshing.checked_address(url, headers)
    options_of = partial(refreshing.options_for, url=bare, headers=headers)
    async with await Journal.open(journal_file) as journal:
        done = await journal.readdress(AddressChange(which, bare, options_of, takes_over=False))
    _refuse_unclear(done, which)
    outcome = refreshing.outcome_of(done, has_own_headers=headers is not None)
    click.echo(display_text(outcome.message) + _what_now(done), err=True)
    return SOME_FAILED if outcome.is_refused else DONE


def _refuse_unclear(done: Readdressed, which: int | str) -> None:
    if done.several:
        rows = "\n".join(_line(task) for task in done.several)
        raise UsageError(f"several downloads have this address; name one by its id:\n{rows}")
    if done.before is None:
        shown = shown_url(which) if isinstance(which, str) else f"the id {which}"
        raise UsageError(f"no download in the queue has {shown}")


def _line(task: DownloadTask) -> str:
    return f"    {task.id}  {display_text(task.filename)} in {display_text(task.dir)}, {FACTS[task.status].label}"


def _what_now(done: Readdressed) -> str:
    if done.after is None or done.after.status is Status.PAUSED:
        return ""
    return "; `tui-dl` goes on with it"
