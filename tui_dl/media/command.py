"""yt-dlp's own command line, with a manager of ours below it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import yt_dlp

from tui_dl.media.planning import PlanningYoutubeDL

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

    return CommandYoutubeDL


def _code(code: Any) -> int:
    if code is None or isinstance(code, int):
        return code or 0
    sys.stderr.write(f"{code}\n")
    return 1
