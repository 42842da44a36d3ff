"""`Link` headers (RFC 8288): other addresses of a file and the Metalink that describes it (RFC 6249)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from tui_dl.core.errors import UsageError
from tui_dl.core.metalink_names import is_metalink_type
from tui_dl.core.url_list import check_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_LINKS: Final = 256
"""Links of one answer that are looked at."""
LAST_PRIORITY: Final = 999_999
"""That of a link without `pri` (RFC 6249 §3.1)."""

_MOST_CHARS: Final = 64 * 1024
_TARGET: Final = re.compile(r"[\s,]*<([^>]*)>")
_PARAMETER: Final = re.compile(
    r"""\s*;\s*(?:([!#$&+.^_`|~0-9A-Za-z-]+\*?)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]*))?)?"""
)
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Link:
    """One link of an answer."""

    target: str
    """As it was written: absolute or relative to the answer's address."""
    parameters: Mapping[str, str]
    """By name in lower case, the first of each; unquoted."""

    @property
    def relations(self) -> frozenset[str]:
        """Its relation types, lower case."""
        return frozenset(self.parameters.get("rel", "").lower().split())

    @property
    def priority(self) -> int:
        """Smaller is better."""
        text = self.parameters.get("pri", "")
        is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(LAST_PRIORITY))
        return max(1, int(text)) if is_number else LAST_PRIORITY


def parse_links(value: str) -> list[Link]:
    """Return the links of a header value (several joined by commas); what breaks the grammar ends the reading."""
    return list(_links(value[:_MOST_CHARS]))


def _links(text: str) -> Iterator[Link]:
    position = 0
    for _ in range(MOST_LINKS):
        match = _TARGET.match(text, position)
        if match is None:
            return
        target, position = match[1].strip(), match.end()
        parameters: dict[str, str] = {}
        while (found := _PARAMETER.match(text, position)) is not None:
            position = found.end()
            if found[1]:
                parameters.setdefault(found[1].lower(), _unquoted(found[2] or ""))
        yield Link(target, parameters)


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text


def duplicates(value: str, base_url: str) -> tuple[str, ...]:
    """Return the addresses of the same file that a `Link` value names, checked, the preferred ones first.

    Links about another resource (`anchor`) say nothing of this file (RFC 8288 §3.2).
    """
    links = [one for one in parse_links(value) if "duplicate" in one.relations and "anchor" not in one.parameters]
    found = (_address(one.target, base_url) for one in sorted(links, key=lambda one: one.priority))
    return tuple(dict.fromkeys(url for url in found if url and url != base_url))


def described_by(value: str, base_url: str) -> str:
    """Return the address of the Metalink that a `Link` value names for this file; empty for none."""
    for one in parse_links(value):
        is_metalink = "describedby" in one.relations and is_metalink_type(one.parameters.get("type", ""))
        if is_metalink and "anchor" not in one.parameters and (url := _address(one.target, base_url)):
            return url
    return ""


def _address(target: str, base_url: str) -> str:
    """Return a target as a usable address without credentials; empty where it is none."""
    try:
        url = check_url(urljoin(base_url, target))
    except (UsageError, ValueError):
        return ""
    # What a server writes before an `@` is no credential of ours.
    return "" if "@" in url.partition("://")[2].partition("/")[0] else url
