"""Lists of digests beside files (`SHA256SUMS`, `NAME.sha256`): the formats of GNU coreutils, BSD and OpenSSL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from tui_dl.core.digests import LENGTHS_BYTES, Digest, known_algorithm, strongest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LISTINGS: Final = {"SHA256SUMS": "sha256", "SHA512SUMS": "sha512", "SHA1SUMS": "sha1", "MD5SUMS": "md5"}
"""Names of lists of a whole folder with their algorithms, in the order in which they are asked for."""
COMPANIONS: Final = {".sha256": "sha256", ".sha512": "sha512", ".sha1": "sha1", ".md5": "md5"}
"""Endings of lists that belong to one file."""
MOST_LISTING_BYTES: Final = 16 * 1024 * 1024
"""Longest list that is read: 100,000 files with long names."""
MOST_COMPANION_BYTES: Final = 64 * 1024

_MOST_LINE_CHARS: Final = 8 * 1024
_GNU: Final = re.compile(r"(\\?)([0-9A-Fa-f]{8,128})[ \t]+\*?(\S.*)")
_BSD: Final = re.compile(r"([A-Za-z0-9-]{3,12}) ?\((.+)\) ?= ?([0-9A-Fa-f]{8,128})")
_BARE: Final = re.compile(r"[0-9A-Fa-f]{8,128}")
_ESCAPES: Final = re.compile(r"\\([\\nr])")
_ESCAPED: Final = {"\\": "\\", "n": "\n", "r": "\r"}


class DigestList:
    """The digests of one list by file name; a name with two different values has none."""

    def __init__(self, algorithm: str, entries: Mapping[str, str | None]) -> None:
        self._algorithm = algorithm
        self._entries = entries

    def find(self, *names: str) -> Digest | None:
        """Return the digest of the file that has one of these names."""
        for name in names:
            if value := self._entries.get(name):
                algorithm, _, digits = value.rpartition("=")
                return Digest(algorithm or self._algorithm, digits)
        return None

    def __len__(self) -> int:
        """Return how many files it names."""
        return len(self._entries)


def parse_listing(content: bytes, algorithm: str) -> DigestList:
    """Return a folder's list; lines that are none (comments, a web page, a cut one) are passed over.

    Names in other folders are kept with their folder, `./` before a name is dropped; line ends may be CRLF. Takes
    moments for the longest: not for an event loop.
    """
    entries: dict[str, str | None] = {}
    for name, digest in _pairs(content, algorithm):
        if not name:
            continue
        # The algorithm is written down only where it is not the list's own: a list has a hundred thousand lines.
        value = digest.hex if digest.algorithm == algorithm else str(digest)
        entries[name] = value if entries.get(name, value) == value else None
    return DigestList(algorithm, entries)


def parse_companion(content: bytes, algorithm: str, *names: str) -> Digest | None:
    """Return the digest that a file's own list names: a bare value, or a line with one of the names in any folder."""
    found = [(name, digest) for name, digest in _pairs(content[:MOST_COMPANION_BYTES], algorithm)]
    named = {digest for name, digest in found if name.replace("\\", "/").rpartition("/")[2] in names}
    bare = {digest for name, digest in found if not name}
    chosen = named or (bare if len(bare) == 1 else set())
    best = strongest(chosen)
    return best if len({one for one in chosen if best and one.algorithm == best.algorithm}) == 1 else None


def _pairs(content: bytes, algorithm: str) -> Iterator[tuple[str, Digest]]:
    """Yield names with digests; an empty name where a line is a value alone."""
    text = content.decode("utf-8-sig", "surrogateescape")
    for line in text.split("\n"):
        if len(line) > _MOST_LINE_CHARS:
            continue
        pair = _pair(line.strip(" \t\r"), algorithm)
        if pair is not None:
            yield pair


def _pair(line: str, algorithm: str) -> tuple[str, Digest] | None:
    if match := _GNU.fullmatch(line):
        name = _ESCAPES.sub(lambda one: _ESCAPED[one[1]], match[3]) if match[1] else match[3]
        digest = _digest(algorithm, match[2])
    elif match := _BSD.fullmatch(line):
        name, digest = match[2], _digest(known_algorithm(match[1].upper().replace("SHA2-", "SHA")) or "", match[3])
    elif _BARE.fullmatch(line):
        name, digest = "", _digest(algorithm, line)
    else:
        return None
    return None if digest is None else (name.removeprefix("./"), digest)


def _digest(algorithm: str, digits: str) -> Digest | None:
    if len(digits) != 2 * LENGTHS_BYTES.get(algorithm, 0):
        return None
    return Digest(algorithm, digits.lower())


def folder_of(url: str) -> str:
    """Return the address of the folder that a file lies in, with `/` at its end; empty for what has none.

    A query belongs to a program, not to a file in a folder: nothing lies beside it.
    """
    parts = urlsplit(url)
    if parts.query or not parts.path or parts.path.endswith("/"):
        return ""
    return f"{parts.scheme}://{parts.netloc}{parts.path.rpartition('/')[0]}/"


def name_in(url: str) -> str:
    """Return the decoded last component of an address's path."""
    return unquote(urlsplit(url).path.rpartition("/")[2], errors="surrogateescape")


def is_listing_name(name: str) -> bool:
    """Whether a file is itself a list of digests, for which none is looked for."""
    return name.upper() in LISTINGS or name.lower().endswith(tuple(COMPANIONS))
