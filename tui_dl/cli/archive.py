"""`tui-dl archive`: what `--archive` remembers as done, and how it is forgotten."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Final

import click

from tui_dl.cli.compose import run_loop
from tui_dl.cli.exits import DONE, SOME_FAILED
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import PlainCommand, log_options
from tui_dl.core.addresses import shown_url
from tui_dl.core.digests import parse_digest
from tui_dl.core.errors import UsageError
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tui_dl.journal.archive import ArchiveEntry

_PAGE: Final = 1_000
"""Entries read at a time."""


@click.group()
def archive() -> None:
    """Show or forget what --archive remembers as done."""


@archive.command("list", cls=PlainCommand)
@log_options
def list_(log_file: str | None, verbose: int) -> int:
    """Print every address and digest (ALGO=HEX) that is done, one a line."""
    with logging_to(log_file, verbose):
        return run_loop(_list(find_locations(os.environ).journal_file))


@archive.command(cls=PlainCommand)
@click.argument("words", nargs=-1, required=True, metavar="URL|ALGO=HEX...")
@log_options
def forget(words: tuple[str, ...], log_file: str | None, verbose: int) -> int:
    """Take addresses and digests out of the archive: they are fetched when they are asked for again."""
    keys = [keys_of(word) for word in words]
    with logging_to(log_file, verbose):
        return run_loop(_forget(find_locations(os.environ).journal_file, words, keys))


def keys_of(word: str) -> tuple[str, ...]:
    """Return what an address or a digest may be called in the archive; raises `UsageError` for anything else."""
    if "://" not in word:
        return (parse_digest(word).hex,)
    from tui_dl.engine.refreshing import checked_address  # noqa: PLC0415  # `--help` must not pay for the journal

    return tuple(dict.fromkeys((word, checked_address(word, None)[0])))


async def _list(journal_file: Path) -> int:
    from tui_dl.journal.journal import Journal  # noqa: PLC0415  # `--help` must not pay for the journal

    if not await asyncio.to_thread(journal_file.exists):
        return DONE
    after = ("", "")
    try:
        async with await Journal.open(journal_file) as journal:
            while entries := await journal.remembered.archive_entries(after, _PAGE):
                for entry in entries:
                    click.echo(_line(entry))
                after = (entries[-1].kind, entries[-1].key)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read had enough, as `head` has.
        return DONE
    return DONE


def _line(entry: ArchiveEntry) -> str:
    from tui_dl.journal.archive import URL  # noqa: PLC0415  # as above

    return shown_url(entry.key) if entry.kind == URL else f"{entry.kind}={entry.key}"


async def _forget(journal_file: Path, words: Sequence[str], keys: Sequence[Sequence[str]]) -> int:
    from tui_dl.journal.journal import Journal  # noqa: PLC0415  # as above

    if not await asyncio.to_thread(journal_file.exists):
        raise UsageError("there is no archive yet; --archive begins one")
    missing = 0
    async with await Journal.open(journal_file) as journal:
        for word, one in zip(words, keys, strict=True):
            if not await journal.remembered.forget_archived(one):
                missing += 1
                click.echo(f"not in the archive: {shown_url(word)}", err=True)
    done = len(words) - missing
    click.echo(f"{done} forgotten", err=True)
    return SOME_FAILED if missing else DONE
