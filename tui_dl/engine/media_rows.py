"""Rows of media: what a row wants of the one who reads and downloads, and entries on their way into the queue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import ContentError, Reason, UsageError
from tui_dl.core.media import Kind
from tui_dl.core.media_rules import AS_FOUND, AS_MEDIA
from tui_dl.core.playlists import site_of
from tui_dl.core.ports_media import MediaWish
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask, OnExists, TaskOptions
from tui_dl.core.url_list import check_url
from tui_dl.journal.playlists import NewEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.media import MediaFacts, MediaFormats
    from tui_dl.core.ports_media import FoundEntry, MediaWorker
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext

_WEB: Final = ("http://", "https://")


def may_be_media(task: DownloadTask) -> bool:
    """Whether a row is media, or may turn out to be."""
    return task.kind is not Kind.FILE or task.options.as_kind in (AS_MEDIA, AS_FOUND)


async def wish_of(context: EngineContext, task: DownloadTask) -> MediaWish:
    """Return what a row wants."""
    options = task.options
    note = await context.journal.playlists.note(task.id) if task.kind is Kind.ENTRY else ""
    return MediaWish(
        key=task.id,
        url=task.url,
        dir=task.dir,
        has_own_dir=options.has_own_dir,
        options=options.yt_dlp,
        has_config=options.has_config,
        choice=task.facts.choice,
        note=note,
        name=task.filename if task.name_fixed else "",
        is_overwriting=context.policy_of(task) is OnExists.OVERWRITE,
        was_begun=bool(task.part_path),
        limit_bps=options.limit_rate_bps or 0,
        connections=options.connections or 0,
    )


def video_facts(task: DownloadTask, found: MediaFacts) -> dict[str, Any]:
    """Return the changes of a row that turned out to be one video."""
    kept = task.facts
    facts = replace(
        found,
        title=found.title or kept.title,
        index=kept.index,
        is_chosen=kept.is_chosen,
        choice=kept.choice,
        format_label=kept.format_label,
        format_ids=kept.format_ids,
        is_by_yt_dlp=kept.is_by_yt_dlp,
        missing=kept.missing,
        duration_s=found.duration_s if found.duration_s is not None else kept.duration_s,
    )
    kind = task.kind if task.kind is Kind.ENTRY else Kind.MEDIA
    is_named = task.part_path or task.path or task.name_fixed
    name = task.filename if is_named else facts.title or task.filename
    return {"kind": kind, "facts": facts, "filename": name}


async def add_entries(
    context: EngineContext, head: DownloadTask, found: Sequence[FoundEntry], *, asks: bool
) -> list[DownloadTask]:
    """Put entries into the queue behind their head; return those that are new there."""
    held = head.options
    options = TaskOptions(
        connections=held.connections,
        limit_rate_bps=held.limit_rate_bps,
        max_retries=held.max_retries,
        headers=held.headers,
        on_exists=held.on_exists,
        yt_dlp=held.yt_dlp,
        has_config=held.has_config,
        has_own_dir=held.has_own_dir,
    )
    status = Status.WAITING if asks else Status.PENDING
    entries = [
        NewEntry(
            NewTask(
                _address(one.url, head.url),
                head.dir,
                f"{head.id}:{one.name}",
                options,
                head.priority,
                parent_id=head.id,
            ),
            one.facts.title or one.name,
            replace(one.facts, choice=head.facts.choice),
            status,
            one.note,
        )
        for one in found
    ]
    rows = await context.journal.playlists.add(head, entries)
    context.playlists.added(rows)
    return rows


def worker_of(context: EngineContext) -> MediaWorker:
    """Return who reads and downloads; raises `ContentError` with the command that installs what is missing."""
    media = context.media
    if media is None or media.missing:
        way = "open the engine with `media`" if media is None else f"install it with: {media.missing}"
        raise ContentError(Reason.EXTRA_MISSING, f"media need yt-dlp; {way}")
    return media


async def formats_of_row(context: EngineContext, task: DownloadTask) -> MediaFormats:
    """Return the forms of a row of media, of a playlist those of its first entry. Raises `TuiDlError`."""
    media = worker_of(context)
    row = task
    if task.kind is Kind.PLAYLIST:
        entries = await context.journal.playlists.entries([task.id])
        row = next((one for one in entries if one.facts.is_chosen), entries[0] if entries else task)
    wish = await wish_of(context, row)
    await context.sites.turn(row.host)
    found = await media.formats(replace(wish, choice=task.facts.choice))
    return replace(found, choice=task.facts.choice, site=site_of(task.url))


def _address(url: str, of_head: str) -> str:
    """Return the address of an entry; that of its playlist where it has none of the web."""
    if not url.lower().startswith(_WEB):
        return of_head
    try:
        return check_url(url, is_typed=True)
    except UsageError:
        return of_head
