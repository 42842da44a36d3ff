"""A plain file: bytes in order from the engine into the same part file that yt-dlp would write."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from yt_dlp.utils import ThrottledDownload

from tui_dl.core.errors import FileSystemError, Reason, TuiDlError, UsageError
from tui_dl.core.http_rules import Validator
from tui_dl.core.ports_media import BodyWish
from tui_dl.disk.os_errors import map_os_error
from tui_dl.media.incoming import Incoming

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tui_dl.core.ports_media import OrderedBody
    from tui_dl.media.downloader import AsyncHttpFD

TAIL_BYTES: Final = 64 * 1024
"""Held bytes that are fetched again and compared: a changed file is noticed before anything is appended to it."""
HOOK_S: Final = 0.1
"""How often progress is told."""
THROTTLED_S: Final = 3.0
"""So long below `--throttled-rate`, and the video is extracted anew."""
MOST_CHANGES: Final = 3
"""So often it is begun anew because the file changed while it came."""


class OtherVersion(Exception):  # noqa: N818  # a turn of events
    """What is held is of another version than what the server sends."""


class DirectTransfer:
    """One run of `real_download`."""

    def __init__(self, fd: AsyncHttpFD, filename: str, info: dict[str, Any]) -> None:
        self._fd, self._filename, self._info = fd, filename, info
        self._part = fd.temp_name(filename)
        # Of no clock that can be set: differences are all that is told.
        self._started_at = time.monotonic()
        self._version = Validator()
        """What the latest answer named."""
        self._is_proven = False
        """Whether what is held was seen to be of it."""
        self._starts_over = not fd.params.get("continuedl", True)
        self._has_begun = False
        self._stream: Any = None
        self._attempt_at = 0.0
        self._from_bytes = self._bytes = 0
        self._total: int | None = None
        self._hooked_at = 0.0
        self._slow_since_at: float | None = None
        self._last_modified = ""

    def run(self) -> bool:
        """Download, trying again as often as may be; then yt-dlp's own downloader gets the part file, once."""
        fd, retries = self._fd, self._fd.retries("retries")
        fd.manager.counts.note_engine("file")
        attempt = changes = 0
        while True:
            held = self._held()
            try:
                return self._attempt()
            except OtherVersion:
                self._start_over()
            except FileSystemError as error:
                fd.ydl.job.fault = error
                fd.report_error(str(error))
                return False
            except (TuiDlError, UsageError) as error:
                if error.reason is Reason.CHANGED and self._held():
                    # yt-dlp's own downloader would put the one version behind the other.
                    self._start_over()
                    changes += 1
                    if changes <= MOST_CHANGES:
                        continue
                attempt = 1 if self._held() > held else attempt + 1
                if not error.is_retryable or attempt > retries:
                    return self._natively(error)
                fd.say_retry(error, attempt, retries)
                fd.ydl.job.wait(max(fd.delay_s("http", attempt), error.retry_after_s or 0.0))

    def _start_over(self) -> None:
        self._fd.report_unable_to_resume()
        self._starts_over, self._is_proven = True, False

    def _natively(self, error: TuiDlError) -> bool:
        self._fd.ydl.job.fault = error
        self._fd.ydl.say_native(self._info, str(error))
        params = {**self._fd.params, **({"retries": 0} if error.is_retryable else {})}
        return self._fd.natively(self._filename, self._info, params)

    def _held(self) -> int:
        """Return the bytes of the part file that may be kept."""
        return 0 if self._starts_over else int(self._fd.filesize_or_none(self._part))

    # -- one attempt ---------------------------------------------------------------------------------------------------

    def _attempt(self) -> bool:
        held = self._held()
        if held:
            self._fd.report_resuming_byte(held)
        # Of what is proven the server's own validator tells whether it is still the same; else its last bytes do.
        is_proven = self._is_proven and self._version.if_range_value() is not None
        overlap = 0 if is_proven else min(held, TAIL_BYTES)
        wish = self._wish(held - overlap)
        self._attempt_at, self._from_bytes = time.monotonic(), held
        try:
            with Incoming(
                self._fd.manager.loop,
                lambda: self._source(wish),
                _size,
                self._tick,
                ahead_bytes=self._fd.manager.chunk_bytes,
            ) as incoming:
                return self._take(incoming, wish, held, overlap)
        finally:
            if self._stream is not None:
                self._stream.close()
                self._stream = None

    def _wish(self, start: int) -> BodyWish:
        fd, info = self._fd, self._info
        chunk = fd.params.get("http_chunk_size") or (info.get("downloader_options") or {}).get("http_chunk_size") or 0
        return BodyWish(
            url=fd.address(info["url"]),
            headers={**dict(info.get("http_headers") or {}), "Accept-Encoding": "identity"},
            cookies=fd.cookies,
            start=start,
            version=self._version if start and self._is_proven else Validator(),
            chunk_bytes=int(chunk),
            most_connections=fd.connections,
            limit_bps=fd.limit_bps,
        )

    async def _source(self, wish: BodyWish) -> AsyncGenerator[OrderedBody | bytes, None]:
        async with self._fd.manager.source.body(wish) as body:
            yield body
            async for chunk in body.chunks():
                yield chunk

    def _take(self, incoming: Incoming[OrderedBody | bytes], wish: BodyWish, held: int, overlap: int) -> bool:
        tail = bytearray()
        is_fresh = False
        for batch in incoming.batches():
            for item in batch:
                if not isinstance(item, bytes):
                    is_fresh = self._hear(item, wish, held)
                    overlap = 0 if is_fresh else overlap
                    if self._is_refused():
                        return False
                    continue
                if len(tail) < overlap:
                    wanted = overlap - len(tail)
                    tail += item[:wanted]
                    item = item[wanted:]  # noqa: PLW2901  # what is left of it
                    if len(tail) == overlap:
                        self._compare(bytes(tail), held)
                if item:
                    self._write(item, is_fresh=is_fresh)
            self._progress()
        if len(tail) < overlap:
            raise OtherVersion  # it ends before what is held does
        return self._finish(held, is_fresh=is_fresh)

    def _hear(self, body: OrderedBody, wish: BodyWish, held: int) -> bool:
        """Take what the answer tells; whether the file begins anew. Raises `OtherVersion`."""
        is_fresh = not held or body.start != wish.start
        if self._is_proven and not is_fresh and body.total_bytes != self._total:
            raise OtherVersion
        if held and is_fresh:
            self._fd.report_unable_to_resume()
        if is_fresh:
            self._is_proven = False
        self._bytes = self._from_bytes = 0 if is_fresh else held
        self._total, self._version = body.total_bytes, body.version
        self._last_modified = body.last_modified
        return is_fresh

    def _is_refused(self) -> bool:
        """Whether the length is outside of `--min-filesize` and `--max-filesize`."""
        size, params = self._total, self._fd.params
        least, most = params.get("min_filesize"), params.get("max_filesize")
        if size is not None and least is not None and size < least:
            words = f"smaller than min-filesize ({size} bytes < {least} bytes)"
        elif size is not None and most is not None and size > most:
            words = f"larger than max-filesize ({size} bytes > {most} bytes)"
        else:
            return False
        self._fd.to_screen(f"\r[download] File is {words}. Aborting.")
        return True

    def _compare(self, tail: bytes, held: int) -> None:
        """Raise `OtherVersion` unless the last bytes held are those that the server has there."""
        with open(self._part, "rb") as part:  # noqa: PTH123  # yt-dlp's names are text
            part.seek(held - len(tail))
            if part.read(len(tail)) != tail:
                raise OtherVersion
        self._is_proven = True

    def _write(self, chunk: bytes, *, is_fresh: bool) -> None:
        if self._stream is None:
            self._open(is_fresh=is_fresh)
        try:
            self._stream.write(chunk)
        except OSError as error:
            raise _failed("write data", error) from error
        self._bytes += len(chunk)

    def _open(self, *, is_fresh: bool) -> None:
        try:
            self._stream = self._fd.open_locked(self._part, "wb" if is_fresh else "ab")
        except OSError as error:
            raise _failed("open for writing", error) from error
        if is_fresh:
            self._starts_over, self._is_proven = False, True
        elif os.fstat(self._stream.fileno()).st_size != self._bytes:
            raise FileSystemError(Reason.PART_BUSY, f"another process worked on {self._part}")
        if not self._has_begun:
            self._has_begun = True
            self._fd.report_destination(self._filename)

    def _finish(self, held: int, *, is_fresh: bool) -> bool:
        fd = self._fd
        if self._stream is None and (is_fresh or not held):
            fd.to_stderr("\n")
            fd.report_error("Did not get any data blocks")
            return False
        if self._stream is None:
            fd.report_file_already_downloaded(self._filename)
        else:
            self._close_stream()
            self._progress(is_last=True)
        fd.try_rename(self._part, self._filename)
        if fd.params.get("updatetime"):
            self._info["filetime"] = fd.try_utime(self._filename, self._last_modified or None)
        size = self._bytes or held
        fd._hook_progress(
            {
                "downloaded_bytes": size,
                "total_bytes": size,
                "filename": self._filename,
                "status": "finished",
                "elapsed": time.monotonic() - self._started_at,
                "ctx_id": self._info.get("ctx_id"),
            },
            self._info,
        )
        return True

    def _close_stream(self) -> None:
        try:
            self._stream.close()
        except OSError as error:
            raise _failed("write data", error) from error
        finally:
            self._stream = None

    # -- progress ------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._fd.tick()
        self._progress()

    def _progress(self, *, is_last: bool = False) -> None:
        now = time.monotonic()
        if not self._has_begun or (now - self._hooked_at < HOOK_S and not is_last):
            return
        self._hooked_at = now
        self._fd.tick()
        fd, fresh = self._fd, self._bytes - self._from_bytes
        speed = fd.calc_speed(self._attempt_at, now, fresh)
        left = None if self._total is None else self._total - self._from_bytes
        fd._hook_progress(
            {
                "status": "downloading",
                "downloaded_bytes": self._bytes,
                "total_bytes": self._total,
                "tmpfilename": self._part,
                "filename": self._filename,
                "eta": None if left is None else fd.calc_eta(self._attempt_at, now, left, fresh),
                "speed": speed,
                "elapsed": now - self._started_at,
                "ctx_id": self._info.get("ctx_id"),
            },
            self._info,
        )
        self._watch_speed(speed, now)

    def _watch_speed(self, speed: float | None, now: float) -> None:
        """Raise `ThrottledDownload` where it is below `--throttled-rate` for too long."""
        if not speed or speed >= (self._fd.params.get("throttledratelimit") or 0):
            self._slow_since_at = None
        elif self._slow_since_at is None:
            self._slow_since_at = now
        elif now - self._slow_since_at > THROTTLED_S:
            raise ThrottledDownload


def _size(item: OrderedBody | bytes) -> int:
    return len(item) if isinstance(item, bytes) else 0


def _failed(what: str, error: OSError) -> FileSystemError:
    """Return the error of a file, in yt-dlp's words, with its reason."""
    return FileSystemError(map_os_error(error, what).reason, f"unable to {what}: {error}")
