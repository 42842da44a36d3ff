"""One run of `get` into files: what is told, what is written down, and how it ends."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import AsyncExitStack, ExitStack, suppress
from typing import TYPE_CHECKING

from tui_dl.cli.accounts import Accounts
from tui_dl.cli.batch import Reporters, TooManyFailed, run_batch
from tui_dl.cli.compose import open_engine
from tui_dl.cli.exits import DONE, INTERRUPTED, SOME_FAILED, WRONG_USAGE
from tui_dl.cli.json_lines import JsonReporter
from tui_dl.cli.people import PeopleReporter
from tui_dl.cli.printer import Printer
from tui_dl.cli.shards import packing
from tui_dl.cli.stopping import Stopped, Stopping
from tui_dl.cli.streams import is_terminal
from tui_dl.cli.tally import Tally
from tui_dl.cli.terminal import on_return, shown_on, terminal_of
from tui_dl.cli.wishes import open_export, settings_for
from tui_dl.core.errors import FileSystemError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui_dl.cli.batch import Block
    from tui_dl.cli.compose import OpenedEngine
    from tui_dl.cli.order import Order
    from tui_dl.cli.terminal import Terminal
    from tui_dl.cli.wishes import Wishes
    from tui_dl.core.failure_bound import FailureBound
    from tui_dl.core.task import DownloadResult
    from tui_dl.disk.locations import Locations

    Blocks = AsyncIterator[Block]


class FileRun:
    """Downloads an order into files, tells of it, and writes its account."""

    def __init__(self, order: Order, wishes: Wishes, accounts: Accounts | None) -> None:
        self._order = order
        self._wishes = wishes
        self._accounts = accounts
        self._tally = Tally(time.time())
        self._people: PeopleReporter | None = None
        self._unwritten: FileSystemError | None = None

    async def run(self, blocks: Blocks, locations: Locations) -> int:
        """Download and return the exit code; raises `FileSystemError` where the account could not be written."""
        async with AsyncExitStack() as stack:
            has_frame = not self._wishes.is_plain and not (self._wishes.is_json and is_terminal(sys.stdout))
            terminal = terminal_of(sys.stderr) if has_frame else None
            errors = None
            if not self._wishes.is_quiet:
                errors = await stack.enter_async_context(Printer(sys.stderr, terminal=terminal))
                stack.enter_context(on_return(errors.begin_anew))
            stopping = Stopping(errors.line if errors else _keep_silent, _end_line if terminal else None)
            output = None
            if self._wishes.is_json:
                output = await stack.enter_async_context(Printer(sys.stdout, stopping.stop))
            self._people = self._reporter_on(errors, terminal) if errors else None
            json_lines = JsonReporter(output) if output else None
            reporter = Reporters(*(one for one in (self._people, json_lines) if one))
            try:
                code = await self._stoppable(stopping, blocks, reporter, locations)
            finally:
                # Also where it could not start: whoever reads the lines waits for the last one.
                result = self._tally.result(time.time())
                if json_lines:
                    json_lines.summary(result, time.time())
            if self._people:
                self._people.closing(self._tally, result)
        if self._unwritten is not None:
            raise self._unwritten
        return exit_code(result, self._tally, self._wishes.bound) if code is None else code

    def _reporter_on(self, printer: Printer, terminal: Terminal | None) -> PeopleReporter:
        order, wishes = self._order, self._wishes
        people = PeopleReporter(
            printer,
            terminal=terminal,
            units=order.effective.settings.units,
            shown=shown_on(sys.stderr),
            is_verbose=wishes.is_verbose,
        )
        if order.lists and "concurrent_downloads" not in order.effective.origins:
            people.note(f"{order.effective.settings.concurrent_downloads} at once; --preset production uses 50")
        for note in order.notes:
            people.note(note)
        return people

    async def _stoppable(
        self, stopping: Stopping, blocks: Blocks, reporter: Reporters, locations: Locations
    ) -> int | None:
        """Do the work; return the exit code that its end has, None where its outcome decides."""
        try:
            await stopping.run(self._work(blocks, reporter, locations))
        except Stopped:
            return INTERRUPTED
        except TooManyFailed:
            if self._people:
                # The last one may have been the one too many: then there is nothing to go on with.
                is_through = self._tally.is_list_read and self._tally.ended >= self._tally.total
                way_on = "" if is_through else " Stopped: the same command goes on where it was."
                self._people.note(f"More failed than --max-failed {self._wishes.bound} allows.{way_on}")
            return SOME_FAILED
        return None

    async def _work(self, blocks: Blocks, reporter: Reporters, locations: Locations) -> None:
        settings = settings_for(self._wishes, self._order)
        async with open_engine(settings, locations.journal_file, is_get=True, on_trouble=self._note) as opened:
            try:
                async with packing(opened.engine, self._wishes.shards, self._note) as engine:
                    await run_batch(
                        engine,
                        blocks,
                        reporter,
                        self._tally,
                        name=self._order.lists.batch_name or "get",
                        owner=opened.instance_id,
                        clock=time.time,
                        bound=self._wishes.bound,
                        accounts=self._accounts,
                    )
            except asyncio.CancelledError:
                # Whoever stops it waits: the failures are few, a manifest is for a list that is through.
                await self._write(opened, has_manifest=False)
                raise
            except TooManyFailed:
                await self._write(opened, has_manifest=True)
                raise
            await self._write(opened, has_manifest=True)
            if opened.hooks is not None:
                opened.hooks.end_queue()

    async def _write(self, opened: OpenedEngine, *, has_manifest: bool) -> None:
        """Write what is to be written down of the batch; a disk that refuses is told of at the end."""
        if self._accounts is None:
            return
        journal = opened.engine.context.journal
        try:
            await self._accounts.write_failed_list(journal)
            if has_manifest:
                await self._accounts.write_manifest(journal, self._tell_written)
            elif self._wishes.manifest is not None and self._people:
                self._people.note("The manifest is written when the list is through; the same command goes on.")
        except FileSystemError as error:
            self._unwritten = error

    def _note(self, text: str) -> None:
        if self._people:
            self._people.note(text)

    def _tell_written(self, through: int, of_lines: int) -> None:
        if self._people:
            self._people.working(f"writing the manifest: {through:,} of {of_lines:,} lines")


async def get_files(order: Order, blocks: Blocks, locations: Locations, wishes: Wishes) -> int:
    """Download into files and return the exit code; raises `UsageError` before it begins, `TuiDlError` at its end."""
    # What a template made of an address, it makes again.
    usual_dir = None if order.effective.settings.name_template else order.dir
    accounts = await asyncio.to_thread(open_accounts, wishes, usual_dir)
    try:
        return await FileRun(order, wishes, accounts).run(blocks, locations)
    finally:
        if accounts is not None:
            await asyncio.to_thread(accounts.discard)


def open_accounts(wishes: Wishes, usual_dir: str | None) -> Accounts | None:
    """Open what is to be written, None for nothing; raises `UsageError` where that is not possible."""
    beside = wishes.manifest or wishes.failed_list
    if beside is None:
        return None
    with ExitStack() as stack:
        manifest = open_export("--manifest", wishes.manifest)
        if manifest is not None:
            stack.callback(manifest.discard)
        failed_list = open_export("--failed-list", wishes.failed_list)
        accounts = Accounts(beside.parent, manifest=manifest, failed_list=failed_list, usual_dir=usual_dir)
        stack.pop_all()
    return accounts


def _end_line() -> None:
    """Let the shell's prompt begin on a line of its own, where the frame cannot be taken away any more."""
    with suppress(OSError):
        os.write(2, b"\r\n")


def _keep_silent(_text: str) -> None:
    """Say nothing: nobody wants to hear."""


def exit_code(result: DownloadResult, tally: Tally, bound: FailureBound | None = None) -> int:
    """Return the exit code of a batch that ran to its end."""
    if result.total and tally.bad_lines == result.total:
        return WRONG_USAGE
    is_well = result.failed == 0 if bound is None else bound.allows(result.failed, result.total)
    return DONE if is_well and not result.cancelled else SOME_FAILED
