"""Files are opened by the desktop's program; what cannot be started is said and not raised."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from tui_dl.ui import open_path
from tui_dl.ui.open_path import OPENERS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an opener on the path that writes its argument to a pipe; return the pipe."""
    program, pipe = tmp_path / OPENERS[0], tmp_path / "opened"
    os.mkfifo(pipe)
    program.write_text(f'#!/bin/sh\nprintf %s "$1" >"{pipe}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("sys.platform", "linux")
    return pipe


async def test_a_path_is_one_argument(opened: Path) -> None:
    """Blanks, quotes and what a shell would run reach the opener as they are."""
    name = '/d/$(touch x); "a b"\n'
    assert await open_path.open_path(name)
    assert await asyncio.to_thread(opened.read_text) == name


async def test_a_name_that_no_program_can_be_given_is_not_opened(opened: Path) -> None:
    """A NUL from a server ends neither the screen nor anything else."""
    assert not await open_path.open_path("/d/nul\0.bin")
    assert await asyncio.to_thread(opened.exists)


async def test_without_an_opener_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen shows the path instead."""
    monkeypatch.setattr(open_path, "OPENERS", ())
    monkeypatch.setattr("sys.platform", "linux")
    assert not await open_path.open_path("/d/f")
