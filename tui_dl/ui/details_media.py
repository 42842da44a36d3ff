"""What the overview says of media beyond a file: title, length, what was chosen and what comes, and how a list does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.media import Kind
from tui_dl.ui.format import count, duration
from tui_dl.ui.format_choice import words_of
from tui_dl.ui.row_text import entries_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui_dl.core.ports import TaskDetails
    from tui_dl.core.task import DownloadProgress, DownloadTask
    from tui_dl.ui.row import Look


BY_YT_DLP: Final = "by yt-dlp"
CONFIGURATION: Final = "configuration: "
"""What is in the log's lines that tell of yt-dlp's own downloader and of the person's own configuration file."""


def media_facts(details: TaskDetails, progress: DownloadProgress | None, look: Look) -> Iterator[tuple[str, str]]:
    """Yield labels and texts, which are not sanitised yet; nothing for a plain file."""
    task = details.task
    if task.kind is Kind.FILE:
        return
    facts, dot = task.facts, f" {look.glyphs.dot} "
    if facts.title:
        yield "title", facts.title
    if task.kind is Kind.PLAYLIST:
        yield "videos", dot.join(_counts(task))
    known = (
        f"{facts.index} of its playlist" if facts.index is not None else "",
        duration(facts.duration_s),
        facts.extractor,
        facts.video_id,
    )
    if any(known):
        yield "video", dot.join(filter(None, known))
    yield "format", dot.join(dict.fromkeys(filter(None, (facts.format_label, words_of(facts.choice)))))
    if progress is not None and progress.stage:
        yield "stage", progress.stage
    if facts.is_by_yt_dlp:
        yield "engine", BY_YT_DLP + _said(details, BY_YT_DLP)
    if facts.missing:
        yield "missing", f"{count(facts.missing)} fragment{'' if facts.missing == 1 else 's'}"
    if configured := _said(details, CONFIGURATION):
        yield "config", configured


def _said(details: TaskDetails, words: str) -> str:
    """Return what follows these words in the last line of the log that has them; empty for none."""
    return next((line.text.partition(words)[2] for line in reversed(details.log) if words in line.text), "")


def _counts(task: DownloadTask) -> Iterator[str]:
    facts = task.facts
    yield f"{count(facts.entry_count or 0)}{' so far, more to come' if facts.is_reading else ''}"
    yield f"{count(facts.chosen_count)} chosen"
    yield entries_words(task)
