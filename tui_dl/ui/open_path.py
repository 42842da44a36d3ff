"""Opens a file or folder with the desktop's own program."""

from __future__ import annotations

import asyncio
import shutil
import sys
from typing import Final

OPENERS: Final = ("xdg-open", "open", "wslview")


async def open_path(path: str) -> bool:
    """Open `path`; False where no opener is installed or it could not be started."""
    opener = "open" if sys.platform == "darwin" else await asyncio.to_thread(_first_opener)
    if opener is None:
        return False
    try:
        await asyncio.create_subprocess_exec(
            opener,
            path,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError):  # a path may hold what no argument can
        return False
    return True


def _first_opener() -> str | None:
    return next((found for name in OPENERS if (found := shutil.which(name))), None)
