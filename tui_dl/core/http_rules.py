"""What header values mean: ranges, lengths, dates, versions and redirects (RFC 9110).

Pure parsers. A value that breaks its grammar is None, "unknown" or refused, never an exception of the library's.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urljoin

from tui_dl.core.addresses import (
    ABSOLUTE,
    DEFAULT_PORTS,
    MOST_URL_CHARS,
    SCHEME,
    has_same_origin,
    shown_url,
    split_userinfo,
)
from tui_dl.core.errors import HttpError, Reason, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_OFFSET: Final = 2**63 - 1
"""Largest length that a file can have."""
_SURE_DIGITS: Final = 18
"""A number of no more digits is within it."""


def all_values(headers: Mapping[str, str], name: str) -> list[str]:
    """Return every value of a header, whatever its case; a multidict yields repeated ones."""
    return [value for key, value in headers.items() if key.lower() == name]


def _first_value(headers: Mapping[str, str], name: str) -> str:
    """Return the first value of a header without the blanks around it, so that contradictions end one way."""
    # A multidict looks up whatever the case; a plain one is searched.
    if hasattr(headers, "getall"):
        return headers.get(name, "").strip()
    values = all_values(headers, name)
    return values[0].strip() if values else ""


# -- lengths and ranges ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The bytes that a 206 carries."""

    start: int
    """First byte."""
    end: int
    """One past the last byte."""
    total: int | None
    """Length of the whole in bytes, None where the server does not know it (`*`)."""


@dataclass(frozen=True, slots=True)
class UnsatisfiedRange:
    """What a 416 says instead of a range."""

    total: int
    """Length of the whole in bytes."""


_CONTENT_RANGE: Final = re.compile(
    r"\s*bytes\s+(?:([0-9]{1,19})-([0-9]{1,19})|\*)/(?:([0-9]{1,19})|\*)\s*\Z", re.IGNORECASE
)


def parse_content_range(value: str | None) -> ContentRange | UnsatisfiedRange | None:
    """Return the range that a `Content-Range` names, None if it is invalid or not in bytes (RFC 9110 §14.4)."""
    match = _CONTENT_RANGE.match(value or "")
    if match is None:
        return None
    first, last, whole = match.groups()
    total = None if whole is None else int(whole)
    if total is not None and total > MOST_OFFSET:
        return None
    if first is None:
        return None if total is None else UnsatisfiedRange(total)
    start, end = int(first), int(last) + 1
    if end <= start or end > (MOST_OFFSET if total is None else total):
        return None
    return ContentRange(start, end, total)


def parse_content_length(value: str | None) -> int | None:
    """Return a length in bytes, None if unknown. A list of equal numbers is one number (RFC 9112 §6.3)."""
    if value and len(value) <= _SURE_DIGITS and value.isascii() and value.isdigit():
        return int(value)
    numbers = {part.strip() for part in (value or "").split(",")}
    if len(numbers) != 1:
        return None
    number = numbers.pop()
    if not re.fullmatch(r"[0-9]{1,19}", number) or int(number) > MOST_OFFSET:
        return None
    return int(number)


# -- dates and delays --------------------------------------------------------------------------------------------------

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_MONTH: Final = rf"(?P<month>{'|'.join(_MONTHS)})"
_DATE_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"\w{{3}}, (?P<day>\d{{1,2}}) {_MONTH} (?P<year>\d{{4}}) {_CLOCK} (?:GMT|UTC|[+-]0000)",
        rf"\w{{6,9}}, (?P<day>\d\d)-{_MONTH}-(?P<year>\d\d) {_CLOCK} (?:GMT|UTC)",
        rf"\w{{3}} {_MONTH} (?P<day>[ \d]?\d) {_CLOCK} (?P<year>\d{{4}})",
    )
)


