"""The screen in the foreground without the command line's machinery: as the ordinary way, or left to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tui_dl.cli import at_once
from tui_dl.cli.exits import CANNOT_START, INTERRUPTED
from tui_dl.core.errors import FileSystemError, Reason

if TYPE_CHECKING:
    from pathlib import Path

    from tui_dl.cli.settings_file import EffectiveSettings
    from tui_dl.disk.locations import Locations


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand on a terminal, in a home of its own."""
    monkeypatch.setattr(at_once, "_is_terminal", lambda: True)
    monkeypatch.setenv("TUI_DL_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "text", ["colour = 1\n", 'dir = "config/config.toml"\n', 'archive = "a"\non_exists = "if-modified"\n']
)
def test_settings_that_will_not_do_are_left_to_the_ordinary_way(
    home: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """It says what is wrong, with the line."""
    (home / "config" / "config.toml").write_text(text)
    monkeypatch.setattr(at_once, "_show", lambda *_: pytest.fail("it was shown"))
    assert at_once.show_at_once() is at_once.ORDINARY


def test_settings_and_folder_are_those_of_the_ordinary_way(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File and environment count, and folders begin where the command was typed."""
    (home / "config" / "config.toml").write_text('dir = "films"\n')
    monkeypatch.setenv("TUI_DL_CONNECTIONS", "3")
    seen: list[object] = []

    def show(effective: EffectiveSettings, locations: Locations, folder: str) -> int:
        seen.extend((effective.settings.connections, locations.data, folder))
        return 0

    monkeypatch.setattr(at_once, "_show", show)
    assert at_once.show_at_once() == 0
    assert seen == [3, home / "data", str(home / "films")]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (FileSystemError(Reason.JOURNAL_BUSY), CANNOT_START, "[journal-busy]"),
        (KeyboardInterrupt(), INTERRUPTED, ""),
        (ZeroDivisionError("boom"), CANNOT_START, "a fault of tui-dl itself: ZeroDivisionError: boom"),
    ],
)
@pytest.mark.usefixtures("home")
def test_an_error_is_told_as_on_the_ordinary_way(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: str,
) -> None:
    """P16: never a traceback."""

    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(at_once, "_show", fail)
    assert at_once.show_at_once() == code
    assert words in capsys.readouterr().err
