"""A Metalink that came as an answer: read whole, and the files it describes put into the queue in its stead."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import has_same_origin
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import ContentError, Reason, UsageError
from tui_dl.core.events import EventKind
from tui_dl.core.http_rules import headers_for_redirect, is_web_page
from tui_dl.core.metalink_names import MOST_METALINK_BYTES, is_metalink_name, is_metalink_type
from tui_dl.core.status import Status
from tui_dl.engine.bodies import read_document
from tui_dl.engine.encoded_body import Decoder
from tui_dl.engine.outcome import End, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.metalink import Metalink
    from tui_dl.core.task import DownloadTask, NewTask, TaskOptions
    from tui_dl.engine.asking import Exchange
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.engine import AsyncDownloadEngine
    from tui_dl.engine.live import LiveTask
    from tui_dl.journal.outcomes import AddOutcome

TRIED_AGAIN: Final = frozenset({Status.FAILED, Status.CANCELLED, Status.SKIPPED})
"""What ended without a file is tried again when its Metalink is fetched again."""


def is_to_follow(context: EngineContext, task: DownloadTask, exchange: Exchange) -> bool:
    """Whether an answer is a Metalink whose files are wanted, and not the Metalink itself."""
    if exchange.judgement.start:
        return False
    if task.options.is_metalink:
        return True
    if not context.settings.follow_metalink:
        return False
    content_type = exchange.answer.headers.get("Content-Type", "")
    return is_metalink_type(content_type) or (is_metalink_name(task.url) and not is_web_page(content_type))


async def follow(context: EngineContext, live: LiveTask, exchange: Exchange, final_url: str) -> Outcome:
    """Read a Metalink and add its files; the task itself is then done without a file of its own.

    Raises `ContentError` BAD_METALINK where it cannot be used.
    """
    task = live.task
    try:
        encodings = exchange.judgement.encodings
        document = await read_document(
            context, live, exchange, MOST_METALINK_BYTES, Decoder(encodings) if encodings else None
        )
        metalink = await asyncio.to_thread(_parsed, document, task.filename)
        # In a thread as well: there may be a hundred thousand of them.
        news = await asyncio.to_thread(_wanted, context, task, metalink, final_url)
    except UsageError as error:
        raise ContentError(Reason.BAD_METALINK, error.message) from None
    for note in metalink.notes:
        live.note(note)
    wanted = await context.add_files(task, news)
    files = f"{len(news)} files are" if len(news) > 1 else "file is"
    live.rewind(0)
    return Outcome(
        End.SKIPPED, text=f"a Metalink: its {files} {'in the queue' if wanted else 'here already'}", reason=None
    )


def _parsed(document: bytes, name: str) -> Metalink:
    from tui_dl.core.metalink import parse_metalink  # noqa: PLC0415  # most engines never see a Metalink

    return parse_metalink(document, name)


def _wanted(context: EngineContext, task: DownloadTask, metalink: Metalink, final_url: str) -> list[NewTask]:
    options = replace(task.options, is_metalink=False, announced="", version_url="", restarts=False)
    # A name that was asked for is fixed before the first answer.
    name = task.filename if task.name_fixed else ""
    news = []
    for new in metalink.tasks(task.dir, options, name):
        urls = _secure(context, (new.url, *new.options.mirrors), final_url, new.options)
        own = _own_options(replace(new.options, mirrors=urls[1:]), task.url, urls[0])
        news.append(replace(new, url=urls[0], parts=None, options=own, parent_id=task.id, priority=task.priority))
    return news


def _secure(context: EngineContext, urls: Sequence[str], final_url: str, options: TaskOptions) -> tuple[str, ...]:
    """Return the addresses that may be used: from https to http only where a digest proves what comes."""
    if options.checksum or options.pieces or context.settings.allow_downgrade or not final_url.startswith("https:"):
        return tuple(urls)
    kept = tuple(url for url in urls if url.startswith("https:"))
    if not kept:
        raise UsageError("it came over https, but names addresses without (http) and no digest; refused")
    return kept


def _own_options(options: TaskOptions, from_url: str, url: str) -> TaskOptions:
    """Return the options of a file whose address a Metalink names: credentials stay with their origin."""
    if has_same_origin(from_url, url):
        return options
    headers = tuple(headers_for_redirect(dict(options.headers), from_url, url).items())
    return replace(options, headers=headers, is_named_elsewhere=True)


class FileAdder:
    """Adds the files of Metalinks to an engine's queue; those that are there already go on."""

    def __init__(self, engine: AsyncDownloadEngine) -> None:
        self._engine = engine
        self.files_of: dict[int, tuple[int, ...]] = {}
        """Ids of the files by that of their Metalink's task, as long as the engine lives."""

    async def add(self, parent: DownloadTask, news: Sequence[NewTask]) -> int:
        """Add them, durable when this returns; return how many are still to be fetched."""
        outcomes = list(await self._engine.add_checked(news, batch=""))
        gone = [one.task.id for one in outcomes if await _has_lost_its_file(one)]
        if gone:
            await self._engine.execute(Command(CommandName.CLEAR_FINISHED, ids=tuple(gone)))
            outcomes = list(await self._engine.add_checked(news, batch=""))
        self.files_of[parent.id] = tuple(one.task.id for one in outcomes)
        owner = self._engine.context.journal.instance_id
        again = [one.task for one in outcomes if not one.is_new and one.task.owner == owner]
        await self._go_on(again, parent.id)
        return sum(one.is_new or one.task.status is not Status.COMPLETED for one in outcomes)

    async def _go_on(self, known: Sequence[DownloadTask], parent_id: int) -> None:
        for task in known:
            if task.status is not Status.COMPLETED and self._engine.progress(task.id) is None:
                self._engine.ledger.tell(EventKind.ADDED, replace(task, parent_id=parent_id))
        for name, statuses in ((CommandName.RETRY, TRIED_AGAIN), (CommandName.RESUME, {Status.PAUSED})):
            if ids := tuple(task.id for task in known if task.status in statuses):
                await self._engine.execute(Command(name, ids=ids))


async def _has_lost_its_file(outcome: AddOutcome) -> bool:
    task = outcome.task
    if outcome.is_new or task.status is not Status.COMPLETED:
        return False
    return not await asyncio.to_thread(os.path.lexists, task.path)
