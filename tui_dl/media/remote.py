"""An extractor whose work is done in another process; all else of it is the extractor itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yt_dlp import utils
from yt_dlp.utils import ExtractorError

from tui_dl.media.extraction import WorkerEnded
from tui_dl.media.portable import cookie_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui_dl.media.extraction import Extraction, ExtractionWorker


class RemoteExtractor:
    """Stands for an extractor where yt-dlp asks it to extract."""

    def __init__(self, ydl: Any, extractor: Any, extraction: Extraction) -> None:
        self._ydl, self._extractor, self._extraction = ydl, extractor, extraction

    def __getattr__(self, name: str) -> Any:
        return getattr(self._extractor, name)

    def extract(self, url: str) -> Any:
        """Return what the extractor finds; extracted here where it cannot be handed over. Raises what it raises."""
        self._ydl.job.check()
        try:
            worker = self._extraction.take(self._ydl)
        except WorkerEnded:
            self._ydl.job.check()
            return self._extractor.extract(url)
        is_usable = False
        try:
            worker.send({"url": url, "key": self._extractor.ie_key(), "cookies": worker.fresh_cookies})
            answer = self._hear(worker)
            is_usable = True
        except WorkerEnded:
            self._ydl.job.check()
            answer = {"not_portable": True}
        finally:
            if not is_usable:
                self._extraction.give_back(worker, is_usable=False)
        if answer.get("has_entries"):
            pages = self._extraction.hold(worker, self._entries(worker))
            return {**answer["found"], "entries": pages}
        self._extraction.give_back(worker, is_usable=is_usable) if is_usable else None
        if answer.get("not_portable"):
            return self._extractor.extract(url)
        self._extraction.count += 1
        if "error" in answer:
            raise error_from(answer["error"])
        return answer["found"]

    def _hear(self, worker: ExtractionWorker) -> dict[str, Any]:
        """Return the next answer, and pass on what is said before it."""
        while True:
            message = worker.receive()
            if "say" not in message:
                self._learn(worker, message)
                return message
            self._say(message)

    def _say(self, message: dict[str, Any]) -> None:
        ydl, text = self._ydl, message["text"]
        if message["say"] == "to_screen":
            ydl.to_screen(text, message["skip_eol"], quiet=message["quiet"], only_once=message["once"])
        elif message["say"] == "to_stderr":
            ydl.to_stderr(text, only_once=message["once"])
        else:
            ydl.to_stdout(text)

    def _learn(self, worker: ExtractionWorker, message: dict[str, Any]) -> None:
        for values in message.get("cookies") or ():
            cookie = cookie_from(values)
            self._ydl.cookiejar.set_cookie(cookie)
            worker.known_cookies[f"{cookie.domain}\t{cookie.path}\t{cookie.name}"] = values
        if message.get("has_failed"):
            self._ydl._download_retcode = 1

    def _entries(self, worker: ExtractionWorker) -> Iterator[Any]:
        """Yield the entries of a playlist as they are wanted. Raises what reading it raises."""
        self._extraction.count += 1
        while True:
            worker.send({"more": True})
            page = self._hear(worker)
            yield from page["page"]
            if "error" in page:
                raise error_from(page["error"])
            if page.get("is_last"):
                return


class _Cause(Exception):  # noqa: N818  # stands for one of any name
    """What caused an error in another process, in the words that were used there."""

    def __repr__(self) -> str:
        return str(self)


def error_from(told: dict[str, Any]) -> ExtractorError:
    """Return the error that an extractor raised in another process."""
    cause = None if told["cause"] is None else _Cause(told["cause"])
    words = {"cause": cause, "video_id": told["video_id"], "ie": told["ie"]}
    if told["class"] == "GeoRestrictedError":
        error = utils.GeoRestrictedError(told["text"], countries=told["countries"], **words)
    elif told["class"] == "UserNotLive":
        error = utils.UserNotLive(told["text"], **words)
    else:
        error = ExtractorError(told["text"], expected=told["expected"], **words)
    return error
