"""Settings of an engine for media, from yt-dlp's parameters: the same way to the servers as yt-dlp's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.settings import Settings, settings_with

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_GIVEN_ADDRESSES: Final = (
    *("user", "bearer", "netrc", "cookies", "cookies_from_browser", "save_cookies", "referer", "user_agent"),
    *("archive", "cache", "sha256", "verify", "shards", "name_template", "http2", "max_time"),
)
"""Settings that speak of addresses that a person gave, or of files in the queue: media get yt-dlp's own."""
_FAMILIES: Final = {"0.0.0.0": "ipv4", "::": "ipv6"}  # noqa: S104  # what -4 and -6 say; nothing is bound here


def settings_for(base: Settings, params: Mapping[str, Any], *, timeout_s: float | None = None) -> Settings:
    """Return the settings. Raises `UsageError` for a proxy that cannot be used.

    `timeout_s` is what our own option says; it goes before yt-dlp's `--socket-timeout`.
    """
    defaults = Settings()
    values: dict[str, Any] = {name: getattr(defaults, name) for name in _OF_GIVEN_ADDRESSES}
    values["allow_downgrade"] = True
    if (proxy := params.get("proxy")) is not None:
        values |= {"proxy": proxy, "no_proxy": "", "use_environment_proxy": False}
    if params.get("nocheckcertificate"):
        values["insecure"] = True
    if family := _FAMILIES.get(str(params.get("source_address") or "")):
        values["ip_version"] = family
    if socket_timeout := params.get("socket_timeout"):
        values |= {"timeout": max(0.1, float(socket_timeout)), "connect_timeout": max(0.1, float(socket_timeout))}
    if timeout_s is not None:
        values["timeout"] = timeout_s
    if rate := params.get("ratelimit"):
        values["limit_rate"] = max(1, int(rate))
    return replace(settings_with(base, values))


def defaults_of(settings: Settings) -> dict[str, Any]:
    """Return yt-dlp's parameters for the same way to the servers as the engine's: pages go no other one than files."""
    families = {family: address for address, family in _FAMILIES.items()}
    found: dict[str, Any] = {"socket_timeout": settings.timeout}
    if settings.proxy:
        found["proxy"] = settings.proxy
    if settings.cookies_from_browser:
        found["cookiesfrombrowser"] = settings.cookies_from_browser
    if settings.insecure:
        found["nocheckcertificate"] = True
    if settings.ip_version in families:
        found["source_address"] = families[settings.ip_version]
    return found
