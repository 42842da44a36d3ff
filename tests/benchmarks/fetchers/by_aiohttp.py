"""A list by bare aiohttp on uvloop: what the engine's client can do with nothing around it."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import aiohttp
import uvloop

from tests.benchmarks.fetchers.arguments import Wanted, read_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator


async def work(session: aiohttp.ClientSession, urls: Iterator[str], wanted: Wanted) -> None:
    """Save addresses until there are no more."""
    for url in urls:
        async with session.get(url) as answer:
            answer.raise_for_status()
            body = await answer.read()
        wanted.target(url).write_bytes(body)


async def fetch(wanted: Wanted) -> None:
    """Fetch the list."""
    context = ssl.create_default_context(cafile=wanted.authority) if wanted.authority else True
    connector = aiohttp.TCPConnector(limit=wanted.at_once, ssl=context)
    urls = iter(wanted.urls)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        for _ in range(wanted.at_once):
            group.create_task(work(session, urls, wanted))


def main() -> None:
    """Fetch the list."""
    uvloop.run(fetch(read_arguments()))


if __name__ == "__main__":
    main()
