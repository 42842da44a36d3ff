"""Control commands as whole processes: what they load, and a session of their own from its start to its end."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from tests.cli.session_stage import Stage
from tests.engine.stage import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.server import FaultServer

SLOW_TO_LOAD: Final = ("aiohttp", "asyncio", "sqlite3", "ssl", "email", "http.client", "textual", "logging.handlers")
RUN: Final = """
import sys
from tui_dl.cli.main import run
code = run(sys.argv[1:])
print(code, *(name for name in {names} if name in sys.modules))
"""


async def python(*words: str) -> str:
    """Run Python and return what it said on standard output."""
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    return out.decode()


async def test_a_quick_command_loads_nothing_slow(home: Path) -> None:
    """To add an address to a session that runs takes no event loop, no web client, no database."""
    async with Stage(home) as stage:
        program = RUN.format(names=SLOW_TO_LOAD)
        assert await python("-c", program, "add", "--paused", stage.held_file()) == "0\n"
        assert await python("-c", program, "pause", "1") == "0\n"


async def test_a_session_is_started_on_demand(fault_server: FaultServer, home: Path, tmp_path: Path) -> None:
    """Added or given a fresh link without one: it starts, downloads, is waited for, and ends when it is told to."""
    from tests.faults.script import Resource  # noqa: PLC0415  # with what it is for

    url = fault_server.add("/a.bin", Resource(size_bytes=2000))
    command = ("-m", "tui_dl")
    try:
        added: dict[str, Any] = json.loads(await python(*command, "add", "--json", "-d", str(tmp_path / "d"), url))
        assert added["ids"] == [1]
        waited = json.loads(await python(*command, "wait", "--json", "1"))
        assert waited["counts"] == {"completed": 1}
        assert os.path.getsize(tmp_path / "d" / "a.bin") == 2000  # noqa: ASYNC240, PTH202  # of the test
        await python(*command, "add", "-d", str(tmp_path / "d"), f"{url}.old")
        await python(*command, "wait", "2")
        await python(*command, "stop")
        # Nothing but a failed row is left, for which no session stays.
        await python(*command, "refresh", "2", fault_server.add("/b.bin", Resource(size_bytes=3000)))
        await until(lambda: len(list((tmp_path / "d").iterdir())) == 2)
    finally:
        await python(*command, "stop")
    assert not (home / "data" / "session.lock").read_text()  # as above
