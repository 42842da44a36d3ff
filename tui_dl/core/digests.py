"""Digests of files: how a person or a server writes them, and how they are computed piece by piece."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from tui_dl.core.crc32 import crc32
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

LENGTHS_BYTES: Final = {
    "crc32": 4,
    "md5": 16,
    "sha1": 20,
    "sha224": 28,
    "sha3-224": 28,
    "blake2s": 32,
    "sha256": 32,
    "sha3-256": 32,
    "sha384": 48,
    "sha3-384": 48,
    "sha512": 64,
    "sha3-512": 64,
    "blake2b": 64,
}
"""Every algorithm with the length of its value in bytes; the weakest first."""
_STRENGTH: Final = {name: rank for rank, name in enumerate(LENGTHS_BYTES)}
_SPELLINGS: Final = {name.replace("-", ""): name for name in LENGTHS_BYTES} | {"sha": "sha1"}
"""Lower case without separators, as an algorithm is looked up; RFC 3230 calls SHA-1 `SHA`."""
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_MEMBER: Final = re.compile(r"([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):(?:;.*)?")
"""A member of RFC 9530's dictionaries: a key and a byte sequence, perhaps with parameters (RFC 8941 §3.2)."""
_S3_PREFIX: Final = "x-amz-checksum-"
_HEADERS: Final = frozenset({"repr-digest", "content-digest", "digest", "content-md5", "x-goog-hash"})
_SHOWN_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class Digest:
    """A value that the bytes of a file must have."""

    algorithm: str
    """A key of `LENGTHS_BYTES`."""
    hex: str
    """Lower case, of the algorithm's length."""

    def __str__(self) -> str:
        """Return it as `parse_digest()` takes it."""
        return f"{self.algorithm}={self.hex}"


class Hasher(Protocol):
    """Computes one digest."""

    def update(self, data: bytes | memoryview, /) -> object:
        """Take the next bytes."""
        ...

    def hexdigest(self) -> str:
        """Return the value of all bytes so far."""
        ...


class _Crc32:
    """zlib's CRC-32 with hashlib's manners."""

    def __init__(self) -> None:
        self._sum = 0

    def update(self, data: bytes | memoryview, /) -> None:
        self._sum = crc32(data, self._sum)

    def hexdigest(self) -> str:
        return f"{self._sum:08x}"


def new_hasher(algorithm: str) -> Hasher:
    """Return what computes an algorithm of `LENGTHS_BYTES`."""
    if algorithm == "crc32":
        return _Crc32()
    import hashlib  # noqa: PLC0415  # a command line without a digest need not wait for it

    return hashlib.new(algorithm.replace("-", "_"), usedforsecurity=False)


def parse_digest(text: str) -> Digest:
    """Return the digest of `ALGO=HEX`; raises `UsageError` that names what is expected."""
    name, equals, value = text.strip().partition("=")
    if not equals:
        raise UsageError(f"checksum {_shown(text)}: write it as ALGO=HEX, for example sha256=9f86d0...")
    algorithm = known_algorithm(name)
    if algorithm is None:
        raise UsageError(f"checksum: {_shown(name)} is not known; use one of {', '.join(LENGTHS_BYTES)}")
    value = value.strip()
    most = 2 * LENGTHS_BYTES[algorithm]
    if not _HEX.fullmatch(value):
        raise UsageError(
            f"checksum {algorithm}: {_shown(value)} is not hexadecimal; {most} digits 0-9 a-f are expected"
        )
    if len(value) != most:
        raise UsageError(f"checksum {algorithm}: {most} hexadecimal digits are expected, not {len(value)}")
    return Digest(algorithm, value.lower())


def header_digest(headers: Mapping[str, str], *, is_whole: bool, note: Callable[[str], None]) -> Digest | None:
    """Return the strongest digest of the whole file that an answer names; None where it names none.

    `Repr-Digest` (RFC 9530 §3) and `Digest` (RFC 3230 §4.3.2) are of the whole file also in a 206; `Content-Digest`
    and `Content-MD5` are of what the answer carries and count where that `is_whole`, as do the checksums of S3 and
    Google. `note` hears of malformed ones.
    """
    found: list[Digest] = []
    for header, pairs in _named(headers, is_whole=is_whole):
        for name, value in pairs:
            algorithm = known_algorithm(name)
            if algorithm is None and name:
                continue
            digest = None if algorithm is None else _from_base64(algorithm, value)
            if digest is None:
                note(f"{header}: {_shown(value)} is no digest; ignored")
            else:
                found.append(digest)
    return strongest(found)


@lru_cache(maxsize=512)
def is_digest_header(name: str) -> bool:
    """Whether a header of this name may have a digest for `header_digest()`."""
    header = name.lower()
    return header in _HEADERS or header.startswith(_S3_PREFIX)


def strongest(digests: Iterable[Digest]) -> Digest | None:
    """Return the digest that is hardest to forge; None of none."""
    return max(digests, key=lambda one: _STRENGTH[one.algorithm], default=None)


def _named(headers: Mapping[str, str], *, is_whole: bool) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
    """Yield headers with their names and base64 values; a name is empty where a member breaks the grammar."""
    for key, value in headers.items():
        header = key.lower()
        if header == "repr-digest" or (header == "content-digest" and is_whole):
            yield key, _members(value)
        elif header == "digest":
            yield key, _instance_digests(value)
        elif header == "content-md5" and is_whole:
            yield key, iter([("md5", value.strip())])
        elif header.startswith(_S3_PREFIX) and is_whole and "-" not in value:  # with a dash it is one of parts' sums
            yield key, iter([(header.removeprefix(_S3_PREFIX), value.strip())])
        elif header == "x-goog-hash" and is_whole and not _is_coded_at_rest(headers):
            yield key, _instance_digests(value)


def _is_coded_at_rest(headers: Mapping[str, str]) -> bool:
    """Whether Google keeps the file coded, so that its sums are not of what is saved."""
    stored = next((value for key, value in headers.items() if key.lower() == "x-goog-stored-content-encoding"), "")
    return stored.strip().lower() not in ("", "identity")


def _members(value: str) -> Iterator[tuple[str, str]]:
    for member in filter(None, (one.strip() for one in value.split(","))):
        match = _MEMBER.fullmatch(member)
        yield (match[1], match[2]) if match else ("", member)


def _instance_digests(value: str) -> Iterator[tuple[str, str]]:
    for member in filter(None, (one.strip() for one in value.split(","))):
        name, equals, encoded = member.partition("=")
        # RFC 5843 §2.2: `id-` names the digest of the file without any coding, which is what is saved.
        yield (name.strip().removeprefix("id-"), encoded.strip()) if equals and name.strip() else ("", member)


def _from_base64(algorithm: str, text: str) -> Digest | None:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return Digest(algorithm, value.hex()) if len(value) == LENGTHS_BYTES[algorithm] else None


def known_algorithm(name: str) -> str | None:
    """Return the key of `LENGTHS_BYTES` that a name in any spelling means; None for a foreign one."""
    return _SPELLINGS.get(name.strip().lower().replace("-", "").replace("_", ""))


def _shown(text: str) -> str:
    return repr(display_text(text, _SHOWN_CHARS))
