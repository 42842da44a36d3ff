"""`tui-dl archive`: what is remembered as done is shown and forgotten."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tui_dl.cli.archive import keys_of
from tui_dl.cli.main import run
from tui_dl.core.errors import UsageError
from tui_dl.disk.locations import find_locations
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://a.example/b%20c.bin"
HEX = "0" * 64


@pytest.fixture
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_DL_HOME", str(tmp_path))

    async def make() -> None:
        file = find_locations({"TUI_DL_HOME": str(tmp_path)}).journal_file
        async with await Journal.open(file):
            pass
        with closing(sqlite3.connect(file)) as connection, connection:
            rows = [("url", URL), ("sha256", HEX), ("url", "http://me:secret@a.example/\x1b[2J")]
            connection.executemany("INSERT INTO archive VALUES (?, ?, 0, 1.0)", rows)

    asyncio.run(make())


@pytest.mark.usefixtures("_home")
def test_it_lists_addresses_and_digests_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    """One a line, harmless for the terminal."""
    assert run(["archive", "list"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == f"sha256={HEX}"
    assert "b%20c.bin" in out
    assert "secret" not in out
    assert "\x1b" not in out


@pytest.mark.usefixtures("_home")
def test_it_forgets_what_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """An address as it is typed, and a digest; what is not there is said."""
    assert run(["archive", "forget", "http://me:pw@a.example/b%20c.bin", f"SHA-256={HEX.upper()}"]) == 0
    assert "2 forgotten" in capsys.readouterr().err
    assert run(["archive", "forget", URL]) == 1
    assert "not in the archive: http://a.example/b%20c.bin" in capsys.readouterr().err


def test_without_a_journal_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Looking leaves no trace, forgetting says why there is nothing."""
    monkeypatch.setenv("TUI_DL_HOME", str(tmp_path))
    assert run(["archive", "list"]) == 0
    assert run(["archive", "forget", URL]) == 2
    assert "no archive yet" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_word_that_is_neither_is_refused() -> None:
    """A digest without its algorithm may be that of another one."""
    with pytest.raises(UsageError):
        keys_of("deadbeef")
