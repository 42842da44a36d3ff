"""Many connections on a disk that is behind: sockets are read on demand and in turns, and every byte arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import MIB, ended, is_whole
from tests.faults import Resource, lies, tempers
from tui_dl.core.task import TaskOptions
from tui_dl.disk import backlog
from tui_dl.disk.backlog import TURN_BYTES, Backlog
from tui_dl.engine import live
from tui_dl.engine.bodies import save_small
from tui_dl.engine.live import LiveTask, Traffic

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tests.faults.script import Fault


@pytest.fixture(autouse=True)
def pressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Press as a hundred connections would: hardly anything may wait for the disk."""
    monkeypatch.setattr(backlog, "MOST_FREE_READERS", 0)
    monkeypatch.setattr("tui_dl.engine.client.MOST_FREE_READERS", 0)
    monkeypatch.setattr(Backlog.__init__, "__defaults__", (2 * TURN_BYTES,))


@pytest.mark.parametrize(
    "fault",
    [tempers.chunked, lies.ignores_range, tempers.pace(8e6), tempers.reset_after(MIB)],
    ids=["chunked", "no ranges", "paced", "resets"],
)
async def test_every_byte_arrives(engines: Engines, fault_server: FaultServer, fault: Fault) -> None:
    """Whatever the framing, and where connections are cut while nobody reads them."""
    resources = {f"/{index}.bin": Resource(2 * MIB + index * 70_000, seed=index) for index in range(1, 9)}
    engine = await engines(concurrent_downloads=8, per_host=64, max_retries=20)
    urls = [fault_server.add(path, resource, fault) for path, resource in resources.items()]
    tasks = [await engine.add(url, options=TaskOptions(connections=4)) for url in urls]
    for task, resource in zip(tasks, resources.values(), strict=True):
        assert is_whole(await ended(engine, task), resource)
    for writer in engine.context.pool._writers.values():
        assert (writer.backlog.unwritten_bytes, writer.backlog.readers) == (0, 0)


async def test_small_bodies_that_are_too_many_go_piece_by_piece(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound they are part files, and all of them arrive."""
    monkeypatch.setattr(live, "MOST_BODIES_BYTES", 100_000)
    engine = await engines(concurrent_downloads=20)
    resources = {f"/{index}.bin": Resource(30_000, seed=index) for index in range(1, 21)}
    tasks = [await engine.add(fault_server.add(path, resource)) for path, resource in resources.items()]
    for task, resource in zip(tasks, resources.values(), strict=True):
        assert is_whole(await ended(engine, task), resource)
    assert engine.context.traffic.takes_body(0, 100_000), "every body was given back"


def test_bodies_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given back twice counts once."""
    monkeypatch.setattr(live, "MOST_BODIES_BYTES", 10)
    traffic = Traffic()
    assert traffic.takes_body(1, 6)
    assert not traffic.takes_body(2, 5)
    traffic.forget_body(1)
    traffic.forget_body(1)
    assert traffic.takes_body(2, 10)
    assert not traffic.takes_body(3, 1)


async def test_a_body_is_let_go_once_it_is_written(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for its group to be committed holds none of it: that was up to 250 bodies, counted by nobody."""
    engine = await engines()
    body = [b"abc"]
    left: list[int] = []

    async def save(*arguments: object, on_written: Callable[[], None], **words: object) -> None:
        assert arguments[2] is body
        on_written()
        left.append(len(body))

    task = await engine.add("http://127.0.0.1:1/a")
    one = LiveTask(task, wall_clock=float)
    monkeypatch.setattr(engine.context.small_files, "save", save)
    await save_small(engine.context, one, body, lambda: left.append(-1))
    assert left == [-1, 0]
