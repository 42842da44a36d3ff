"""What is there already is found by one listing of the folder, however long the list of addresses."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from tests.faults import FaultServer, Resource
from tui_dl.core.status import Status
from tui_dl.core.task import OnExists, TaskOptions
from tui_dl.engine.existing import FEW_LOOKS
from tui_dl.engine.orders import checked_task

if TYPE_CHECKING:
    import pytest

    from tests.engine.stage import Engines

COUNT = 4 * FEW_LOOKS
SMALL = Resource(1000)


async def _fetch_all(engines: Engines, server: FaultServer) -> Counter[Status]:
    engine = await engines(concurrent_downloads=4)
    options = TaskOptions(on_exists=OnExists.SKIP)
    urls = [server.add(f"/{number}.bin", SMALL) for number in range(COUNT)]
    tasks = await engine.add_many([checked_task(url, str(engines.dir), "", options) for url in urls], batch="all")
    await engine.wait(tasks)
    return Counter(task.status for task in await engine.rows([task.id for task in tasks]))


async def test_every_second_one_that_is_there_is_left_alone(engines: Engines, fault_server: FaultServer) -> None:
    """Those that are there cost no request and stay as they are."""
    engines.dir.mkdir()
    for number in range(0, COUNT, 2):
        engines.path(f"{number}.bin").write_bytes(b"mine")
    ends = await _fetch_all(engines, fault_server)
    assert ends == {Status.SKIPPED: COUNT // 2, Status.COMPLETED: COUNT // 2}
    assert len(fault_server.requests) == COUNT // 2
    assert all(engines.path(f"{number}.bin").read_bytes() == b"mine" for number in range(0, COUNT, 2))


async def test_what_the_batch_itself_makes_is_not_taken_for_older(engines: Engines, fault_server: FaultServer) -> None:
    """The folder is listed when some of the batch's files are there already."""
    assert await _fetch_all(engines, fault_server) == {Status.COMPLETED: COUNT}


async def test_a_long_list_is_not_looked_at_one_by_one(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few looks the folder's listing answers."""
    looked: list[str] = []
    real = os.path.lexists

    def lexists(path: str) -> bool:
        if str(path).startswith(str(engines.dir)):
            looked.append(path)
        return real(path)

    monkeypatch.setattr("os.path.lexists", lexists)
    assert await _fetch_all(engines, fault_server) == {Status.COMPLETED: COUNT}
    assert len(looked) <= FEW_LOOKS
