"""Patterns that stand for many addresses, added block by block: a million of them are never in memory at once."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui_dl.core.task import NewTask
    from tui_dl.core.url_globs import UrlGlob
    from tui_dl.journal.outcomes import AddOutcome

BLOCK: Final = 1000
"""Addresses that are made and added at a time."""


async def add_glob(
    glob: UrlGlob,
    wish: Callable[[str], Awaitable[list[NewTask]]],
    add: Callable[[Sequence[NewTask]], Awaitable[Sequence[AddOutcome]]],
) -> tuple[int, int]:
    """Add what a pattern stands for; return how many rows are new, and how many were there already."""
    fresh, known, urls = 0, 0, iter(glob)
    while block := list(islice(urls, BLOCK)):
        outcomes = await add([new for url in block for new in await wish(url)])
        new = sum(one.is_new for one in outcomes)
        fresh, known = fresh + new, known + len(outcomes) - new
    return fresh, known
