"""A list by bare curl_cffi, HTTP/1.1 or HTTP/2."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Any

from tests.benchmarks.fetchers.arguments import Wanted, read_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator


async def work(session: Any, urls: Iterator[str], wanted: Wanted) -> None:
    """Save addresses until there are no more."""
    for url in urls:
        answer = await session.get(url)
        answer.raise_for_status()
        wanted.target(url).write_bytes(answer.content)


async def fetch(wanted: Wanted) -> None:
    """Fetch the list."""
    library = importlib.import_module("curl_cffi")
    version = library.CurlHttpVersion.V2TLS if wanted.is_http2 else library.CurlHttpVersion.V1_1
    urls = iter(wanted.urls)
    options = {"verify": wanted.authority or True, "http_version": version}
    async with library.AsyncSession(max_clients=wanted.at_once, **options) as session, asyncio.TaskGroup() as group:
        for _ in range(wanted.at_once):
            group.create_task(work(session, urls, wanted))


def main() -> None:
    """Fetch the list."""
    asyncio.run(fetch(read_arguments()))


if __name__ == "__main__":
    main()
