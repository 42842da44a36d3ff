"""`add --to ssh://host` through Debian's sshd: what is odd for a shell arrives as it is."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.faults import FaultServer, Resource, oracle
from tests.marathon.test_session import SSHD, Sshd
from tests.session.stage import Home
from tui_dl.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.marathon,
    pytest.mark.needs_root,
    pytest.mark.skipif(SSHD is None or os.geteuid() != 0, reason="needs Debian's openssh-server and root"),
]

ODD: Final = "a $(touch x) `touch x` 'b' \"c\"; #"
SSH: Final = """#!/bin/sh
exec /usr/bin/ssh -F none -i {folder}/user -o StrictHostKeyChecking=no -o UserKnownHostsFile={folder}/known \\
    -o LogLevel=ERROR "$@"
"""


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Home, Sshd]]:
    """Yield another machine's home and its sshd, and let our ssh know its key."""
    (tmp_path / "far").mkdir()
    with Home(tmp_path / "far") as home:
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        wanted = {name: home.environment[name] for name in ("TUI_DL_HOME", "PYTHONPATH")} | {"PATH": path}
        variables = " ".join(f'"{name}={text}"' for name, text in wanted.items())
        sshd = Sshd(tmp_path / "sshd", f"SetEnv {variables}")
        program = tmp_path / "bin" / "ssh"
        program.parent.mkdir()
        program.write_text(SSH.format(folder=tmp_path / "sshd"))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        try:
            yield home, sshd
        finally:
            sshd.close()


async def test_downloads_are_added_over_there(far: tuple[Home, Sshd], tmp_path: Path) -> None:
    """An odd folder and batch, a list of this machine, a session that nobody had started; twice is once."""
    home, sshd = far
    folder = tmp_path / ODD
    listed = tmp_path / "list.txt"
    async with FaultServer() as server:
        urls = [server.add(f"/{number}.bin", Resource(3000, number)) for number in range(1, 4)]
        await asyncio.to_thread(listed.write_text, "\n".join(urls[1:]))
        words = ["add", "--to", f"ssh://127.0.0.1:{sshd.port}", "-d", str(folder), "--batch", ODD]
        for _ in range(2):
            assert await asyncio.to_thread(run, [*words, urls[0], "-i", str(listed)]) == 0
        finished = [folder / f"{number}.bin" for number in range(1, 4)]

        def are_there() -> bool:
            return all(one.exists() for one in finished)

        await asyncio.to_thread(home.until, are_there)
        assert len(server.requests) == 3
    for number, one in enumerate(finished, 1):
        assert oracle.check(one, number, 3000) is None
    assert not [name for _, folders, files in os.walk(tmp_path) for name in (*folders, *files) if name == "x"]
