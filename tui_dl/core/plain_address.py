"""Addresses of the everyday shape: host and name at one look, for lists of a million; all others take the full way."""

from __future__ import annotations

import re
from typing import Final

from tui_dl.core.addresses import PORT

_PLAIN: Final = re.compile(
    r"https?://"
    rf"([a-z0-9-]{{1,40}}(?:\.[a-z0-9-]{{1,40}}){{0,5}})(?::({PORT}))?"
    r"/(?:[!-\"$->@-~]*/)?"
    # Names of devices and system files, and those that a file manager acts on, are the full way's matter.
    r"(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|(?:clock|conin|conout)\$)(?:[.?#]|\Z)|(?:thumbs|desktop)\.)"
    r"([\w!$&'()+,;=@^`{}~\[\]](?:[\w!$&'()+,;=@^`{}~\[\].-]{0,150}[\w!$&'()+,;=@^`{}~\[\]-])?)"
    r"(?<!\.desktop)(?<!\.url)(?<!\.lnk)(?<!\.scf)(?<!\.webloc)(?<!\.local)(?<!\.part)"
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
