"""yt-dlp itself: whether it is there, how old it is, and how it is installed."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from datetime import date
from importlib import util
from pathlib import PurePath

from tui_dl.core.errors import UsageError

PACKAGE = "yt-dlp"
FLOOR = (2025, 6, 30)
"""Oldest version that this room was tried with."""


OLD_DAYS = 60
"""Sites change so often that an older version may fail with some."""
JAVASCRIPT = ("deno", "node", "bun", "qjs")
"""Programs that run the JavaScript of some sites for yt-dlp."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that media want and that is not as it should be."""

    subject: str
    """What it is."""
    text: str
    """How it is, and what that means."""
    way_out: str
    """What to do."""
    concerns_all: bool = True
    """Whether all sites are the worse for it, and not some alone."""

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}. {self.way_out}"


def runtime_of_javascript() -> str:
    """Return the program that runs JavaScript here, empty for none."""
    return next((one for one in JAVASCRIPT if shutil.which(one)), "")


def lack_of_ffmpeg() -> Lack | None:
    """Look for what joins and converts; None where it is there."""
    if shutil.which("ffmpeg") and shutil.which("ffprobe"):
        return None
    return Lack(
        "ffmpeg",
        "not installed; video and sound apart cannot be joined",
        "Install it with your system's packages (apt install ffmpeg, dnf install ffmpeg, brew install ffmpeg).",
    )


def lack_of_javascript() -> Lack | None:
    """Look for what runs the JavaScript of some sites; None where it is there."""
    if runtime_of_javascript():
        return None
    return Lack(
        "JavaScript",
        "no runtime; YouTube and some others give fewer formats",
        "Install deno (https://deno.com) or node; yt-dlp finds it on the PATH.",
        concerns_all=False,
    )


def lack_of_youth(version: str, today: date) -> Lack | None:
    """Look at how old a version of yt-dlp is; None where it is new enough."""
    upgrade = "`tui-dl ytdlp -U` updates it; it may be newer than this program."
    days = age_days(version, today)
    if days is not None and tuple(map(int, version.split(".")[:3])) < FLOOR:
        return Lack(PACKAGE, f"{version} is older than this program was tried with", upgrade)
    if days is not None and days > OLD_DAYS:
        return Lack(PACKAGE, f"{version}, {days} days old; sites may have changed since", upgrade)
    return None


def lacks_of(today: date) -> tuple[Lack, ...]:
    """Return all that media want here and lack, yt-dlp itself left out."""
    found = (lack_of_ffmpeg(), lack_of_javascript(), lack_of_youth(installed_version(), today))
    return tuple(one for one in found if one is not None)


def installed_version() -> str:
    """Return the version that is installed, empty for none."""
    from importlib import metadata  # noqa: PLC0415  # it loads much, and most queues ask for no version

    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return ""


def install_command(prefix: str = sys.prefix, executable: str = sys.executable) -> str:
    """Return the command that installs yt-dlp beside this program, by the way in which that was installed."""
    parts = PurePath(prefix).parts
    if "pipx" in parts:
        return f"pipx inject {parts[-1]} 'yt-dlp[default]'"
    if "uv" in parts and "tools" in parts:
        return "uv tool install --with 'yt-dlp[default]' tui_dl"
    return f"{executable} -m pip install 'yt-dlp[default]'"


def is_installed() -> bool:
    """Whether yt-dlp can be imported; it is not."""
    return util.find_spec("yt_dlp") is not None


def require_yt_dlp() -> None:
    """Raise `UsageError`, with the command that helps, where yt-dlp is missing."""
    if not is_installed():
        raise UsageError(f"yt-dlp is not installed; install it with: {install_command()}")


def age_days(version: str, today: date) -> int | None:
    """Return how old a version is, whose name is its date; None where it is none."""
    numbers = version.split(".")[:3]
    try:
        return (today - date(*map(int, numbers))).days
    except (TypeError, ValueError):
        return None
