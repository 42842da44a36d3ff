"""Request headers as people write them: `Name: value`, checked; those that are the engine's own are refused."""

from __future__ import annotations

import re
from typing import Final

from tui_dl.core.errors import UsageError

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN: Final = frozenset({"range", "if-range", "host", "content-length", "transfer-encoding", "connection"})


def parse_header(line: str, *, origin: str = "--header") -> tuple[str, str]:
    """Return name and value of `Name: value`; raises `UsageError` for what is no header or is the engine's own.

    `origin` is where it stood, as the message names it; no message shows a value.
    """
    name, colon, value = line.partition(":")
    name, value = name.strip(), value.strip()
    if not colon or not _NAME.fullmatch(name):
        tail = ", or @FILE with such lines" if origin == "--header" else ""
        raise UsageError(f"{origin}: write it as 'Name: value'{tail}")
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in value):
        raise UsageError(f"{origin} {name}: the value holds control characters")
    if name.lower() == "proxy-authorization":
        raise UsageError(f"{origin} {name}: give the proxy's credentials with --proxy, so that no server sees them")
    if name.lower() in _OWN:
        raise UsageError(f"{origin} {name}: tui-dl sets this one itself, so that resuming stays safe")
    return name, value
