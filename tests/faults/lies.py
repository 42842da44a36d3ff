"""Faults of meaning: what the answers claim about status, range, version and place."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from tests.faults import rfc9110
from tests.faults.script import Body, Ending, Exchange, Fault, Reply, Resource, after
from tests.faults.tempers import resets_at_once

if TYPE_CHECKING:
    from tests.faults.script import HeaderValue

_REASONS = {
    200: "OK",
    204: "No Content",
    206: "Partial Content",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    416: "Range Not Satisfiable",
    425: "Too Early",
    429: "Too Many Requests",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def status(code: int, *headers: tuple[str, HeaderValue], body: bytes = b"no\n") -> Fault:
    """Answer with this status and a short text."""
    reply = Reply(code, _REASONS.get(code, "Unknown"), (("Content-Type", "text/plain"), *headers), Body.of(body))
    return lambda _exchange, _reply: reply


def retry_after(code: int, delay_s: float, *, is_date: bool = False) -> Fault:
    """Answer with a status and Retry-After, in seconds or as a date so far from the server's now."""

    def fault(exchange: Exchange, reply: Reply) -> Reply:
        value = rfc9110.http_date(exchange.now_at + delay_s) if is_date else str(int(delay_s))
        return status(code, ("Retry-After", value))(exchange, reply)

    return fault


def redirect(location: HeaderValue, code: int = 302) -> Fault:
    """Send the client elsewhere: relative, absolute, to itself, to file:, with user info, down to http."""
    return status(code, ("Location", location))


def login_page(_exchange: Exchange, _reply: Reply) -> Reply:
    """Answer 200 with a web page instead of the file, as a captive portal does."""
    page = b"<!DOCTYPE html><html><title>Sign in</title><form action=/login></form></html>\n"
    return Reply(200, "OK", (("Content-Type", "text/html; charset=utf-8"),), Body.of(page))


def once_only() -> Fault:
    """Serve the first request; answer 403 to all later ones, as a one-time URL does."""
    return after(1, status(403))


def at_most(places: int, otherwise: Fault | None = None) -> Fault:
    """Answer at most so many requests of the whole server at a time; others get a 503 or what is given.

    Put it last in a script, as faults after it would make the refusals worse, too.
    """
    refuse = status(503) if otherwise is None else otherwise

    def fault(exchange: Exchange, reply: Reply) -> Reply:
        if exchange.active_requests <= places:
            return reply
        return replace(refuse(exchange, reply), is_refusal=True)

    return fault


def at_most_or_reset(places: int) -> Fault:
    """Answer at most so many requests at a time; reset the connections of others."""
    return at_most(places, resets_at_once())


def ignores_range(exchange: Exchange, _reply: Reply) -> Reply:
    """Answer 200 with the whole to any Range, and do not offer ranges."""
    request = exchange.request.without("range", "if-range")
    return rfc9110.answer(exchange.resource, request, exchange.now_at).without_header("Accept-Ranges")


def refuses_range(code: int) -> Fault:
    """Answer any Range with an error (400, 403, 416, 501), anything else well."""
    return lambda exchange, reply: status(code)(exchange, reply) if "range" in exchange.request.headers else reply


def ignores_if_range(exchange: Exchange, _reply: Reply) -> Reply:
    """Answer 206 whatever If-Range says, also of another version."""
    return rfc9110.answer(exchange.resource, exchange.request.without("if-range"), exchange.now_at)


def never_meets_if_range(exchange: Exchange, reply: Reply) -> Reply:
    """Answer 200 to any If-Range although nothing changed, as some CDNs do."""
    if "if-range" not in exchange.request.headers:
        return reply
    return rfc9110.answer(exchange.resource, exchange.request.without("range", "if-range"), exchange.now_at)


def rotates_etag(exchange: Exchange, _reply: Reply) -> Reply:
    """Send another strong ETag with each answer, so that no If-Range by tag is ever met."""
    rotated = replace(exchange.resource, etag=f'"rotated-{exchange.ordinal}"')
    return rfc9110.answer(rotated, exchange.request, exchange.now_at)


def _of_206(change: Fault) -> Fault:
    """Apply a fault to 206 answers alone."""
    return lambda exchange, reply: change(exchange, reply) if reply.status == 206 else reply


