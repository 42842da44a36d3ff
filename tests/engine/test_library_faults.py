"""What a program that uses the library does wrong: it is told in words, once."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults import Resource
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer

SMALL = Resource(20_000)


@pytest.mark.parametrize("wrong", [None, 5, b"http://127.0.0.1/f.bin", ["http://127.0.0.1/f.bin"]])
async def test_what_is_no_text_is_no_address(engines: Engines, wrong: Any) -> None:
    """Named as it came, before anything is added: a slip of a script's, such as a field that was missing."""
    engine = await engines()
    with pytest.raises(UsageError, match=re.escape(f"as text, not {wrong!r}")):
        await engine.add(wrong)
    with pytest.raises(UsageError, match=re.escape(f"as text, not {wrong!r}")):
        await engine.add_many(["http://127.0.0.1/g.bin", wrong])
    assert not any(engine.snapshot().counts.values())


async def test_an_id_that_no_row_has_is_not_waited_for(engines: Engines, fault_server: FaultServer) -> None:
    """It is named beside one that is known; a task whose row was removed meanwhile is over, and nothing is wrong."""
    engine = await engines()
    task = await engine.add(fault_server.add("/f.bin", SMALL))
    with pytest.raises(UsageError, match="no download has the id 4242"):
        await engine.wait([task.id, 4242])
    with pytest.raises(UsageError, match="expected tasks or their ids, not '1'"):
        await engine.wait(["1"])  # type: ignore[list-item]
    assert (await engine.wait([task])).success == 1
    await engine.execute(Command(CommandName.CLEAR_FINISHED))
    assert (await engine.wait([task])).success == 0


async def test_a_callback_that_always_fails_fills_no_log(
    engines: Engines, fault_server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Its trace once, then at 10, 100 and so on failures their number; another callback's faults are its own."""
    engine = await engines()
    calls = {"first": 0, "second": 0}

    def broken(which: str) -> None:
        calls[which] += 1
        raise ZeroDivisionError(which)

    engine.subscribe(lambda _event: broken("first"))
    tasks = [await engine.add(fault_server.add(f"/{number}.bin", SMALL)) for number in range(3)]
    engine.subscribe(lambda _event: broken("second"))
    tasks += [await engine.add(fault_server.add(f"/{number}.bin", SMALL)) for number in range(3, 6)]
    await engine.wait(tasks)
    assert calls["first"] == 18
    told = [one for one in caplog.records if one.name == "tui_dl.engine.foreign"]
    traces = [str(one.exc_info[1]) for one in told if one.exc_info]
    assert traces == ["first", "second"]
    counted = [one.getMessage() for one in told if not one.exc_info]
    assert counted[0] == "a listener failed 10 times, last with ZeroDivisionError"
    assert len(counted) == sum(number >= 10 for number in calls.values())
    assert all(one.levelno == logging.ERROR for one in told)
