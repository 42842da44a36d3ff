"""Fixtures of the engine's tests: engines, quick pauses, and no fault that only a log would tell."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.engine.stage import Engines
from tests.faults import FaultServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import trustme

QUICK = {
    "tui_dl.engine.asking.DEFAULT_PAUSE_S": 0.02,
    "tui_dl.core.host_budget.MIN_GAP_AFTER_REFUSAL_S": 0.01,
    "tui_dl.engine.retrying.AFTER_PROGRESS_S": 0.01,
    "tui_dl.engine.crew.REPLACE_JITTER_S": 0.01,
    "tui_dl.engine.crew.TICK_S": 0.02,
    "tui_dl.core.growth.GLANCE_S": 0.02,
    "tui_dl.core.growth.SETTLE_S": 0.03,
    "tui_dl.core.growth.MEASURE_S": 0.05,
}
"""Pauses that are politeness or patience, shortened; tests of the pauses themselves set their own."""


@pytest.fixture(autouse=True)
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses that would only make tests slow."""
    for name, value in QUICK.items():
        monkeypatch.setattr(name, value)


@pytest.fixture
def sure_growth(monkeypatch: pytest.MonkeyPatch, quick_pauses: None) -> None:
    """Take every further connection for one that helps, whatever the rates of a busy machine say.

    For tests that need the next connection; that rates decide about it is a matter of `tests/core/test_growth.py`.
    """
    monkeypatch.setattr("tui_dl.core.growth.WORTH_RATIO", 0.0)


def is_of_server(context: dict[str, Any]) -> bool:
    """Whether it is the reset of a fault server's connection, whose future asyncio may collect before its reader."""
    return isinstance(context.get("exception"), ConnectionResetError) and not isinstance(
        context.get("future"), asyncio.Task
    )


@pytest_asyncio.fixture
async def engines(tmp_path: Path) -> AsyncIterator[Engines]:
    """Yield what opens engines; afterwards none may have left a connection open or an exception unheard."""
    loop = asyncio.get_running_loop()
    unheard: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: None if is_of_server(context) else unheard.append(context))
    opened = Engines(tmp_path)
    yield opened
    await opened.aclose()
    await asyncio.sleep(0)
    gc.collect()
    loop.set_exception_handler(None)
    assert not unheard


@pytest.fixture
def authority_file(tls_authority: trustme.CA, tmp_path: Path) -> str:
    """Return a file that holds the authority of this run."""
    file = tmp_path / "authority.pem"
    tls_authority.cert_pem.write_to_path(str(file))
    return str(file)


@pytest_asyncio.fixture
async def other_server() -> AsyncIterator[FaultServer]:
    """Yield a server of another origin."""
    async with FaultServer() as server:
        yield server


@pytest_asyncio.fixture
async def mirrors() -> AsyncIterator[list[FaultServer]]:
    """Yield two servers besides the first, each a host of its own."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(FaultServer(host=f"127.0.0.{number}")) for number in (2, 3)]