def says_content_range(text: HeaderValue | None) -> Fault:
    """Send this Content-Range with a 206, or none."""
    return _of_206(
        lambda _, reply: (
            reply.without_header("Content-Range") if text is None else reply.with_header("Content-Range", text)
        )
    )


def _restated(reply: Reply, resource: Resource, *, shift: int = 0, total: str | None = None) -> Reply:
    """Return a 206 whose Content-Range is shifted, or has another total, than the body it describes."""
    first, end = reply.body.start + shift, reply.body.end + shift
    shown = str(resource.length_bytes) if total is None else total
    return reply.with_header("Content-Range", f"bytes {first}-{end - 1}/{shown}")


def claims_shifted_range(shift_bytes: int) -> Fault:
    """Send the right bytes of a 206 under a Content-Range moved by so many."""
    return _of_206(lambda exchange, reply: _restated(reply, exchange.resource, shift=shift_bytes))


def serves_shifted_range(shift_bytes: int) -> Fault:
    """Send other bytes than asked, and say so truthfully in Content-Range."""

    def change(exchange: Exchange, reply: Reply) -> Reply:
        start, end = reply.body.start + shift_bytes, reply.body.end + shift_bytes
        moved = replace(reply, body=exchange.resource.slice(start, end))
        return _restated(moved, exchange.resource)

    return _of_206(change)


def serves_shifted_bytes(shift_bytes: int) -> Fault:
    """Send other bytes than asked under the Content-Range asked for: a lie no header betrays."""

    def change(exchange: Exchange, reply: Reply) -> Reply:
        start, end = reply.body.start + shift_bytes, reply.body.end + shift_bytes
        return replace(reply, body=exchange.resource.slice(start, end))

    return _of_206(change)


def claims_total(total: int | str) -> Fault:
    """Send a 206 whose Content-Range has another total; `*` says it is unknown."""
    return _of_206(lambda exchange, reply: _restated(reply, exchange.resource, total=str(total)))


def shorter_range(limit_bytes: int) -> Fault:
    """Answer ranges with at most so many bytes, truthfully described."""

    def change(exchange: Exchange, reply: Reply) -> Reply:
        end = min(reply.body.end, reply.body.start + limit_bytes)
        return rfc9110.part(exchange.resource, reply.body.start, end)

    return _of_206(change)


def longer_range(extra_bytes: int) -> Fault:
    """Answer ranges with so many bytes more than asked (not past the end), truthfully described."""

    def change(exchange: Exchange, reply: Reply) -> Reply:
        end = min(reply.body.end + extra_bytes, exchange.resource.length_bytes)
        return rfc9110.part(exchange.resource, reply.body.start, end)

    return _of_206(change)


def unsatisfiable_though_incomplete(exchange: Exchange, reply: Reply) -> Reply:
    """Answer 416 to every range that does not begin at 0, although the bytes are there."""
    asked = rfc9110.asked_range(exchange.request.headers.get("range"), exchange.resource.length_bytes)
    return reply if asked is None or asked[0] == 0 else rfc9110.unsatisfiable(exchange.resource)


def body_of_length(length_bytes: int) -> Fault:
    """Send so many bytes of content under the head of the true number, then close in order."""

    def fault(exchange: Exchange, reply: Reply) -> Reply:
        start = reply.body.start
        body = exchange.resource.slice(start, start + length_bytes)
        told = reply.length_text or str(reply.body.length_bytes)
        return replace(reply, body=body, length_text=told, ending=Ending.CLOSE)

    return fault


def alternates(*versions: Resource) -> Fault:
    """Serve the versions in turn, one a request, as mirrors behind one name that disagree do."""
    numbers = count()

    def fault(exchange: Exchange, _reply: Reply) -> Reply:
        version = versions[next(numbers) % len(versions)]
        return rfc9110.answer(version, exchange.request, exchange.now_at)

    return fault


def with_header(name: str, value: HeaderValue) -> Fault:
    """Put a header in place of any of the same name, raw bytes allowed."""
    return lambda _, reply: reply.with_header(name, value)


def without_header(*names: str) -> Fault:
    """Leave headers out."""
    return lambda _, reply: reply.without_header(*names)
