"""The right answer to a request, by RFC 9110: conditions, single ranges, and the headers each answer carries."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from tests.faults.script import Body, Reply

if TYPE_CHECKING:
    from tests.faults.script import HeaderValue, Request, Resource

_RANGE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*", re.IGNORECASE)


def answer(resource: Resource, request: Request, now_at: float) -> Reply:
    """Return the answer of a server without faults; conditions are taken in the order of RFC 9110 §13.2.2."""
    if request.method not in {"GET", "HEAD"}:
        return text_reply(405, "Method Not Allowed", "only GET and HEAD\n").with_header("Allow", "GET, HEAD")
    if _is_precondition_failed(resource, request):
        return text_reply(412, "Precondition Failed", "not this version\n")
    if _is_not_modified(resource, request):
        return Reply(304, "Not Modified", _validators(resource))
    # §14.2: Range is defined for GET alone; §13.1.5: a failed If-Range means the whole.
    asked = request.headers.get("range")
    if asked is None or request.method != "GET" or not _is_if_range_met(resource, request, now_at):
        return whole(resource)
    return _ranged(resource, asked)


def whole(resource: Resource) -> Reply:
    """Return the 200 with all of the content."""
    return Reply(200, "OK", _describe(resource), resource.slice(0, resource.length_bytes))


def part(resource: Resource, start: int, end: int) -> Reply:
    """Return the 206 with the bytes [start, end); its Content-Range is inclusive (§14.4)."""
    span = f"bytes {start}-{end - 1}/{resource.length_bytes}"
    return Reply(206, "Partial Content", (*_describe(resource), ("Content-Range", span)), resource.slice(start, end))


def unsatisfiable(resource: Resource) -> Reply:
    """Return the 416, which tells the length (§15.5.17)."""
    reply = text_reply(416, "Range Not Satisfiable", "no such range\n")
    return reply.with_header("Content-Range", f"bytes */{resource.length_bytes}")


def text_reply(status: int, reason: str, text: str) -> Reply:
    """Return a reply with a short text for a person."""
    return Reply(status, reason, (("Content-Type", "text/plain; charset=utf-8"),), Body.of(text.encode()))


def http_date(at: float) -> str:
    """Return an instant in the form of §5.6.7."""
    return formatdate(at, usegmt=True)


def asked_range(header: str | None, length_bytes: int) -> tuple[int, int] | None:
    """Return the bytes [start, end) a Range header selects; None where it is absent, malformed or unsatisfiable."""
    match = _RANGE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return None
    first_text, last_text = match.groups()
    if not first_text:
        start, end = max(0, length_bytes - int(last_text)), length_bytes
    else:
        start, end = int(first_text), min(int(last_text) + 1, length_bytes) if last_text else length_bytes
    return (start, end) if start < end else None


def _ranged(resource: Resource, asked: str) -> Reply:
    """Answer a Range that applies: 206, 416, or the whole where the header is malformed or names several ranges."""
    match = _RANGE.fullmatch(asked)
    if match is None or match.groups() == ("", ""):
        return whole(resource)
    first_text, last_text = match.groups()
    if first_text and last_text and int(last_text) < int(first_text):
        return whole(resource)  # §14.1.1: invalid, so ignored
    span = asked_range(asked, resource.length_bytes)
    return unsatisfiable(resource) if span is None else part(resource, *span)


def _describe(resource: Resource) -> tuple[tuple[str, HeaderValue], ...]:
    """Return the headers a 200 and a 206 have in common."""
    headers: list[tuple[str, HeaderValue]] = [("Content-Type", resource.content_type), ("Accept-Ranges", "bytes")]
    if resource.content_disposition is not None:
        headers.append(("Content-Disposition", resource.content_disposition))
    return (*headers, *_validators(resource), *resource.headers)


def _validators(resource: Resource) -> tuple[tuple[str, HeaderValue], ...]:
    """Return ETag and Last-Modified, where the version has them."""
    headers: list[tuple[str, HeaderValue]] = []
    if resource.etag is not None:
        headers.append(("ETag", resource.etag))
    if resource.last_modified_at is not None:
        headers.append(("Last-Modified", http_date(resource.last_modified_at)))
    return tuple(headers)


def _tags(header: str) -> set[str]:
    """Return the entity tags of a list."""
    return {tag.strip() for tag in header.split(",")}


def _parse_date(text: str) -> float | None:
    """Return the instant of an HTTP date, None where it is none."""
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return parsed.replace(tzinfo=parsed.tzinfo or UTC).timestamp()


def _is_precondition_failed(resource: Resource, request: Request) -> bool:
    """Say whether If-Match (strong comparison) or, without it, If-Unmodified-Since fails."""
    match = request.headers.get("if-match")
    if match is not None:
        return match != "*" and (not _is_strong(resource.etag) or resource.etag not in _tags(match))
    since_at = _parse_date(request.headers.get("if-unmodified-since", ""))
    modified_at = resource.last_modified_at
    return since_at is not None and modified_at is not None and int(modified_at) > since_at


def _is_not_modified(resource: Resource, request: Request) -> bool:
    """Say whether If-None-Match (weak comparison) or, without it, If-Modified-Since says the client has it."""
    match = request.headers.get("if-none-match")
    if match is not None:
        held = {tag.removeprefix("W/") for tag in _tags(match)}
        return match == "*" or (resource.etag or "").removeprefix("W/") in held
    since_at = _parse_date(request.headers.get("if-modified-since", ""))
    modified_at = resource.last_modified_at
    return since_at is not None and modified_at is not None and int(modified_at) <= since_at


def _is_strong(etag: str | None) -> bool:
    """Say whether an entity tag is strong."""
    return etag is not None and etag.startswith('"')


def _is_if_range_met(resource: Resource, request: Request, now_at: float) -> bool:
    """Say whether If-Range is absent or met: same strong tag, or same date at least a second old (§8.8.2.2)."""
    condition = request.headers.get("if-range")
    if condition is None:
        return True
    if condition.startswith(('"', "W/")):
        return _is_strong(resource.etag) and condition == resource.etag
    modified_at = resource.last_modified_at
    return modified_at is not None and condition == http_date(modified_at) and int(modified_at) + 1 <= now_at
