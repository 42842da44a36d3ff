"""The table: what stock yt-dlp and ours must make the same file of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Case:
    """One line of it."""

    name: str
    """What is shown."""
    path: str
    """What is asked for."""
    arguments: tuple[str, ...] = ()
    """Options of yt-dlp."""
    files: int = 0
    """Transfers of plain files that the engine makes."""
    streams: int = 0
    """Transfers of fragments that it makes."""


CASES: Final = (
    Case("direct", "v360.mp4", files=1),
    Case("direct without a type", "raw.bin", files=1),
    Case("html5, best of two", "html5.html", files=1),
    Case("html5, by label", "html5.html", ("-f", "360p"), files=1),
    Case("html5 with a stream", "stream.html", streams=1),
    Case("HLS", "hls/master.m3u8", streams=1),
    Case("HLS, fMP4 and audio apart", "fmp4/master.m3u8", ("-f", "bv+ba"), streams=2),
    Case("HLS, AES-128", "aes/media.m3u8", streams=1),
    Case("HLS, byte ranges", "single/media.m3u8", streams=1),
    Case("DASH, merged", "dash/stream.mpd", ("-f", "bv+ba"), streams=2),
    Case("DASH of whole files, merged", "base.mpd", ("-f", "bv+ba"), files=2),
    Case("RSS", "feed.rss", ("-o", "%(playlist_index)s %(title)s.%(ext)s"), files=3),
    Case("three on a page", "three.html", ("-o", "%(autonumber)s %(id)s.%(ext)s"), files=3),
    Case("jwplayer", "jw.html", files=1),
    Case("SMIL", "list.smil", files=1),
    Case("JSON-LD", "jsonld.html", files=1),
    Case("og:video", "og.html", files=1),
    Case("subtitles, embedded", "html5.html", ("--write-subs", "--embed-subs"), files=2),
    Case("mp3", "v360.mp4", ("-x", "--audio-format", "mp3"), files=1),
    Case("metadata and thumbnail", "html5.html", ("--embed-metadata", "--embed-thumbnail"), files=1),
    Case("redirect with a cookie", "cookie/v360.mp4", files=1),
    Case("503 twice", "busy.html", files=1),
    Case("drops", "drop/v720.mp4", ("-R", "50"), files=1),
    Case("in chunks", "v360.mp4", ("--http-chunk-size", "50K"), files=1),
    Case("at a limited rate, with the server's time", "hls/media.m3u8", ("-r", "2M", "--mtime"), streams=1),
    Case("no ranges", "plain/v360.mp4", files=1),
)
