"""Files that are asked for again only where they changed: the version fetched before is shown to the server.

A file is unchanged here while its length is the one recorded and nothing was written since it was finished.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.acceptance import acceptance_of
from tui_dl.core.digests import parse_digest
from tui_dl.core.filename import numbered
from tui_dl.core.http_rules import Match
from tui_dl.core.settings import CACHE_WORDS
from tui_dl.core.task import OnExists

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.resume import Judgement
    from tui_dl.core.settings import Settings
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask
    from tui_dl.journal.archive import Kept

OFF: Final = CACHE_WORDS[0]
"""Setting `cache` where there is none."""
NOT_MODIFIED: Final = 304
SAME_TEXT: Final = "not changed since it was downloaded"
"""Why a row was skipped, for people."""
_NUMBER: Final = re.compile(r" \(([0-9]{1,5})\)")
_GRAIN_NS: Final = 2_000_000_000
"""Some file systems keep times of two seconds."""


class NotModified(Exception):  # noqa: N818  # a turn of events inside a transfer, not an error for people
    """The server has the version that is here already."""


class Revalidation:
    """Of one attempt; does nothing for tasks that were not asked for with it."""

    def __init__(self, context: EngineContext, live: LiveTask) -> None:
        self._context = context
        self._live = live
        self._before = live.task
        self._kept: Kept | None = None
        self.cached: Kept | None = None
        """File of another place that has the version, if the server agrees; None for none."""
        self.is_proven = False
        """Whether its digest says so already, and nobody needs to be asked."""

    async def begin(self) -> None:
        """Find what is remembered of the file, and take up its place; its version is asked about if it is intact."""
        if (kept := await self.take_place()) is not None:
            await self._begin_in_place(kept)
        self._before = self._live.task
        settings = self._context.settings
        # Of which type a copy is, nobody wrote down.
        may_copy = settings.cache != OFF and not acceptance_of(settings, self._live.task.options).types
        if self._kept is None and may_copy:
            await self._begin_cached()

    async def take_place(self) -> Kept | None:
        """Go for the place of the file fetched before, if it is remembered: that one alone may be replaced."""
        live = self._live
        # Those of an attempt before: what they were about may be gone since.
        live.conditions = {}
        if self._context.policy_of(live.task) is not OnExists.IF_MODIFIED:
            return None
        kept = await self._remembered()
        if kept is None:
            # The row of what was skipped knows what stood there, which is a file of somebody else.
            live.change(path="")
            return None
        name = os.path.basename(kept.path)  # noqa: PTH119  # text in, text out
        live.change(path=kept.path, filename=name, name_fixed=True)
        return kept

    async def _begin_in_place(self, kept: Kept) -> None:
        context, live = self._context, self._live
        what = f"look at {kept.path}"
        if await context.pool.scout(is_intact, kept, what=what):
            self._kept = kept
            live.conditions = conditions_of(kept)
        else:
            live.note(f"{kept.path} was changed or removed here; fetched again")

    async def _begin_cached(self) -> None:
        context, task = self._context, self._live.task
        digest = parse_digest(task.options.checksum) if task.options.checksum else None
        remembered = context.journal.remembered
        files: list[Kept] = []
        if digest is not None and digest.algorithm == "sha256":
            files = await remembered.kept(task.url, sha256=digest.hex)
        self.is_proven = bool(files)
        if not files:
            # A weak validator says that it looks the same, not that it has the same bytes; and a file that was written
            # to, its time set back, is told by its digest alone.
            same = await remembered.kept(task.url)
            files = [one for one in same if one.sha256 and one.validator.if_range_value() is not None]
        for kept in files:
            if await context.pool.scout(is_intact, kept, what=f"look at {kept.path}"):
                self._kept = self.cached = kept
                self._live.conditions = {} if self.is_proven else conditions_of(kept)
                return
            await remembered.drop_kept(kept.path)
        self.is_proven = False

    def agree(self) -> bool:
        """Note that the server has no other version; whether that of another place is to be copied."""
        self.is_proven = self.cached is not None
        self._live.conditions = {}
        return self.is_proven

    async def give_up_cached(self) -> None:
        """Fetch the file after all: what lay there is not what was recorded."""
        cached, self.cached, self._kept, self.is_proven = self.cached, None, None, False
        self._live.conditions = {}
        before = self._before
        self._live.change(filename=before.filename, name_fixed=before.name_fixed, validator=before.validator)
        self._live.change(total_bytes=before.total_bytes, sha256=before.sha256)
        self._live.total_bytes = before.total_bytes
        if cached is not None:
            self._live.note(f"{cached.path} is not what it was; fetched")
            await self._context.journal.remembered.drop_kept(cached.path)

    def is_same(self, judgement: Judgement) -> bool:
        """Whether an answer with a body has the version that is here: some servers know no conditions."""
        self._live.conditions = {}
        kept = self._kept
        if kept is None or judgement.encodings:
            return False
        is_same_length = judgement.total_bytes == kept.size_bytes
        return is_same_length and kept.validator.matches(judgement.validator) is Match.SAME

    async def _remembered(self) -> Kept | None:
        task = self._live.task
        files = await self._context.journal.remembered.kept(task.url)
        here = [one for one in files if os.path.dirname(one.path) == task.dir]  # noqa: PTH120  # text in, text out
        named = (one for one in here if is_named(task.filename, os.path.basename(one.path)))  # noqa: PTH119  # as above
        return next(named, None if task.name_fixed or not here else here[0])


def is_named(wanted: str, name: str) -> bool:
    """Whether a file has the name that was wanted, or that with a number."""
    numbers = _NUMBER.findall(name)
    return name == wanted or (bool(numbers) and numbered(wanted, int(numbers[-1])) == name)


def is_keeping(settings: Settings) -> bool:
    """Whether settings want it remembered which version each finished file is."""
    return settings.cache != OFF or settings.on_exists == OnExists.IF_MODIFIED


def with_cache(settings: Settings, absolute: Callable[[str], str]) -> Settings:
    """Return settings that hold together: what is copied later is proven by its SHA-256."""
    if settings.cache == OFF:
        return settings
    folder = settings.cache if settings.cache in CACHE_WORDS else absolute(os.path.expanduser(settings.cache))  # noqa: PTH111  # text in, text out
    return replace(settings, sha256=True, cache=folder)


def conditions_of(kept: Kept) -> dict[str, str]:
    """Return the headers that ask for a file only where it has another version (RFC 9110 §13.1)."""
    conditions = {}
    if kept.validator.etag:
        conditions["If-None-Match"] = kept.validator.etag
    if kept.validator.last_modified:
        conditions["If-Modified-Since"] = kept.validator.last_modified
    return conditions


def is_intact(kept: Kept) -> bool:
    """Whether a file is as it was recorded, blocking: not removed, replaced, cut or written to."""
    try:
        return is_as_kept(kept, os.lstat(kept.path))
    except OSError:
        return False


def is_as_kept(kept: Kept, facts: os.stat_result) -> bool:
    """Whether what the file system says of a file is what was recorded."""
    if not stat.S_ISREG(facts.st_mode) or facts.st_size != kept.size_bytes:
        return False
    if kept.mtime_ns >= 0:
        return abs(facts.st_mtime_ns - kept.mtime_ns) < _GRAIN_NS
    return facts.st_mtime_ns <= kept.at * 1e9
