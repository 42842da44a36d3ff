"""HTTP authentication without I/O: challenges, and the answers Basic (RFC 7617) and Digest (RFC 7616) to them."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MOST_CHALLENGES: Final = 16
MOST_HEADER_CHARS: Final = 8 * 1024
"""A longer header names no challenge that we answer."""

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # a grammar, not a password
_SCHEME: Final = re.compile(rf"[\s,]*({_TOKEN})(?=[\s,]|\Z)")
_PARAMETER: Final = re.compile(rf'[\s,]*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"=][^\s,"]*))')
_TOKEN68: Final = re.compile(r"[ \t]+[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|\Z))")
_ALGORITHMS: Final = {"MD5": ("md5", 1), "SHA-256": ("sha256", 2), "SHA-512-256": ("sha512_256", 3)}
"""Algorithm of a challenge to hashlib's name and its strength."""
_BYTES: Final = ("utf-8", "surrogateescape")
"""Names and passwords are bytes, mostly in UTF-8; others survive as they came."""
_SESSION: Final = "-SESS"
_GET: Final = "GET"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and its password."""

    user: str
    """May be empty; without a colon."""
    password: str = field(repr=False)
    """Secret; may be empty."""

    @property
    def basic(self) -> str:
        """The value of `Authorization` that tells them to everybody on the way."""
        return "Basic " + b64encode(f"{self.user}:{self.password}".encode(*_BYTES)).decode()

    @classmethod
    def from_basic(cls, value: str) -> Credentials | None:
        """Return what a value of `Authorization` tells; None where it is not Basic or holds no name and password."""
        scheme, _, encoded = value.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, colon, password = b64decode(encoded.strip(), validate=True).decode(*_BYTES).partition(":")
        except (Base64Error, ValueError):
            return None
        return cls(user, password) if colon else None


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in which a server or a proxy wants to be answered."""

    scheme: str
    """Lower case: `basic`, `digest`, `bearer`, `negotiate`..."""
    parameters: Mapping[str, str]
    """By name in lower case; of repeated ones the first counts."""

    @property
    def realm(self) -> str:
        """What the name and password are for, as the server calls it."""
        return self.parameters.get("realm", "")

    @property
    def algorithm(self) -> str:
        """Algorithm of a Digest challenge, upper case, without `-SESS`."""
        return self.parameters.get("algorithm", "MD5").upper().removesuffix(_SESSION)

    @property
    def is_stale(self) -> bool:
        """Whether the answer was right but its nonce too old."""
        return self.parameters.get("stale", "").lower() == "true"

    @property
    def strength(self) -> int:
        """How well an answer keeps the password, 0 where we have none (RFC 7616 §3.7: the strongest is chosen)."""
        if self.scheme != "digest":
            return 0
        name, strength = _ALGORITHMS.get(self.algorithm, ("", 0))
        said = [self.parameters.get(key, "") for key in ("realm", "nonce", "opaque")]
        can_be_said = bool(said[1]) and all(text.isprintable() for text in said)
        return strength if can_be_said and name in hashlib.algorithms_available and _qop(self) is not None else 0


def parse_challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """Return the challenges of all `WWW-Authenticate` or `Proxy-Authenticate` headers; what is none ends a header."""
    found: list[Challenge] = []
    for value in values:
        if len(value) <= MOST_HEADER_CHARS:
            _parse_into(found, value)
    return tuple(found[:MOST_CHALLENGES])


def _parse_into(found: list[Challenge], value: str) -> None:
    position = 0
    parameters: dict[str, str] | None = None
    while True:
        # A name with a value belongs to the scheme before it; a bare one begins the next challenge.
        if parameters is not None and (match := _PARAMETER.match(value, position)):
            name, quoted, bare = match.groups()
            text = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            parameters.setdefault(name.lower(), text)
        elif match := _SCHEME.match(value, position):
            parameters = {}
            found.append(Challenge(match[1].lower(), parameters))
            if token := _TOKEN68.match(value, match.end()):
                match = token
        else:
            return
        position = match.end()


