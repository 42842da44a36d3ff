"""Rows: added as plain values, taken out and brought back; senseless wishes refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import fetch, row
from tests.faults import Resource, lies, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import UsageError
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer

SMALL = Resource(20_000)


async def test_clear_finished_takes_rows_and_undo_brings_them_back(engines: Engines, fault_server: FaultServer) -> None:
    """Files stay, rows go and come."""
    engine = await engines()
    done = await fetch(engine, fault_server.add("/f.bin", SMALL))
    running = await engine.add(fault_server.add("/g.bin", SMALL, tempers.never_answers()))
    assert (await engine.execute(Command(CommandName.CLEAR_FINISHED))).changed == 1
    assert [task.id for task in await engine.rows([done.id, running.id])] == [running.id]
    assert "f.bin" in engines.names()
    assert (await engine.execute(Command(CommandName.UNDO))).changed == 1
    assert (await row(engine, done)).status is Status.COMPLETED


async def test_clearing_what_is_done_keeps_failures(engines: Engines, fault_server: FaultServer) -> None:
    """They are told of, with what removes them; that command does, and undo brings them back."""
    engine = await engines()
    done = await fetch(engine, fault_server.add("/f.bin", SMALL))
    failed = await fetch(engine, fault_server.add("/g.bin", SMALL, lies.status(404)))
    outcome = await engine.execute(Command(CommandName.CLEAR_FINISHED, arguments={"keeps_failed": True}))
    assert outcome.changed == 1
    said = "1 removed, undo brings back; 1 failed stay (`clear-finished status:failed` removes them)"
    assert outcome.message == said
    assert [task.id for task in await engine.rows([done.id, failed.id])] == [failed.id]
    again = await engine.execute(Command(CommandName.CLEAR_FINISHED, arguments={"keeps_failed": True}))
    assert again.message.startswith("nothing to remove; 1 failed stay")
    query = TaskQuery(statuses=frozenset({Status.FAILED}))
    assert (await engine.execute(Command(CommandName.CLEAR_FINISHED, query=query))).changed == 1
    assert (await engine.execute(Command(CommandName.UNDO))).changed == 1
    assert (await row(engine, failed)).status is Status.FAILED


async def test_add_as_a_command(engines: Engines, fault_server: FaultServer) -> None:
    """Addresses, folder, name and options are plain values."""
    engine = await engines()
    url = fault_server.add("/f.bin", SMALL)
    folder = str(engines.path("deep"))
    outcome = await engine.execute(
        Command(CommandName.ADD, arguments={"urls": [url], "dir": folder, "name": "x", "options": {"connections": 2}})
    )
    done = await engine.wait(outcome.ids)
    assert done.success == 1
    (task,) = await engine.rows(outcome.ids)
    assert (task.dir, task.filename, task.options.connections) == (folder, "x", 2)


@pytest.mark.parametrize(
    "arguments",
    [
        {"urls": ["gopher://example.org/f"]},
        {"urls": ["example.org/f"]},
        {"urls": ["http://"]},
        {"urls": ["http://example.org/a b"]},
        {"urls": ["http://example.org/a\r\nHost: b"]},
        {"urls": ["http://one.example/", "http://two.example/"], "name": "x"},
        {"urls": ["http://example.org/"], "options": {"unknown": 1}},
    ],
)
async def test_a_senseless_add_is_refused(engines: Engines, arguments: dict[str, object]) -> None:
    """Wrong input adds nothing and says why."""
    engine = await engines()
    with pytest.raises(UsageError):
        await engine.execute(Command(CommandName.ADD, arguments=arguments))
    assert sum(engine.snapshot().counts.values()) == 0


async def test_the_same_address_and_folder_again_is_the_same_row(engines: Engines, fault_server: FaultServer) -> None:
    """Nothing is queued twice."""
    engine = await engines()
    url = fault_server.add("/f.bin", SMALL)
    first_task = await engine.add(url)
    assert (await engine.add(url)).id == first_task.id
    await engine.wait()
    assert len(fault_server.requests) == 1
