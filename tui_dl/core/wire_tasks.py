"""Rows and what surrounds them as JSON values; rows can be read back. Secrets of headers are masked."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import mask_header
from tui_dl.core.errors import REASONS, Reason
from tui_dl.core.media import Kind, MediaFacts
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadTask, Flag, OnExists, TaskOptions
from tui_dl.core.task_lines import task_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.events import Event
    from tui_dl.core.ports import BatchView, EngineSnapshot, FailureGroup, HostView, SourceView, TaskDetails
    from tui_dl.core.ports_control import SessionFacts
    from tui_dl.core.ranges import ByteRange
    from tui_dl.core.task import DownloadProgress

_OWN_FORM: Final = frozenset({"status", "reason", "flags", "options", "validator", "kind", "facts"})
_PLAIN: Final = tuple(one.name for one in fields(DownloadTask) if one.name not in _OWN_FORM)
"""Fields of a row that are JSON values already."""
_OF_OPTIONS: Final = frozenset({"headers", "mirrors", "on_exists", "yt_dlp"})
"""In a form of their own; options of yt-dlp, which may hold passwords, in none."""
_OPTIONS: Final = tuple(one.name for one in fields(TaskOptions) if one.name not in _OF_OPTIONS)


def task_json(task: DownloadTask, progress: DownloadProgress | None = None) -> dict[str, Any]:
    """Return a row under the names of its fields, with its speed where it is in hand; `task_of()` turns it back.

    The validator is left out, and values of secret headers are masked.
    """
    found: dict[str, Any] = {name: getattr(task, name) for name in _PLAIN}
    found["gid"] = task.gid
    found["status"] = task.status.value
    found["reason"] = None if task.reason is None else task.reason.value
    found["flags"] = sorted(flag.value for flag in task.flags)
    found["options"] = options_json(task.options)
    found["kind"], found["facts"] = task.kind.value, task.facts.as_json()
    if progress is not None:
        found |= {
            "downloaded_bytes": progress.downloaded_bytes,
            "total_bytes": progress.total_bytes,
            "speed_bps": round(progress.speed_bps, 1),
            "eta_s": None if progress.eta_s is None else round(progress.eta_s, 1),
            "connections": progress.connections,
            "stage": progress.stage,
            "fraction": progress.fraction,
        }
    return found


def task_of(value: Mapping[str, Any]) -> DownloadTask:
    """Return the row of `task_json()`; names that another version knew are passed over."""
    held = {name: value[name] for name in _PLAIN if name in value}
    return DownloadTask(
        **held,
        status=Status(value["status"]),
        reason=None if value.get("reason") is None else Reason(value["reason"]),
        flags=frozenset(Flag(one) for one in value.get("flags") or ()),
        options=_options_of(value.get("options") or {}),
        kind=Kind(value.get("kind") or ""),
        facts=MediaFacts.of_json(value.get("facts") or {}),
    )


def options_json(options: TaskOptions) -> dict[str, Any]:
    """Return what was asked for a task, defaults left out, secret headers masked."""
    plain = TaskOptions()
    found = {name: getattr(options, name) for name in _OPTIONS if getattr(options, name) != getattr(plain, name)}
    if options.headers:
        found["headers"] = [[name, mask_header(name, text)] for name, text in options.headers]
    if options.mirrors:
        found["mirrors"] = list(options.mirrors)
    if options.on_exists is not None:
        found["on_exists"] = options.on_exists.value
    return found


def _options_of(value: Mapping[str, Any]) -> TaskOptions:
    held = {name: value[name] for name in _OPTIONS if name in value}
    on_exists = value.get("on_exists")
    return TaskOptions(
        **held,
        headers=tuple((str(name), str(text)) for name, text in value.get("headers") or ()),
        mirrors=tuple(value.get("mirrors") or ()),
        on_exists=None if on_exists is None else OnExists(on_exists),
    )


def event_json(event: Event, progress: DownloadProgress | None = None) -> dict[str, Any]:
    """Return a step in the life of a task, as a line of `get --json` says it."""
    return task_line(event.kind.value, event.task, progress, event.at)


def snapshot_json(snapshot: EngineSnapshot) -> dict[str, Any]:
    """Return the engine at an instant; `live` has the tasks in hand as rows."""
    return {
        "live": [task_json(one.task, one) for one in snapshot.live.values()],
        "counts": {status.value: snapshot.counts.get(status, 0) for status in Status},
        "speed_bps": round(snapshot.speed_bps, 1),
        "concurrent_downloads": snapshot.concurrent_downloads,
        "limit_rate_bps": snapshot.limit_rate_bps,
        "limit_until_at": snapshot.limit_until_at,
        "free_bytes": snapshot.free_bytes,
        "generation": snapshot.generation,
        "notices": list(snapshot.notices),
        "works": [{"name": one.name.value, "done": one.done, "total": one.total} for one in snapshot.works],
    }


def details_json(details: TaskDetails, progress: DownloadProgress | None = None) -> dict[str, Any]:
    """Return the particulars of one task; ranges are `[start, end)`."""
    return {
        "task": task_json(details.task, progress),
        "held": [_range(one) for one in details.held],
        "segments": [{"range": _range(one.range), "speed_bps": round(one.speed_bps, 1)} for one in details.segments],
        "sources": [_source(one) for one in details.sources],
        "hosts": [_host(one) for one in details.hosts],
        "peak_bps": round(details.peak_bps, 1),
        "log": [{"at": line.at, "text": line.text} for line in details.log],
        "response_headers": [list(one) for one in details.response_headers],
    }


def _range(one: ByteRange) -> list[int]:
    return [one.start, one.end]


def _source(one: SourceView) -> dict[str, Any]:
    return {
        "host": one.host,
        "connections": one.connections,
        "speed_bps": round(one.speed_bps, 1),
        "ban": one.ban,
    }


def _host(one: HostView) -> dict[str, Any]:
    return {
        "host": one.host,
        "connections": one.connections,
        "allowed": one.allowed,
        "due_at": one.due_at,
        "is_restricted": one.is_restricted,
    }


def batch_json(batch: BatchView) -> dict[str, Any]:
    """Return one add and how far it is."""
    return {
        "id": batch.id,
        "name": batch.name,
        "at": batch.at,
        "is_get": batch.is_get,
        "total": batch.total,
        "counts": {status.value: number for status, number in batch.counts.items()},
        "total_bytes": batch.total_bytes,
        "started_at": batch.started_at,
        "finished_at": batch.finished_at,
    }


def group_json(group: FailureGroup) -> dict[str, Any]:
    """Return failures of one reason and host, with what to do."""
    facts = REASONS[group.reason]
    return {
        "reason": group.reason.value,
        "host": group.host,
        "count": group.count,
        "text": group.text,
        "meaning": facts.meaning,
        "hint": facts.hint,
    }


def session_json(facts: SessionFacts) -> dict[str, Any]:
    """Return who answers."""
    return {
        "version": facts.version,
        "pid": facts.pid,
        "since_at": facts.since_at,
        "clients": facts.clients,
        "id": facts.id,
    }
