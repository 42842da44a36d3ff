"""The wishes of one command understood: each an address with what is wanted of it, a list's with what they share."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.addresses import PLAIN_URL
from tui_dl.core.errors import UsageError
from tui_dl.core.metalink_names import is_metalink_path
from tui_dl.core.plain_address import plain_parts
from tui_dl.core.task import NewTask, TaskOptions
from tui_dl.disk.metalink_file import read_metalink
from tui_dl.engine.wishes import checked_task, options_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui_dl.core.name_template import Namer

WISHES_PER_TURN: Final = 200
"""Wishes understood before the loop gets a turn."""
_NO_OPTIONS: Final[Mapping[str, Any]] = MappingProxyType({})
_OF_A_LIST: Final = frozenset({"url", "line", "extra"})
"""What a row of a list says itself; the rest is said once for all."""
_PRIORITIES: Final = (None, -1, 0, 1)


class WishReader:
    """Understands wishes; what is not said by one is said by `common`."""

    def __init__(self, common: Mapping[str, Any], default_dir: str, namer: Namer) -> None:
        """Take what is shared; raises `UsageError` for options that there are not."""
        self._common = common
        self._default_dir = default_dir
        self._namer = namer
        self._given: Mapping[str, Any] = _NO_OPTIONS
        self._options = TaskOptions()
        options = self._options_of(common)
        is_shared = not (common.keys() & _OF_A_LIST or common.get("name") or options.checksum or options.asks)
        self._shared = options if is_shared and common.get("priority") in _PRIORITIES else None

    async def read(self, wishes: Sequence[Mapping[str, Any]]) -> list[NewTask]:
        """Return what they mean in their order; raises `UsageError`."""
        news: list[NewTask] = []
        for start in range(0, len(wishes), WISHES_PER_TURN):
            for wish in wishes[start : start + WISHES_PER_TURN]:
                if (new := self._listed(wish)) is None:
                    news += await self.tasks_of(wish)
                else:
                    news.append(new)
            await asyncio.sleep(0)
        return news

    async def tasks_of(self, wish: Mapping[str, Any]) -> list[NewTask]:
        """Return what an address means, or the path of a Metalink file on this machine."""
        wish = {**self._common, **wish}
        folder = self._folder_of(wish)
        options = self._options_of(wish)
        if options.asks and not options.has_own_dir and folder != self._default_dir:
            options = replace(options, has_own_dir=True)
        url, name = str(wish.get("url") or ""), str(wish.get("name") or "")
        if not is_metalink_path(url):
            return [self._namer.named(_checked(url, folder, name, options, wish))]
        metalink = await asyncio.to_thread(read_metalink, url, self._default_dir)
        return metalink.tasks_of_file(folder, options, name)

    def _listed(self, wish: Mapping[str, Any]) -> NewTask | None:
        """Return what an everyday row of a list means, None for any other: a list has a million of them."""
        if self._shared is None or type(wish) is not dict or not wish.keys() <= _OF_A_LIST:
            return None
        url, line, extra = wish.get("url"), wish.get("line", 0), wish.get("extra", "")
        if type(url) is not str or type(line) is not int or type(extra) is not str:
            return None
        new = _everyday(url, self._folder_of(self._common), self._shared, self._common.get("priority"), line, extra)
        return None if new is None else self._namer.named(new)

    def _folder_of(self, wish: Mapping[str, Any]) -> str:
        return str(wish.get("dir") or "") or self._default_dir

    def _options_of(self, wish: Mapping[str, Any]) -> TaskOptions:
        """Return the options of a wish; those of a list are the same for all its rows, and are read once."""
        given = wish.get("options") or _NO_OPTIONS
        if given is not self._given:
            self._given, self._options = given, options_from(given)
        return self._options


def _checked(url: str, folder: str, name: str, options: TaskOptions, wish: Mapping[str, Any]) -> NewTask:
    """Return a row with what a list's reader knows of it: who is first, its line, the columns that we do not know."""
    priority, line, extra = wish.get("priority"), wish.get("line"), wish.get("extra")
    if priority not in _PRIORITIES or type(line or 0) is not int or not isinstance(extra or "", str):
        raise UsageError("priority: expected 1, 0 or -1; line: a whole number; extra: text")
    line, extra = line or 0, extra or ""
    if not (name or options.checksum) and (new := _everyday(url, folder, options, priority, line, extra)) is not None:
        return new
    return replace(checked_task(url, folder, name, options), priority=priority, line=line, extra=extra)


def _everyday(
    url: str, folder: str, options: TaskOptions, priority: int | None, line: int, extra: str
) -> NewTask | None:
    """Return the row of an address that is fine as it is, None where that takes a closer look."""
    if not PLAIN_URL.fullmatch(url) or (parts := plain_parts(url)) is None:
        return None
    return NewTask(url, folder, "", options, priority, 0, line, extra, parts=parts)
