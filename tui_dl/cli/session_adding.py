"""What a command line orders, given to the session: the lists are read here, where their paths mean something."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.commands import Command, CommandName
from tui_dl.core.task import OnExists
from tui_dl.core.wire_commands import command_json
from tui_dl.core.wire_wishes import own_json, shared_json, wish_json

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence

    from tui_dl.cli.order import Order
    from tui_dl.cli.settings_file import EffectiveSettings
    from tui_dl.core.settings import Settings
    from tui_dl.core.task import NewTask, TaskOptions
    from tui_dl.session.calling import Caller

MOST_WISHES: Final = 4_000
"""Rows in one request, and in one transaction of the session: all that a list's reader gathers while one is added."""
MOST_BYTES: Final = 1024 * 1024
"""Bytes of one request, half of what is taken."""
_OWN: Final = frozenset({"url", "name", "line", "extra"})
TRAVELLING: Final = frozenset(
    {
        *("connections", "max_retries", "sequential", "on_exists", "name_template"),
        *("user", "bearer", "referer", "user_agent", "dir"),
        *("accept", "min_size", "max_size"),
    }
)
"""Settings that go with each address; all others are the session's."""
_AS_OPTIONS: Final = {
    **{name: name for name in ("connections", "max_retries", "accept")},
    "min_size": "min_bytes",
    "max_size": "max_bytes",
}
"""Those of them that are options of a task, with the names of these."""


MOST_IDS: Final = 1_000
"""Ids that are kept to be told; of a list of a million nobody reads them."""


class SessionQueue:
    """Adds to the session's queue, as an engine would to its own: one block is understood while another is written."""

    MOST_ADDS: Final = 2
    """Blocks that may be under way, each on a connection of its own; the session keeps their order."""

    def __init__(self, caller: Caller, *, is_paused: bool = False, tell: Callable[[int], None] | None = None) -> None:
        """`is_paused`: they wait for a person before they start; `tell` gets the rows so far."""
        self._callers = (caller, caller.another())
        self._is_paused = is_paused
        self._tell = tell
        self._list = os.urandom(12).hex()
        self._adds = self._requests = 0
        self.added = 0
        """Rows that are new."""
        self.known = 0
        """Rows that were there."""
        self.ids: list[int] = []
        """The first of those that are new."""
        self.known_ids: list[int] = []
        """The first of those that were there."""

    def add_checked(self, news: Sequence[NewTask], *, batch: str) -> Coroutine[Any, Any, None]:
        """Write rows down at once, which may be while others are added, and return what adds them.

        It takes as many requests as it must, and raises `TuiDlError`.
        """
        # The rows of a list share all but their addresses, which then travels once.
        shared = shared_json(news)
        wishes = [wish_json(one) if shared is None else own_json(one) for one in news]
        requests = list(self._written(wishes, batch, shared))
        self._adds += 1
        return self._ask_beside(self._callers[self._adds % self.MOST_ADDS], requests)

    def put(self, wishes: Sequence[dict[str, Any]], batch: str) -> None:
        """Add what `wish_json()` makes of rows; blocks, raises `TuiDlError`."""
        for rows, request in self._written(wishes, batch, None):
            self._count(rows, self._callers[0].ask(request))

    def close(self) -> None:
        """End the connection that is not the caller's own."""
        self._callers[1].close()

    async def _ask_beside(self, caller: Caller, requests: Sequence[tuple[int, bytes]]) -> None:
        import asyncio  # noqa: PLC0415  # a single address is added without a loop

        for rows, request in requests:
            self._count(rows, await asyncio.to_thread(caller.ask, request))

    def _written(
        self, wishes: Sequence[dict[str, Any]], batch: str, shared: Mapping[str, Any] | None
    ) -> Iterator[tuple[int, bytes]]:
        """Return how many rows each request adds, and the request."""
        for downloads in _portions(wishes):
            part = {"list": self._list, "number": self._requests}
            self._requests += 1
            arguments = {**(shared or {}), "downloads": downloads, "batch": batch, "name_template": "", "part": part}
            if self._is_paused:
                arguments["paused"] = True
            command = command_json(Command(CommandName.ADD, arguments=arguments))
            yield len(downloads), self._callers[0].written("tui_dl.execute", command)

    def _count(self, rows: int, outcome: Mapping[str, Any]) -> None:
        self.added += outcome["changed"]
        self.known += rows - outcome["changed"]
        # Of two answers on their way at once the later one may be read first; ids rise with the list.
        self.ids = sorted([*self.ids, *outcome["ids"][:MOST_IDS]])[:MOST_IDS]
        self.known_ids += outcome["known_ids"][: MOST_IDS - len(self.known_ids)]
        if self._tell is not None:
            self._tell(self.added + self.known)


def _portions(wishes: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    portion: list[dict[str, Any]] = []
    size = 0
    for wish in wishes:
        length = _length(wish)
        if portion and (len(portion) >= MOST_WISHES or size + length > MOST_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(wish)
        size += length
    if portion:
        yield portion


def _length(wish: dict[str, Any]) -> int:
    """Return how many bytes a row is as JSON, or a few more."""
    if wish.keys() <= _OWN:
        return 64 + len(wish["url"]) + 6 * (len(wish.get("name", "")) + len(wish.get("extra", "")))
    return len(json.dumps(wish))


def given_settings(effective: EffectiveSettings) -> dict[str, Any]:
    """Return what the command line itself set, a preset among it."""
    said = {name for name, origin in effective.origins.items() if origin.startswith("--") or "(--preset)" in origin}
    return {name: getattr(effective.settings, name) for name in said if name != "dir"}


def travelling(order: Order) -> Order:
    """Return an order whose addresses carry what the command line asked for them, for a session of other settings."""
    said = given_settings(order.effective).keys() & TRAVELLING
    settings = order.effective.settings
    news = tuple(replace(one, options=_laden(one.options, settings, said)) for one in order.news)
    return replace(order, news=news, options=_laden(order.options, settings, said))


def _laden(options: TaskOptions, settings: Settings, said: set[str]) -> TaskOptions:
    changes: dict[str, Any] = {
        option: getattr(settings, name)
        for name, option in _AS_OPTIONS.items()
        if name in said and getattr(options, option) is None
    }
    if "on_exists" in said and options.on_exists is None:
        changes["on_exists"] = OnExists(settings.on_exists)
    if "sequential" in said:
        changes["is_ordered"] = settings.sequential
    there = {name.lower() for name, _ in options.headers}
    more = tuple(one for one in _headers(settings, said) if one[0].lower() not in there)
    return replace(options, headers=(*options.headers, *more), **changes)


def _headers(settings: Settings, said: set[str]) -> Iterator[tuple[str, str]]:
    if said & {"bearer", "user"}:
        from tui_dl.core.identity import parse_bearer, parse_user  # noqa: PLC0415  # few orders have one
    if "bearer" in said and settings.bearer:
        from tui_dl.engine.token_file import read_token  # noqa: PLC0415  # few orders have one

        yield "Authorization", parse_bearer(read_token(settings.bearer))
    elif "user" in said and settings.user:
        yield "Authorization", parse_user(settings.user)
    for name, header in (("referer", "Referer"), ("user_agent", "User-Agent")):
        if name in said and getattr(settings, name):
            yield header, getattr(settings, name)
