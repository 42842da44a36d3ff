"""Clips made with ffmpeg, once for a run: a few seconds, small, of every form in which sites serve media."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media.site import Site

KEY: Final = bytes(range(16))
IV: Final = "000102030405060708090a0b0c0d0e0f"
_EXACT: Final = ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact")


def has_ffmpeg() -> bool:
    """Whether clips can be made."""
    return shutil.which("ffmpeg") is not None and shutil.which("ffprobe") is not None


def make_clips(root: Path) -> None:
    """Make all clips below a folder."""
    root.mkdir(parents=True, exist_ok=True)
    for folder in ("hls", "fmp4", "aes", "single", "dash"):
        (root / folder).mkdir(exist_ok=True)
    (root / "aes" / "enc.key").write_bytes(KEY)
    (root / "aes.info").write_text(f"enc.key\n{root / 'aes' / 'enc.key'}\n{IV}\n")
    for name, size in (("v360", "320x180"), ("v720", "480x270")):
        picture = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=15")
        sound = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100")
        video = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-sc_threshold", "0", "-pix_fmt", "yuv420p")
        _ffmpeg(
            root, *picture, *sound, "-t", "6", *video, *_EXACT, "-c:a", "aac", "-movflags", "+faststart", f"{name}.mp4"
        )
    _ffmpeg(root, "-i", "v360.mp4", "-an", "-c", "copy", "video.mp4")
    _ffmpeg(root, "-i", "v360.mp4", "-vn", "-c", "copy", "audio.m4a")
    _ffmpeg(root, "-i", "v360.mp4", "-frames:v", "1", "-update", "1", "poster.jpg")
    cut = ("-c", "copy", "-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod")
    _ffmpeg(root, "-i", "v360.mp4", *cut, "-hls_segment_filename", "hls/s%03d.ts", "hls/media.m3u8")
    _ffmpeg(
        root, "-i", "v360.mp4", *cut, "-hls_key_info_file", "aes.info", "-hls_segment_filename", "aes/s%03d.ts",
        "aes/media.m3u8",
    )  # fmt: skip
    _ffmpeg(root, "-i", "v360.mp4", *cut, "-hls_flags", "single_file", "single/media.m3u8")
    for stream, drop in (("v", "-an"), ("a", "-vn")):
        form = ("-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", f"{stream}_init.mp4")
        _ffmpeg(
            root, "-i", "v360.mp4", drop, *cut, *form, "-hls_segment_filename", f"fmp4/{stream}%03d.m4s",
            f"fmp4/{stream}.m3u8",
        )  # fmt: skip
    dash = ("-f", "dash", "-seg_duration", "1", "-use_template", "1", "-use_timeline", "1")
    sets = ("-adaptation_sets", "id=0,streams=v id=1,streams=a")
    _ffmpeg(root, "-i", "v360.mp4", "-map", "0:v", "-map", "0:a", "-c", "copy", *dash, *sets, "dash/stream.mpd")


def _ffmpeg(root: Path, *arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments], cwd=root, check=True)


def write_pages(site: Site) -> None:
    """Put pages and playlists around the clips."""
    site.write("html5.html", HTML5)
    site.write(
        "stream.html", '<html><title>Stream</title><video><source src="/hls/media.m3u8" type="application/x-mpegURL">'
        "</video></html>",
    )  # fmt: skip
    site.write(
        "three.html",
        "<html><title>Three</title>"
        + "".join(f'<video><source src="/{name}.mp4" type="video/mp4"></video>' for name in ("v360", "v720", "video"))
        + "</html>",
    )
    site.write("jw.html", JWPLAYER)
    site.write("jsonld.html", JSON_LD)
    site.write("og.html", '<html><title>Og</title><meta property="og:video" content="{site}/v360.mp4"></html>')
    site.write("busy.html", page_of("/busy/v360.mp4"))
    site.write("hls/master.m3u8", MASTER)
    site.write("fmp4/master.m3u8", SEPARATE)
    site.write("base.mpd", BASE_URL)
    site.write("feed.rss", rss(3))
    site.write("list.smil", SMIL)
    site.write("s.vtt", "WEBVTT\n\n00:00.000 --> 00:02.000\nHello\n\n00:02.000 --> 00:04.000\nWorld\n")
    site.write("raw.bin", (site.root / "v720.mp4").read_bytes())


def page_of(path: str) -> str:
    """Return a page with one video."""
    return f'<html><title>Page</title><video><source src="{path}" type="video/mp4"></video></html>'


def rss(count: int, *, path: str = "v360.mp4") -> str:
    """Return a feed of so many episodes, all of one file under addresses of their own."""
    items = "".join(
        f"<item><title>Episode {number}</title><link>{{site}}/{path}?n={number}</link>"
        f'<enclosure url="{{site}}/{path}?n={number}" type="video/mp4" length="1"/></item>'
        for number in range(1, count + 1)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title>{items}</channel></rss>'


HTML5: Final = """<html><head><title>Three sizes</title></head><body><video poster="/poster.jpg">
<source src="/v720.mp4" type="video/mp4" label="720p" res="720">
<source src="/v360.mp4" type="video/mp4" label="360p" res="360">
<track kind="subtitles" src="/s.vtt" srclang="en"></video></body></html>"""
JWPLAYER: Final = """<html><title>Jw</title><script>jwplayer("p").setup({"title": "Played", "image": "/poster.jpg",
"sources": [{"file": "/v720.mp4", "label": "720p", "type": "video/mp4"}, {"file": "/v360.mp4", "label": "360p",
"type": "video/mp4"}], "tracks": [{"file": "/s.vtt", "kind": "captions", "label": "en"}]});</script></html>"""
JSON_LD: Final = """<html><title>Ld</title><script type="application/ld+json">{"@context": "http://schema.org",
"@type": "VideoObject", "name": "Linked", "description": "d", "thumbnailUrl": "{site}/poster.jpg",
"uploadDate": "2026-01-02", "contentUrl": "{site}/v360.mp4", "duration": "PT6S"}</script></html>"""
MASTER: Final = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=320x180,CODECS="avc1.42c00d,mp4a.40.2"
media.m3u8
"""
SEPARATE: Final = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=YES,URI="a.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=320x180,CODECS="avc1.42c00d,mp4a.40.2",AUDIO="a"
v.m3u8
"""
BASE_URL: Final = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
mediaPresentationDuration="PT6S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>
<AdaptationSet mimeType="video/mp4" contentType="video"><Representation id="v" bandwidth="400000" width="320"
height="180" codecs="avc1.42c00d"><BaseURL>video.mp4</BaseURL></Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4" contentType="audio"><Representation id="a" bandwidth="100000"
codecs="mp4a.40.2"><BaseURL>audio.m4a</BaseURL></Representation></AdaptationSet></Period></MPD>"""
SMIL: Final = """<smil><head><meta name="title" content="Smiling"/></head><body><switch>
<video src="{site}/v360.mp4" system-bitrate="400000" width="320" height="180"/></switch></body></smil>"""
