"""What a cancel leaves of folders: those that we made are removed again where nothing is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.commands import CommandName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.slot import Slot

LEAVE_FOLDERS: Final = frozenset({CommandName.CANCEL, CommandName.DELETE_PART})
"""Commands after which a folder may be empty that was made for what they ended."""


async def remove_made_folders(context: EngineContext, running: Iterable[Slot]) -> None:
    """Remove folders that this engine made and nothing is in; those of running tasks stay."""
    made = context.pool.made
    made.start_removal()
    kept = {slot.live.task.dir for slot in running}
    context.small_files.let_go(one for one in context.small_files.open_folders if one not in kept)
    await context.pool.scout(made.remove_empty, kept, what="remove empty folders")
