"""yt-dlp is updated where it lies, by what installed it, and only where somebody asks for it."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tui_dl.cli import ytdlp as command
from tui_dl.core.errors import UsageError
from tui_dl.media import upgrading
from tui_dl.media.command import settings_astray
from tui_dl.media.upgrading import FAILED, Surroundings, Wish, installing_words, requirement_of, upgrade, wish_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEWEST = "yt-dlp[default]"


@pytest.mark.parametrize(
    ("line", "wish"),
    [
        ("-U", Wish("stable", has_more=False)),
        ("-vU http://h/", Wish("stable", has_more=True)),
        ("--update", Wish("stable", has_more=False)),
        ("--update-to nightly -a list.txt", Wish("nightly", has_more=True)),
        ("-U --no-update http://h/", None),
        ("-o U http://h/U", None),
        ("http://h/ -- -U", None),
        ("--update-to", None),  # its fault is yt-dlp's to tell
        ("http://h/", None),
    ],
)
def test_an_update_is_seen_where_one_is_asked_for(line: str, wish: Wish | None) -> None:
    """As yt-dlp itself reads the line: among other letters, abbreviated, and the last word on it holds."""
    assert wish_of(line.split()) == wish


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("", (NEWEST, False)),
        ("stable@latest", (NEWEST, False)),
        ("nightly", (NEWEST, True)),
        ("2026.10.26", (f"{NEWEST}==2026.10.26", False)),
        ("stable@2026.10.26", (f"{NEWEST}==2026.10.26", False)),
        ("nightly@2026.10.26.220202", (f"{NEWEST}==2026.10.26.220202.dev0", True)),
    ],
)
def test_targets_are_versions_of_the_package_index(target: str, found: tuple[str, bool]) -> None:
    """Channels and tags are named there in other words."""
    assert requirement_of(target) == found


@pytest.mark.parametrize("target", ["master", "somebody/else@1", "stable@; rm -rf /", "stable@1"])
def test_other_targets_are_refused(target: str) -> None:
    """With what there is."""
    with pytest.raises(UsageError, match="channels stable and nightly"):
        requirement_of(target)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    """Return an environment of its own whose yt-dlp was installed by pip, on a system that has pipx and uv."""
    monkeypatch.setattr(upgrading, "installer_of", lambda: "pip")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    return Surroundings(tmp_path, "/venv/bin/python", is_environment=True)


def test_pip_pipx_and_uv_are_recognised(place: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By where this program lies and who installed yt-dlp there."""
    words = installing_words(place, NEWEST, is_nightly=True)
    assert words == ("/venv/bin/python", "-P", "-m", "pip", "install", "-q", "-U", "--pre", NEWEST)
    piped = replace(place, prefix=tmp_path / "pipx" / "venvs" / "tui-dl")
    assert installing_words(piped, NEWEST, is_nightly=False) == ("pipx", "runpip", "tui-dl", "install", "-U", NEWEST)
    (tmp_path / "uv-receipt.toml").touch()
    words = installing_words(place, NEWEST, is_nightly=True)
    assert words[:7] == ("uv", "pip", "install", "--python", "/venv/bin/python", "-U", "--prerelease")
    (tmp_path / "uv-receipt.toml").unlink()
    monkeypatch.setattr(upgrading, "installer_of", lambda: "uv")
    assert installing_words(place, NEWEST, is_nightly=False)[0] == "uv"


def test_what_the_system_installed_is_left_to_it(place: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of the distribution, or pip in a Python that keeps it out."""
    systems = replace(place, is_environment=False)
    monkeypatch.setattr(upgrading, "is_managed", lambda _around: True)
    with pytest.raises(UsageError, match="system's packages"):
        installing_words(systems, NEWEST, is_nightly=False)
    monkeypatch.setattr(upgrading, "is_managed", lambda _around: False)
    assert installing_words(systems, NEWEST, is_nightly=False)[1:4] == ("-P", "-m", "pip")
    monkeypatch.setattr(upgrading, "installer_of", lambda: "")
    with pytest.raises(UsageError, match="system's packages"):
        installing_words(systems, NEWEST, is_nightly=False)


@pytest.fixture
def installer(tmp_path: Path) -> Callable[[int], str]:
    """Make a program that notes its arguments in `said` and ends with a code."""

    def make(code: int) -> str:
        program = tmp_path / "program"
        program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\nexit {code}\n', encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return str(program)

    return make


def test_what_came_of_it_is_said(
    place: Surroundings, installer: Callable[[int], str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The command is shown and run; its failure is yt-dlp's exit code for that."""
    assert upgrade("", replace(place, executable=installer(0))) == 0
    assert (tmp_path / "said").read_text(encoding="utf-8") == f"-P -m pip install -q -U {NEWEST}\n"
    told = capfd.readouterr().out
    assert f"-m pip install -q -U '{NEWEST}'" in told
    assert "is up to date" in told
    assert upgrade("", replace(place, executable=installer(3))) == FAILED
    assert "ended with 3" in capfd.readouterr().err
    assert upgrade("", replace(place, executable=str(tmp_path / "nowhere"))) == FAILED


def test_downloads_follow_with_the_new_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same line begins anew in a process that has loaded nothing of the old one, and does not update again."""
    begun: list[list[str]] = []

    def begin(_program: str, words: list[str]) -> None:
        begun.append(words[1:])
        raise SystemExit(0)

    monkeypatch.setattr(command, "upgrade", lambda _target, _around: 0)
    monkeypatch.setattr("os.execv", begin)
    with pytest.raises(SystemExit):
        command.ytdlp.main(["-U", "--concurrent-downloads", "2", "--", "http://h/"], standalone_mode=False)
    assert begun == [
        ["-P", "-m", "tui_dl", "ytdlp", "-U", "--concurrent-downloads", "2", "--no-update", "--", "http://h/"],
    ]
    assert command.ytdlp.main(["-U"], standalone_mode=False) == 0
    assert len(begun) == 1


def test_our_settings_in_the_configuration_of_yt_dlp_are_named() -> None:
    """With the lines that belong into our own file; an address with a colon at its end is left alone."""
    told = settings_astray(["async_downloads:", "true", "http://h/", "async_timeout:", "45"])
    assert told.startswith("async_downloads is a setting of tui-dl")
    assert told.endswith("async_downloads = true; async_timeout = 45")
    assert settings_astray(["http://h/x:", "y:", "chunk_size"]) == ""
