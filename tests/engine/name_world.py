"""A small world of names: a name server that knows the living ones, and a web server at which they all live.

`python -m tests.engine.name_world DELAY_S DEAD_DELAY_S` runs it as a process of its own and writes the two ports.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final, Self, cast

from tests.engine.plain_server import PlainServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

ADDRESS: Final = "127.0.0.1"
DEAD: Final = "dead.example"
"""Names below this one are not there."""
ALIVE: Final = "alive.example"
_TYPE_A: Final = 1
_NOT_THERE: Final = 3


class NameServer(asyncio.DatagramProtocol):
    """Answers each question at once: the address of a living name, or that there is none."""

    def __init__(self) -> None:
        self.asked = 0
        """Questions so far."""
        self.dead_delay_s = 0.0
        """How long it takes to say of a name that it is not there."""
        self.held: list[Callable[[], None]] | None = None
        """Gathers the answers for dead names where a list is set, to be given by whoever calls them."""
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question (RFC 1035 §4)."""
        self.asked += 1
        end = data.index(b"\0", 12) + 5
        question = data[12:end]
        kind = struct.unpack("!H", question[-4:-2])[0]
        is_dead = b"\x04dead\x07example\0" in question.lower()
        answer = b""
        if kind == _TYPE_A and not is_dead:
            answer = b"\xc0\x0c" + struct.pack("!HHIH", _TYPE_A, 1, 60, 4) + bytes(map(int, ADDRESS.split(".")))
        flags = 0x8580 | (_NOT_THERE if is_dead else 0)
        head = data[:2] + struct.pack("!HHHHH", flags, 1, 1 if answer else 0, 0, 0)
        say = partial(self._transport.sendto, head + question + answer, addr)
        if not is_dead or not (self.dead_delay_s or self.held is not None):
            say()
        elif self.held is not None:
            self.held.append(say)
        else:
            asyncio.get_running_loop().call_later(self.dead_delay_s, say)


class NameWorld:
    """`async with NameWorld() as world`."""

    def __init__(self, delay_s: float = 0.0, dead_delay_s: float = 0.0) -> None:
        self.web = PlainServer(ADDRESS, delay_s=delay_s)
        self.names = NameServer()
        self.names.dead_delay_s = dead_delay_s
        self.names_port = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.web)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self.names, local_addr=(ADDRESS, 0))
        self._stack.callback(transport.close)
        self.names_port = transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


def urls(port: int, hosts: int, *, each: int, dead_part: int) -> list[str]:
    """Return addresses, host by host; of so many hosts one is dead, 0: none is there."""
    found = []
    for number in range(hosts):
        is_dead = bool(dead_part) and number % dead_part == 0
        found += [f"http://h{number}.{DEAD if is_dead else ALIVE}:{port}/{number}-{file}" for file in range(each)]
    return found


async def _serve(delay_s: float, dead_delay_s: float) -> None:
    async with NameWorld(delay_s, dead_delay_s) as world:
        sys.stdout.write(f"{world.web.port} {world.names_port}\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(*map(float, sys.argv[1:3])))
