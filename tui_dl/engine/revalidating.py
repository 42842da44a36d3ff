"""Files that are asked for again only where they changed: the version fetched before is shown to the server.

A file is unchanged here while its length is the one recorded and nothing was written since it was finished.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final

from tui_dl.core.filename import numbered
from tui_dl.core.http_rules import Match
from tui_dl.core.task import OnExists

if TYPE_CHECKING:
    from tui_dl.core.resume import Judgement
    from tui_dl.core.settings import Settings
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask
    from tui_dl.journal.archive import Kept

OFF: Final = "off"
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
        self._kept: Kept | None = None

    async def begin(self) -> None:
        """Find what is remembered of the file, and take up its place; its version is asked about if it is intact."""
        context, live = self._context, self._live
        if context.policy_of(live.task) is not OnExists.IF_MODIFIED:
            return
        kept = await self._remembered()
        if kept is None:
            return
        name = os.path.basename(kept.path)  # noqa: PTH119  # text in, text out
        live.change(path=kept.path, filename=name, name_fixed=True)
        what = f"look at {kept.path}"
        if await context.pool.scout(is_intact, kept, what=what):
            self._kept = kept
            live.conditions = conditions_of(kept)
        else:
            live.note(f"{kept.path} was changed or removed here; fetched again")

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
        named = (one for one in here if _is_named(task.filename, os.path.basename(one.path)))  # noqa: PTH119  # as above
        return next(named, None if task.name_fixed or not here else here[0])


def _is_named(wanted: str, name: str) -> bool:
    """Whether a file has the name that was wanted, or that with a number."""
    numbers = _NUMBER.findall(name)
    return name == wanted or (bool(numbers) and numbered(wanted, int(numbers[-1])) == name)


def is_keeping(settings: Settings) -> bool:
    """Whether settings want it remembered which version each finished file is."""
    return settings.cache != OFF or settings.on_exists == OnExists.IF_MODIFIED


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
        facts = os.lstat(kept.path)
    except OSError:
        return False
    if not stat.S_ISREG(facts.st_mode) or facts.st_size != kept.size_bytes:
        return False
    if kept.mtime_ns >= 0:
        return abs(facts.st_mtime_ns - kept.mtime_ns) < _GRAIN_NS
    return facts.st_mtime_ns <= kept.at * 1e9