def _qop(challenge: Challenge) -> str | None:
    """Return the quality of protection that we answer with, empty where none is asked for, None where we have none."""
    offered = challenge.parameters.get("qop", "")
    words = {word.strip().lower() for word in offered.split(",")} - {""}
    if not words:
        return ""
    return next((word for word in ("auth", "auth-int") if word in words), None)


class DigestSession:
    """Answers with one nonce, counted; a new challenge makes a new session."""

    def __init__(self, challenge: Challenge, credentials: Credentials, make_cnonce: Callable[[], str]) -> None:
        self._challenge = challenge
        self._credentials = credentials
        self._make_cnonce = make_cnonce
        self._qop = _qop(challenge) or ""
        self._is_session = challenge.parameters.get("algorithm", "").upper().endswith(_SESSION)
        self._cnonce = make_cnonce()
        self._nonce = challenge.parameters["nonce"]
        self.uses = 0
        """Answers made with this nonce."""

    def renew(self, nonce: str) -> None:
        """Go on with the nonce that `Authentication-Info` named (RFC 7616 §3.5)."""
        if nonce and nonce != self._nonce and nonce.isprintable():
            self._nonce, self.uses, self._cnonce = nonce, 0, self._make_cnonce()

    def answer(self, target: str, method: str = _GET) -> str:
        """Return the value of `Authorization` for one request to this target (RFC 7616 §3.4)."""
        self.uses += 1
        count = f"{self.uses:08x}"
        # A session's key is made of its first client nonce, which servers that keep none take from each request.
        cnonce = self._cnonce if self._is_session or self.uses == 1 else self._make_cnonce()
        credentials, realm = self._credentials, self._challenge.realm
        key = self._hash(f"{credentials.user}:{realm}:{credentials.password}")
        if self._is_session:
            key = self._hash(f"{key}:{self._nonce}:{cnonce}")
        body = f":{self._hash('')}" if self._qop == "auth-int" else ""
        request = self._hash(f"{method}:{target}{body}")
        between = f"{self._nonce}:{count}:{cnonce}:{self._qop}" if self._qop else self._nonce
        fields = [
            self._user_field(),
            f"realm={_quoted(realm)}",
            f"nonce={_quoted(self._nonce)}",
            f"uri={_quoted(target)}",
            f'response="{self._hash(f"{key}:{between}:{request}")}"',
        ]
        said = self._challenge.parameters
        if "algorithm" in said:
            fields.append(f"algorithm={said['algorithm']}")
        if "opaque" in said:
            fields.append(f"opaque={_quoted(said['opaque'])}")
        if self._qop:
            fields += [f"qop={self._qop}", f"nc={count}"]
        if self._qop or self._is_session:
            fields.append(f'cnonce="{cnonce}"')
        if self._has_userhash:
            fields.append("userhash=true")
        return "Digest " + ", ".join(fields)

    @property
    def _has_userhash(self) -> bool:
        return self._challenge.parameters.get("userhash", "").lower() == "true"

    def _user_field(self) -> str:
        user = self._credentials.user
        if self._has_userhash:
            return f'username="{self._hash(f"{user}:{self._challenge.realm}")}"'
        if not user.isascii() and self._challenge.parameters.get("charset", "").upper() == "UTF-8":
            return f"username*=UTF-8''{quote(user, safe='')}"
        return f"username={_quoted(user)}"

    def _hash(self, text: str) -> str:
        name, _ = _ALGORITHMS[self._challenge.algorithm]
        # MD5 is what such servers ask for; nothing else of ours rests on it.
        return hashlib.new(name, text.encode(*_BYTES), usedforsecurity=False).hexdigest()


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def request_target(url: str) -> str:
    """Return path and query of a usable address as they go on the wire."""
    rest = url.partition("#")[0].partition("://")[2]
    at = min((place for place in (rest.find("/"), rest.find("?")) if place >= 0), default=len(rest))
    target = rest[at:]
    return target if target.startswith("/") else f"/{target}"
