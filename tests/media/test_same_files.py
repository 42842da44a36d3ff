"""Whatever the kind of site, the file is the one that stock yt-dlp makes, and the engine made the transfers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.media.cases import CASES, Case
from tests.media.runs import files_in, run_native, run_ours

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media.site import Site
    from tui_dl.media.manager import AsyncDownloadManager


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_the_file_is_that_of_stock_yt_dlp(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, case: Case
) -> None:
    """Byte for byte, under the same name, with the same code, and by the engine."""
    url = f"{site.url}/{case.path}"
    code = await run_native([url], case.arguments, tmp_path / "native")
    site.asked.clear()
    assert await run_ours(manager, [url], case.arguments, tmp_path / "ours") == code == 0
    assert files_in(tmp_path / "ours") == files_in(tmp_path / "native") != {}
    wanted = {kind: count for kind, count in (("file", case.files), ("fragments", case.streams)) if count}
    assert (manager.counts.engine, manager.counts.native) == (wanted, {})
