"""One extractor at a time in a process of its own: requests as lines of JSON on standard input, answers on output.

It ends when its input does, so that none is left behind when its parent is killed.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import traceback
from typing import Any, TextIO

from yt_dlp import YoutubeDL
from yt_dlp.utils import ExtractorError

from tui_dl.media.cookie_jar import locked
from tui_dl.media.portable import NotPortableError, changed, cookie_from, cookies_of, portable

PAGE = 50
"""Most entries of a playlist that are sent at once."""


class ChildYoutubeDL(YoutubeDL):
    """Says everything to the parent."""

    def __init__(self, params: dict[str, Any], wire: Wire) -> None:
        self._wire = wire
        super().__init__(params, "no_verbose_header")

    def to_stdout(self, message: str, *_args: Any, **_words: Any) -> None:
        """Send what belongs on standard output."""
        self._wire.send({"say": "to_stdout", "text": message})

    def to_screen(self, message: str, skip_eol: bool = False, quiet: bool | None = None, **words: Any) -> None:
        """Send a line for the screen."""
        once = bool(words.get("only_once"))
        self._wire.send({"say": "to_screen", "text": message, "skip_eol": skip_eol, "quiet": quiet, "once": once})

    def to_stderr(self, message: str, only_once: bool = False) -> None:
        """Send what belongs on standard error."""
        self._wire.send({"say": "to_stderr", "text": message, "once": only_once})

    def to_console_title(self, *_args: Any, **_words: Any) -> None:
        """Leave the title to the parent."""


class Wire:
    """Lines of JSON in both directions."""

    def __init__(self, incoming: TextIO, outgoing: TextIO) -> None:
        self._outgoing = outgoing
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(incoming,), daemon=True).start()

    def _listen(self, incoming: TextIO) -> None:
        for line in incoming:
            self._lines.put(line)
        # The parent is gone: whatever is being read at this moment, nobody wants it.
        os._exit(0)

    def receive(self) -> dict[str, Any]:
        """Return the next request."""
        request: dict[str, Any] = json.loads(self._lines.get())
        return request

    def send(self, message: dict[str, Any]) -> None:
        """Send one message."""
        self._outgoing.write(json.dumps(message) + "\n")
        self._outgoing.flush()


class Child:
    """Answers requests, one after another."""

    def __init__(self, wire: Wire, first: dict[str, Any]) -> None:
        self._wire = wire
        _use_plugins(first["plugin_dirs"])
        self._ydl = ChildYoutubeDL(first["params"], wire)
        self._ydl.cookiejar = locked(self._ydl.cookiejar)
        for name, value in first["colours"].items():
            setattr(self._ydl._allow_colors, name, value)
        self._known: dict[str, list[Any]] = {}

    def answer(self, request: dict[str, Any]) -> None:
        """Extract one address and send what was found."""
        jar = self._ydl.cookiejar
        for values in request["cookies"]:
            jar.set_cookie(cookie_from(values))
        self._known = cookies_of(jar)
        try:
            self._key = request["key"] or self._key_of(request["url"])
            self._send_found(self._ydl.get_info_extractor(self._key).extract(request["url"]))
        except NotPortableError:
            self._wire.send({"not_portable": True})
        except ExtractorError as error:
            self._wire.send({"error": _error(error), **self._learned()})
        except Exception:  # noqa: BLE001  # what it means is found out where it can be told: in the parent
            self._wire.send({"not_portable": True})

    _key = ""

    def _key_of(self, url: str) -> str:
        """Return the name of the first extractor that takes an address, as yt-dlp chooses it."""
        for name, extractor in self._ydl._ies.items():
            if extractor.suitable(url):
                return str(name)
        raise NotPortableError

    def _send_found(self, found: Any) -> None:
        if not isinstance(found, dict):
            raise NotPortableError
        if "__post_extractor" in found:
            self._ydl.post_extract(found)
        entries = found.pop("entries", None)
        head = portable(found)
        if entries is None:
            self._wire.send({"found": head, **self._learned()})
            return
        if not isinstance(entries, list | tuple):
            self._stream(head, entries)
            return
        self._wire.send({"found": {**head, "entries": portable(entries)}, **self._learned()})

    def _stream(self, head: dict[str, Any], entries: Any) -> None:
        """Send the entries of a playlist page by page, each when the parent wants more."""
        try:
            source = iter(entries)
        except TypeError:
            raise NotPortableError from None
        self._wire.send({"found": head, "has_entries": True, **self._learned()})
        while self._wire.receive().get("more"):
            page: list[Any] = []
            try:
                for entry in source:
                    page.append(portable(entry))
                    if len(page) >= PAGE:
                        break
                else:
                    self._wire.send({"page": page, "is_last": True, **self._learned()})
                    return
            except ExtractorError as error:
                self._wire.send({"page": page, "error": _error(error), **self._learned()})
                return
            self._wire.send({"page": page, **self._learned()})

    def _learned(self) -> dict[str, Any]:
        """Return the cookies that came meanwhile, and whether an error was told."""
        now = cookies_of(self._ydl.cookiejar)
        fresh, self._known = changed(self._known, now), now
        code, self._ydl._download_retcode = self._ydl._download_retcode, 0
        return {"cookies": fresh, "has_failed": bool(code), "key": self._key}


def _error(error: ExtractorError) -> dict[str, Any]:
    """Return what the parent makes the same error of."""
    return {
        "class": type(error).__name__,
        "text": error.orig_msg,
        "expected": bool(error.expected),
        "cause": None if error.cause is None else repr(error.cause),
        "video_id": error.video_id,
        "ie": error.ie,
        "countries": list(getattr(error, "countries", None) or ()),
        "trace": "".join(traceback.format_tb(error.__traceback__)),
    }


def _use_plugins(folders: list[str] | None) -> None:
    if folders is not None:
        from yt_dlp.globals import plugin_dirs  # noqa: PLC0415  # what the parent was told

        plugin_dirs.value = folders


def main() -> None:
    """Answer until the input ends."""
    # Whatever an extractor prints by itself must not get between the messages.
    outgoing = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    wire = Wire(sys.stdin, outgoing)
    child = Child(wire, wire.receive())
    while True:
        if "url" in (request := wire.receive()):
            child.answer(request)


if __name__ == "__main__":
    main()
