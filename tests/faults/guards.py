"""Doorkeepers: faults that answer 401 to whoever does not say who he is, by an independent reading of the RFCs."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from tests.faults.lies import status

if TYPE_CHECKING:
    from tests.faults.script import Exchange, Reply

_FIELD = re.compile(r'([\w*]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def digest_fields(value: str) -> dict[str, str]:
    """Return the parameters of a Digest answer, quotes taken off."""
    return {name: re.sub(r"\\(.)", r"\1", quoted or bare) for name, quoted, bare in _FIELD.findall(value)}


@dataclass
class BasicGuard:
    """Lets in who sends this name and password in Basic (RFC 7617)."""

    user: str = "me"
    """Name of who is let in."""
    password: str = "c4nary"
    """His password."""
    challenges: tuple[str, ...] = ('Basic realm="door"',)
    """What the 401 says."""

    def __call__(self, exchange: Exchange, reply: Reply) -> Reply:
        """Answer 401 or leave the reply as it is."""
        wanted = "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()
        if exchange.request.headers.get("authorization") == wanted:
            return reply
        return status(401, *(("WWW-Authenticate", one) for one in self.challenges))(exchange, reply)


@dataclass
class DigestGuard:
    """Lets in who proves to know the password (RFC 7616): right response, known nonce, a count never seen before."""

    user: str = "me"
    """Name of who is let in."""
    password: str = "c4nary"
    """His password."""
    algorithm: str = "MD5"
    """As announced, `-sess` included; empty: not named, which means MD5."""
    qop: str = "auth"
    """Offered; empty for none (RFC 2069)."""
    realm: str = "door"
    """Announced realm."""
    uses: int = 1_000_000
    """Requests that a nonce is good for."""
    says_stale: bool = True
    """Whether an outdated nonce is called stale."""
    names_next: bool = False
    """Whether each answer names the nonce of the next request."""
    has_userhash: bool = False
    """Whether names come hashed."""
    others: tuple[str, ...] = ()
    """Further challenges of the 401, ahead of ours."""
    challenged: int = 0
    """401 answers so far."""
    let_in: list[dict[str, str]] = field(default_factory=list)
    """Parameters of each request that was let in."""
    in_clear: list[str] = field(default_factory=list)
    """Values of Authorization from which a password can be read."""
    _nonces: dict[str, set[str]] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=count)

    def __call__(self, exchange: Exchange, reply: Reply) -> Reply:
        """Answer 401 or leave the reply as it is."""
        request = exchange.request
        value = request.headers.get("authorization", "")
        refused = self.check(value, request.method, request.target)
        if refused is None:
            extra = {"Authentication-Info": f'nextnonce="{self._new_nonce()}"'} if self.names_next else {}
            for name, text in extra.items():
                reply = reply.with_header(name, text)
            return reply
        return status(401, *(("WWW-Authenticate", one) for one in refused))(exchange, reply)

    def check(self, value: str, method: str, target: str) -> tuple[str, ...] | None:
        """Return the challenges for this value of (Proxy-)Authorization, None where it is let in."""
        if value.startswith("Basic"):
            self.in_clear.append(value)
        said = digest_fields(value) if value.startswith("Digest ") else {}
        is_right = bool(said) and said.get("uri") == target and said.get("response") == self._response(said, method)
        seen = self._nonces.get(said.get("nonce", ""))
        mark = said.get("nc", str(len(seen or ())))
        if is_right and seen is not None and mark not in seen and len(seen) < self.uses:
            seen.add(mark)
            self.let_in.append(said)
            return None
        self.challenged += 1
        is_stale = is_right and self.says_stale
        return (*self.others, self._challenge(is_stale=is_stale))

    def _challenge(self, *, is_stale: bool) -> str:
        parts = [f'realm="{self.realm}"', f'nonce="{self._new_nonce()}"', 'opaque="0p,a=que"']
        parts += [f'qop="{self.qop}"'] if self.qop else []
        parts += [f"algorithm={self.algorithm}"] if self.algorithm else []
        parts += ["userhash=true"] if self.has_userhash else []
        parts += ["stale=true"] if is_stale else []
        return "Digest " + ", ".join(parts)

    def _new_nonce(self) -> str:
        nonce = f"nonce{next(self._numbers)}=="
        self._nonces[nonce] = set()
        return nonce

    def _response(self, said: dict[str, str], method: str) -> str:
        name = said.get("username", "")
        if name != (self._hash(f"{self.user}:{self.realm}") if self.has_userhash else self.user):
            return "nobody"
        key = self._hash(f"{self.user}:{self.realm}:{self.password}")
        if self.algorithm.endswith("-sess"):
            key = self._hash(f"{key}:{said['nonce']}:{said.get('cnonce', '')}")
        request = self._hash(f"{method}:{said['uri']}")
        if not self.qop:
            return self._hash(f"{key}:{said['nonce']}:{request}")
        return self._hash(f"{key}:{said['nonce']}:{said['nc']}:{said['cnonce']}:{said['qop']}:{request}")

    def _hash(self, text: str) -> str:
        name = _HASHES[(self.algorithm or "MD5").removesuffix("-sess")]
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()
