"""What is media and what is a file, and what an extractor's words mean."""

from __future__ import annotations

import re
from typing import Final

from tui_dl.core.errors import ContentError, HttpError, NetworkError, Reason, SiteRefusedError, TuiDlError

AS_FILE: Final = "file"
AS_MEDIA: Final = "media"
AS_FOUND: Final = "found"
AS_KINDS: Final = (AS_FILE, AS_MEDIA, AS_FOUND)
"""What may be wanted of an address: a file, media, or what an extractor's claim decides."""

_MEDIA_SUFFIXES: Final = frozenset({"m3u8", "mpd", "rss", "xspf", "smil", "ism"})
"""Of documents that lead to media, and are of no use as files."""
_PAGE_SUFFIXES: Final = frozenset(
    {
        *("htm", "html", "xhtml", "shtml", "php", "php3", "php5", "phtml", "asp", "aspx", "jsp", "jspx", "jsf"),
        *("cgi", "pl", "py", "do", "action", "cfm", "mvc", "xml", "json", "txt"),
    }
)
"""Of addresses that may be pages, whatever they end in."""
_SUFFIX: Final = re.compile(r"[^/.][^/]*\.([A-Za-z0-9]{1,10})$")
_WEB: Final = ("http://", "https://")

TOO_MANY: Final = 429
REFUSED_PAUSE_S: Final = 60.0
"""So long a site is left alone that had too many requests and names no time."""
ROBOT_PAUSE_S: Final = 300.0
"""The same for one that takes us for a robot."""
_ROBOT: Final = re.compile(
    r"not a (?:ro)?bot|captcha|are you human|unusual traffic|confirm you.re human|cloudflare anti-bot|verify you",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(r"HTTP Error (\d{3})")
_BY_STATUS: Final = {
    401: Reason.UNAUTHORIZED,
    403: Reason.FORBIDDEN,
    404: Reason.NOT_FOUND,
    410: Reason.GONE,
}
_NETWORK: Final = (
    (re.compile(r"timed out|timeout", re.IGNORECASE), Reason.STALLED),
    (re.compile(r"refused", re.IGNORECASE), Reason.CONNECT_REFUSED),
    (re.compile(r"name resolution|name or service|getaddrinfo|nodename", re.IGNORECASE), Reason.DNS_FAILED),
    (re.compile(r"certificate|ssl", re.IGNORECASE), Reason.TLS_FAILED),
)
_CODE_OF_MARKS: Final = re.compile(r"\x1b\[[0-9;]*m")
_PREFIX: Final = re.compile(r"^(?:ERROR: )?\s*")
_CAUSE: Final = re.compile(r" \(caused by .*", re.DOTALL)
_ADVICE: Final = re.compile(r"; please report this issue on .*|; see  https?://\S+ for.*", re.DOTALL)


def obvious_form(url: str) -> str:
    """Return AS_FILE or AS_MEDIA where an address alone tells it, empty where an extractor is to be asked."""
    bare = url.partition("#")[0].partition("?")[0]
    if not bare.lower().startswith(_WEB):
        return AS_FILE
    path = bare.partition("://")[2].partition("/")[2]
    found = _SUFFIX.search(path)
    if found is None:
        return ""
    suffix = found[1].lower()
    if suffix in _MEDIA_SUFFIXES:
        return AS_MEDIA
    return "" if suffix in _PAGE_SUFFIXES or suffix.isdigit() else AS_FILE


def plain_words(text: str) -> str:
    """Return what yt-dlp says of an error without its ornaments."""
    bare = _PREFIX.sub("", _CODE_OF_MARKS.sub("", text))
    return _CAUSE.sub("", _ADVICE.sub("", bare)).strip()


def error_of_words(
    text: str, *, status: int = 0, is_network: bool = False, retry_after_s: float | None = None
) -> TuiDlError:
    """Return our error for what an extractor, or yt-dlp's own downloader, said."""
    words = plain_words(text)
    if _ROBOT.search(words):
        return SiteRefusedError(Reason.ROBOT_CHECK, words, is_retryable=True, retry_after_s=ROBOT_PAUSE_S)
    found = _STATUS.search(words)
    status = status or (int(found[1]) if found is not None else 0)
    if status == TOO_MANY:
        pause_s = retry_after_s or REFUSED_PAUSE_S
        reason = Reason.TOO_MANY_REQUESTS
        return SiteRefusedError(reason, words, status=status, is_retryable=True, retry_after_s=pause_s)
    if status >= 500:
        return HttpError(Reason.SERVER_ERROR, words, status=status, is_retryable=True)
    if status >= 400:
        is_retryable = status in (408, 425)
        reason = _BY_STATUS.get(status, Reason.HTTP_STATUS)
        return HttpError(reason, words, status=status, is_retryable=is_retryable)
    if is_network:
        reason = next((reason for pattern, reason in _NETWORK if pattern.search(words)), Reason.CONNECTION_RESET)
        return NetworkError(reason, words, is_retryable=reason is not Reason.TLS_FAILED)
    return ContentError(Reason.NO_MEDIA, words)
