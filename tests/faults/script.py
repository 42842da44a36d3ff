"""The words of a fault script: what is served, what was asked, what is answered, and the faults between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from tests.faults import oracle

if TYPE_CHECKING:
    from tests.faults.pacing import Pace

HeaderValue = str | bytes
"""Text is sent as Latin-1; bytes are sent as they are, whatever they are."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One file as the server knows it; a new version is a new `Resource` (`FaultServer.replace`)."""

    size_bytes: int = 0
    """Length of the generated content; unused where `body` is given."""
    seed: int = 1
    """Names the content (`oracle.content`); another seed is another version."""
    body: bytes | None = None
    """Literal content instead of generated content."""
    etag: str | None = '"v1"'
    """Entity tag as sent, with quotes; `W/` before it makes it weak; None sends none."""
    last_modified_at: float | None = 1_700_000_000.0
    """Seconds since the epoch; None sends no Last-Modified."""
    content_type: HeaderValue = "application/octet-stream"
    """Value of Content-Type."""
    content_disposition: HeaderValue | None = None
    """Value of Content-Disposition, raw bytes allowed; None sends none."""
    headers: tuple[tuple[str, HeaderValue], ...] = ()
    """More headers of every 200 and 206, in order."""

    @property
    def length_bytes(self) -> int:
        """The length of the whole content."""
        return self.size_bytes if self.body is None else len(self.body)

    def slice(self, start: int, end: int) -> Body:
        """Return the content [start, end) as a body."""
        return Body(self.seed, self.body, start, end)


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes a reply carries, made piece by piece, so that a body of gigabytes costs no memory."""

    seed: int = 0
    """Names the generated content where `literal` is None."""
    literal: bytes | None = b""
    """The content the range is taken from; past its end come zero bytes."""
    start: int = 0
    """First offset carried."""
    end: int = 0
    """Offset after the last one carried."""

    @property
    def length_bytes(self) -> int:
        """How many bytes the body has."""
        return self.end - self.start

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes [start, end) counted from the body's own beginning."""
        first, last = self.start + start, self.start + end
        if self.literal is None:
            return oracle.content(self.seed, first, last)
        return self.literal[first:last].ljust(last - first, b"\0")

    @classmethod
    def of(cls, literal: bytes) -> Body:
        """Return a body of exactly these bytes."""
        return cls(0, literal, 0, len(literal))


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was read from the wire."""

    method: str
    """As sent."""
    target: str
    """As sent: path with query, or an absolute URL where a client takes the server for a proxy."""
    path: str
    """Path of the target without query, percent-encoding untouched."""
    headers: dict[str, str]
    """Names in lower case; values of repeated headers joined by a comma."""
    version: str = "HTTP/1.1"
    """As sent."""

    def without(self, *names: str) -> Request:
        """Return the request as if these headers (lower case) had not been sent."""
        return replace(self, headers={name: value for name, value in self.headers.items() if name not in names})


class Framing(Enum):
    """How the end of a body is made known."""

    LENGTH = "Content-Length"
    CHUNKED = "Transfer-Encoding: chunked"
    UNTIL_CLOSE = "the connection's end"


class Ending(Enum):
    """What happens to the connection after the reply."""

    KEEP = "kept for the next request"
    CLOSE = "closed in order (FIN; with TLS after close_notify)"
    CUT = "closed without close_notify (FIN; differs from CLOSE with TLS alone)"
    RESET = "reset (RST)"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and the manner of its delivery; faults turn one into another."""

    status: int
    """Status code as sent."""
    reason: str = "OK"
    """Reason phrase as sent."""
    headers: tuple[tuple[str, HeaderValue], ...] = ()
    """Headers as sent, without those that frame the body."""
    body: Body = Body()
    """What is sent after the head."""
    framing: Framing = Framing.LENGTH
    """How the body's end is told."""
    length_text: str | None = None
    """Value of Content-Length instead of the true one."""
    stop_after_bytes: int | None = None
    """Body bytes after which the reply breaks off; the connection then ends as `ending` says."""
    stall_after_bytes: int | None = None
    """Body bytes after which nothing comes until `FaultServer.release` (-1: before the head)."""
    ending: Ending = Ending.KEEP
    """What happens to the connection afterwards."""
    pace: Pace | None = None
    """Slows the body; may be shared by several replies."""
    head_pace: Pace | None = None
    """Slows the head, byte by byte."""
    raw: bytes | None = None
    """Sent instead of head and body."""
    after_body: bytes = b""
    """Sent after the body's own end."""
    is_refusal: bool = False
    """Whether this reply does not occupy one of the host's places (`tempers.at_most`)."""

    def header(self, name: str) -> HeaderValue | None:
        """Return the first value of a header, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def with_header(self, name: str, value: HeaderValue) -> Reply:
        """Return the reply with this header in place of any of the same name."""
        return replace(self, headers=(*self.without_header(name).headers, (name, value)))

    def without_header(self, *names: str) -> Reply:
        """Return the reply without these headers."""
        unwanted = {name.lower() for name in names}
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0].lower() not in unwanted))


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a fault may know when it decides."""

    request: Request
    """What was asked."""
    resource: Resource
    """The version served at this moment."""
    ordinal: int
    """How many requests for this path came before this one."""
    active_requests: int
    """Requests being answered by the server at this moment, refusals left out, this one included."""
    now_at: float
    """Seconds since the epoch."""


Fault = Callable[[Exchange, Reply], Reply]
"""Turns the reply into a worse one; faults are applied in the order given."""

Condition = Callable[[Exchange], bool]
"""Says whether a fault applies to a request."""


def well(_exchange: Exchange, reply: Reply) -> Reply:
    """Leave the reply as it is."""
    return reply


def all_of(*faults: Fault) -> Fault:
    """Apply several faults to the same reply, in order."""

    def fault(exchange: Exchange, reply: Reply) -> Reply:
        for each in faults:
            reply = each(exchange, reply)
        return reply

    return fault


def in_turn(*faults: Fault) -> Fault:
    """Use the first fault for the first request this script sees, and so on; then all is well."""
    remaining = list(faults)

    def fault(exchange: Exchange, reply: Reply) -> Reply:
        return remaining.pop(0)(exchange, reply) if remaining else reply

    return fault


def first(count: int, fault: Fault) -> Fault:
    """Use a fault for the first `count` requests this script sees; then all is well."""
    return in_turn(*[fault] * count)


def after(count: int, fault: Fault) -> Fault:
    """Let the first `count` requests this script sees be well; then use the fault for ever."""
    spared = iter(range(count))
    return lambda exchange, reply: reply if next(spared, None) is not None else fault(exchange, reply)


def when(condition: Condition, fault: Fault) -> Fault:
    """Use a fault for the requests that meet a condition."""
    return lambda exchange, reply: fault(exchange, reply) if condition(exchange) else reply


def has_range(exchange: Exchange) -> bool:
    """Say whether the request has a Range header."""
    return "range" in exchange.request.headers


def has_later_range(exchange: Exchange) -> bool:
    """Say whether the request asks for a range that does not begin at 0."""
    return has_range(exchange) and not exchange.request.headers["range"].startswith("bytes=0-")


def has_if_range(exchange: Exchange) -> bool:
    """Say whether the request has an If-Range header."""
    return "if-range" in exchange.request.headers
