"""`tui-dl [URL ...]` with a session: its screen on this terminal, and the addresses added to its queue meanwhile."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui_dl.cli.attaching import Refusal, attach, told
from tui_dl.cli.exits import CANNOT_START
from tui_dl.cli.session_adding import TRAVELLING, given_settings
from tui_dl.core.carrying import carried
from tui_dl.core.errors import TuiDlError
from tui_dl.session.lock import Card, held_by
from tui_dl.session.paths import lock_file_in
from tui_dl.session.protocol import proxy_environment
from tui_dl.session.reaching import StartWish
from tui_dl.ui.terminal.grant import foreground_grant

if TYPE_CHECKING:
    from tui_dl.cli.feeding import Feed
    from tui_dl.cli.order import Order
    from tui_dl.disk.locations import Locations


def open_session(order: Order, feed: Feed | None, locations: Locations, verbose: int) -> int:
    """Show the session's screen, adding what `feed` holds; return the exit code."""
    options = given_settings(order.effective)
    if feed is not None:
        # What goes with the addresses need not be what the session was started with.
        options = {name: value for name, value in options.items() if name not in TRAVELLING}
    wish = StartWish(options=options, folder=str(Path.cwd()), verbose=verbose, is_forced=True)
    lock_file = lock_file_in(locations.data)
    adding = Adding(feed, order, lock_file)
    try:
        code, lines = attach(
            lock_file,
            foreground_grant(os.environ, can_suspend=False),
            wish,
            proxies=proxy_environment(os.environ) if feed is not None else None,
            on_attached=adding.start,
        )
    except Refusal as refusal:
        code, lines = refusal.code, [f"tui-dl: {refusal}"]
    told(lines, partial(click.echo, err=True))
    return adding.finish() or code


class Adding:
    """Adds beside the screen, in a thread with a connection of its own."""

    def __init__(self, feed: Feed | None, order: Order, lock_file: Path) -> None:
        """`feed` is prepared already; None: there is nothing to add."""
        self._feed = feed
        self._order = order
        self._lock_file = lock_file
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None

    def start(self) -> None:
        """Begin."""
        if self._feed is not None:
            self._thread = threading.Thread(target=self._add, name="add to the session", daemon=True)
            self._thread.start()

    def finish(self) -> int:
        """Wait until everything is added, which a person can end; return the exit code, 0 for all well."""
        if self._thread is None:
            return 0
        if self._thread.is_alive():
            click.echo("Still adding to the queue; Ctrl+C ends that.", err=True)
        self._thread.join()
        if isinstance(self._error, TuiDlError):
            raise self._error
        if self._error is not None:
            click.echo(f"tui-dl: a fault of tui-dl itself: {type(self._error).__name__}: {self._error}", err=True)
            return CANNOT_START
        return 0

    def _add(self) -> None:
        _, self._error = carried(asyncio.run, self._add_all())

    async def _add_all(self) -> None:
        from tui_dl.cli.session_adding import SessionQueue  # noqa: PLC0415  # beside what it is for
        from tui_dl.session.calling import Caller  # noqa: PLC0415  # most starts add nothing

        card = held_by(self._lock_file)
        if isinstance(card, Card) and self._feed is not None:
            with Caller(card.rpc) as caller, closing(SessionQueue(caller)) as queue:
                await self._feed.add_to(queue, most_adds=queue.MOST_ADDS)
