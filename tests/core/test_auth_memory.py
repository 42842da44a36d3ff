"""What each request carries, learned from challenges: never a password in clear where Digest is wanted."""

from __future__ import annotations

from itertools import count

import pytest

from tui_dl.core.auth_memory import AuthMemory, AuthPolicy, Proof, refusal_text
from tui_dl.core.http_auth import Credentials, parse_challenges

ME = Credentials("me", "c4nary")
BASIC, DIGEST = 'Basic realm="r"', 'Digest realm="r", nonce="n", qop="auth"'
SHA = 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'
UNKNOWN = 'Digest realm="r", nonce="n", algorithm=WHIRLPOOL'


def memory(policy: AuthPolicy = AuthPolicy.AUTO) -> AuthMemory:
    """Return a memory without any place, with countable client nonces."""
    numbers = count()
    return AuthMemory(policy, lambda: f"c{next(numbers)}")


def proof(one: AuthMemory, *, is_private: bool = False, place: str = "http://h:80") -> Proof:
    """Return what a request carries."""
    return one.proof(place, ME, "/f", is_private=is_private, method="GET")


def can_answer(one: AuthMemory, *challenges: str, sent: Proof, is_private: bool = False) -> bool:
    """Tell of a 401; return whether it is worth another request."""
    return one.can_answer("http://h:80", ME, parse_challenges(challenges), sent, is_private=is_private)


@pytest.mark.parametrize(
    ("policy", "is_private", "scheme"),
    [
        (AuthPolicy.AUTO, False, ""),
        (AuthPolicy.AUTO, True, "Basic"),
        (AuthPolicy.BASIC, False, "Basic"),
        (AuthPolicy.DIGEST, True, ""),
    ],
)
def test_the_first_request(policy: AuthPolicy, scheme: str, *, is_private: bool) -> None:
    """A password goes ahead of its being asked for over TLS alone, or where a person says so."""
    assert proof(memory(policy), is_private=is_private).value.partition(" ")[0] == scheme


@pytest.mark.parametrize(
    ("policy", "is_private", "challenges", "scheme"),
    [
        (AuthPolicy.AUTO, False, (BASIC,), "Basic"),
        (AuthPolicy.AUTO, False, (), "Basic"),
        (AuthPolicy.AUTO, False, (BASIC, DIGEST), "Digest"),
        (AuthPolicy.AUTO, True, (DIGEST,), "Digest"),
        (AuthPolicy.AUTO, False, (UNKNOWN, BASIC), None),
        (AuthPolicy.AUTO, True, (UNKNOWN, BASIC), "Basic"),
        (AuthPolicy.AUTO, True, ("Negotiate",), None),
        (AuthPolicy.BASIC, False, (DIGEST,), None),
        (AuthPolicy.DIGEST, True, (BASIC,), None),
        (AuthPolicy.DIGEST, False, (), None),
    ],
)
def test_which_challenge_is_answered(
    policy: AuthPolicy, challenges: tuple[str, ...], scheme: str | None, *, is_private: bool
) -> None:
    """Digest before Basic, and no Basic in place of a Digest that others could read."""
    one = memory(policy)
    is_worth_it = can_answer(one, *challenges, sent=Proof(), is_private=is_private)
    assert is_worth_it is (scheme is not None)
    if scheme is not None:
        assert proof(one).value.startswith(f"{scheme} ")


def test_the_strongest_algorithm_is_taken() -> None:
    """Whatever their order."""
    one = memory()
    assert can_answer(one, DIGEST, SHA, sent=Proof())
    assert "algorithm=SHA-256" in proof(one).value


def test_what_was_learned_goes_with_the_next_request() -> None:
    """Counted with the nonce, to this place and no other."""
    one = memory()
    can_answer(one, DIGEST, sent=Proof())
    assert ["nc=00000001" in proof(one).value, "nc=00000002" in proof(one).value] == [True, True]
    assert proof(one, place="http://other:80").value == ""
    assert one.proof("http://h:80", Credentials("you", "x"), "/f", is_private=False, method="GET").value == ""


def test_a_place_that_does_not_ask_is_known() -> None:
    """Nobody waits for the answer to another request then."""
    one = memory()
    assert not proof(one).is_known
    one.note_open("http://h:80", ME)
    assert proof(one) == Proof(is_known=True)


def test_a_wrong_password_is_not_tried_again() -> None:
    """Neither in Basic nor with a fresh nonce."""
    one = memory()
    assert can_answer(one, BASIC, sent=Proof())
    assert not can_answer(one, BASIC, sent=proof(one))
    two = memory()
    assert can_answer(two, DIGEST, sent=Proof())
    assert not can_answer(two, DIGEST, sent=proof(two))


def test_an_old_nonce_is_replaced() -> None:
    """Said to be stale, or used before: servers forget to say it."""
    one = memory()
    can_answer(one, DIGEST, sent=Proof())
    assert can_answer(one, DIGEST + ", stale=TRUE", sent=proof(one))
    proof(one)
    assert can_answer(one, DIGEST, sent=proof(one))


@pytest.mark.parametrize(
    ("challenges", "sent", "policy", "words"),
    [
        ((BASIC,), "", AuthPolicy.AUTO, 'h wants a name and password for "r" (401)'),
        ((BASIC,), ME.basic, AuthPolicy.AUTO, 'h does not take this name and password for "r" (401)'),
        (('Basic realm="\x1b]0;x"',), "", AuthPolicy.AUTO, 'h wants a name and password for "\ufffd]0;x" (401)'),
        ((DIGEST,), ME.basic, AuthPolicy.BASIC, 'h wants Digest for "r", and --auth basic allows Basic alone (401)'),
        ((BASIC,), "", AuthPolicy.DIGEST, 'h wants Basic for "r", which --auth digest forbids (401)'),
        (("Negotiate", "NTLM"), "", AuthPolicy.AUTO, "h wants Negotiate or NTLM, which tui-dl does not speak (401)"),
        ((UNKNOWN,), "", AuthPolicy.AUTO, "h wants Digest with WHIRLPOOL, which cannot be answered (401)"),
        (("Bearer",), "", AuthPolicy.AUTO, "h wants a token (401)"),
        (("Bearer",), "Bearer x", AuthPolicy.AUTO, "h does not take this token (401)"),
        ((BASIC,), "AWS x", AuthPolicy.AUTO, 'h does not take the Authorization header that was given for "r" (401)'),
        ((), "", AuthPolicy.AUTO, "h wants a name and password (401)"),
    ],
)
def test_what_a_refusal_means(challenges: tuple[str, ...], sent: str, policy: AuthPolicy, words: str) -> None:
    """In words for a person, with nothing secret and nothing that acts on a terminal."""
    assert refusal_text("h", parse_challenges(challenges), sent=sent, policy=policy) == words
