"""Commands on events as `get` runs them, from options and the settings file."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Final

from tests.faults.script import Resource
from tui_dl.cli.settings_file import environment_layer, parse_settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.server import FaultServer

NAME: Final = '$(touch x); "quote"'
NOTE: Final = """
import json, os, sys
told = json.load(sys.stdin)
print("Cookie: secret=1")
with open(sys.argv[1], "a") as file:
    file.write(json.dumps([os.environ["TUI_DL_EVENT"], os.environ.get("TUI_DL_EVENT_PATH"), told.get("path"),
        told.get("reason"), told.get("completed"), told.get("failed")]) + "\\n")
"""


async def test_get_runs_them_with_exact_names(fault_server: FaultServer, tmp_path: Path, home: Path) -> None:
    """A folder with shell characters in its name, an error, the end; what a command says is in the log, masked."""
    url = fault_server.add("/a.bin", Resource(size_bytes=2000))
    gone = url.replace("a.bin", "gone")
    folder, out = tmp_path / NAME, tmp_path / "out"
    note = [sys.executable, "-c", NOTE, str(out)]
    home.joinpath("config").mkdir(parents=True)
    lines = [f"{name} = {json.dumps(note)}" for name in ("on_complete", "on_error", "on_queue_end")]
    home.joinpath("config", "config.toml").write_text("\n".join(lines))
    log = tmp_path / "log"
    typed = ["get", "-q", "-d", str(folder), "--on-start", "false", "--log", str(log), url, gone]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tui_dl", *typed)
    assert await process.wait() == 1
    told = {line[0]: line[1:] for line in map(json.loads, out.read_text().splitlines())}
    path = str(folder / "a.bin")
    assert told == {
        "completed": [path, path, None, None, None],
        "failed": [None, None, "not-found", None, None],
        "queue-end": [None, None, None, 1, 1],
    }
    assert os.listdir(folder) == ["a.bin"]  # noqa: PTH208  # names alone
    assert not (tmp_path / "x").exists()
    said = log.read_text()
    assert "on_complete for a.bin said: Cookie: ***" in said
    assert "on_start for a.bin: exit 1" in said


def test_a_list_and_a_text_mean_the_same_in_the_settings_file() -> None:
    """Both are kept as one text."""
    texts = ["on_error = \"say 'two words'\"", 'on_error = ["say", "two words"]']
    assert {parse_settings(text, "x").values["on_error"] for text in texts} == {"say 'two words'"}


def test_a_command_may_call_tui_dl() -> None:
    """What it was told of its event is no setting."""
    assert environment_layer({"TUI_DL_EVENT": "completed", "TUI_DL_EVENT_PATH": "/d/a"}).values == {}
