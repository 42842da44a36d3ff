"""What a command is told of an event: a JSON object on its standard input, the same as environment variables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.hook_commands import QUEUE_END, VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.events import Event

MOST_VALUE_BYTES: Final = 100_000
"""Longest value of a variable; the kernel takes 128 KiB. A longer one is in the JSON object alone."""
_NUL_STAND_IN: Final = "\ufffd"


def payload_of(event: Event) -> dict[str, Any]:
    """Return what is told of a step of a task, as JSON values; what is not known is left out."""
    task = event.task
    facts: dict[str, Any] = {
        "event": event.kind.value,
        "id": task.id,
        "gid": task.gid,
        "url": task.url,
        "final_url": task.final_url,
        "host": task.host,
        "name": task.filename,
        "dir": task.dir,
        "path": task.path,
        "part_path": task.part_path,
        "status": task.status.value,
        "downloaded_bytes": task.downloaded_bytes,
        "total_bytes": task.total_bytes,
        "reason": None if task.reason is None else task.reason.value,
        "reason_text": task.reason_text,
        "http_status": task.http_status,
        "content_type": task.content_type,
        "sha256": task.sha256,
        "batch_id": task.batch_id,
        "added_at": task.added_at,
        "started_at": task.started_at,
        "finished_at": task.finished_at,
        "at": event.at,
    }
    return {name: value for name, value in facts.items() if value not in (None, "")}


def queue_end_payload(counts: Mapping[str, int], at: float) -> dict[str, Any]:
    """Return what is told at the end of the queue: how many of each end there were since the last one."""
    return {"event": QUEUE_END, **counts, "at": at}


def as_json(payload: Mapping[str, Any]) -> bytes:
    """Return the object as one line."""
    # ASCII alone: a lone surrogate in a name must not keep the event from being told.
    return json.dumps(payload, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def variables_of(payload: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Return the variables: values are exact but for NUL, which none can hold."""
    found = {}
    for name, value in payload.items():
        variable = VARIABLE if name == "event" else f"{VARIABLE}_{name.upper()}"
        text = str(value).replace("\0", _NUL_STAND_IN)
        octets = text.encode("utf-8", "surrogateescape" if _is_escaped(text) else "replace")
        if len(octets) <= MOST_VALUE_BYTES:
            found[variable.encode()] = octets
    return found


def _is_escaped(text: str) -> bool:
    """Whether every surrogate stands for a byte of a path that is no UTF-8."""
    return all(not "\ud800" <= char <= "\udfff" or "\udc80" <= char <= "\udcff" for char in text)
