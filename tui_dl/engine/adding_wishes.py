"""The command that adds: addresses, lists of downloads each with wishes of its own, patterns and Metalink files."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.addresses import shown_url
from tui_dl.core.commands import CommandOutcome
from tui_dl.core.errors import UsageError
from tui_dl.core.events import EventKind
from tui_dl.core.status import Trigger
from tui_dl.core.url_globs import parse_glob
from tui_dl.core.url_list import check_url
from tui_dl.engine.in_sequence import InSequence
from tui_dl.engine.many_addresses import add_glob
from tui_dl.engine.meant import Everything
from tui_dl.engine.naming import namer_of
from tui_dl.engine.wish_reading import WishReader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from tui_dl.core.commands import Command
    from tui_dl.core.task import NewTask
    from tui_dl.engine.engine import AsyncDownloadEngine
    from tui_dl.journal.outcomes import AddOutcome

_SOURCES: Final = frozenset({"urls", "downloads", "globs"})
MOST_IDS: Final = 1000
"""Rows named in an outcome; of more the number is told."""


class WishAdder:
    """Carries out `CommandName.ADD`."""

    def __init__(self, engine: AsyncDownloadEngine) -> None:
        self._engine = engine
        self._sequence = InSequence()

    async def add(self, command: Command) -> CommandOutcome:
        """Add what a command names. Raises `UsageError` before anything was added."""
        async with self._sequence.part(command.arguments.get("part")) as turn:
            return await self._add(command.arguments, turn)

    async def _add(self, arguments: Mapping[str, Any], turn: Callable[[], Awaitable[None]]) -> CommandOutcome:
        urls: Sequence[str] = arguments.get("urls") or ()
        name = str(arguments.get("name") or "")
        if name and len(urls) != 1:
            raise UsageError("a name can be given to one address only")
        common = {key: value for key, value in arguments.items() if key not in _SOURCES}
        wishes: list[Mapping[str, Any]] = [*({"url": url} for url in urls), *(arguments.get("downloads") or ())]
        globs = [one for one in map(parse_glob, arguments.get("globs") or ()) if one is not None]
        for glob in globs:
            check_url(glob.address(0), is_typed=True)
        namer = namer_of(self._engine.context, arguments.get("name_template"))
        reader = WishReader(common, self._engine.default_dir, namer)
        news = await reader.read(wishes)
        is_paused = bool(arguments.get("paused"))
        await turn()
        with ExitStack() as barring:
            if is_paused:
                # None of them may start before it is paused.
                barring.enter_context(self._engine.scheduler.barring(Everything()))
            outcomes = await self._add_checked(news, batch=str(arguments.get("batch") or ""), is_paused=is_paused)
            number, known = sum(one.is_new for one in outcomes), sum(not one.is_new for one in outcomes)
            for glob in globs:
                batch = str(arguments.get("batch") or shown_url(glob.text))
                add = partial(self._add_checked, batch=batch, is_paused=is_paused)
                new, there = await add_glob(glob, lambda url: reader.tasks_of({"url": url}), add)
                number, known = number + new, known + there
        message = f"{number:,} added" + (f", {known:,} already there" if known else "")
        added = tuple([one.task_id for one in outcomes if one.is_new][:MOST_IDS])
        there_already = tuple([one.task_id for one in outcomes if not one.is_new][:MOST_IDS])
        return CommandOutcome(number, added, message, known_ids=there_already)

    async def _add_checked(self, news: Sequence[NewTask], *, batch: str, is_paused: bool) -> list[AddOutcome]:
        outcomes = await self._engine.add_checked(news, batch=batch)
        fresh = [one.task_id for one in outcomes if one.is_new] if is_paused else []
        if fresh:
            await self._engine.context.journal.bulk(Trigger.PAUSE, ids=fresh)
            for task in await self._engine.context.journal.rows(fresh):
                self._engine.ledger.tell(EventKind.PAUSED, task)
        return outcomes
