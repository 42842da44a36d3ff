"""yt-dlp's own command line, with a manager of ours below it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import yt_dlp

from tui_dl.core.errors import UsageError
from tui_dl.core.settings import ALIASES, SETTINGS
from tui_dl.media.planning import PlanningYoutubeDL

OWN_SETTINGS: Final = frozenset({*SETTINGS, *ALIASES})
"""Settings as their file names them."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.media.manager import AsyncDownloadManager


def run_yt_dlp(arguments: Sequence[str], manager: AsyncDownloadManager | None) -> int:
    """Run yt-dlp with these arguments and the person's own configuration; return its exit code.

    Without a manager it is stock yt-dlp. With one, what it makes of its options downloads through that: everything
    else, from reading the configuration to the last exit code, is its own.
    """
    own_arguments, own_class = sys.argv, yt_dlp.YoutubeDL
    sys.argv = ["yt-dlp", *arguments]
    if manager is not None:
        yt_dlp.YoutubeDL = bound_to(manager)
    try:
        yt_dlp.main()
    except SystemExit as ended:
        return _code(ended.code)
    finally:
        sys.argv, yt_dlp.YoutubeDL = own_arguments, own_class
    return 0


def bound_to(manager: AsyncDownloadManager) -> type[PlanningYoutubeDL]:
    """Return the class that yt-dlp's command line is to make its object of."""

    class CommandYoutubeDL(PlanningYoutubeDL):
        """The planner of one command."""

        def __init__(self, params: dict[str, Any] | None = None, auto_init: Any = True) -> None:
            super().__init__(manager, params, auto_init)

        def download(self, url_list: Any) -> Any:
            """Download as stock does; our own settings in yt-dlp's configuration are refused, not taken for URLs."""
            if astray := settings_astray(url_list):
                raise UsageError(astray)
            return super().download(url_list)

    return CommandYoutubeDL


def settings_astray(words: Sequence[str]) -> str:
    """Return what to do about our settings among the addresses, empty where there are none.

    In yt-dlp's own configuration each word is an option or an address, so `async_downloads: true` makes two of them.
    """
    lines = [
        f"{name} = {words[place + 1] if place + 1 < len(words) else '...'}"
        for place, word in enumerate(words)
        if word.endswith(":") and (name := word[:-1]) in OWN_SETTINGS
    ]
    if not lines:
        return ""
    return (
        f"{lines[0].partition(' ')[0]} is a setting of tui-dl; in yt-dlp's configuration each word is an option or an "
        f"address: take it out there and write into config.toml (`tui-dl config path`): {'; '.join(lines)}"
    )


def _code(code: Any) -> int:
    if code is None or isinstance(code, int):
        return code or 0
    sys.stderr.write(f"{code}\n")
    return 1
