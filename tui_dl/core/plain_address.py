"""Addresses of the everyday shape: host and name at one look, for lists of a million; all others take the full way."""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = re.compile(
    r"https?://"
    r"([a-z0-9-]{1,40}(?:\.[a-z0-9-]{1,40}){0,5})(?::([1-9][0-9]{1,3}))?"
    r"/(?:[!-\"$->@-~]*/)?"
    # Names of devices and system files, and those that a file manager acts on, are the full way's matter.
    r"(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|thumbs|desktop)\.)"
    r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,150}\.(?!desktop|url|lnk|scf|webloc|local|part)[A-Za-z0-9]{1,10})"
    r"(?:[?#][!-~]*)?\Z",
    re.IGNORECASE | re.ASCII,
)
_OWN_PORTS: Final = frozenset({"80", "443"})


def plain_parts(url: str) -> tuple[str, str] | None:
    """Return `addresses.host_of()` and `filename.name_from_url()` of an everyday address, None for any other."""
    match = _PLAIN.match(url)
    if match is None:
        return None
    host, port, name = match.groups()
    if port is None:
        return host.lower(), name
    return None if port in _OWN_PORTS else (f"{host.lower()}:{port}", name)
