"""Any schedule of faults over three sources, with a quit in between: a right file or a failed row."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.stage import MIB, Engines, ended, is_whole, received, until
from tests.engine.test_mirrors import EAGER, SHA256, SIZE_BYTES, pieces_of
from tests.faults import FaultServer, Resource, lies, tempers
from tui_dl.core.status import FINISHED, Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.script import Exchange, Fault, Reply
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

KINDS = {
    "same": Resource(SIZE_BYTES),
    "own ETag": Resource(SIZE_BYTES, etag='"own"'),
    "no version": Resource(SIZE_BYTES, etag=None, last_modified_at=None),
    "liar": Resource(SIZE_BYTES, seed=2),
    "other version": Resource(SIZE_BYTES, seed=3, etag='"v3"'),
    "longer": Resource(SIZE_BYTES + 1000, seed=4, etag='"v4"'),
    "small": Resource(SIZE_BYTES // 4, seed=5, etag='"v5"'),
}
"""What the sources may have; without a digest a liar with the right ETag cannot be told."""

FAULTS: dict[str, Callable[[int], Fault]] = {
    "drop after": tempers.drop_after,
    "reset after": tempers.reset_after,
    "short by": lambda size: lies.shorter_range(SIZE_BYTES - size),
    "long by": lies.longer_range,
    "shifted by": lies.serves_shifted_range,
    "answers": lambda number: lies.status((404, 429, 500, 503)[number % 4]),
    "closes": lambda _: tempers.closes_at_once(),
    "no range": lambda _: lies.ignores_range,
    "no If-Range": lambda _: lies.never_meets_if_range,
    "no length": lambda _: tempers.without_length,
    "coded": lambda number: tempers.gzip_encoded(cut_bytes=number % 2 * 50),
    "page": lambda _: lies.login_page,
    "well": lambda _: lambda _exchange, reply: reply,
}

faults = st.lists(st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(1, SIZE_BYTES - 100_000)), max_size=6)
sources = st.lists(
    st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from([4 * MIB, 32 * MIB]), st.integers(1, 4), faults),
    min_size=3,
    max_size=3,
)


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small files split and judged soon."""
    for name, value in EAGER.items():
        monkeypatch.setattr(name, value)


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    sources=sources,
    proof=st.sampled_from(["", "digest", "pieces", "both", "length"]),
    stops_at=st.sampled_from([None, 0, MIB // 2, MIB + MIB // 2]),
    connections=st.integers(1, 6),
)
def test_any_schedule_ends_with_a_right_file_or_none(
    tmp_path_factory: pytest.TempPathFactory,
    sources: list[tuple[str, int, int, list[tuple[str, int]]]],
    proof: str,
    stops_at: int | None,
    connections: int,
) -> None:
    """Whatever each source has and does, in which order, and whenever the engine is ended and started again."""
    asyncio.run(_one_schedule(tmp_path_factory.mktemp("sources"), sources, proof, stops_at, connections))


def _scripted(script: list[tuple[str, int]]) -> Fault:
    left = [FAULTS[name](number) for name, number in script]

    def fault(exchange: Exchange, reply: Reply) -> Reply:
        return left.pop(0)(exchange, reply) if left else reply

    return fault


def _options(urls: list[str], proof: str) -> TaskOptions:
    return TaskOptions(
        mirrors=tuple(urls[1:]),
        checksum=SHA256 if proof in ("digest", "both") else "",
        pieces=pieces_of() if proof in ("pieces", "both") else "",
        expected_bytes=SIZE_BYTES if proof else None,
    )


async def _one_schedule(
    folder: Path,
    sources: list[tuple[str, int, int, list[tuple[str, int]]]],
    proof: str,
    stops_at: int | None,
    connections: int,
) -> None:
    engines = Engines(folder)
    chosen: dict[str, Any] = {"journal": engines.journal, "connections": connections, "max_retries": 4, "timeout": 2.0}
    async with AsyncExitStack() as stack:
        urls = []
        for number, (kind, pace_bps, places, script) in enumerate(sources, 1):
            server = await stack.enter_async_context(FaultServer(host=f"127.0.0.{number}"))
            manners = (tempers.pace(pace_bps), _scripted(script), lies.at_most(places))
            urls.append(server.add("/f.bin", KINDS[kind], *manners))
        stack.push_async_callback(engines.aclose)
        engine = await engines(**chosen)
        task = await engine.add(urls[0], options=_options(urls, proof))
        if stops_at is not None:
            await until(lambda: received(engine, task) >= stops_at or not engine.snapshot().live)
            require_balance(engine, is_over=False)
            await engines.close(engine)
            engine = await engines(**chosen)
            (task,) = await engine.rows([task.id])
        if task.status not in FINISHED:
            task = await ended(engine, task)
        require_right(task, [KINDS[kind] for kind, *_ in sources], proof)
        require_balance(engine, is_over=True)
        assert "f.bin" not in engines.names() or task.status is Status.COMPLETED


def require_right(task: DownloadTask, served: list[Resource], proof: str) -> None:
    """Raise unless the row failed, or its file is one that was served, and the one that was described."""
    if task.status is not Status.COMPLETED:
        assert task.status is Status.FAILED
        return
    right = [KINDS["same"]] if proof and proof != "length" else served
    if proof == "length":
        right = [one for one in served if one.size_bytes == SIZE_BYTES]
    # Who lies with the right ETag is believed where nothing else is known.
    is_blind = proof in ("", "length") and KINDS["liar"] in served
    assert is_blind or any(is_whole(task, one) for one in right), task


def require_balance(engine: AsyncDownloadEngine, *, is_over: bool) -> None:
    """Raise where a count is negative, or one is left when all is over."""
    for host, one in engine.context.budgets.items():
        counts = (one.open_connections, one.working, one.coming, one.tasks)
        assert min(counts) >= 0, host
        assert not is_over or counts == (0, 0, 0, 0), f"{host}: {counts}"
