"""The pages of the details pane as text with styles; everything from outside is sanitised here."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from textual.content import Content

from tui_dl.core.display_text import mask_header, mask_url
from tui_dl.core.errors import REASONS
from tui_dl.core.sharing import priority_word
from tui_dl.core.status import FACTS, Status
from tui_dl.core.task import Flag
from tui_dl.ui.details_media import media_facts
from tui_dl.ui.format import duration, percent, wait_time
from tui_dl.ui.row_text import is_for_choice, status_phrase
from tui_dl.ui.segment_map import CellState, runs, segment_cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui_dl.core.ports import SourceView, TaskDetails
    from tui_dl.core.task import DownloadProgress, DownloadTask
    from tui_dl.ui.row import Look

QUIET: Final = "$foreground 60%"
STATE_STYLES: Final = {
    CellState.HELD: "$primary",
    CellState.FLIGHT: "$accent",
    CellState.PARTLY: "$primary 70%",
    CellState.MISSING: "$foreground 30%",
}
MOST_SEGMENTS: Final = 64
WIDEST_MAP: Final = 96
GRAPH_CELLS: Final = 24
LABEL_CELLS: Final = 9


class Page(StrEnum):
    """Pages of the pane."""

    OVERVIEW = "overview"
    SEGMENTS = "segments"
    LOG = "log"
    HEADERS = "headers"


def page_text(page: Page, details: TaskDetails, progress: DownloadProgress | None, look: Look, width: int) -> Content:
    """Return a page for a pane `width` cells wide."""
    if page is Page.SEGMENTS:
        lines = _segments(details, look, width)
    elif page is Page.LOG:
        lines = [_log_line(line.at, line.text, look) for line in details.log]
    elif page is Page.HEADERS:
        lines = [_header_line(name, value, look) for name, value in details.response_headers]
    else:
        lines = _overview(details, progress, look, width)
    return Content("\n").join(lines or [Content.styled("Nothing yet", QUIET)])


def _overview(details: TaskDetails, progress: DownloadProgress | None, look: Look, width: int) -> list[Content]:
    task = details.task
    lines = [_map_line(details, look, width)] if task.total_bytes and (details.held or details.segments) else []
    lines.append(_speed_line(details, progress, look))
    lines.append(_fact_line(details, progress, look))
    if task.reason is not None:
        style = "$text-error" if task.status is Status.FAILED else "$text-warning"
        why = _why(task, progress, look)
        lines.append(Content.assemble((why, style), (f"  {REASONS[task.reason].hint}", QUIET)))
    elif task.reason_text:
        lines.append(Content.styled(look.glyphs.text(task.reason_text), QUIET))
    lines.extend(_labelled(*one, look) for one in media_facts(details, progress, look))
    lines.extend(_host_lines(details, look))
    if Flag.INSECURE in task.flags:
        lines.append(Content.styled("not verified: any certificate is accepted (insecure)", "$text-warning"))
    lines.append(_labelled("from", mask_url(task.url), look))
    if task.final_url and task.final_url != task.url:
        lines.append(_labelled("through", mask_url(task.final_url), look))
    if details.sources:
        lines.append(_labelled("sources", f" {look.glyphs.dot} ".join(map(_source, details.sources)), look))
    if digest := _digest(task):
        lines.append(_labelled("digest", digest, look))
    lines.append(_labelled("to", task.path or f"{task.dir.rstrip('/')}/{task.filename}", look))
    return lines


def _why(task: DownloadTask, progress: DownloadProgress | None, look: Look) -> str:
    if task.reason is not None and is_for_choice(task):
        return REASONS[task.reason].meaning
    stage = progress.stage if progress is not None else ""
    return look.glyphs.text(status_phrase(task, look.now, look.max_retries, stage, look.refresh_key))


def _map_line(details: TaskDetails, look: Look, width: int) -> Content:
    cells = segment_cells(details.task.total_bytes or 0, details.held, details.segments, min(WIDEST_MAP, width))
    return Content.assemble(*((text, STATE_STYLES[state]) for state, text in runs(cells, look.glyphs)))


def _speed_line(details: TaskDetails, progress: DownloadProgress | None, look: Look) -> Content:
    label = FACTS[details.task.status].label
    speed = look.units.speed(progress.speed_bps) if progress else ""
    parts: list[str | tuple[str, str]] = [(speed or label, "$text-accent" if speed else "")]
    if graph := look.glyphs.graph(details.speed_history, GRAPH_CELLS):
        parts.append((f"  {graph}", "$text-accent"))
    if details.peak_bps:
        # The history is sampled less often than the speed, which may be past it for a moment.
        peak_bps = max(details.peak_bps, progress.speed_bps if progress else 0.0)
        parts.append((f"  peak {look.units.speed(peak_bps)}", QUIET))
    if progress and (eta := duration(progress.eta_s)):
        parts.append((f"  {eta} left", QUIET))
    return Content.assemble(*parts)


def _fact_line(details: TaskDetails, progress: DownloadProgress | None, look: Look) -> Content:
    task = details.task
    dot = f" {look.glyphs.dot} "
    facts: list[str] = []
    if details.segments:
        facts.append(_connections(details, look))
    facts.append(_amount(task, progress, look))
    facts.append(_resumable(task))
    if task.started_at is not None:
        facts.append(f"started {_clock(task.started_at)}")
    if task.finished_at is not None:
        facts.append(f"ended {_clock(task.finished_at)}")
    if task.retry_count:
        facts.append(f"retries {task.retry_count}")
    if task.priority:
        facts.append(f"{priority_word(task.priority)} priority")
    if task.options.limit_rate_bps:
        facts.append(look.units.limit(task.options.limit_rate_bps))
    return Content.styled(dot.join(fact for fact in facts if fact), QUIET)


def _connections(details: TaskDetails, look: Look) -> str:
    count = len(details.segments)
    words = f"{count} connection{'' if count == 1 else 's'}"
    if len(details.sources) > 1:
        return words
    if not details.hosts:
        return f"{words} to {look.glyphs.text(details.task.host)}"
    serving = details.hosts[0]
    return f"{words} of {serving.allowed} allowed by {look.glyphs.text(serving.host)}"


def _host_lines(details: TaskDetails, look: Look) -> Iterator[Content]:
    """Yield a line for each host that wants patience or bears less than the settings allow."""
    for one in details.hosts:
        amount = f"{one.connections} of {one.allowed}"
        host = look.glyphs.text(one.host)
        if one.due_at is not None and one.due_at > look.now:
            text = f"{host}: waiting {wait_time(one.due_at - look.now)}, {amount}"
            yield Content.styled(text, "$text-warning")
        elif one.is_restricted:
            yield Content.styled(f"{host}: {amount} connections, as learned from its refusals", QUIET)


def _amount(task: DownloadTask, progress: DownloadProgress | None, look: Look) -> str:
    held_bytes = progress.downloaded_bytes if progress else task.downloaded_bytes
    if task.total_bytes is None:
        return f"{look.units.size(held_bytes)} of unknown length" if held_bytes else ""
    if task.status is Status.COMPLETED:
        return look.units.size(task.total_bytes)
    done = percent(100 * held_bytes / task.total_bytes) if task.total_bytes else ""
    return f"{look.units.size(held_bytes)} of {look.units.size(task.total_bytes)}{f' ({done})' if done else ''}"


def _resumable(task: DownloadTask) -> str:
    if task.status is Status.COMPLETED:
        return ""
    if task.validator.strong_etag:
        return "resumable (ETag)"
    return "resumable (Last-Modified)" if task.validator.last_modified else ""


def _segments(details: TaskDetails, look: Look, width: int) -> list[Content]:
    total_bytes = details.task.total_bytes
    lines = [_map_line(details, look, width)] if total_bytes else []
    for number, segment in enumerate(details.segments[:MOST_SEGMENTS], 1):
        start, end = segment.range.start, segment.range.end
        left = f"{look.units.size(end - start)} left" if end > start else "to the end"
        text = f"{number:>2}  from {look.units.size(start):>8}  {left:>14}  {look.units.speed(segment.speed_bps):>10}"
        lines.append(Content(text))
    if not details.segments:
        lines.append(Content.styled("No connection at work", QUIET))
    return lines


def _source(source: SourceView) -> str:
    if source.ban:
        return f"{source.host} not any more"
    return f"{source.host} {source.connections}"


def _log_line(at: float, text: str, look: Look) -> Content:
    return Content.assemble((f"{_clock(at, has_seconds=True)}  ", QUIET), look.glyphs.text(text))


def _header_line(name: str, value: str, look: Look) -> Content:
    return Content.assemble((f"{look.glyphs.text(name)}: ", QUIET), look.glyphs.text(mask_header(name, value)))


def _digest(task: DownloadTask) -> str:
    """Return what the file was proven to have, or what it must have."""
    if task.status is Status.COMPLETED and task.sha256:
        return f"sha256 {task.sha256}"
    algorithm, _, value = (task.options.checksum or task.options.announced).partition("=")
    parts = [f"{algorithm} {value}" if value else ""]
    if task.options.pieces:
        # Only its head is looked at: it may hold ten thousands of values.
        kind, length, _ = task.options.pieces.split(":", 2)
        parts.append(f"{kind} of each {int(length) // 1024} KiB")
    wanted = ", ".join(filter(None, parts))
    return f"{wanted}, to be checked" if wanted and task.status is not Status.COMPLETED else wanted


def _labelled(label: str, text: str, look: Look) -> Content:
    return Content.assemble((f"{label:<{LABEL_CELLS}}", QUIET), look.glyphs.text(text))


def _clock(at: float, *, has_seconds: bool = False) -> str:
    """Return the local time of day."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S" if has_seconds else "%H:%M")
