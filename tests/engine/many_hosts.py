"""Thirty hosts of different manners on loopback addresses of their own, and what they saw of us."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from tests.engine.stage import is_whole
from tests.faults import FaultServer, Resource, lies, tempers
from tui_dl.core.task import TaskOptions
from tui_dl.engine.wishes import checked_task

if TYPE_CHECKING:
    from types import TracebackType

    from tests.faults.script import Exchange, Fault, Reply
    from tests.faults.server import RequestLog
    from tui_dl.engine.engine import AsyncDownloadEngine

HOSTS = 30
DIRECTLY_S = 5.0
"""A host that is tried again after longer than this was left in peace in between."""
FIRST_ADDRESS = 2
"""127.0.0.2 and on."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is fetched, and how slowly it is given."""

    files: int
    """Files of each host."""
    file_bytes: int
    """Length of each."""
    pace_bps: float
    """Bytes per second of a connection."""
    patience_s: int
    """What the host with Retry-After asks for."""


class Host:
    """One server, its manners, and the files it serves."""

    def __init__(self, name: str, address: str, scale: Scale, *faults: Fault, pace_bps: float | None = None) -> None:
        self.name = name
        self.server = FaultServer(host=address)
        self.resource = Resource(scale.file_bytes, seed=len(name) + scale.files)
        self._faults = (tempers.pace(pace_bps or scale.pace_bps), *faults)
        self._scale = scale

    def urls(self, batch: str = "a") -> list[str]:
        """Serve the files and return their addresses."""
        names = [f"/{self.name}-{batch}{number}.bin" for number in range(self._scale.files)]
        return [self.server.add(name, self.resource, *self._faults) for name in names]

    @property
    def refused(self) -> list[RequestLog]:
        """Requests that it did not answer with a file."""
        return [log for log in self.server.requests if is_offence(log)]

    def offences_in_a_row(self) -> int:
        """Return how often a refusal was directly followed by another one that we could have avoided.

        It was, where the next request was sent soon after a refusal had been heard, and was refused, too.
        """
        logs = sorted(self.server.requests, key=lambda log: log.started_at)
        return sum(
            is_offence(one)
            and is_offence(other)
            and one.ended_at is not None
            and 0 < other.started_at - one.ended_at < DIRECTLY_S
            for one, other in pairwise(logs)
        )


def is_offence(log: RequestLog) -> bool:
    """Whether a host refused a request for what it has."""
    return log.is_refusal or log.status in (403, 429, 503)


def rests_after_first(patience_s: int) -> Fault:
    """Answer the first request, and whatever comes too soon after it, 503 with Retry-After."""
    rests_until_at: list[float] = []

    def fault(exchange: Exchange, reply: Reply) -> Reply:
        if not rests_until_at:
            rests_until_at.append(exchange.now_at + patience_s)
        if exchange.now_at >= rests_until_at[0]:
            return reply
        return replace(lies.retry_after(503, patience_s)(exchange, reply), is_refusal=True)

    return fault


class ManyHosts:
    """`async with ManyHosts(scale) as hosts`."""

    def __init__(self, scale: Scale) -> None:
        places = (f"127.0.0.{FIRST_ADDRESS + number}" for number in range(HOSTS))
        self.shy = Host("shy", next(places), scale, lies.at_most(2, lies.status(429)))
        self.curt = Host("curt", next(places), scale, lies.at_most_or_reset(4))
        self.tired = Host("tired", next(places), scale, rests_after_first(scale.patience_s))
        self.strict = Host("strict", next(places), scale, lies.at_most(1, lies.status(403)))
        self.fast = Host("fast", next(places), scale, pace_bps=2 * scale.pace_bps)
        ordinary = [Host(f"plain{number}", place, scale) for number, place in enumerate(places)]
        self.all = [self.shy, self.curt, self.tired, self.strict, self.fast, *ordinary]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for host in self.all:
            await self._stack.enter_async_context(host.server)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def mixed_urls(self) -> list[tuple[Host, str]]:
        """Return the addresses of all files, one of each host after the other."""
        by_host = [[(host, url) for url in host.urls()] for host in self.all]
        return [pair for turn in zip(*by_host, strict=True) for pair in turn]


async def fetched(engine: AsyncDownloadEngine, wanted: list[tuple[Host, str]], limit_s: float) -> dict[str, float]:
    """Fetch all, prove each file, and return by host how long after the start its last file was there."""
    news = [checked_task(url, engine.default_dir, "", TaskOptions()) for _, url in wanted]
    tasks = await engine.add_many(news)
    started_at = engine.context.wall_clock()
    async with asyncio.timeout(limit_s):
        await engine.wait(tasks)
    took: dict[str, float] = {}
    for (host, _), row in zip(wanted, await engine.rows([task.id for task in tasks]), strict=True):
        assert is_whole(row, host.resource), f"{host.name}: {row.status} {row.reason_text}"
        assert row.finished_at is not None
        took[host.name] = max(took.get(host.name, 0.0), row.finished_at - started_at)
    return took
