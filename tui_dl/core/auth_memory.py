"""Which answer each origin or proxy wants, learned from its challenges, so that later requests carry it at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.http_auth import Challenge, Credentials, DigestSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_ANSWERS: Final = 3
"""Requests for one answer: without anything, with an outdated nonce, with a fresh one."""
_SHOWN_CELLS: Final = 60


class AuthPolicy(StrEnum):
    """What a name and password may be told by."""

    AUTO = "auto"
    """What the server asks for; at once, in Basic, only over TLS."""
    BASIC = "basic"
    """In Basic, with the first request."""
    DIGEST = "digest"
    """In Digest alone: never in a form from which they can be read."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What one request carries."""

    value: str = ""
    """Value of the header, empty for none."""
    is_fresh: bool = True
    """Whether a refusal speaks of the credentials: the nonce was not used before."""
    is_known: bool = False
    """Whether an earlier answer of this place decided it."""


@dataclass(slots=True)
class _Place:
    session: DigestSession | None = None
    """How Digest is answered; None where it does not want that."""
    wants_basic: bool = False
    is_open: bool = False
    """Whether it answered a request that carried nothing."""


class AuthMemory:
    """By place (an origin or a proxy) and credentials; holds no more than there are of both."""

    def __init__(self, policy: AuthPolicy, make_cnonce: Callable[[], str]) -> None:
        self._policy = policy
        self._make_cnonce = make_cnonce
        self._places: dict[tuple[str, Credentials], _Place] = {}

    def proof(self, place: str, credentials: Credentials, target: str, *, is_private: bool, method: str) -> Proof:
        """Return what a request there carries; `is_private`: nobody on the way can read it."""
        known = self._places.get((place, credentials), _Place())
        if known.session is not None:
            is_fresh = known.session.uses == 0
            return Proof(known.session.answer(target, method), is_fresh=is_fresh, is_known=True)
        at_once = self._policy is AuthPolicy.BASIC or (self._policy is AuthPolicy.AUTO and is_private)
        if known.wants_basic or at_once:
            return Proof(credentials.basic, is_known=True)
        return Proof(is_known=known.is_open)

    def note_open(self, place: str, credentials: Credentials) -> None:
        """Note that a request without anything was answered."""
        self._places.setdefault((place, credentials), _Place()).is_open = True

    def renew(self, place: str, credentials: Credentials, nonce: str) -> None:
        """Note the nonce that the place wants from now on."""
        known = self._places.get((place, credentials))
        if known is not None and known.session is not None:
            known.session.renew(nonce)

    def can_answer(
        self, place: str, credentials: Credentials, challenges: Sequence[Challenge], sent: Proof, *, is_private: bool
    ) -> bool:
        """Learn from a refusal; return whether the same request with another proof may be answered better."""
        wanted = self._choose(challenges, is_private=is_private)
        if wanted is None:
            return False
        known = self._places.setdefault((place, credentials), _Place())
        if wanted.scheme == "basic":
            known.session, known.wants_basic = None, True
            return not sent.value.startswith("Basic ")
        is_refused = sent.value.startswith("Digest ") and sent.is_fresh and not wanted.is_stale
        known.session = DigestSession(wanted, credentials, self._make_cnonce)
        return not is_refused

    def _choose(self, challenges: Sequence[Challenge], *, is_private: bool) -> Challenge | None:
        """Return the strongest challenge that may be answered."""
        digests = [one for one in challenges if one.scheme == "digest"]
        best = max(digests, key=lambda one: one.strength, default=None)
        if best is not None and best.strength and self._policy is not AuthPolicy.BASIC:
            return best
        if self._policy is AuthPolicy.DIGEST or (digests and self._policy is AuthPolicy.AUTO and not is_private):
            return None
        # No challenge at all is against the rules (RFC 9110 §15.5.2) and seen: Basic is all that it can mean.
        plain = [one for one in challenges if one.scheme == "basic"]
        return Challenge("basic", {}) if not challenges else next(iter(plain), None)


def refusal_text(place: str, challenges: Sequence[Challenge], *, sent: str, policy: AuthPolicy) -> str:
    """Return what a 401 of this place means for a person; `sent` is what the last request carried, empty for none."""
    schemes = {one.scheme for one in challenges}
    realm = next((one.realm for one in challenges if one.realm), "")
    where = f' for "{display_text(realm, _SHOWN_CELLS)}"' if realm else ""
    scheme = sent.partition(" ")[0].lower()
    if scheme == "bearer":
        return f"{place} does not take this token{where} (401)"
    if scheme not in ("", "basic", "digest"):
        return f"{place} does not take the Authorization header that was given{where} (401)"
    if policy is AuthPolicy.DIGEST and schemes and "digest" not in schemes:
        return f"{place} wants {_names(challenges)}{where}, which --auth digest forbids (401)"
    if policy is AuthPolicy.BASIC and schemes and "basic" not in schemes:
        return f"{place} wants {_names(challenges)}{where}, and --auth basic allows Basic alone (401)"
    if schemes and not schemes & {"basic", "digest", "bearer"}:
        return f"{place} wants {_names(challenges)}{where}, which tui-dl does not speak (401)"
    if "digest" in schemes and not any(one.strength for one in challenges) and not sent.startswith("Basic "):
        algorithms = ", ".join(dict.fromkeys(one.algorithm for one in challenges if one.scheme == "digest"))
        return f"{place} wants Digest with {display_text(algorithms, _SHOWN_CELLS)}, which cannot be answered (401)"
    if not sent:
        wanted = "a token" if schemes == {"bearer"} else "a name and password"
        return f"{place} wants {wanted}{where} (401)"
    return f"{place} does not take this name and password{where} (401)"


def _names(challenges: Sequence[Challenge]) -> str:
    names = dict.fromkeys({"ntlm": "NTLM"}.get(one.scheme, one.scheme.title()) for one in challenges)
    return display_text(" or ".join(names), _SHOWN_CELLS)
