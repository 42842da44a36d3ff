"""yt-dlp itself: whether it is there, how old it is, and how it is installed."""

from __future__ import annotations

import sys
from datetime import date
from importlib import metadata, util
from pathlib import PurePath

from tui_dl.core.errors import UsageError

PACKAGE = "yt-dlp"
FLOOR = (2025, 6, 30)
"""Oldest version that this room was tried with."""


OLD_DAYS = 60
"""Sites change so often that an older version may fail with some."""


def installed_version() -> str:
    """Return the version that is installed, empty for none."""
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
