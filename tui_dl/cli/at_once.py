"""`tui-dl` with nothing else on the line, or `--foreground` alone: before the command line's machinery is loaded."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tui_dl.cli.settings_file import EffectiveSettings
    from tui_dl.disk.locations import Locations

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


def show_at_once() -> int | None:
    """Show the screen on the person's own queue in this process; return the exit code, or `ORDINARY`."""
    if not _is_terminal():
        return ORDINARY
    from tui_dl.cli.agreement import check_archive, folder_of  # noqa: PLC0415  # `--version` needs none of them
    from tui_dl.cli.settings_file import effective_settings  # noqa: PLC0415
    from tui_dl.core.errors import UsageError  # noqa: PLC0415
    from tui_dl.disk.locations import find_locations  # noqa: PLC0415

    try:
        locations = find_locations(os.environ)
        effective = effective_settings(locations.config_file, os.environ, {})
        check_archive(effective)
        folder = folder_of(Path.cwd(), effective)
    except (UsageError, OSError):
        return ORDINARY
    try:
        return _show(effective, locations, folder)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the border of the program
        from tui_dl.cli.main import tell_end  # noqa: PLC0415  # only now

        return tell_end(error)


def _show(effective: EffectiveSettings, locations: Locations, folder: str) -> int:
    from tui_dl.cli.later_lists import LaterLists  # noqa: PLC0415  # as above
    from tui_dl.cli.quick_log import logging_nothing  # noqa: PLC0415
    from tui_dl.cli.screen import Screen, run_screen_loop  # noqa: PLC0415

    screen = Screen(effective.settings, locations.journal_file, folder)
    screen.lists = LaterLists(effective, locations, lambda: screen.engine)
    with logging_nothing():
        code = run_screen_loop(screen.show(_add_nothing))
    if screen.unfinished:
        _say(f"{screen.unfinished} unfinished; `tui-dl` goes on with them.")
    return code


async def _add_nothing(_engine: Any) -> None:
    """Leave the queue as it is."""


def _is_terminal() -> bool:
    try:
        return os.isatty(0)
    except OSError:
        return False


def _say(line: str) -> None:
    os.write(2, f"{line}\n".encode(errors="backslashreplace"))
