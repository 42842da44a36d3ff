"""What `tui-dl doctor` says of the background session: whether one lives, its log, and what logging out does to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.errors import TuiDlError
from tui_dl.session.lock import Card, held_by
from tui_dl.session.logout import logout_warning, this_machine
from tui_dl.session.paths import lock_file_in

if TYPE_CHECKING:
    from tui_dl.disk.locations import Locations


def session_words(locations: Locations) -> tuple[str, str, bool]:
    """Return what is found, the way out, and whether all is well."""
    try:
        held = held_by(lock_file_in(locations.data))
    except TuiDlError as error:
        return error.message, error.hint, False
    log = f"log {locations.session_log_file}" if locations.session_log_file.exists() else "no log yet"
    if isinstance(held, Card):
        what = f"runs, process {held.pid}, tui-dl {held.version}, for programs at {held.rpc}"
    else:
        what = "runs, and does not say where" if held else "none runs"
    return f"{what}; {log}", logout_warning(this_machine()), True