@lru_cache(maxsize=256)
def parse_http_date(value: str | None) -> float | None:
    """Return seconds since 1970 for any of the three forms of RFC 9110 §5.6.7, None for anything else."""
    text = (value or "").strip()
    match = next(filter(None, (form.fullmatch(text) for form in _DATE_FORMS)), None)
    if match is None:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += 1900 if year >= 69 else 2000
    month = _MONTHS.index(match["month"].lower()) + 1
    second = min(int(match["second"]), 59)  # a leap second is legal here and unknown to datetime
    try:
        moment = datetime(year, month, int(match["day"]), int(match["hour"]), int(match["minute"]), second, tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp()


_SECONDS: Final = re.compile(r"[+-]?[0-9]{1,300}(?:\.[0-9]{0,30})?(?:e[+-]?[0-9]{1,3})?", re.IGNORECASE)


def parse_retry_after(value: str | None, date_header: str | None, *, now: float, max_s: float) -> float | None:
    """Return the seconds that a server asks us to wait, from 0 to `max_s`; None if it does not say so in earnest.

    A date counts from the server's own `Date`, so that a wrong clock on either side does no harm; `now` (seconds since
    1970) stands in where that is missing (RFC 9110 §10.2.3).
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        wait_s = float(text)
    elif (until := parse_http_date(text)) is not None:
        sent = parse_http_date(date_header)
        wait_s = until - (now if sent is None else sent)
    else:
        return None
    return min(max(wait_s, 0.0), max_s)


# -- versions ----------------------------------------------------------------------------------------------------------


class Match(StrEnum):
    """Whether two validators name the same version."""

    SAME = "same"
    """Proven byte for byte."""
    DIFFERENT = "different"
    """At least one validator contradicts."""
    UNKNOWN = "unknown"
    """Nothing proves or contradicts it."""


_STRONG_ETAG: Final = re.compile(r'"[\x21\x23-\x7e]+"')
_STRONG_AFTER_S: Final = 1.0
"""A Last-Modified this much older than Date names one version (RFC 9110 §8.8.2.2)."""


def is_strong_etag(etag: str) -> bool:
    """Whether an ETag is strong and quoted; an empty one, or one beyond ASCII, proves nothing to us."""
    return _STRONG_ETAG.fullmatch(etag) is not None


@dataclass(frozen=True, slots=True)
class Validator:
    """What names the version of a file."""

    etag: str = ""
    """As the server sent it, weak ones too; empty if none."""
    last_modified: str = ""
    """As the server sent it; empty if none."""
    is_date_strong: bool = False
    """Whether `last_modified` was at least a second older than the answer's own Date."""

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Validator:
        """Read the validator of an answer; of repeated headers the first counts."""
        modified = _first_value(headers, "last-modified")
        changed_at, sent_at = parse_http_date(modified), parse_http_date(_first_value(headers, "date"))
        is_strong = (
            changed_at is not None
            and sent_at is not None
            and changed_at > 0
            and sent_at - changed_at >= _STRONG_AFTER_S
        )
        return cls(_first_value(headers, "etag"), modified if changed_at is not None else "", is_strong)

    @property
    def strong_etag(self) -> str | None:
        """The ETag if it is strong."""
        return self.etag if is_strong_etag(self.etag) else None

    def if_range_value(self) -> str | None:
        """Return what `If-Range` may carry: a strong ETag, else a strong date, else None (RFC 9110 §13.1.5)."""
        return self.strong_etag or (self.last_modified if self.is_date_strong else None)

    def matches(self, later: Validator) -> Match:
        """Compare with the validator of a later answer.

        Strong ETags decide alone. Else any contradiction is a difference, and equal dates prove the same version only
        if the earlier one was strong: a file may change twice within its second.
        """
        if self.strong_etag and later.strong_etag:
            return Match.SAME if self.etag == later.etag else Match.DIFFERENT
        if self.etag and later.etag and _opaque(self.etag) != _opaque(later.etag):
            return Match.DIFFERENT
        mine, other = parse_http_date(self.last_modified), parse_http_date(later.last_modified)
        if mine is None or other is None:
            return Match.UNKNOWN
        if mine != other:
            return Match.DIFFERENT
        return Match.SAME if self.is_date_strong else Match.UNKNOWN

    def as_json(self) -> str:
        """Return it as one line of JSON for the journal."""
        return json.dumps([self.etag, self.last_modified, self.is_date_strong])

    @classmethod
    def from_json(cls, text: str) -> Validator:
        """Read what `as_json()` wrote; anything else is no validator, so that a damaged one never proves anything."""
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            return cls()
        match fields:
            case [str(etag), str(last_modified), bool(is_date_strong)]:
                return cls(etag, last_modified, is_date_strong)
        return cls()


def _opaque(etag: str) -> str:
    return etag.removeprefix("W/")


# -- kinds of content --------------------------------------------------------------------------------------------------


def is_web_page(content_type: str | None) -> bool:
    """Whether a `Content-Type` is that of a page for people."""
    return (content_type or "").partition(";")[0].strip().lower() in {"text/html", "application/xhtml+xml"}


def content_encodings(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the codings applied to a body, outermost last, `identity` dropped (RFC 9110 §8.4)."""
    if "Content-Encoding" not in headers and hasattr(headers, "getall"):
        return ()
    listed = ",".join(all_values(headers, "content-encoding")).lower().split(",")
    return tuple(coding for coding in map(str.strip, listed) if coding not in {"", "identity"})


# -- redirects --------------------------------------------------------------------------------------------------------

# What is sent to whoever answers: it names the client's abilities and the range, never its user.
_SAFE_HEADERS: Final = frozenset(
    (
        *("accept", "accept-encoding", "accept-language", "user-agent", "range", "if-range", "cache-control"),
        *("if-none-match", "if-modified-since"),
        *("pragma", "dnt", "want-repr-digest", "want-content-digest"),
    )
)


def headers_for_redirect(headers: Mapping[str, str], from_url: str, to_url: str) -> dict[str, str]:
    """Return the request headers that may go on: all within an origin, else only those that tell nothing of the user.

    Dropped elsewhere: Authorization, Cookie, Proxy-Authorization, Referer and every custom header.
    """
    if has_same_origin(from_url, to_url):
        return dict(headers)
    return {name: value for name, value in headers.items() if name.lower() in _SAFE_HEADERS}


def check_redirect(from_url: str, location: str, *, allow_downgrade: bool) -> str:
    """Return where a redirect leads (RFC 3986 §5), without user info and fragment.

    Raise `HttpError` (`redirect-refused`) for a missing or unusable target, a scheme other than http(s), and for
    https to http unless `allow_downgrade`.
    """
    target = location.strip(" \t")
    if not target:
        raise _refused("the server redirects but does not say where to")
    target = _repaired(target)
    scheme = SCHEME.match(target)
    if scheme is not None and scheme[1].lower() not in DEFAULT_PORTS:
        raise _refused(f"a redirect to {scheme[1].lower()[:40]}: was refused: {shown_url(target)}")
    try:
        # an absolute one is taken as it is written: joining would drop an empty query, which may be signed
        joined = target if ABSOLUTE.match(target) else urljoin(from_url, target)
        url = split_userinfo(joined)[0].partition("#")[0]
    except (UsageError, ValueError):
        raise _refused(f"a redirect to an unusable address was refused: {shown_url(target)}") from None
    if from_url[:6].lower() == "https:" and url.startswith("http:") and not allow_downgrade:
        raise _refused(f"a redirect from https to http was refused: {shown_url(url)}")
    return url


def _repaired(target: str) -> str:
    """Encode the spaces, raw bytes (they come as surrogate escapes) and invisible characters of a Location.

    Control characters are refused: they never come from an honest server.
    """
    if re.search(r"[\x00-\x1f\x7f]", target) or len(target) > MOST_URL_CHARS:
        raise _refused(f"a redirect with control characters or without end was refused: {shown_url(target)}")
    if target.isprintable():
        return target.replace(" ", "%20")
    return "".join(char if char.isprintable() and char != " " else _escaped(char) for char in target)


def _escaped(char: str) -> str:
    try:
        return quote(char.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return quote("\ufffd")


def _refused(text: str) -> HttpError:
    return HttpError(Reason.REDIRECT_REFUSED, text)
