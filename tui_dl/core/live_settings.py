"""Settings that can be changed while everything runs; the others hold from one start to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import UsageError
from tui_dl.core.setting_facts import coerce
from tui_dl.core.settings import SETTINGS, setting_named

if TYPE_CHECKING:
    from collections.abc import Mapping

LIVE: Final = (
    *("dir", "concurrent_downloads", "connections", "per_host", "timeout", "retry_delay", "max_retries"),
    *("max_retry_delay", "max_time", "on_exists", "on_change", "delay_ms", "min_free", "remote_time", "user_agent"),
    *("media_ask", "per_site", "site_delay", "accept", "min_size", "max_size"),
)
"""Their names; limits of speed have a command of their own."""


def live_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return new values checked, under the names of the settings. Raises `UsageError`."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        facts = setting_named(name)
        if facts.name not in LIVE:
            raise UsageError(f"{facts.name} holds from one start to the next; {', '.join(LIVE)} can be changed live")
        found[facts.name] = coerce(SETTINGS[facts.name], value)
    return found
