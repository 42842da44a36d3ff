"""`tui-dl add`: downloads for the queue of the background session, here or on another machine."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tui_dl.cli.completed_words import PathWord
from tui_dl.cli.exits import DONE, SOME_FAILED, WRONG_USAGE
from tui_dl.cli.interrupts import leave_interrupts_to_loop
from tui_dl.cli.list_orders import agreed
from tui_dl.cli.options import PlainCommand, adding_options, is_setting_option, log_options, task_options
from tui_dl.cli.order import STANDARD, read_order
from tui_dl.cli.quick_log import logging_if_asked
from tui_dl.cli.settings_file import effective_settings
from tui_dl.cli.streams import is_piped, is_terminal
from tui_dl.core.acceptance import was_left_out
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.sizes import parse_size
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from tui_dl.cli.feeding import Feed
    from tui_dl.cli.order import Order
    from tui_dl.cli.session_adding import SessionQueue
    from tui_dl.disk.locations import Locations
    from tui_dl.session.calling import Caller

TELL_EVERY_S: Final = 0.5
_TRIED_AGAIN: Final = ("failed", "cancelled")
_MOST_SHOWN: Final = 10
"""Ids that are named to a person."""


class AddCommand(PlainCommand):
    """Says of the session's own settings where they are set."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does; a setting that cannot go with an address gets its own message."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if not is_setting_option(error.option_name):
                raise
            raise click.UsageError(
                f"{error.option_name} is a setting of the session, for all its downloads: set it in the settings file"
                " (`tui-dl config path`), or use `tui-dl get`",
                ctx,
            ) from None


@click.command(cls=AddCommand)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@task_options
@adding_options
@click.option("--limit-rate", "limit_each", metavar="SIZE", help="Bytes per second for each of these downloads.")
@click.option("--paused", "is_paused", is_flag=True, help="They wait for `tui-dl resume`.")
@click.option("--to", "host", metavar="ssh://[USER@]HOST[:PORT]", help="Add on another machine that has tui-dl.")
@click.option(
    "--from-json", "json_file", type=PathWord(), metavar="FILE|-", help="What `--to` sends: an object a line."
)
@click.option("--json", "is_json", is_flag=True, help="One JSON object with what was added.")
@log_options
def add(**given: Any) -> int:
    """Add downloads to the queue of the background session, which is started where none runs.

    Returns as soon as they are safely in the queue; `tui-dl wait` waits for them, `tui-dl` shows them. What failed or
    was cancelled before and is added again is tried again.
    """
    locations = find_locations(os.environ)
    with logging_if_asked(given):
        if given["json_file"] is not None:
            return _add_wishes(given, locations)
        order = _order(given, locations)
        if given["host"] is not None:
            from tui_dl.cli.remote import add_there  # noqa: PLC0415  # most adds stay here

            return add_there(given["host"], order, is_paused=given["is_paused"], is_json=given["is_json"])
        return _add_order(given, order, locations)


def _order(given: dict[str, Any], locations: Locations) -> Order:
    """Return what is to be added, each address with what was asked for it."""
    from tui_dl.cli.session_adding import travelling  # noqa: PLC0415  # `--help` must not pay for it

    if given["output"] == STANDARD:
        raise UsageError("--output - writes to standard output; use `tui-dl get -o -`")
    if not (given["urls"] or given["input_files"] or given["curl"] or given["metalinks"]) and is_piped():
        given["input_files"] = (STANDARD,)
    environment, elsewhere = dict(os.environ), ""
    if given["host"] is not None:
        from tui_dl.cli.remote import ELSEWHERE, host_of, nowhere  # noqa: PLC0415  # most adds stay here

        host_of(given["host"])
        environment, elsewhere, locations = nowhere(os.environ), ELSEWHERE, replace(locations, config=Path(ELSEWHERE))
    order = read_order(given, locations=locations, environment=environment, folder=Path.cwd(), elsewhere=elsewhere)
    if not order.news and not order.lists:
        raise UsageError("nothing to add; give an address, or a list with --input")
    for name in ("proxy", "insecure"):
        if order.effective.origins.get(name, "").startswith("--"):
            raise UsageError(f"--curl: {name} is a setting of the session; set it in the settings file, or use get")
    notes = (*order.notes, *agreed(order.lists.globs, is_agreed=given["is_agreed"]))
    for note in notes:
        click.echo(display_text(note), err=True)
    if given["limit_each"] is not None:
        order = _limited(order, parse_size(given["limit_each"]))
    return travelling(order)


def _limited(order: Order, bps: int) -> Order:
    news = tuple(replace(one, options=replace(one.options, limit_rate_bps=bps)) for one in order.news)
    return replace(order, news=news, options=replace(order.options, limit_rate_bps=bps))


