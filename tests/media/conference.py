"""A conference on the loopback site: a feed of talks, each a page with several sizes, sound apart and subtitles."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.media.site import Site

TALKS: Final = (
    *("Keynote", "Engines that do not block", "A journal that survives", "Ten years of queues", "Pause means pause"),
    *("Terminals, and what they owe us", "Fragments in order", "The polite client", "Closing"),
)
_FEED: Final = '<?xml version="1.0"?><rss version="2.0"><channel><title>Conference 2026</title>{items}</channel></rss>'
_ITEM: Final = (
    "<item><title>{title}</title><link>{{site}}/talks/{number}.html</link><itunes:duration"
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">{seconds}</itunes:duration></item>'
)
_PAGE: Final = """<html><title>{title}</title><video>
<source src="{mood}/1080/{number}.mp4" type="video/mp4" label="1080p" res="1080">
<source src="{mood}/720/{number}.mp4" type="video/mp4" label="720p" res="720">
<source src="{mood}/360/{number}.mp4" type="video/mp4" label="360p" res="360">
<source src="/streams/master.m3u8" type="application/x-mpegURL">
<track kind="subtitles" src="/s.vtt" srclang="en"><track kind="subtitles" src="/s.vtt" srclang="fr"></video></html>"""
_STREAMS: Final = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=YES,URI="a.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=5200000,RESOLUTION=1920x1080,FRAME-RATE=25,CODECS="avc1.640028,mp4a.40.2",AUDIO="a"
v.m3u8
"""


def write_conference(site: Site, titles: Sequence[str] = TALKS, *, loops: int = 1, mood: str = "") -> str:
    """Put the feed and its talks on a site that has the clips; return its address.

    A talk is `loops` times six seconds long; `mood` is how the site serves its files: "/gate" for one.
    """
    talk = site.root / "talk.mp4"
    _ffmpeg("-stream_loop", str(loops - 1), "-i", str(site.root / "v720.mp4"), "-c", "copy", str(talk))
    site.write("streams/master.m3u8", _STREAMS)
    for stream, drop in (("v", "-an"), ("a", "-vn")):
        form = ("-f", "hls", "-hls_time", "6", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4")
        names = ("-hls_fmp4_init_filename", f"{stream}_init.mp4", "-hls_segment_filename", f"streams/{stream}%03d.m4s")
        _ffmpeg("-i", str(talk), drop, "-c", "copy", *form, *names, f"streams/{stream}.m3u8", folder=site.root)
    for number, title in enumerate(titles, 1):
        site.write(f"talks/{number}.html", _PAGE.format(title=title, number=number, mood=mood))
        for size in ("1080", "720", "360"):
            site.write(f"{size}/{number}.mp4", talk.read_bytes())
    seconds = 6 * loops
    items = (_ITEM.format(title=title, number=number, seconds=seconds) for number, title in enumerate(titles, 1))
    return site.write("conference.rss", _FEED.format(items="".join(items)).replace("{{site}}", "{site}"))


def _ffmpeg(*arguments: str, folder: Path | None = None) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments], cwd=folder, check=True)
