"""A task as one flat JSON object: what `--json` writes, and what events over the control socket say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadProgress, DownloadTask


def task_line(event: str, task: DownloadTask, progress: DownloadProgress | None, at: float) -> dict[str, Any]:
    """Return the object for one task; what is not known is left out."""
    line: dict[str, Any] = {
        "event": event,
        "id": task.id,
        "url": task.url,
        "path": task.path or None,
        "member": task.member or None,
        "status": task.status.value,
        "downloaded_bytes": task.downloaded_bytes if progress is None else progress.downloaded_bytes,
        "total_bytes": task.total_bytes if progress is None else progress.total_bytes,
        "speed_bps": None if progress is None else round(progress.speed_bps, 1),
        "eta_s": None if progress is None or progress.eta_s is None else round(progress.eta_s, 1),
        "connections": None if progress is None else progress.connections,
        "reason": None if task.reason is None else task.reason.value,
        "flags": sorted(one.value for one in task.flags) or None,
        "sha256": task.sha256 or None,
        "at": at,
    }
    return {key: value for key, value in line.items() if value is not None}