def _add_order(given: dict[str, Any], order: Order, locations: Locations) -> int:
    from tui_dl.core.wire_wishes import wish_json  # noqa: PLC0415  # as above
    from tui_dl.session.paths import lock_file_in  # noqa: PLC0415  # as above
    from tui_dl.session.protocol import proxy_environment  # noqa: PLC0415  # as above
    from tui_dl.session.reaching import refusal_of_proxies  # noqa: PLC0415  # as above

    with _session(locations, given) as caller, _queue(caller, given) as queue:
        if refusal := refusal_of_proxies(lock_file_in(locations.data), proxy_environment(os.environ)):
            raise UsageError(refusal)
        if order.news:
            queue.put([wish_json(one) for one in order.news], order.lists.batch)
            _try_again(caller, queue)
        feed = _feed(order, queue) if order.lists else None
    return _tell(given, queue, feed)


def _feed(order: Order, queue: SessionQueue) -> Feed:
    """Add what lists say, as they are read; no faster than the session takes it."""
    import asyncio  # noqa: PLC0415  # a single address is added without a loop

    from tui_dl.cli.feeding import Feed  # noqa: PLC0415  # as above

    feed = Feed(replace(order, news=()))

    async def work() -> None:
        await order.lists.check()
        await feed.add_to(queue, most_adds=queue.MOST_ADDS)

    leave_interrupts_to_loop()
    asyncio.run(work())
    return feed


def _add_wishes(given: dict[str, Any], locations: Locations) -> int:
    """Add what `--to` of another machine sent."""
    from tui_dl.cli.json_wishes import blocks_of  # noqa: PLC0415  # most adds are typed

    if any(given[name] for name in ("urls", "input_files", "curl", "metalinks", "host", "output")):
        raise UsageError("--from-json says what to add; leave the addresses out")
    effective = effective_settings(locations.config_file, os.environ, {"dir": given["dir"]})
    folder = (Path.cwd() / Path(effective.settings.dir).expanduser()).absolute()
    blocks = blocks_of(given["json_file"], folder=folder, home=Path.cwd())
    with _session(locations, given) as caller, _queue(caller, given) as queue:
        for batch, wishes in blocks:
            queue.put(wishes, batch)
        _try_again(caller, queue)
    return _tell(given, queue, None)


def _session(locations: Locations, given: dict[str, Any]) -> Caller:
    from tui_dl.cli.controlling import reach_session  # noqa: PLC0415  # as above
    from tui_dl.session.protocol import proxy_environment  # noqa: PLC0415  # as above

    # What another machine sends comes through a shell that knows less than the one that started the session.
    proxies = proxy_environment(os.environ) if given["json_file"] is None else None
    caller = reach_session(locations, starts=True, verbose=given["verbose"], proxies=proxies)
    assert caller is not None
    return caller


def _queue(caller: Caller, given: dict[str, Any]) -> closing[SessionQueue]:
    from tui_dl.cli.session_adding import SessionQueue  # noqa: PLC0415  # as above

    is_shown = not given["is_json"] and is_terminal(sys.stderr)
    return closing(SessionQueue(caller, is_paused=given["is_paused"], tell=_Ticker() if is_shown else None))


class _Ticker:
    """Says on a terminal how far a long add is."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()

    def __call__(self, rows: int) -> None:
        """Tell the rows so far, now and then."""
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            self._told_at = time.monotonic()
            click.echo(f"\r{rows:,} ... ", err=True, nl=False)


def _try_again(caller: Caller, queue: SessionQueue) -> None:
    """Retry what was there already and had ended without a file."""
    if not queue.known_ids:
        return
    from tui_dl.cli.controlling import execute, rows_of  # noqa: PLC0415  # as above
    from tui_dl.core.commands import Command, CommandName  # noqa: PLC0415  # as above

    known = rows_of(caller, tuple(queue.known_ids))
    again = [
        row["id"] for row in known if row["status"] in _TRIED_AGAIN or was_left_out(row["status"], row.get("reason"))
    ]
    if again:
        execute(caller, Command(CommandName.RETRY, ids=tuple(again)))


def _tell(given: dict[str, Any], queue: SessionQueue, feed: Feed | None) -> int:
    """Say what was added and return the exit code."""
    bad_count = 0 if feed is None else feed.bad_count
    for line in () if feed is None or given["is_json"] else feed.bad_lines:
        click.echo(display_text(line.message), err=True)
    if given["is_json"]:
        facts = {"event": "added", "added": queue.added, "known": queue.known, "bad_lines": bad_count}
        click.echo(json.dumps({**facts, "ids": queue.ids, "known_ids": queue.known_ids}, separators=(",", ":")))
    else:
        click.echo(words_of(queue, bad_count), err=True)
    if bad_count and not queue.added + queue.known:
        return WRONG_USAGE
    return SOME_FAILED if bad_count else DONE


def words_of(queue: SessionQueue, bad_count: int) -> str:
    """Return what came of an add, in words."""
    ids = [*queue.ids, *queue.known_ids]
    shown = f" (id {', '.join(map(str, ids))})" if 0 < len(ids) <= _MOST_SHOWN else ""
    known = f", {queue.known:,} already there" if queue.known else ""
    bad = f", {bad_count:,} line{'' if bad_count == 1 else 's'} without an address" if bad_count else ""
    return f"{queue.added:,} added{known}{bad}{shown}"
