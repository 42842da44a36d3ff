"""A process that reads media pages for the queue: requests as lines of JSON on standard input, what is found on output.

yt-dlp follows addresses to the end itself; where it would begin to download, what it has found is sent instead.
It ends when its input does, so that none is left behind when its parent is killed.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import Any, Final

from yt_dlp import YoutubeDL
from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import ExtractorError, PlaylistEntries, UnsupportedError

from tui_dl.core.errors import UsageError
from tui_dl.media.cookie_jar import locked
from tui_dl.media.extractor_child import Wire
from tui_dl.media.found import Info, entry_of, facts_of, playlist_facts
from tui_dl.media.options import config_files, params_of
from tui_dl.media.portable import NotPortableError, changed, cookies_of, portable

FIRST_LOT: Final = 10
MOST_OF_A_LOT: Final = 100
"""Entries that are sent at once."""
LOT_S: Final = 0.2
"""So long entries may be gathered before they are sent."""
MOST_OF_A_CHAIN: Final = 10
MOST_KEPT: Final = 8
"""Sets of options whose `YoutubeDL` is kept."""
_LEFT_OUT: Final = ("postprocessors", "progress_hooks", "forceprint", "print_to_file", "outtmpl")
"""Parameters that are of the download alone."""


class Found(Exception):  # noqa: N818  # a turn of events
    """Reading has come to its end: what yt-dlp would download now is known."""


class Log:
    """Passes on what yt-dlp says."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def debug(self, text: str) -> None:
        """Send a line of its course."""
        if not text.startswith("[debug]"):
            self._wire.send({"say": text})

    info = warning = error = debug


class ReadingYoutubeDL(YoutubeDL):
    """Reads and never downloads."""

    def __init__(self, params: dict[str, Any], reader: Reader) -> None:
        self._reader = reader
        super().__init__(params, "no_verbose_header")
        self.cookiejar: Any = locked(super().cookiejar)
        self.config_files: tuple[str, ...] = ()
        """Files of the person's own configuration that it was made with."""

    def process_video_result(self, info_dict: Info, download: bool = True) -> Any:  # noqa: ARG002  # its shape
        """Take what was found."""
        self.post_extract(info_dict)
        self._reader.video(info_dict)
        raise Found

    def with_sorted_formats(self, info: Info) -> Info:
        """Return a video with its formats as yt-dlp sorts them."""
        super().process_video_result(info, download=False)
        return info

    def _YoutubeDL__process_playlist(self, ie_result: Info, download: bool) -> Any:  # noqa: ARG002, N802  # its name
        self._reader.playlist(self, ie_result)
        raise Found


