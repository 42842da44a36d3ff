"""Where a file came from and how old it is, as far as that may be believed and told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from tui_dl.core.display_text import has_secret_name
from tui_dl.core.http_rules import parse_http_date

_DAY_S: Final = 86_400.0
"""Times of the epoch's first day are what servers and archives say that know none."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a finished file is to be given besides its name."""

    modified_at: float | None = None
    """Unix time of its last change on the server; None for the time of the download."""
    origin_url: str = ""
    """Address that it came from, without secrets; empty where nothing is to be noted."""
    referrer_url: str = ""
    """Address that led there, without secrets; empty for none."""


NO_PROVENANCE: Final = Provenance()
"""Nothing to be noted."""


def believable_time(last_modified: str, now: float) -> float | None:
    """Return the Unix time that a `Last-Modified` names; None for what is no date, absurdly old, or yet to come."""
    named_at = parse_http_date(last_modified)
    return named_at if named_at is not None and _DAY_S < named_at <= now else None


def without_secrets(url: str) -> str:
    """Return an address that may be noted where others can read it: no user info, fragment or secret parameter."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    query = "&".join(one for one in parts.query.split("&") if one and not has_secret_name(one.partition("=")[0]))
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))
