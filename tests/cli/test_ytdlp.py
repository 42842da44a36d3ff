"""`tui-dl ytdlp`: which options are ours, what is said where yt-dlp is missing, and a whole run as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tui_dl.cli.main import run
from tui_dl.cli.ytdlp import split_options
from tui_dl.core.errors import UsageError
from tui_dl.media.library import install_command

if TYPE_CHECKING:
    from pathlib import Path


def test_our_options_are_taken_out_wherever_they_stand() -> None:
    """The rest goes to yt-dlp as it was, and behind `--` all does."""
    ours = "-f b --concurrent-downloads 7 -o %(id)s --chunk-size=64K --async-timeout 9 --async-retry-delay 0.5"
    own = split_options(f"{ours} --async-max-retries=2 --no-async-downloads -v URL -- --chunk-size".split())
    assert own.is_on is False
    assert own.values == {
        "concurrent_downloads": 7,
        "chunk_size": 65536,
        "timeout": 9.0,
        "retry_delay": 0.5,
        "max_retries": 2,
    }
    assert own.rest == ("-f", "b", "-o", "%(id)s", "-v", "URL", "--", "--chunk-size")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["--concurrent-downloads"], "--concurrent-downloads needs a value"),
        (["--concurrent-downloads", "0"], "--concurrent-downloads: 0 is out of bounds (1 to 1000)"),
        (["--chunk-size", "many"], "--chunk-size: "),
    ],
)
def test_a_bad_value_is_refused(line: list[str], words: str) -> None:
    """With the option's name and the reason."""
    with pytest.raises(UsageError) as raised:
        split_options(line)
    assert str(raised.value).startswith(words)


def test_options_before_the_command_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """They would be ours in one place and yt-dlp's in the other."""
    assert run(["-v", "ytdlp", "https://example.com/"]) == 2
    assert "stand behind it" in capsys.readouterr().err


def test_where_yt_dlp_is_missing_the_way_out_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the command that installs it beside this program."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert run(["ytdlp", "https://example.com/"]) == 2
    assert "yt-dlp is not installed; install it with: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("/home/me/.local/share/pipx/venvs/tui-dl", "pipx inject tui-dl 'yt-dlp[default]'"),
        ("/home/me/.local/share/uv/tools/tui-dl", "uv tool install --with 'yt-dlp[default]' tui_dl"),
        ("/home/me/.venv", "/usr/bin/python3 -m pip install 'yt-dlp[default]'"),
    ],
)
def test_the_command_is_that_of_the_way_it_was_installed(prefix: str, said: str) -> None:
    """pipx, uv and pip are told apart."""
    assert install_command(prefix, "/usr/bin/python3") == said


def test_a_run_as_a_process(tmp_path: Path) -> None:
    """The person's own configuration is heard, and what is yt-dlp's is yt-dlp's: its version, its codes."""
    config = tmp_path / "config" / "yt-dlp"
    config.mkdir(parents=True)
    (config / "config").write_text("--print-to-file before_dl:%(id)s ids.txt\n--no-such-option\n")
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    said = subprocess.run(
        [sys.executable, "-m", "tui_dl", "ytdlp", "--concurrent-downloads", "2", "--simulate", "https://127.0.0.1:9/a"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 2
    assert "no such option: --no-such-option" in said.stderr
