"""The command that adds: addresses, lists of downloads each with wishes of its own, patterns and Metalink files."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.addresses import PLAIN_URL, shown_url
from tui_dl.core.commands import CommandOutcome
from tui_dl.core.errors import UsageError
from tui_dl.core.events import EventKind
from tui_dl.core.metalink_names import is_metalink_path
from tui_dl.core.plain_address import plain_parts
from tui_dl.core.status import Trigger
from tui_dl.core.task import NewTask, TaskOptions
from tui_dl.core.url_globs import parse_glob
from tui_dl.core.url_list import check_url
from tui_dl.disk.metalink_file import read_metalink
from tui_dl.engine.bulk_work import Everything
from tui_dl.engine.in_sequence import InSequence
from tui_dl.engine.many_addresses import add_glob
from tui_dl.engine.naming import namer_of
from tui_dl.engine.wishes import checked_task, options_from

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from tui_dl.core.commands import Command
    from tui_dl.core.name_template import Namer
    from tui_dl.engine.engine import AsyncDownloadEngine
    from tui_dl.journal.outcomes import AddOutcome

WISHES_PER_TURN: Final = 200
"""Wishes understood before the loop gets a turn."""
_SOURCES: Final = frozenset({"urls", "downloads", "globs"})
_NO_OPTIONS: Final[Mapping[str, Any]] = MappingProxyType({})
MOST_IDS: Final = 1000
"""Rows named in an outcome; of more the number is told."""


class WishAdder:
    """Carries out `CommandName.ADD`."""

    def __init__(self, engine: AsyncDownloadEngine) -> None:
        self._engine = engine
        self._given: Mapping[str, Any] = _NO_OPTIONS
        self._options = TaskOptions()
        self._sequence = InSequence()

    async def add(self, command: Command) -> CommandOutcome:
        """Add what a command names. Raises `UsageError` before anything was added."""
        async with self._sequence.part(command.arguments.get("part")) as turn:
            return await self._add(command.arguments, turn)

    async def _add(self, arguments: Mapping[str, Any], turn: Callable[[], Awaitable[None]]) -> CommandOutcome:
        # Whoever gives the next command may have changed what was given with the one before.
        self._given, self._options = _NO_OPTIONS, TaskOptions()
        urls: Sequence[str] = arguments.get("urls") or ()
        name = str(arguments.get("name") or "")
        if name and len(urls) != 1:
            raise UsageError("a name can be given to one address only")
        common = {key: value for key, value in arguments.items() if key not in _SOURCES}
        wishes = [{**common, "url": url} for url in urls]
        wishes += [{**common, **download} for download in arguments.get("downloads") or ()]
        globs = [one for one in map(parse_glob, arguments.get("globs") or ()) if one is not None]
        for glob in globs:
            check_url(glob.address(0), is_typed=True)
        namer = namer_of(self._engine.context, arguments.get("name_template"))
        news: list[NewTask] = []
        for number, wish in enumerate(wishes, 1):
            news += await self._new_tasks(wish, namer)
            if not number % WISHES_PER_TURN:
                await asyncio.sleep(0)
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
                new, there = await add_glob(glob, lambda url: self._new_tasks({**arguments, "url": url}, namer), add)
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

    async def _new_tasks(self, wish: Mapping[str, Any], namer: Namer) -> list[NewTask]:
        """Return what an address means, or the path of a Metalink file on this machine."""
        folder = str(wish.get("dir") or "") or self._engine.default_dir
        options = self._options_of(wish)
        if options.asks and not options.has_own_dir and folder != self._engine.default_dir:
            options = replace(options, has_own_dir=True)
        url, name = str(wish.get("url") or ""), str(wish.get("name") or "")
        if not is_metalink_path(url):
            return [namer.named(_checked(url, folder, name, options, wish))]
        metalink = await asyncio.to_thread(read_metalink, url, self._engine.default_dir)
        return metalink.tasks_of_file(folder, options, name)

    def _options_of(self, wish: Mapping[str, Any]) -> TaskOptions:
        """Return the options of a wish; those of a list are the same for all its rows, and are read once."""
        given = wish.get("options") or _NO_OPTIONS
        if given is not self._given:
            self._given, self._options = given, options_from(given)
        return self._options


def _checked(url: str, folder: str, name: str, options: TaskOptions, wish: Mapping[str, Any]) -> NewTask:
    """Return a row with what a list's reader knows of it: who is first, its line, the columns that we do not know."""
    priority, line, extra = wish.get("priority"), wish.get("line"), wish.get("extra")
    if priority not in (None, -1, 0, 1) or type(line or 0) is not int or not isinstance(extra or "", str):
        raise UsageError("priority: expected 1, 0 or -1; line: a whole number; extra: text")
    line, extra = line or 0, extra or ""
    if not (name or options.checksum) and PLAIN_URL.fullmatch(url) and (parts := plain_parts(url)) is not None:
        # An everyday address is fine as it is: a list has a million of them.
        return NewTask(url, folder, "", options, priority, 0, line, extra, parts=parts)
    return replace(checked_task(url, folder, name, options), priority=priority, line=line, extra=extra)
