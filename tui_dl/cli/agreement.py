"""What settings must agree about, wherever they come from, and the folder that they mean."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.task import OnExists

if TYPE_CHECKING:
    from tui_dl.cli.settings_file import EffectiveSettings


def check_archive(effective: EffectiveSettings) -> None:
    """Refuse to ask again for what is never fetched again."""
    if effective.settings.archive and effective.settings.on_exists == OnExists.IF_MODIFIED:
        raise UsageError(
            "--if-modified asks again for what --archive never fetches again; leave one out (--no-archive)"
        )


def folder_of(typed_in: Path, effective: EffectiveSettings) -> str:
    """Return the absolute folder for the files; one that is not there yet is made later, where that is possible."""
    try:
        target = (typed_in / Path(effective.settings.dir).expanduser()).absolute()
    except RuntimeError:
        raise UsageError(f"--dir {display_text(effective.settings.dir)}: whose home that is, is not known") from None
    there = next((one for one in (target, *target.parents) if os.path.lexists(one)), None)
    if there is not None and os.path.exists(there) and not os.path.isdir(there):  # noqa: PTH110, PTH112  # pathlib's raise where there is no permission
        origin, shown = effective.origins.get("dir", "--dir"), display_text(str(target))
        what = "" if there == target else f"{display_text(str(there))} "
        raise UsageError(f"{origin} {shown}: {what}is a file, no folder")
    return str(target)
