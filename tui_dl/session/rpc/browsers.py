"""What web pages may do: nothing, unless their origin is on the person's list.

A page that lets its own name point to this machine (DNS rebinding) is found out by its `Host`, a page of another
origin by its `Origin`, which browsers send with every POST and WebSocket and no script can forge.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

_LOOPBACK_NAME: Final = "localhost"
ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class BrowserRules:
    """Which origins may ask."""

    origins: tuple[str, ...] = ()
    """As browsers write them (`https://ariang.example`), `*` at the end for any that begin so; `*` alone for all."""

    def allows_origin(self, origin: str) -> bool:
        """Whether a page of this origin may ask."""
        return any(_fits(origin.lower(), pattern.lower()) for pattern in self.origins)


def _fits(origin: str, pattern: str) -> bool:
    if pattern.endswith(ANY):
        return origin.startswith(pattern.removesuffix(ANY))
    return origin == pattern.rstrip("/")


def is_own_host(host: str) -> bool:
    """Whether a `Host` header names this machine's loopback; a missing one (HTTP/1.0) is none."""
    name = host.strip().lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    if name.rstrip(".") == _LOOPBACK_NAME:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def cors_headers(origin: str) -> dict[str, str]:
    """Return what lets a page of an allowed origin read the answer."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "POST, GET, OPTIONS",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": "1728000",
        "Vary": "Origin",
    }
