"""What was looked up lately, found or not, so that a name is asked for once and not by each of its tasks."""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from aiohttp.abc import AbstractResolver

from tui_dl.engine.error_map import is_absent

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult

FOUND_S: Final = 60.0
"""So long an address is taken for that of its name; the system does not tell how long it holds."""
NOT_FOUND_S: Final = 10.0
"""So long a name that is not there is not asked for again; one that could not be asked for is, at once."""
MOST_NAMES: Final = 4096
"""Names that are remembered; of more, the one that was not asked for the longest is forgotten."""

_Key = tuple[str, int, int]


class KnownNames(AbstractResolver):
    """Remembers what `rest` says."""

    def __init__(self, rest: AbstractResolver) -> None:
        self._rest = rest
        self._asking: dict[_Key, asyncio.Task[list[ResolveResult] | OSError]] = {}
        self._known: OrderedDict[_Key, tuple[float, list[ResolveResult] | OSError]] = OrderedDict()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return addresses of a host; raises `OSError` where there are none."""
        key = (host.lower(), port, int(family))
        now = asyncio.get_running_loop().time()
        until_at, known = self._known.get(key, (float("-inf"), None))
        if known is None or until_at <= now:
            known = await self._asked(key, host, port, family)
        else:
            self._known.move_to_end(key)
        if isinstance(known, OSError):
            # A fresh one each time: a traceback grows with each raising.
            raise type(known)(*known.args) from known.__cause__
        return [one.copy() for one in known]

    async def close(self) -> None:
        """Close who is asked."""
        for asking in self._asking.values():
            asking.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        await self._rest.close()

    async def _asked(self, *question: *tuple[_Key, str, int, socket.AddressFamily]) -> list[ResolveResult] | OSError:
        """Ask, or wait for who asks already; one who gives up takes the answer from nobody."""
        key = question[0]
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.ensure_future(self._ask(*question))
            asking.add_done_callback(lambda done: self._end(key, done))
        return await asyncio.shield(asking)

    def _end(self, key: _Key, done: asyncio.Task[list[ResolveResult] | OSError]) -> None:
        del self._asking[key]
        if not done.cancelled():
            done.exception()  # whoever asked may have given up

    async def _ask(
        self, key: _Key, host: str, port: int, family: socket.AddressFamily
    ) -> list[ResolveResult] | OSError:
        found: list[ResolveResult] | OSError
        try:
            found = await self._rest.resolve(host, port, family)
        except OSError as error:
            if not is_absent(error):
                raise
            found = error.with_traceback(None)
        holds_s = NOT_FOUND_S if isinstance(found, OSError) else FOUND_S
        self._known[key] = (asyncio.get_running_loop().time() + holds_s, found)
        self._known.move_to_end(key)
        if len(self._known) > MOST_NAMES:
            self._known.popitem(last=False)
        return found
