"""Faults of delivery: how the bytes come, stop, stall and end; what the answers claim is in `lies`."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.faults.pacing import Pace, PaceUntil
from tests.faults.rfc9110 import whole
from tests.faults.script import Body, Ending, Exchange, Fault, Framing, Reply

if TYPE_CHECKING:
    from collections.abc import Callable


def drop_after(count_bytes: int) -> Fault:
    """Close the connection in order (FIN) after so many body bytes."""
    return _break_off(count_bytes, Ending.CLOSE)


def cut_after(count_bytes: int) -> Fault:
    """Close the connection after so many body bytes; with TLS without close_notify."""
    return _break_off(count_bytes, Ending.CUT)


def reset_after(count_bytes: int) -> Fault:
    """Reset the connection (RST) once the client's kernel has so many body bytes."""
    return _break_off(count_bytes, Ending.RESET)


def _break_off(count_bytes: int, ending: Ending) -> Fault:
    return lambda _, reply: replace(reply, stop_after_bytes=count_bytes, ending=ending)


def stall_after(count_bytes: int) -> Fault:
    """Send nothing more after so many body bytes until `FaultServer.release`, then go on."""
    return lambda _, reply: replace(reply, stall_after_bytes=count_bytes)


def never_answers() -> Fault:
    """Read the request and say nothing until `FaultServer.release`, then answer well."""
    return stall_after(-1)


def pace(rate_bps: float) -> Fault:
    """Send each reply's body at a steady rate of its own, in ticks of 20 ms."""
    return lambda _, reply: replace(reply, pace=Pace(rate_bps))


def pace_until(is_over: Callable[[], object], slow_bps: float, fast_bps: float) -> Fault:
    """Send each body slowly until something has happened, then fast."""
    return lambda _, reply: replace(reply, pace=PaceUntil(is_over, slow_bps, fast_bps))


def pace_together(rate_bps: float) -> Fault:
    """Send the bodies of all replies of this fault at one steady rate that they share evenly."""
    shared = Pace(rate_bps)
    return lambda _, reply: replace(reply, pace=shared)


def slow_head(rate_bps: float) -> Fault:
    """Send the head byte by byte at a steady rate."""
    return lambda _, reply: replace(reply, head_pace=Pace(rate_bps))


def without_length(_exchange: Exchange, reply: Reply) -> Reply:
    """Tell the body's end by closing the connection."""
    return replace(reply, framing=Framing.UNTIL_CLOSE)


def chunked(_exchange: Exchange, reply: Reply) -> Reply:
    """Send the body in chunks, without a Content-Length."""
    return replace(reply, framing=Framing.CHUNKED)


def chunked_truncated(count_bytes: int) -> Fault:
    """Send the body in chunks and close in order after so many body bytes, without the last chunk."""
    return lambda _, reply: replace(reply, framing=Framing.CHUNKED, stop_after_bytes=count_bytes, ending=Ending.CLOSE)


def says_length(text: str) -> Fault:
    """Send this Content-Length, the true body, and close in order: a short body, a long one, or nonsense (`-5`)."""
    return lambda _, reply: replace(reply, length_text=text, ending=Ending.CLOSE)


def extra_after_body(octets: bytes) -> Fault:
    """Send bytes after the body's end and keep the connection, as for a reply nobody asked for."""
    return lambda _, reply: replace(reply, after_body=octets)


def closes_silently(_exchange: Exchange, reply: Reply) -> Reply:
    """Close after a whole reply without having said so, so that a pooled connection is a dead one."""
    return replace(reply, ending=Ending.CLOSE)


def raw(octets: bytes, ending: Ending = Ending.CLOSE) -> Fault:
    """Send these bytes instead of any HTTP; manners given before (stalls, breaks) are forgotten."""
    return lambda _, reply: Reply(reply.status, raw=octets, ending=ending)


def half_a_status_line() -> Fault:
    """Send half a status line and close in order."""
    return raw(b"HTTP/1.1 20")


def garbage() -> Fault:
    """Answer in another protocol."""
    return raw(b"SSH-2.0-OpenSSH_9.6\r\n\x00\x01\xff\xfe\r\n\r\n")


def closes_at_once() -> Fault:
    """Close in order without a byte."""
    return raw(b"")


def resets_at_once() -> Fault:
    """Reset the connection without a byte."""
    return raw(b"", Ending.RESET)


def gzip_encoded(cut_bytes: int = 0) -> Fault:
    """Send the whole content gzipped although identity was asked, its tail cut where told; lengths match the cut."""

    def fault(exchange: Exchange, reply: Reply) -> Reply:
        plain = whole(exchange.resource)
        octets = gzip.compress(plain.body.read(0, plain.body.length_bytes), mtime=0)
        octets = octets[: len(octets) - cut_bytes]
        coded = plain.without_header("Accept-Ranges").with_header("Content-Encoding", "gzip")
        return replace(coded, body=Body.of(octets), framing=reply.framing)

    return fault
