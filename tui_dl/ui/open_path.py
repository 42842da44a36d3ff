"""Opens a file or folder with the desktop's own program."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import threading
from typing import Final

OPENERS: Final = ("xdg-open", "open", "wslview")


async def open_path(path: str) -> bool:
    """Open `path`; False where no opener is installed or it could not be started."""
    return await asyncio.to_thread(_open, path)


def _open(path: str) -> bool:
    opener = "open" if sys.platform == "darwin" else _first_opener()
    if opener is None:
        return False
    nothing = subprocess.DEVNULL
    try:
        # The path is one argument, and no shell reads it.
        process = subprocess.Popen(  # noqa: S603
            [opener, path], stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
        )
    except (OSError, ValueError):  # ValueError: a NUL in a name that a server gave
        return False
    threading.Thread(target=process.wait, name="an opened file", daemon=True).start()
    return True


def _first_opener() -> str | None:
    return next((found for name in OPENERS if (found := shutil.which(name))), None)
