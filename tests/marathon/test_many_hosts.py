"""Thirty hosts of different manners at once, at length: what the short form in tests/engine shows, with more files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.engine.many_hosts import ManyHosts, Scale, fetched
from tui_dl.core.settings import Settings
from tui_dl.engine.engine import AsyncDownloadEngine

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.marathon

SCALE: Final = Scale(files=6, file_bytes=120_000, pace_bps=20_000, patience_s=3)
AT_ONCE: Final = 180
MOST_RATIO: Final = 1.5
"""Of the fast host's time among the others to that alone."""
LIMIT_S: Final = 300


def opened(folder: Path, name: str) -> AsyncDownloadEngine:
    """Return an engine with a journal of its own name and the pauses of every day."""
    settings = Settings(dir=str(folder / "files"), concurrent_downloads=AT_ONCE, on_exists="overwrite")
    return AsyncDownloadEngine(settings, folder / f"{name}.db")


async def test_thirty_hosts_at_length(tmp_path: Path) -> None:
    """Every file arrives, no polite host is offended twice in a row, the fast one is not held up, lessons last."""
    async with ManyHosts(SCALE) as hosts:
        fast_first = [(hosts.fast, url) for url in hosts.fast.urls("alone")]
        async with opened(tmp_path, "alone") as engine:
            alone_s = (await fetched(engine, fast_first, LIMIT_S))["fast"]
        wanted = [pair for pair in hosts.mixed_urls() if pair[0] is hosts.fast]
        wanted += [pair for pair in hosts.mixed_urls() if pair[0] is not hosts.fast]
        async with opened(tmp_path, "crowd") as engine:
            took = await fetched(engine, wanted, LIMIT_S)
        polite = (hosts.shy, hosts.tired, hosts.strict)
        refusals = ", ".join(f"{host.name} {len(host.refused)}" for host in (*polite, hosts.curt))
        print(  # noqa: T201  # figures to quote
            f"fast alone {alone_s:.1f} s, among thirty {took['fast']:.1f} s, slowest {max(took.values()):.1f} s; "
            f"refusals: {refusals}"
        )
        for host in polite:
            assert host.refused
            assert host.offences_in_a_row() == 0, host.name
        assert took["fast"] <= MOST_RATIO * alone_s
        before = [len(host.refused) for host in polite]
        async with opened(tmp_path, "crowd") as engine:
            await fetched(engine, [(host, url) for host in polite for url in host.urls("again")[:3]], LIMIT_S)
        assert [len(host.refused) for host in polite] == before
