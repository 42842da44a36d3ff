"""tui_dl: a terminal download manager."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tui_dl._version import __version__

if TYPE_CHECKING:
    from tui_dl.core.errors import (
        ContentError,
        FileSystemError,
        HttpError,
        NetworkError,
        Reason,
        TuiDlError,
        UsageError,
    )
    from tui_dl.core.host_tables import host_rules
    from tui_dl.core.settings import Settings
    from tui_dl.core.status import Status
    from tui_dl.core.task import DownloadProgress, DownloadResult, DownloadTask, TaskOptions
    from tui_dl.engine.engine import MEMORY, AsyncDownloadEngine
    from tui_dl.engine.rate_limiter import RateLimiter
    from tui_dl.media.downloader import AsyncFileDownloader
    from tui_dl.media.manager import AsyncDownloadManager

_HOMES = {
    "AsyncDownloadEngine": "tui_dl.engine.engine",
    "AsyncDownloadManager": "tui_dl.media.manager",
    "AsyncFileDownloader": "tui_dl.media.downloader",
    "MEMORY": "tui_dl.engine.engine",
    "ContentError": "tui_dl.core.errors",
    "FileSystemError": "tui_dl.core.errors",
    "HttpError": "tui_dl.core.errors",
    "NetworkError": "tui_dl.core.errors",
    "Reason": "tui_dl.core.errors",
    "RateLimiter": "tui_dl.engine.rate_limiter",
    "TuiDlError": "tui_dl.core.errors",
    "UsageError": "tui_dl.core.errors",
    "DownloadProgress": "tui_dl.core.task",
    "DownloadResult": "tui_dl.core.task",
    "DownloadTask": "tui_dl.core.task",
    "TaskOptions": "tui_dl.core.task",
    "Settings": "tui_dl.core.settings",
    "host_rules": "tui_dl.core.host_tables",
    "Status": "tui_dl.core.status",
}

__all__ = [
    "MEMORY",
    "AsyncDownloadEngine",
    "AsyncDownloadManager",
    "AsyncFileDownloader",
    "ContentError",
    "DownloadProgress",
    "DownloadResult",
    "DownloadTask",
    "FileSystemError",
    "HttpError",
    "NetworkError",
    "RateLimiter",
    "Reason",
    "Settings",
    "Status",
    "TaskOptions",
    "TuiDlError",
    "UsageError",
    "__version__",
    "host_rules",
]

_NAMES = __all__
if not TYPE_CHECKING:
    # `from tui_dl import *` asks `__getattr__()` below: to look for yt-dlp takes longer than all else here.
    del __all__


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562): `import tui_dl` alone costs nothing."""
    if name == "__all__":
        return _names_there()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = import_module(_HOMES[name])
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "yt_dlp":
            raise
        raise ImportError(f"{name} needs yt-dlp: pip install 'tui-dl[media]'", name=error.name) from None
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    """Return the public names, imported or not."""
    return sorted(_names_there())


def _names_there() -> list[str]:
    """Return the public names, without those of media where yt-dlp is not installed."""
    from importlib.util import find_spec  # noqa: PLC0415 - as said above

    is_there = find_spec("yt_dlp") is not None
    return [name for name in _NAMES if is_there or not _HOMES.get(name, "").startswith("tui_dl.media.")]
