"""The systemd unit: what is in it, that systemd takes it, and that nothing of others is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tui_dl.cli.main import run
from tui_dl.cli.service_unit import MARK, quoted, unit_file, unit_text

if TYPE_CHECKING:
    from pathlib import Path

Output = pytest.CaptureFixture[str]
TOOL = """#!/bin/sh
echo "$(basename "$0") $*" >> "{log}"
case "$*" in
    *Linger*) echo Linger=no ;;
    *is-active*) echo active ;;
    *is-enabled*) echo enabled ;;
esac
exit {code}
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put programs in the place of systemd's that note how they are called; no setting leads to a person's own."""
    make_tools(tmp_path, 0)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path / "calls"


def make_tools(folder: Path, code: int) -> None:
    """Make the two programs, which end with a code."""
    for name in ("systemctl", "loginctl"):
        tool = folder / "bin" / name
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(TOOL.format(log=folder / "calls", code=code))
        tool.chmod(0o755)


def test_it_is_installed_told_of_and_removed(log: Path, capsys: Output) -> None:
    """Each step is said; a second install replaces what is ours, and nothing stays behind."""
    assert run(["service", "status"]) == 1
    assert "not installed" in capsys.readouterr().out
    assert run(["service", "install", "--no-linger"]) == 0
    assert run(["service", "install", "--linger"]) == 0
    assert "begins at boot" in capsys.readouterr().err
    file = unit_file(os.environ)
    assert file.read_text() == unit_text(os.environ)
    assert run(["service", "status"]) == 0
    assert "running  active" in capsys.readouterr().out
    log.unlink()
    assert run(["service", "remove"]) == 0
    assert log.read_text().splitlines() == [
        "systemctl --user disable --now tui-dl.service",
        "systemctl --user daemon-reload",
    ]
    assert os.listdir(file.parent) == []  # noqa: PTH208  # names alone
    assert run(["service", "remove"]) == 0


def test_a_unit_of_somebody_else_is_left_alone(log: Path, capsys: Output) -> None:
    """Neither replaced nor removed."""
    file = unit_file(os.environ)
    file.parent.mkdir(parents=True)
    file.write_text("[Service]\nExecStart=/mine\n")
    for command in ("install", "remove"):
        assert run(["service", command]) == 2
        assert "not of our making" in capsys.readouterr().err
    assert file.read_text() == "[Service]\nExecStart=/mine\n"
    assert not log.exists()


def test_where_no_manager_runs_it_says_what_to_do(log: Path, tmp_path: Path, capsys: Output) -> None:
    """The unit is there, and how to enable it is said."""
    make_tools(tmp_path, 1)
    assert run(["service", "install"]) == 3
    assert "systemctl --user enable --now" in capsys.readouterr().err
    assert log.exists()


def test_without_systemd_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Output) -> None:
    """On macOS, and on a Linux without it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["service", "install"]) == 2
    assert "systemd is not here" in capsys.readouterr().err
    monkeypatch.setattr("sys.platform", "darwin")
    assert run(["service", "install"]) == 2
    assert "launchd is not supported yet" in capsys.readouterr().err


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Checked by systemd itself, with a home of strange characters."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    environment = {"TUI_DL_HOME": '/h o/"me"/100%/$x', "XDG_DATA_HOME": "/d\\ata"}
    unit = tmp_path / "tui-dl.service"
    unit.write_text(unit_text(environment))
    runtime = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        [analyze, "--user", "verify", str(unit)], capture_output=True, text=True, env=runtime, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert unit.read_text().startswith(MARK)


def test_words_are_quoted_as_systemd_reads_them() -> None:
    """Per cent and dollar signs, quotation marks and backslashes."""
    assert quoted('a "b" \\ 5% $x') == '"a \\"b\\" \\\\ 5%% $x"'
    assert quoted("/p $x", is_command=True) == '"/p $$x"'
