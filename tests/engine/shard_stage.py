"""Files on a server that go into tar shards, run by run, and the judge of what the shards hold."""

from __future__ import annotations

import asyncio
import json
import tarfile
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.engine.stage import LIMIT_S
from tests.faults import Resource, oracle
from tui_dl.core.query import TaskQuery
from tui_dl.core.sharding import STAGING, parse_pattern
from tui_dl.core.task import OnExists, TaskOptions
from tui_dl.engine.shard_sink import ShardWish
from tui_dl.engine.sharded import ShardedEngine
from tui_dl.engine.wishes import checked_task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tui_dl.core.events import Event
    from tui_dl.core.task import DownloadTask, NewTask

COUNT = 25
PER_SHARD = 10
SMALL_BYTES = 700
SMALL = Resource(SMALL_BYTES)


class Samples:
    """Files on a server, and the shards that they go to."""

    def __init__(self, engines: Engines, server: FaultServer, *, count: int = COUNT) -> None:
        self.engines = engines
        self.wish = ShardWish(str(engines.dir), PER_SHARD, parse_pattern("shard-{:06}.tar"))
        self.events: list[Event] = []
        self.folder = ""
        """Folder of the files, below that of the shards or absolute."""
        self.resources: dict[str, Resource] = {}
        for number in range(count):
            resource = Resource(SMALL_BYTES + number, seed=number + 1)
            self.resources[server.add(f"/{number}/image.bin", resource)] = resource

    def news(self) -> list[NewTask]:
        """Return all files as a list wants them."""
        skip = TaskOptions(on_exists=OnExists.SKIP)
        return [checked_task(url, str(self.engines.dir / self.folder), "", skip) for url in self.resources]

    @asynccontextmanager
    async def running(self, **settings: Any) -> AsyncIterator[ShardedEngine]:
        """Open an engine and its shards, everything added."""
        engine = await self.engines(journal=self.engines.journal, concurrent_downloads=4, **settings)
        try:
            async with ShardedEngine(engine, self.wish) as sharded:
                sharded.subscribe(self.events.append)
                await sharded.add_checked(self.news(), batch="list")
                yield sharded
        finally:
            await self.engines.close(engine)

    async def run(self, **settings: Any) -> Sequence[str]:
        """Run to the end and return the names of the shards made."""
        async with asyncio.timeout(LIMIT_S), self.running(**settings) as sharded:
            await sharded.wait()
            return [shard.name for shard in sharded.shards_made]

    async def rows(self) -> list[DownloadTask]:
        """Return all rows of the journal."""
        engine = await self.engines(journal=self.engines.journal)
        rows = await engine.rows(await engine.view(TaskQuery()))
        await self.engines.close(engine)
        return rows

    async def require_exact(self, *, missing: Sequence[str] = ()) -> None:
        """Raise unless folder and journal agree, and each file is in one shard, once and whole."""
        rows = [row for row in await self.rows() if row.url not in missing]
        assert {row.url for row in rows} == set(self.resources) - set(missing)
        held = contents(self.engines.dir)
        assert held.keys() == {(row.path, row.member) for row in rows}
        assert len(rows) == len(held)
        for row in rows:
            resource = self.resources[row.url]
            assert held[row.path, row.member] == oracle.content(resource.seed, 0, resource.size_bytes)
        assert not (self.engines.dir / STAGING).exists()


def contents(folder: Path) -> dict[tuple[str, str], bytes]:
    """Return the payloads of all shards by path and member; raises where two members or two addresses are alike."""
    found: dict[tuple[str, str], bytes] = {}
    urls: Counter[str] = Counter()
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as archive:
            names = archive.getnames()
            assert len(set(names)) == len(names)
            for payload, facts in zip(names[::2], names[1::2], strict=True):
                one = archive.extractfile(payload)
                about = archive.extractfile(facts)
                assert one is not None
                assert about is not None
                told = json.load(about)
                assert facts == f"{told['key']}.json"
                assert payload.startswith(f"{told['key']}.")
                urls[told["url"]] += 1
                found[str(path), payload] = one.read()
                assert len(found[str(path), payload]) == told["bytes"]
    assert set(urls.values()) <= {1}
    return found
