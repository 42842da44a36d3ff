"""What an extractor found, in the words of the queue: facts of playlists, entries and videos, all texts made safe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.media import MediaFacts, MediaFormat, MediaFormats
from tui_dl.core.ports_media import FoundEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_TITLE_CHARS: Final = 300
MOST_WORD_CHARS: Final = 100
MOST_ADDRESS_CHARS: Final = 8192
MOST_FORMATS: Final = 500
Info = dict[str, Any]


def text_of(value: Any, most: int = MOST_TITLE_CHARS) -> str:
    """Return a text as it may be shown; empty for what is none."""
    if value is None or isinstance(value, bool | dict | list):
        return ""
    return display_text(str(value)[: 4 * most], most).strip()


def number_of(value: Any) -> float | None:
    """Return a number that makes sense, None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e15 else None


def facts_of(info: Mapping[str, Any], index: int | None = None) -> MediaFacts:
    """Return what is known of a video or an entry."""
    return MediaFacts(
        title=text_of(info.get("title")) or text_of(info.get("id")),
        extractor=text_of(info.get("extractor_key") or info.get("ie_key") or info.get("extractor"), MOST_WORD_CHARS),
        video_id=text_of(info.get("id"), MOST_WORD_CHARS),
        duration_s=number_of(info.get("duration")),
        index=index,
    )


def playlist_facts(info: Mapping[str, Any]) -> MediaFacts:
    """Return what is known of a playlist whose entries are on their way."""
    facts = facts_of(info)
    return MediaFacts(
        title=facts.title or text_of(info.get("webpage_url")),
        extractor=facts.extractor,
        video_id=facts.video_id,
        entry_count=0,
        is_reading=True,
    )


def entry_of(entry: Info, index: int, extra: Info, taken: set[str]) -> FoundEntry:
    """Return an entry; `extra` is what its playlist gives it, `taken` the names that others of it have."""
    url = entry.get("url") if entry.get("_type") in ("url", "url_transparent") else ""
    url = url if isinstance(url, str) and len(url) <= MOST_ADDRESS_CHARS else ""
    own = f"{entry.get('ie_key') or ''} {entry.get('id') or url or index}"
    name, number = own, 1
    while name in taken:
        number += 1
        name = f"{own} ~{number}"
    taken.add(name)
    kept = entry if url else {"_type": "entry", "name": own, "number": number}
    note = json.dumps({"entry": kept, "extra": extra, "index": index})
    return FoundEntry(url, name[:MOST_ADDRESS_CHARS], facts_of(entry, index), note)


def formats_of(info: Mapping[str, Any]) -> MediaFormats:
    """Return the forms of a video whose formats yt-dlp has sorted."""
    formats = [one for one in info.get("formats") or () if isinstance(one, dict)]
    return MediaFormats(
        title=text_of(info.get("title")),
        formats=tuple(_format(one) for one in formats[-MOST_FORMATS:]),
        subtitles=_languages(info.get("subtitles")),
        automatic_subtitles=_languages(info.get("automatic_captions")),
    )


def _languages(value: Any) -> tuple[str, ...]:
    names: Iterable[Any] = value if isinstance(value, dict) else ()
    return tuple(text_of(name, MOST_WORD_CHARS) for name in names if name != "live_chat")


def _format(one: Info) -> MediaFormat:
    exact, estimated = number_of(one.get("filesize")), number_of(one.get("filesize_approx"))
    size = exact or estimated
    width, height = number_of(one.get("width")), number_of(one.get("height"))
    return MediaFormat(
        id=text_of(one.get("format_id"), MOST_WORD_CHARS),
        ext=text_of(one.get("ext"), MOST_WORD_CHARS),
        width=None if width is None else int(width),
        height=None if height is None else int(height),
        fps=number_of(one.get("fps")),
        video_codec=_codec(one.get("vcodec")),
        audio_codec=_codec(one.get("acodec")),
        has_video=one.get("vcodec") != "none",
        has_audio=one.get("acodec") != "none",
        size_bytes=None if size is None else int(size),
        is_size_estimated=exact is None and size is not None,
        bitrate_kbps=number_of(one.get("tbr")),
        protocol=text_of(one.get("protocol"), MOST_WORD_CHARS),
        note=text_of(one.get("format_note"), MOST_WORD_CHARS),
    )


def _codec(value: Any) -> str:
    return "" if value in (None, "none", "unknown") else text_of(value, MOST_WORD_CHARS)


def form_label(info: Mapping[str, Any]) -> str:
    """Return the form that comes, in words."""
    parts = [one for one in info.get("requested_formats") or () if isinstance(one, dict)]
    picture = next((one for one in parts if one.get("vcodec") != "none"), info)
    size = text_of(picture.get("resolution") if picture.get("vcodec") != "none" else "audio", MOST_WORD_CHARS)
    shown = "audio" if size == "audio only" else size
    return f"{shown} {text_of(info.get('ext'), MOST_WORD_CHARS)}".strip()
