"""FTP in HTTP's terms: what an ftp address names, what replies mean, and the head that a GET is answered with.

FTP has no conditions and no range ends: the size (SIZE) and the time of the last change (MDTM, RFC 3659 §3) stand in
for a validator, and the comparison that an HTTP server makes for `If-Range` is made here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from tui_dl.core.addresses import shown_url
from tui_dl.core.errors import HttpError, Reason
from tui_dl.core.http_rules import MOST_OFFSET, parse_http_date

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTLED_S: Final = 86_400.0
"""A change must be this old to name one version: servers' clocks are wrong by hours, and some tell local time."""
_PATH: Final = re.compile(r"[a-z]+://[^/?#]*([^#]*)", re.IGNORECASE)
_TYPE: Final = re.compile(r";type=[a-z]\Z", re.IGNORECASE)
_UNSENDABLE: Final = re.compile(rb"[\r\n\x00]")
_TIME: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?", re.ASCII)
_RANGE: Final = re.compile(r"bytes=(\d{1,19})-(\d{1,19})?", re.ASCII)


def path_of(url: str) -> str:
    """Return the path that an ftp address names, each character one byte; below the folder that a login begins in.

    `%2F` at its beginning makes it absolute (RFC 1738 §3.2.2). Raise `HttpError` for a folder, for a `;type=`, and for
    what would be another command on the wire.
    """
    match = _PATH.match(url)
    text = match[1].removeprefix("/") if match else ""
    if _TYPE.search(text):
        raise _unusable("files are fetched byte for byte; leave ;type= out", url)
    path = unquote_to_bytes(text)
    if _UNSENDABLE.search(path):
        raise _unusable("a line break or NUL in the path", url)
    if not path or path.endswith(b"/"):
        raise _unusable("it names a folder, and only files are fetched", url)
    return path.decode("latin-1")


def _unusable(text: str, url: str) -> HttpError:
    return HttpError(Reason.BAD_URL, f"the address is not usable: {text}: {shown_url(url)}")


def parse_size_reply(text: str) -> int | None:
    """Return the bytes that a reply to SIZE names, None if it names none."""
    text = text.strip()
    if not re.fullmatch(r"\d{1,19}", text, re.ASCII) or int(text) > MOST_OFFSET:
        return None
    return int(text)


def parse_time_reply(text: str) -> float | None:
    """Return seconds since 1970 for a reply to MDTM (`YYYYMMDDHHMMSS`, UTC), None if it is none."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    try:
        return datetime(*map(int, match.groups()), tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type]  # six numbers
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a server says of a file, and of itself."""

    total_bytes: int | None
    """From SIZE; None where it does not tell."""
    modified_at: float | None
    """From MDTM, seconds since 1970; None where it does not tell."""
    can_restart: bool
    """Whether it takes REST."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer, and which bytes follow it."""

    status: int
    """200, 206 or 416."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """As an HTTP server would name the facts."""
    start: int = 0
    """First byte of the body."""
    end: int | None = None
    """One past the last, None where only the end of the transfer tells."""


def head_of(headers: Mapping[str, str], facts: FileFacts, now: float) -> Head:
    """Answer a GET with these headers (`Range` and `If-Range` count); `now` is seconds since 1970.

    A range is given only where its condition holds, the length is known and REST is taken; else the whole is.
    """
    asked = {name.lower(): value for name, value in headers.items()}
    wanted = _RANGE.fullmatch(asked.get("range", "").strip())
    told, total = _told(facts, now), facts.total_bytes
    is_ranged = wanted is not None and facts.can_restart and _holds(asked.get("if-range", ""), facts)
    if wanted is None or total is None or not is_ranged:
        length = {} if total is None else {"Content-Length": str(total)}
        return Head(200, told | length, 0, total)
    start = int(wanted[1])
    end = total if wanted[2] is None else min(int(wanted[2]) + 1, total)
    if start >= total or end <= start:
        return Head(416, told | {"Content-Range": f"bytes */{total}", "Content-Length": "0"}, 0, 0)
    ranged = {"Content-Range": f"bytes {start}-{end - 1}/{total}", "Content-Length": str(end - start)}
    return Head(206, told | ranged, start, end)


def _told(facts: FileFacts, now: float) -> dict[str, str]:
    if facts.modified_at is None:
        return {}
    told = {"Last-Modified": _http_date(facts.modified_at)}
    if now - facts.modified_at >= SETTLED_S:
        # Only with a Date does the change count as a strong validator.
        told["Date"] = _http_date(now)
    return told


def _http_date(at: float) -> str:
    return format_datetime(datetime.fromtimestamp(at, UTC), usegmt=True)


def _holds(condition: str, facts: FileFacts) -> bool:
    """Whether an `If-Range` allows a part: it names the very second of the last change (RFC 9110 §13.1.5)."""
    return not condition or (facts.modified_at is not None and parse_http_date(condition) == facts.modified_at)
