"""The log: private, masked, harmless, and silent where nobody asked."""

from __future__ import annotations

import logging
import stat
from typing import TYPE_CHECKING

import pytest

from tui_dl.cli import log as logs
from tui_dl.cli.log import logging_to, session_log
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger("tui_dl.test")


def written(file: Path, verbose: int = 2, *args: object, message: str = "hello %s") -> str:
    """Log one debug message and return what the file holds."""
    with logging_to(str(file), verbose):
        logger.debug(message, *args)
    return file.read_text()


def test_secrets_are_masked(tmp_path: Path) -> None:
    """Passwords in addresses, tokens in queries, credentials in headers."""
    text = "GET https://me:pass1@h/a?token=pass2 Authorization: Bearer pass3"
    held = written(tmp_path / "log", 2, text)
    assert "https://***@h/a?token=***" in held
    assert not any(secret in held for secret in ("pass1", "pass2", "pass3"))


def test_no_line_acts_on_a_terminal(tmp_path: Path) -> None:
    """`cat log` is safe."""
    assert "\x1b" not in written(tmp_path / "log", 2, "\x1b]0;owned\x07")


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Addresses tell what a person reads; a second run adds to the file."""
    file = tmp_path / "log"
    written(file, 2, "first")
    assert "first" in written(file, 2, "second")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(("verbose", "is_there"), [(0, False), (1, False), (2, True)])
def test_verbose_decides_what_is_said(tmp_path: Path, verbose: int, is_there: bool) -> None:
    """Debug messages need `-vv`."""
    assert ("hello" in written(tmp_path / "log", verbose, "x")) is is_there


def test_without_a_wish_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither file nor `-v`: silence, also for errors that the command explains itself."""
    with logging_to(None, 0):
        logger.error("hello")
    assert capsys.readouterr().err == ""


def test_the_screen_writes_to_its_own_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `-v` and no `--log` the log goes to the state folder, never onto the screen."""
    file = tmp_path / "state" / "log"
    with logging_to(None, 1, fallback=file):
        logger.info("hello")
    assert "hello" in file.read_text()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "is_traced"),
    [(UsageError("no such list"), False), (ZeroDivisionError("oops"), True)],
    ids=["ours", "fault"],
)
def test_what_ended_the_command_is_told_and_goes_on(tmp_path: Path, error: Exception, is_traced: bool) -> None:
    """The reason of ours in a line, a fault with its traceback; the log keeps neither back."""
    file = tmp_path / "log.txt"
    with pytest.raises(type(error)), logging_to(str(file), 0):
        raise error
    told = file.read_text()
    assert str(error.args[-1]) in told
    assert ("Traceback" in told) is is_traced


def test_what_ended_well_is_not_told_as_an_error(tmp_path: Path) -> None:
    """Nothing is said of an end that is none."""
    file = tmp_path / "log.txt"
    with logging_to(str(file), 0):
        pass
    assert "ended" not in file.read_text()


def test_a_session_keeps_few_logs_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest is `session.log`, each is private; who came and went is told, what happens to each row is not."""
    monkeypatch.setattr(logs, "SESSION_LOG_BYTES", 2_000)
    file = tmp_path / "state" / "session.log"
    with session_log(file, 0):
        for number in range(200):
            logging.getLogger("tui_dl.session.server").info("attached: process %d", number)
            logging.getLogger("tui_dl.engine.ledger").info("%d: added", number)
    kept = sorted(file.parent.iterdir())
    assert len(kept) == 1 + logs.SESSION_LOGS_KEPT
    assert all(one.stat().st_size <= 2_000 and stat.S_IMODE(one.stat().st_mode) == 0o600 for one in kept)
    assert "attached: process 199" in file.read_text()
    assert not any("added" in one.read_text() for one in kept)
