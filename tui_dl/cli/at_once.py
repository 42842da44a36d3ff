"""`tui-dl` with nothing else on the line: attached before the command line's own machinery is loaded."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

ORDINARY: Final = None
"""The ordinary way is to be walked: it knows more, and says what is wrong."""


def attach_at_once() -> int | None:
    """Show the session's screen here, one started if there is none; return the exit code, or `ORDINARY`."""
    if sys.platform == "win32" or not _is_terminal():
        return ORDINARY
    from tui_dl.cli.attaching import Refusal, attach, told  # noqa: PLC0415  # `--version` needs none of them
    from tui_dl.core.errors import TuiDlError  # noqa: PLC0415
    from tui_dl.disk.locations import find_locations  # noqa: PLC0415
    from tui_dl.session.paths import lock_file_in  # noqa: PLC0415
    from tui_dl.session.reaching import ForegroundWantedError, StartWish  # noqa: PLC0415
    from tui_dl.ui.terminal.grant import foreground_grant  # noqa: PLC0415

    try:
        wish = StartWish(folder=str(Path.cwd()))
        grant = foreground_grant(os.environ, can_suspend=False)
        code, lines = attach(lock_file_in(find_locations(os.environ).data), grant, wish)
    except (ForegroundWantedError, Refusal, TuiDlError, OSError):
        return ORDINARY
    told(lines, _say)
    return code


def _is_terminal() -> bool:
    try:
        return os.isatty(0)
    except OSError:
        return False


def _say(line: str) -> None:
    os.write(2, f"{line}\n".encode(errors="backslashreplace"))
