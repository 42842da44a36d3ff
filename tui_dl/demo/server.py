"""The demonstration server: aiohttp.web on loopback, one port per host, ranges and conditions by RFC 9110."""

from __future__ import annotations

import asyncio
import re
import socket
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from aiohttp import web

from tui_dl.core.errors import NetworkError, Reason
from tui_dl.demo.tempers import BLOCK_BYTES, Host, Temper, Trouble, all_tempers, content

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOPBACK: Final = "127.0.0.1"
_SLICES_PER_S: Final = 20
"""How finely a paced body is cut, so that speeds on the screen are smooth."""
_CLOSING_S: Final = 0.2
"""How long open answers may go on when the demonstration ends."""
_FAILURES: Final = 2
_LAST_MODIFIED: Final = "Tue, 14 Nov 2023 22:13:20 GMT"
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True, slots=True)
class _Answer:
    """The body to send."""

    version: int
    """0 for the first, 1 after the file changed."""
    start: int
    """First byte."""
    end: int
    """Offset after the last byte."""
    is_partial: bool
    """Whether it answers a Range."""
    cut_at: int | None = None
    """Offset at which the connection is cut; None for never."""


class DemoServer:
    """Serves the tempers while its context is open; knows how often each was asked."""

    def __init__(self, port: int = 0, tempers: Sequence[Temper] | None = None) -> None:
        self._first_port = port
        self._tempers = tuple(all_tempers() if tempers is None else tempers)
        self._by_name = {temper.name: temper for temper in self._tempers}
        self._ports: dict[Host, int] = {}
        self._runner: web.AppRunner | None = None
        self.requests: Counter[str] = Counter()
        """GET requests so far, by file name."""
        self.open_connections: Counter[str] = Counter()
        """Bodies being sent now, by file name."""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{name}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_CLOSING_S)
        await self._runner.setup()
        try:
            for host in Host:
                await self._listen(self._runner, host)
        except BaseException:
            await self._runner.cleanup()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self, runner: web.AppRunner, host: Host) -> None:
        port = self._first_port + host.value if self._first_port else 0
        try:
            listening = socket.create_server((LOOPBACK, port))
        except (OSError, OverflowError) as error:
            raise NetworkError(
                Reason.CONNECT_REFUSED, f"cannot listen on port {port} of {LOOPBACK}: {error}; choose another --port"
            ) from error
        self._ports[host] = listening.getsockname()[1]
        await web.SockSite(runner, listening).start()

    def url_of(self, temper: Temper) -> str:
        """Return the address of one file."""
        return f"http://{LOOPBACK}:{self._ports[temper.host]}/{temper.name}"

    def urls(self) -> list[str]:
        """Return the addresses of all files, in their order."""
        return [self.url_of(temper) for temper in self._tempers]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        temper = self._by_name.get(request.match_info["name"])
        if temper is None or temper.trouble is Trouble.MISSING:
            return web.Response(status=404, text="There is no such file; the demonstration means it so.\n")
        self.requests[temper.name] += 1
        if temper.delay_s:
            await asyncio.sleep(temper.delay_s)
        if refusal := _refusal(temper, self.requests[temper.name]):
            return refusal
        version = 1 if temper.trouble is Trouble.CHANGES and self.requests[temper.name] > 1 else 0
        answer = _answer(temper, version, request)
        if answer is None:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{temper.size_bytes}"})
        return await self._send(request, temper, _with_cut(temper, answer, self.requests[temper.name]))

    async def _send(self, request: web.Request, temper: Temper, answer: _Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=206 if answer.is_partial else 200, headers=_headers(temper, answer))
        if temper.has_length:
            response.content_length = answer.end - answer.start
        self.open_connections[temper.name] += 1
        try:
            await response.prepare(request)
            await _send_body(response, temper, answer)
            if answer.cut_at is None:
                await response.write_eof()
            elif request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            # The downloader left (paused, cancelled, quit): nothing that a person should read about.
            return response
        finally:
            self.open_connections[temper.name] -= 1
        return response


def _refusal(temper: Temper, count: int) -> web.Response | None:
    if temper.trouble is Trouble.BUSY and count == 1:
        headers = {"Retry-After": str(temper.retry_after_s)}
        return web.Response(status=429, headers=headers, text="Please come back a little later.\n")
    if temper.trouble is Trouble.TWICE and count == 1:
        return web.Response(status=503, text="The first failure.\n")
    return None


def _with_cut(temper: Temper, answer: _Answer, count: int) -> _Answer:
    """Cut the connection halfway where the temper says so."""
    cuts = (temper.trouble is Trouble.TWICE and count == _FAILURES) or (
        temper.trouble is Trouble.CHANGES and count == 1
    )
    if not cuts:
        return answer
    middle = (answer.start + answer.end) // 2
    return _Answer(answer.version, answer.start, answer.end, answer.is_partial, cut_at=middle)


def _answer(temper: Temper, version: int, request: web.Request) -> _Answer | None:
    """Return what to send; None for a range that lies beyond the end (416)."""
    whole = _Answer(version, 0, temper.size_bytes, is_partial=False)
    asked = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    condition = request.headers.get("If-Range")
    if not temper.has_ranges or asked is None:
        return whole
    if condition is not None and condition not in (_etag(temper, version), _LAST_MODIFIED):
        return whole  # RFC 9110 §13.1.5: another version, so the whole of it
    if condition == _LAST_MODIFIED and temper.trouble is Trouble.CHANGES:
        return whole  # the date does not tell its versions apart
    start = int(asked[1])
    end = min(int(asked[2]) + 1, temper.size_bytes) if asked[2] else temper.size_bytes
    if start >= temper.size_bytes or (asked[2] and int(asked[2]) < start):
        return None
    return _Answer(version, start, end, is_partial=True)


def _etag(temper: Temper, version: int) -> str:
    return f'"{temper.seed:x}-{version}"'


def _headers(temper: Temper, answer: _Answer) -> dict[str, str]:
    headers = {"Content-Type": "application/octet-stream"}
    if temper.has_ranges:
        headers |= {
            "Accept-Ranges": "bytes",
            "ETag": _etag(temper, answer.version),
            "Last-Modified": _LAST_MODIFIED,
        }
    if answer.is_partial:
        headers["Content-Range"] = f"bytes {answer.start}-{answer.end - 1}/{temper.size_bytes}"
    return headers


async def _send_body(response: web.StreamResponse, temper: Temper, answer: _Answer) -> None:
    """Write the body, paced by the clock so that a late slice is made good by the next."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    step = max(temper.pace_bps // _SLICES_PER_S, 1) if temper.pace_bps else BLOCK_BYTES * 4
    end = answer.end if answer.cut_at is None else answer.cut_at
    for offset in range(answer.start, end, step):
        stop = min(offset + step, end)
        if temper.pace_bps:
            # A slice goes out when its time has passed, so that the pace is never exceeded.
            due_at = began_at + (stop - answer.start) / temper.pace_bps
            await asyncio.sleep(max(due_at - loop.time(), 0))
        await response.write(content(temper.seed + answer.version, offset, stop))
