"""An extractor whose work is done in another process; all else of it is the extractor itself."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, Final

from yt_dlp import utils
from yt_dlp.utils import ExtractorError

from tui_dl.media.extraction import WorkerEnded
from tui_dl.media.portable import cookie_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui_dl.media.extraction import Extraction, ExtractionWorker

POLL_S: Final = 0.1
Message = dict[str, Any]


class Asked:
    """An address that a process extracts, from when it is asked for; what is said meanwhile is kept in its order."""

    def __init__(self, ydl: Any, extraction: Extraction, key: str, url: str) -> None:
        self._ydl, self._extraction, self._key, self._url = ydl, extraction, key, url
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.worker: ExtractionWorker | None = None
        """Who extracts it; kept where a playlist's entries are to come."""
        threading.Thread(target=self._ask, name="tui-dl-asking", daemon=True).start()

    def answer(self, ydl: Any) -> Message:
        """Return what came of it, having said what was said. Raises `Cancelled`."""
        while True:
            try:
                message = self._messages.get(timeout=POLL_S)
            except queue.Empty:
                ydl.job.check()
                continue
            if "say" not in message:
                return message
            say(ydl, message)

    def _ask(self) -> None:
        try:
            worker = self.worker = self._extraction.take(self._ydl)
        except WorkerEnded:
            self._messages.put({"not_portable": True})
            return
        message: Message = {}
        try:
            worker.send({"url": self._url, "key": self._key, "cookies": worker.fresh_cookies})
            while "say" in (message := worker.receive()):
                self._messages.put(message)
        except WorkerEnded:
            message = {"not_portable": True, "has_ended": True}
        if not message.get("has_entries"):
            self._extraction.give_back(worker, is_usable="has_ended" not in message)
        self._messages.put(message)


class RemoteExtractor:
    """Stands for an extractor where yt-dlp asks it to extract."""

    def __init__(self, ydl: Any, extractor: Any, extraction: Extraction) -> None:
        self._ydl, self._extractor, self._extraction = ydl, extractor, extraction

    def __getattr__(self, name: str) -> Any:
        return getattr(self._extractor, name)

    def extract(self, url: str) -> Any:
        """Return what the extractor finds; extracted here where it cannot be handed over. Raises what it raises."""
        self._ydl.job.check()
        key = self._extractor.ie_key()
        asked = self._extraction.asked_before(url) or Asked(self._ydl, self._extraction, key, url)
        answer = asked.answer(self._ydl)
        self._learn(asked.worker, answer)
        if answer.get("not_portable") or answer.get("key") != key:
            self._ydl.job.check()
            return self._extractor.extract(url)
        self._extraction.count += 1
        if "error" in answer:
            raise error_from(answer["error"])
        if answer.get("has_entries"):
            assert asked.worker is not None
            return {**answer["found"], "entries": self._extraction.hold(asked.worker, self._entries(asked.worker))}
        return answer["found"]

    def _learn(self, worker: ExtractionWorker | None, message: Message) -> None:
        for values in message.get("cookies") or ():
            cookie = cookie_from(values)
            self._ydl.cookiejar.set_cookie(cookie)
            if worker is not None:
                worker.known_cookies[f"{cookie.domain}\t{cookie.path}\t{cookie.name}"] = values
        if message.get("has_failed"):
            self._ydl._download_retcode = 1

    def _entries(self, worker: ExtractionWorker) -> Iterator[Any]:
        """Yield the entries of a playlist as they are wanted. Raises what reading it raises."""
        while True:
            worker.send({"more": True})
            while "say" in (page := worker.receive()):
                say(self._ydl, page)
            self._learn(worker, page)
            yield from page["page"]
            if "error" in page:
                raise error_from(page["error"])
            if page.get("is_last"):
                return


def say(ydl: Any, message: Message) -> None:
    """Pass on what an extractor says in another process."""
    text = message["text"]
    if message["say"] == "to_screen":
        ydl.to_screen(text, message["skip_eol"], quiet=message["quiet"], only_once=message["once"])
    elif message["say"] == "to_stderr":
        ydl.to_stderr(text, only_once=message["once"])
    else:
        ydl.to_stdout(text)


class _Cause(Exception):  # noqa: N818  # stands for one of any name
    """What caused an error in another process, in the words that were used there."""

    def __repr__(self) -> str:
        return str(self)


def error_from(told: Message) -> ExtractorError:
    """Return the error that an extractor raised in another process."""
    cause = None if told["cause"] is None else _Cause(told["cause"])
    words = {"cause": cause, "video_id": told["video_id"], "ie": told["ie"]}
    if told["class"] == "GeoRestrictedError":
        return utils.GeoRestrictedError(told["text"], countries=told["countries"], **words)
    if told["class"] == "UserNotLive":
        return utils.UserNotLive(told["text"], **words)
    return ExtractorError(told["text"], expected=told["expected"], **words)
