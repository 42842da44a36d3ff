"""Runs of stock yt-dlp and of ours with the same options, and what they leave."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yt_dlp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.media.manager import AsyncDownloadManager

LIMIT_S = 60.0


def params_of(arguments: Sequence[str], folder: Path, **words: Any) -> dict[str, Any]:
    """Return yt-dlp's parameters of a command line that works in a folder and says nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    options = [
        "--ignore-config",
        "--no-progress",
        "--no-cache-dir",
        "-q",
        "--no-warnings",
        "-P",
        str(folder),
        *arguments,
    ]
    params: dict[str, Any] = yt_dlp.parse_options(options).ydl_opts
    params["warn_when_outdated"] = False
    return {**params, **words}


async def run_native(urls: Sequence[str], arguments: Sequence[str], folder: Path, **words: Any) -> int:
    """Download with stock yt-dlp; return its code, 101 where it was cancelled."""
    return await asyncio.to_thread(_run_native, urls, params_of(arguments, folder, **words))


def _run_native(urls: Sequence[str], params: dict[str, Any]) -> int:
    with warnings.catch_warnings():
        # It leaves files and sockets to the collector where it is stopped.
        warnings.simplefilter("ignore", ResourceWarning)
        code = _stock(urls, params)
        gc.collect()
    return code


def _stock(urls: Sequence[str], params: dict[str, Any]) -> int:
    try:
        with yt_dlp.YoutubeDL(params) as ydl:
            return int(ydl.download(list(urls)))
    except yt_dlp.utils.DownloadCancelled:
        return 101
    except yt_dlp.utils.DownloadError:
        return 1


async def run_ours(
    manager: AsyncDownloadManager, urls: Sequence[str], arguments: Sequence[str], folder: Path, **words: Any
) -> int:
    """Download with ours; return the same."""
    try:
        async with asyncio.timeout(LIMIT_S):
            return await manager.download(list(urls), params_of(arguments, folder, **words))
    except yt_dlp.utils.DownloadCancelled:
        return 101
    except yt_dlp.utils.DownloadError:
        return 1


def files_in(folder: Path) -> dict[str, str]:
    """Return the files of a folder with their digests."""
    return {
        os.path.relpath(path, folder): hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }
