"""yt-dlp's cookie jar for several threads, and the same jar for the engine."""

from __future__ import annotations

import email.message
import urllib.request
from typing import TYPE_CHECKING, Any

from yt_dlp.cookies import YoutubeDLCookieJar

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_COOKIE_CHARS = 8192


class LockedJar(YoutubeDLCookieJar):
    """The library's own jar locks all but one method, which is called for every format."""

    def get_cookies_for_url(self, url: str) -> Any:
        """Return the cookies of an address, while nobody changes the jar."""
        with self._cookies_lock:
            return super().get_cookies_for_url(url)


def locked(jar: Any) -> Any:
    """Return a jar with its lock put to use."""
    if type(jar) is YoutubeDLCookieJar:
        jar.__class__ = LockedJar
    return jar


class JarStore:
    """The jar as the engine asks it; see `core.ports_media.CookieStore`."""

    def __init__(self, jar: Any) -> None:
        self._jar = jar

    def header(self, url: str) -> str:
        """Return the value of `Cookie` for an address, empty for none."""
        return self._jar.get_cookie_header(url) or ""

    def learn(self, url: str, lines: Iterable[str]) -> None:
        """Take what the `Set-Cookie` lines of an answer say, as far as its host may."""
        message = email.message.Message()
        for line in lines:
            if line.isprintable() and len(line) <= MOST_COOKIE_CHARS:
                message["Set-Cookie"] = line
        if message:
            self._jar.extract_cookies(_Answer(message), urllib.request.Request(url))  # noqa: S310  # nothing is opened


class _Answer:
    """As much of an answer as the jar looks at."""

    def __init__(self, message: email.message.Message) -> None:
        self._message = message

    def info(self) -> email.message.Message:
        """Return its headers."""
        return self._message