class Reader:
    """Answers requests, one after another."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._kept: dict[str, ReadingYoutubeDL] = {}
        self._cookies: dict[str, list[Any]] = {}
        self._request: Info = {}
        self.wants_formats = False
        """Whether the forms of a video are asked for, not the video."""

    def answer(self, request: Info) -> None:
        """Read one address and send what is found."""
        self._request = request
        self.wants_formats = "formats_of" in request
        try:
            if "claims" in request:
                self._wire.send({"claims": self._claims(request["claims"])})
            elif "formats_of" in request:
                self._formats(request["formats_of"])
            else:
                self._read(request)
        except Found:
            return
        except UsageError as error:
            self._wire.send({"error": {"text": error.message, "is_usage": True}})
        except NotPortableError:
            self._wire.send({"not_portable": True})
        except Exception as error:  # noqa: BLE001  # whatever an extractor trips over, the row says it
            self._wire.send({"error": _told(error)})

    def _read(self, request: Info) -> None:
        ydl = self._youtube_dl(request)
        for file in ydl.config_files:
            self._wire.send({"say": f"configuration: {file}"})
        self._cookies = cookies_of(ydl.cookiejar)
        note = request.get("note") or {}
        entry: Info = note.get("entry") or {}
        if entry.get("_type") in ("url", "url_transparent"):
            result = ydl.process_ie_result(dict(entry), download=True, extra_info=dict(note.get("extra") or {}))
        else:
            result = ydl.extract_info(request["url"], download=True, process=True)
        if result is None:
            self._wire.send({"archived": True})
        else:
            raise ExtractorError("nothing was found there", expected=True)

    def _claims(self, url: str) -> bool:
        from yt_dlp.extractor import gen_extractor_classes  # noqa: PLC0415  # lazy ones

        return any(one.ie_key() != "Generic" and one.suitable(url) for one in gen_extractor_classes())

    def _youtube_dl(self, request: Info) -> ReadingYoutubeDL:
        options, has_config = request["options"], bool(request["has_config"])
        key = f"{has_config} {options} {self.wants_formats}"
        ydl = self._kept.pop(key, None)
        if ydl is None:
            params = params_of(options, has_config=has_config, defaults=request.get("defaults"))
            kept = {name: value for name, value in params.items() if name not in _LEFT_OUT}
            if self.wants_formats:
                # All of them, whatever is wanted of this video otherwise.
                kept |= {"format": "all", "check_formats": None, "simulate": True}
            ydl = ReadingYoutubeDL({**kept, "logger": Log(self._wire), "ignoreerrors": False}, self)
            ydl.config_files = config_files() if has_config else ()
        self._kept[key] = ydl
        ydl._playlist_urls = set()
        ydl._playlist_level = 0
        while len(self._kept) > MOST_KEPT:
            self._kept.pop(next(iter(self._kept))).close()
        return ydl

    def _formats(self, info: Info) -> None:
        found = self._youtube_dl(self._request).with_sorted_formats(info)
        self._wire.send({"formats": portable(_shown_formats(found))})

    # -- what is found -------------------------------------------------------------------------------------------------

    def video(self, info: Info) -> None:
        """Send a video."""
        jar = cookies_of(next(reversed(self._kept.values())).cookiejar)
        facts = facts_of(info)
        found = portable(info)
        cookies = changed(self._cookies, jar)
        self._wire.send({"video": found, "facts": facts.as_json(), "cookies": cookies})

    def playlist(self, ydl: ReadingYoutubeDL, found: Info) -> None:
        """Send a playlist and then its entries, each lot when the parent wants more."""
        wanted = PlaylistEntries(ydl, found).get_requested_items()
        name = ((self._request.get("note") or {}).get("entry") or {}).get("name")
        if name is not None or self._request.get("wants_first"):
            self._one_of(ydl, found, wanted, name)
            return
        self._wire.send({"playlist": playlist_facts(found).as_json()})
        entries = iter(list(wanted)[::-1] if ydl.params.get("playlistreverse") else wanted)
        taken: set[str] = set()
        number, lot, until = 0, [], time.monotonic() + LOT_S
        for index, entry in entries:
            number += 1
            if not isinstance(entry, dict):
                continue
            extra = {**self._extra(ydl, found), "playlist_index": index, "playlist_autonumber": number}
            lot.append(_entry(ydl, entry, index, extra, taken))
            if len(lot) >= (FIRST_LOT if number == len(lot) else MOST_OF_A_LOT) or time.monotonic() >= until:
                self._lot(lot)
                lot, until = [], time.monotonic() + LOT_S
        self._wire.send({"entries": lot, "is_last": True})

    def _lot(self, lot: list[Info]) -> None:
        self._wire.send({"entries": lot})
        while not self._wire.receive().get("more"):
            continue

    def _one_of(self, ydl: ReadingYoutubeDL, found: Info, wanted: Any, name: str | None) -> None:
        """Send the one entry that is asked for: a video that has no address but its playlist's."""
        taken: set[str] = set()
        for number, (index, entry) in enumerate(wanted, 1):
            if isinstance(entry, dict) and (name is None or entry_of(entry, index, {}, taken).name == name):
                extra = {**self._extra(ydl, found), "playlist_index": index, "playlist_autonumber": number}
                ydl.process_ie_result(entry, download=True, extra_info=extra)
        raise ExtractorError("it is not in its playlist any more", expected=True)

    @staticmethod
    def _extra(ydl: ReadingYoutubeDL, found: Info) -> Info:
        extra = ydl._playlist_infodict(found, strict=False)
        extra.pop("playlist_index", None)
        count = found.get("playlist_count")
        if isinstance(count, int):
            extra |= {"n_entries": count, "__last_playlist_index": count}
        return {key: value for key, value in extra.items() if value is not None}


def _entry(ydl: ReadingYoutubeDL, entry: Info, index: int, extra: Info, taken: set[str]) -> Info:
    found = entry_of(portable(entry), index, portable(extra), taken)
    told: Info = {"url": found.url, "name": found.name, "facts": found.facts.as_json(), "note": found.note}
    if entry.get("_type", "video") == "video" and (entry.get("formats") or entry.get("url")):
        # All of it is known: it need not be read again.
        whole = dict(entry)
        ydl.post_extract(whole)
        ydl.add_extra_info(whole, extra)
        with suppress(NotPortableError):
            told["info"] = portable(whole)
    return told


def _shown_formats(info: Info) -> Info:
    """Return as much of a video as a choice is made of."""
    return {key: info[key] for key in ("title", "formats", "subtitles", "automatic_captions") if key in info}


def _told(error: BaseException) -> Info:
    """Return what the parent makes an error of its own of."""
    status, is_network = 0, False
    chain = _chain(error)
    for one in chain:
        if isinstance(one, HTTPError):
            status = one.status
        is_network |= isinstance(one, TransportError)
    is_unsupported = any(isinstance(one, UnsupportedError) for one in chain)
    text = str(getattr(error, "msg", "") or error) or type(error).__name__
    retry_after = next((one.response.headers.get("Retry-After") for one in chain if isinstance(one, HTTPError)), None)
    return {
        "text": text,
        "status": status,
        "is_network": is_network,
        "is_unsupported": is_unsupported,
        "retry_after": retry_after,
    }


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and what it came of, as far as the way is known."""
    chain = [error]
    while len(chain) < MOST_OF_A_CHAIN:
        here = chain[-1]
        told = getattr(here, "exc_info", None) or (None, None)
        following = getattr(here, "cause", None) or here.__cause__ or told[1]
        if not isinstance(following, BaseException) or following in chain:
            break
        chain.append(following)
    return chain


def main() -> None:
    """Answer until the input ends."""
    # Whatever an extractor prints by itself must not get between the messages.
    outgoing = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    wire = Wire(sys.stdin, outgoing)
    reader = Reader(wire)
    while True:
        if "more" not in (request := wire.receive()):
            reader.answer(request)


if __name__ == "__main__":
    main()
