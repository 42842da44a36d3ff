"""A site on loopback with media of every kind: pages, playlists, streams, and servers with their moods."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TYPES: Final = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".rss": "application/rss+xml",
    ".smil": "application/smil+xml",
    ".xspf": "application/xspf+xml",
    ".ts": "video/mp2t",
    ".mp4": "video/mp4",
    ".m4s": "video/mp4",
    ".m4a": "audio/mp4",
    ".vtt": "text/vtt",
    ".jpg": "image/jpeg",
    ".html": "text/html; charset=utf-8",
}
PIECE_BYTES: Final = 64 * 1024


class Site:
    """Serves files below a folder, with the moods that a path begins with: `/drop/`, `/busy/`, `/cookie/` ..."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: Counter[str] = Counter()
        """Requests by path."""
        self.agents: list[str] = []
        """Who asked, in order."""
        self.seen: list[tuple[str, dict[str, str]]] = []
        """Paths with their headers, names in lower case, in order."""
        self.open_requests = 0
        self.most_open = 0
        """Most requests that were being answered at the same time."""
        self.rate_bps = 0.0
        """Bytes a second for each connection; 0 for no limit."""
        self.delay_s = 0.0
        """Pause before each answer."""
        self.modified = "Tue, 03 Mar 2026 10:00:00 GMT"
        """When all that it has was changed last."""
        self.cuts: list[int] = []
        """Bytes after which the next bodies end, each with its connection."""
        self.redirects: dict[str, str] = {}
        """Addresses that paths lead to."""
        self.is_closed = threading.Event()
        """Ends what is late or paced."""
        self.gate = threading.Event()
        """Answers below `/gate/` stop half way until it is set."""
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.handle_error = _pass_over  # type: ignore[method-assign,assignment]  # clients leave as they like
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def write(self, path: str, text: str | bytes) -> str:
        """Put a file on it; return its address."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.replace("{site}", self.url).encode())
        return f"{self.url}/{path.lstrip('/')}"

    def forget(self) -> None:
        """Count anew, in a good mood."""
        with self.lock:
            self.asked.clear()
            self.seen.clear()
            self.agents.clear()
            self.most_open = 0
            self.rate_bps = self.delay_s = 0.0
            self.gate.clear()

    def close(self) -> None:
        """End it."""
        self.is_closed.set()
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _pass_over(_request: Any, _address: Any) -> None:
    """Say nothing of a client that left."""


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            with site.lock:
                site.open_requests += 1
                site.most_open = max(site.most_open, site.open_requests)
                site.asked[self.path] += 1
                headers = {name.lower(): value for name, value in self.headers.items()}
                site.seen.append((self.path, headers))
                site.agents.append(headers.get("user-agent", ""))
            try:
                site.is_closed.wait(site.delay_s)
                Answer(self, site).give()
            except OSError:
                self.close_connection = True
            finally:
                with site.lock:
                    site.open_requests -= 1

        do_HEAD = do_GET  # noqa: N815  # the base class's form

    return Handler


class Answer:
    """One answer."""

    def __init__(self, handler: BaseHTTPRequestHandler, site: Site) -> None:
        self.handler, self.site = handler, site
        self.path = handler.path.partition("?")[0]
        self.drop_after = 0
        self.is_gated = False

    def give(self) -> None:
        """Answer as the path says."""
        moods: dict[str, Callable[[], bool]] = {
            "drop": self._drop,
            "busy": self._busy,
            "cookie": self._cookie,
            "need": self._need,
            "refer": self._refer,
            "plain": lambda: True,
            "gate": self._gate,
            "gone": self._gone,
            "deny": self._deny,
            "many": self._many,
        }
        if self.path in self.site.redirects:
            self._status(302, ("Location", self.site.redirects[self.path]))
            return
        mood, _, rest = self.path.lstrip("/").partition("/")
        if mood in moods:
            self.mood = mood
            self.path = rest
            if not moods[mood]():
                return
        self._file()

    mood = ""

    def _drop(self) -> bool:
        self.drop_after = 100_000
        return True

    def _gate(self) -> bool:
        self.is_gated = True
        return True

    def _busy(self) -> bool:
        """Refuse the first two requests for a path."""
        return self.site.asked[self.handler.path] > 2 or self._status(503)

    def _gone(self) -> bool:
        return self._status(404)

    def _many(self) -> bool:
        """Say that there were too many requests, to the first one."""
        return self.site.asked[self.handler.path] > 1 or self._status(429, ("Retry-After", "1"))

    def _deny(self) -> bool:
        """Refuse everybody who does not look like yt-dlp's own client."""
        return "connection" in {name.lower() for name in self.handler.headers} or self._status(403)

    def _cookie(self) -> bool:
        """Redirect with a cookie that the target wants."""
        return self._status(302, ("Location", f"/need/{self.path}"), ("Set-Cookie", "key=let-me-in; Path=/"))

    def _need(self) -> bool:
        return "key=let-me-in" in self.handler.headers.get("Cookie", "") or self._status(403)

    def _refer(self) -> bool:
        return bool(self.handler.headers.get("Referer")) or self._status(403)

    def _status(self, status: int, *headers: tuple[str, str]) -> bool:
        self.handler.send_response(status)
        for name, value in headers:
            self.handler.send_header(name, value)
        self.handler.send_header("Content-Length", "0")
        self.handler.end_headers()
        return False

    def _file(self) -> None:
        file = self.site.root / self.path.lstrip("/")
        if not file.is_file():
            self._status(404)
            return
        body = file.read_bytes()
        start, end, status = 0, len(body), 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.handler.headers.get("Range", ""))
        if asked is not None and self.mood != "plain":
            start, end, status = int(asked[1]), min(len(body), int(asked[2] or len(body)) + bool(asked[2])), 206
            if start >= len(body):
                self._status(416, ("Content-Range", f"bytes */{len(body)}"))
                return
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", TYPES.get(file.suffix, "application/octet-stream"))
        self.handler.send_header("Content-Length", str(end - start))
        self.handler.send_header("Last-Modified", self.site.modified)
        if status == 206:
            self.handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(body)}")
        if self.mood != "plain":
            self.handler.send_header("Accept-Ranges", "bytes")
        self.handler.end_headers()
        if self.handler.command == "GET":
            self._send(body[start:end])

    def _send(self, body: bytes) -> None:
        began_at = time.monotonic()
        rate_bps = self.site.rate_bps
        sent = 0
        with self.site.lock:
            cut = self.site.cuts.pop(0) if self.site.cuts else len(body)
        if cut < len(body):
            self.handler.wfile.write(body[:cut])
            self.handler.close_connection = True
            self.handler.connection.close()
            return
        while sent < len(body):
            size = min(PIECE_BYTES, len(body) - sent) if not rate_bps else max(1, int(rate_bps / 50))
            if self.is_gated and sent >= len(body) // 2:
                self.site.gate.wait(30)
            if self.drop_after and sent + size > self.drop_after:
                self.handler.wfile.write(body[sent : self.drop_after])
                self.handler.close_connection = True
                self.handler.connection.close()
                return
            self.handler.wfile.write(body[sent : sent + size])
            sent += size
            if rate_bps and (wait_s := began_at + sent / rate_bps - time.monotonic()) > 0:
                self.site.is_closed.wait(wait_s)
