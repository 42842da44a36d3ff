"""What a cancel leaves of folders: those that we made are removed again where nothing is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.commands import CommandName
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.media import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.slot import Slot

LEAVE_FOLDERS: Final = frozenset({CommandName.CANCEL, CommandName.DELETE_PART})
"""Commands after which a folder may be empty that was made for what they ended."""


async def delete_part_file(context: EngineContext, task: DownloadTask) -> None:
    """Delete what an unfinished task left; one whose part file is gone has none."""
    if task.kind is not Kind.FILE:
        if context.media is not None:
            await context.media.delete_parts(task.id, task.part_path, task.facts.format_ids)
        return
    try:
        part = await context.reopen_part(task)
        await part.delete()
    except FileSystemError as error:
        if error.reason not in (Reason.PART_LOST, Reason.FOLDER_MISSING):
            raise


async def remove_made_folders(context: EngineContext, running: Iterable[Slot]) -> None:
    """Remove folders that this engine made and nothing is in; those of running tasks stay."""
    made = context.pool.made
    made.start_removal()
    kept = {slot.live.task.dir for slot in running}
    context.small_files.let_go(one for one in context.small_files.open_folders if one not in kept)
    await context.pool.scout(made.remove_empty, kept, what="remove empty folders")
