"""Requests as the benchmark's own servers read them, and the heads they answer with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

RANGE = re.compile(rb"(?im)^range:[ \t]*bytes=(\d+)-(\d*)[ \t]*\r?$")
CLOSE = re.compile(rb"(?im)^connection:[ \t]*close[ \t]*\r?$")


@dataclass(frozen=True)
class Request:
    """What of a request matters here."""

    method: str
    """In capitals."""
    path: str
    """Without the leading slash and without query."""
    start: int | None
    """First byte wanted; None: no range was asked."""
    end: int | None
    """End of the range, exclusive; None: to the end."""
    is_last: bool
    """The client closes after this one."""


def read_request(head: bytes) -> Request:
    """Read a head that ends with an empty line."""
    method, target, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
    path = target.decode("ascii").partition("?")[0].lstrip("/")
    found = RANGE.search(head)
    start = int(found[1]) if found else None
    end = int(found[2]) + 1 if found and found[2] else None
    return Request(method.decode("ascii"), path, start, end, CLOSE.search(head) is not None)


def answer(request: Request, size_bytes: int, etag: str, modified_at: float) -> tuple[bytes, int, int]:
    """Return the head of the answer and the bytes of the body, end exclusive."""
    lines = [f'ETag: "{etag}"', f"Last-Modified: {formatdate(modified_at, usegmt=True)}", "Accept-Ranges: bytes"]
    lines.append(f"Date: {formatdate(usegmt=True)}")
    if request.start is None:
        start, end = 0, size_bytes
        status = "200 OK"
    elif request.start >= size_bytes:
        start = end = 0
        status = "416 Range Not Satisfiable"
        lines.append(f"Content-Range: bytes */{size_bytes}")
    else:
        start, end = request.start, min(size_bytes, request.end or size_bytes)
        status = "206 Partial Content"
        lines.append(f"Content-Range: bytes {start}-{end - 1}/{size_bytes}")
    lines += ["Content-Type: application/octet-stream", f"Content-Length: {end - start}"]
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("ascii")
    return (head, 0, 0) if request.method == "HEAD" else (head, start, end)


def not_found() -> bytes:
    """Return a whole answer for a name that is not there."""
    return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def etag_of(status: os.stat_result) -> str:
    """Return a strong validator of a file."""
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"
