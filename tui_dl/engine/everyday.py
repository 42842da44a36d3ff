"""Which files are everyday ones: whole small files that nobody asks anything more of, nor their servers say of."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tui_dl.core.digests import is_digest_header
from tui_dl.core.http_rules import is_web_page
from tui_dl.core.metalink_names import is_metalink_name, is_metalink_type
from tui_dl.core.plain_address import plain_parts
from tui_dl.core.resume import Asked, Verdict, judge
from tui_dl.core.settings import CACHE_WORDS
from tui_dl.core.task import OnExists, TaskOptions
from tui_dl.engine.asking import asking_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.ports import TransportAnswer
    from tui_dl.core.resume import Judgement
    from tui_dl.core.settings import Settings
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

MOST_BYTES: Final = 1024 * 1024
"""Bodies up to this are read whole and written once."""
_ASKED: Final = Asked()
_RANGE: Final = {"Range": "bytes=0-"}
_GIVES: Final = frozenset({200, 206})
_TELLS_MORE: Final = frozenset({"content-disposition", "content-encoding", "link"})
"""Headers that say what the long way alone knows to do, besides those with digests."""
_OTHER_OPTIONS: Final = (
    *("checksum", "announced", "mirrors", "pieces", "version_url", "wanted_name", "expected_bytes"),
    *("is_ordered", "continues", "restarts", "is_metalink", "is_named_elsewhere", "has_new_address"),
)
_SIMPLE_POLICIES: Final = frozenset({OnExists.RENAME, OnExists.OVERWRITE})


class EverydayRules:
    """Of one engine; what they say of settings is remembered as long as these stay."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._settings: Settings | None = None
        self._is_plain = False

    def takes(self, live: LiveTask) -> bool:
        """Whether nothing is asked for a task that the long way alone knows to do, and nothing is held of it."""
        context, task = self._context, live.task
        if not self._has_plain_settings() or task.part_path or task.path or not _is_free(task.options):
            return False
        if live.is_doubted or live.liars or live.has_refetched or is_metalink_name(task.url):
            return False
        # Where leaving alone was written out, whoever added it looked at its target.
        is_looked_at = task.options.on_exists is OnExists.SKIP or context.policy_of(task) in _SIMPLE_POLICIES
        is_named = task.name_fixed or plain_parts(task.url) == (task.host, task.filename)
        if not (is_looked_at and is_named) or context.budgets[task.host].refuses_ranges:
            return False
        return context.watermark.has_room_now(task.dir)

    def headers(self, live: LiveTask) -> Mapping[str, str]:
        """Return those of the one request."""
        return _headers(self._context.settings.user_agent, live.task.options.headers)

    def _has_plain_settings(self) -> bool:
        settings = self._context.settings
        if settings is not self._settings:
            identity = self._context.identity
            is_somebody = bool(identity.authorization or identity.by_host or identity.referer)
            asks_more = settings.archive or settings.sha256 or settings.insecure or settings.hosts.tables
            is_unproven = settings.verify == "off" and settings.cache == CACHE_WORDS[0]
            self._settings, self._is_plain = settings, is_unproven and not (asks_more or is_somebody)
        return self._is_plain


@lru_cache(maxsize=64)
def _is_free(options: TaskOptions) -> bool:
    """Whether a task asks for nothing but its address, with headers, limits and a policy at most."""
    return not any(getattr(options, name) not in (None, False, "", ()) for name in _OTHER_OPTIONS)


@lru_cache(maxsize=64)
def _headers(user_agent: str, given: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return asking_headers(user_agent, given) | _RANGE


def everyday_judgement(answer: TransportAnswer) -> Judgement | None:
    """Return the verdict on an answer that has all of a small file, and says nothing else of it; None for others."""
    headers = answer.headers
    if answer.status not in _GIVES or any(map(_tells_more, headers)):
        return None
    if not _is_everyday_type(headers.get("Content-Type", "")):
        return None
    judgement = judge(_ASKED, answer.status, headers)
    is_whole = judgement.verdict in (Verdict.PARTIAL, Verdict.WHOLE) and judgement.start == 0
    total = judgement.total_bytes
    if not is_whole or total is None or judgement.end != total or total > MOST_BYTES or judgement.encodings:
        return None
    return judgement


@lru_cache(maxsize=512)
def _tells_more(name: str) -> bool:
    name = name.lower()
    return name in _TELLS_MORE or is_digest_header(name)


@lru_cache(maxsize=128)
def _is_everyday_type(content_type: str) -> bool:
    return not (is_web_page(content_type) or is_metalink_type(content_type))
