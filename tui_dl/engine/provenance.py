"""What a finished file of a task is to be given besides its name, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.provenance import NO_PROVENANCE, Provenance, believable_time, without_secrets

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext


def provenance_of(context: EngineContext, task: DownloadTask) -> Provenance:
    """Return time and origin of a task's file: nothing unless asked for."""
    settings = context.settings
    if not (settings.remote_time or settings.origin_attributes):
        return NO_PROVENANCE
    modified_at = None
    if settings.remote_time:
        modified_at = believable_time(task.validator.last_modified, context.wall_clock())
    if not settings.origin_attributes:
        return Provenance(modified_at)
    own = next((value for name, value in task.options.headers if name.lower() == "referer"), "")
    referrer = without_secrets(own or settings.referer)
    return Provenance(modified_at, without_secrets(task.final_url or task.url), referrer)
