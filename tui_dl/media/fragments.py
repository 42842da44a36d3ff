"""Fragments of a stream: a window of them from the engine, decrypted, packed and appended by yt-dlp's own code."""

from __future__ import annotations

import os
import re
from collections import deque
from contextlib import aclosing, suppress
from http.client import HTTPException
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yt_dlp.utils import YoutubeDLError, timeconvert

from tui_dl.core.errors import ContentError, Reason
from tui_dl.core.ports_media import FragmentOutcome, FragmentWish, WindowManner
from tui_dl.media.incoming import Incoming
from tui_dl.media.mending import Mending

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator

    from tui_dl.core.errors import TuiDlError
    from tui_dl.media.downloader import AsyncFragments
    from tui_dl.media.mending import Append

AHEAD_BYTES: Final = 8 << 20
"""Fragments that may wait for the worker."""
STALE: Final = re.compile(r"-Frag\d+(\.part)?")
"""What yt-dlp's own downloader leaves beside a part file."""
Fragment = dict[str, Any]


class NativeTakesOver(Exception):  # noqa: N818  # a turn of events
    """yt-dlp's own downloader got what the engine did not get; it takes the rest, too."""


class FragmentTransfer:
    """One run of `download_and_append_fragments`."""

    def __init__(self, fd: AsyncFragments, ctx: dict[str, Any], info: dict[str, Any], words: dict[str, Any]) -> None:
        self._fd, self._ctx, self._info, self._words = fd, ctx, info, words
        self._decrypt = fd.decrypter(info)
        self._pack: Callable[[Any, int], bytes] = words.get("pack_func") or (lambda content, _index: content)
        self._hooks = [hook for hook in ctx["dl"]._progress_hooks if hook != ctx["dl"].report_progress]
        self._pending: deque[Fragment] = deque()
        self._retried: deque[tuple[int, TuiDlError, int]] = deque()

    def run(self, fragments: Iterable[Fragment]) -> Any:
        """Fetch and append them all; return what yt-dlp's own method would."""
        fd, ctx, held = self._fd, self._ctx, self._ctx["fragment_index"]
        # yt-dlp gives the head of a stream out again with each run; written as the first, it would be noted as all.
        source: Iterator[Fragment] = (fragment for fragment in fragments if fragment["frag_index"] > held)
        fd.manager.counts.note_engine("fragments")
        self._remove_stale()
        try:
            if fd.noted_index:
                source = Mending(self, ctx, fd.notes, fd.noted_index).run(source)
            if not self.append_all(source, self._append):
                return False
            if fd.notes.gaps:
                self._keep_incomplete()
            if (finish := self._words.get("finish_func")) is not None:
                ctx["dest_stream"].write(finish())
                ctx["dest_stream"].flush()
        except NativeTakesOver:
            fd.close_notes()
            return fd.natively(ctx, chain(self._pending, source), self._info, self._words)
        except BaseException:
            # A part file that stays open stays locked, too.
            with suppress(OSError):
                ctx["dest_stream"].close()
            raise
        finally:
            fd.close_notes()
        return fd._finish_frag_download(ctx, self._info)

    def _remove_stale(self) -> None:
        """Remove fragments that yt-dlp's own downloader left: what they hold is fetched anew."""
        part = Path(self._ctx["tmpfilename"])
        with suppress(OSError):
            for name in os.listdir(part.parent):  # noqa: PTH208  # names alone
                if name.startswith(part.name) and STALE.fullmatch(name[len(part.name) :]):
                    (part.parent / name).unlink()

    def _keep_incomplete(self) -> None:
        """Leave a file that lacks fragments as it is, with its notes. Raises `ContentError`."""
        missing = len(self._fd.notes.gaps)
        self._fd.ydl.job.missing = missing
        words = f"{missing} fragment{'s are' if missing > 1 else ' is'} missing"
        raise ContentError(Reason.INCOMPLETE, words)

    def append_all(self, fragments: Iterator[Fragment], append: Append) -> bool:
        """Append fragments as they come, in order; False where one that must be there is not."""
        with Incoming(
            self._fd.manager.loop,
            lambda: self._source(fragments),
            lambda outcome: len(outcome.body or b""),
            self._tick,
            ahead_bytes=AHEAD_BYTES,
        ) as incoming:
            for batch in incoming.batches():
                for outcome in batch:
                    self._tick()
                    fragment = self._pending.popleft()
                    self._ctx["fragment_index"] = fragment["frag_index"]
                    is_there = bool(outcome.body)
                    if outcome.body is None and append == self._append:
                        is_there = self._take_natively(fragment, outcome)
                    elif outcome.body:
                        append(fragment, outcome)
                    if not is_there and not self._pass_over(fragment, outcome):
                        return False
        return True

    # -- on the loop ---------------------------------------------------------------------------------------------------

    async def _source(self, fragments: Iterator[Fragment]) -> AsyncGenerator[FragmentOutcome, None]:
        async with aclosing(self._fd.manager.source.fragments(self._wishes(fragments), self._manner())) as outcomes:
            async for outcome in outcomes:
                yield outcome

    def _wishes(self, fragments: Iterator[Fragment]) -> Iterator[FragmentWish]:
        for fragment in fragments:
            self._pending.append(fragment)
            byte_range = fragment.get("byte_range") or {}
            yield FragmentWish(
                fragment["frag_index"],
                self._fd.address(fragment["url"]),
                byte_range.get("start"),
                byte_range.get("end"),
            )

    def _manner(self) -> WindowManner:
        fd = self._fd
        asked_for = int(fd.params.get("concurrent_fragment_downloads") or 1)
        return WindowManner(
            headers={**dict(self._info.get("http_headers") or {}), "Accept-Encoding": "identity"},
            cookies=fd.cookies,
            most_at_once=asked_for if asked_for > 1 else fd.connections,
            is_explicit=asked_for > 1,
            limit_bps=fd.limit_bps,
            retries=fd.retries("fragment_retries"),
            delay_s=lambda attempt: fd.delay_s("fragment", attempt),
            on_retry=lambda index, error, attempt: self._retried.append((index, error, attempt)),
        )

    # -- in the thread -------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._fd.tick()
        while self._retried:
            index, error, attempt = self._retried.popleft()
            self._fd.say_retry(error, attempt, self._fd.retries("fragment_retries"), index)

    def open_part(self, path: str) -> Any:
        """Open a part file to append to, as yt-dlp would."""
        return self._fd.sanitize_open(path, "ab")

    def content(self, fragment: Fragment, body: bytes) -> bytes:
        """Return what of a fragment goes into the file."""
        return self._pack(self._decrypt(fragment, body), fragment["frag_index"])

    def _append(self, fragment: Fragment, outcome: FragmentOutcome) -> None:
        fd, ctx, body = self._fd, self._ctx, outcome.body
        assert body is not None
        for hook in self._hooks:
            hook(
                {
                    "status": "finished",
                    "downloaded_bytes": len(body),
                    "total_bytes": len(body),
                    "ctx_id": ctx.get("ctx_id"),
                    "info_dict": {},
                }
            )
        ctx["fragment_index"] = fragment["frag_index"]
        if fd.params.get("updatetime") and outcome.last_modified:
            ctx["fragment_filetime"] = timeconvert(outcome.last_modified)
        ctx["fragment_filename_sanitized"] = ""
        fd._append_fragment(ctx, self.content(fragment, body))

    def _take_natively(self, fragment: Fragment, outcome: FragmentOutcome) -> bool:
        """Let yt-dlp's own downloader try a fragment that the engine did not get, once; whether it is there.

        Raises `NativeTakesOver` if it gets it: then something of our requests does not suit this server. A stream
        with gaps stays here, where they are known: yt-dlp would give it its name.
        """
        fd, ctx = self._fd, self._ctx
        headers = dict(self._info.get("http_headers") or {})
        if byte_range := fragment.get("byte_range"):
            headers["Range"] = f"bytes={byte_range['start']}-{byte_range['end'] - 1}"
        ctx["dl"].params["retries"] = 0
        try:
            is_there = fd._download_fragment(ctx, fragment["url"], self._info, headers)
        except (YoutubeDLError, HTTPException, OSError, ValueError) as error:
            fd.write_debug(f"yt-dlp's own downloader did not get fragment {fragment['frag_index']} either: {error}")
            return False
        if not is_there:
            return False
        fd.ydl.say_native(self._info, str(outcome.error))
        content = fd._read_fragment(ctx)
        fd._append_fragment(ctx, self._pack(self._decrypt(fragment, content), fragment["frag_index"]))
        if fd.notes.gaps:
            return True
        raise NativeTakesOver

    def _pass_over(self, fragment: Fragment, outcome: FragmentOutcome) -> bool:
        """Leave out a fragment that cannot be had, where that may be; whether it goes on."""
        fd, index = self._fd, fragment["frag_index"]
        fd.ydl.job.fault = outcome.error or fd.ydl.job.fault
        is_fatal = self._words.get("is_fatal") or (lambda _index: False)
        if not fd.params.get("skip_unavailable_fragments", True) or is_fatal(fragment.get("index") or index - 1):
            self._ctx["dest_stream"].close()
            fd.report_error(f"fragment {index} not found, unable to continue")
            return False
        fd.report_skip_fragment(index, outcome.error or "fragment not found")
        if fd.ydl.job.missing is not None and index not in fd.notes.gaps:
            fd.notes.gaps[index] = os.fstat(self._ctx["dest_stream"].fileno()).st_size
            fd._write_ytdl_file(self._ctx)
        return True
