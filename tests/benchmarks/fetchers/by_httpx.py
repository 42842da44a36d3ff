"""A list by bare httpx, HTTP/1.1 or HTTP/2."""

from __future__ import annotations

import asyncio
import importlib
import ssl
from typing import TYPE_CHECKING, Any

from tests.benchmarks.fetchers.arguments import Wanted, read_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator


async def work(client: Any, urls: Iterator[str], wanted: Wanted) -> None:
    """Save addresses until there are no more."""
    for url in urls:
        answer = await client.get(url)
        answer.raise_for_status()
        wanted.target(url).write_bytes(answer.content)


async def fetch(wanted: Wanted) -> None:
    """Fetch the list."""
    library = importlib.import_module("httpx")
    limits = library.Limits(max_connections=wanted.at_once, max_keepalive_connections=wanted.at_once)
    context = ssl.create_default_context(cafile=wanted.authority) if wanted.authority else True
    urls = iter(wanted.urls)
    client = library.AsyncClient(http2=wanted.is_http2, limits=limits, timeout=120, verify=context)
    async with client, asyncio.TaskGroup() as group:
        for _ in range(wanted.at_once):
            group.create_task(work(client, urls, wanted))


def main() -> None:
    """Fetch the list."""
    asyncio.run(fetch(read_arguments()))


if __name__ == "__main__":
    main()
