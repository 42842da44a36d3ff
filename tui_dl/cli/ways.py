"""What the ways to the hosts need, looked at as a download would, without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.settings import Settings
    from tui_dl.engine.client_options import ClientOptions


def ways_of(settings: Settings, environment: Mapping[str, str]) -> ClientOptions:
    """Return how hosts are reached; raises `UsageError` where files, addresses or extras are missing or wrong."""
    from tui_dl.engine.client_options import client_options  # noqa: PLC0415  # aiohttp takes its time
    from tui_dl.engine.transports import load_http2  # noqa: PLC0415  # as above

    options = client_options(settings, environment)
    load_http2(settings)
    return options
