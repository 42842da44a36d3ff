"""Which credentials go to whom."""

from __future__ import annotations

import pytest

from tui_dl.core.errors import UsageError
from tui_dl.core.identity import Identity, basic, parse_user

MINE = basic("me", "c4nary")
OTHERS = basic("other", "s3cret")
IDENTITY = Identity(MINE, {"e.org": OTHERS}, "http://from/")


def test_user_goes_before_netrc() -> None:
    """What was typed is meant."""
    assert IDENTITY.first_headers("http://e.org/", {})["Authorization"] == MINE


def test_netrc_serves_the_address_that_was_named() -> None:
    """On any port: a person named it."""
    assert Identity(by_host={"e.org": OTHERS}).first_headers("http://e.org:81/", {}) == {"Authorization": OTHERS}


def test_given_headers_stay() -> None:
    """Whatever their case."""
    assert IDENTITY.first_headers("http://e.org/", {"authorization": "Bearer x", "REFERER": "y"}) == {}


@pytest.mark.parametrize(
    ("url", "is_told"),
    [
        ("https://e.org/", True),
        ("https://e.org:443/", True),
        ("http://e.org/", False),
        ("https://e.org:8443/", False),
        ("https://a.e.org/", False),
        ("https://f.org/", False),
    ],
)
def test_a_redirect_gets_what_its_own_host_has(url: str, *, is_told: bool) -> None:
    """Never what `--user` gave, and only over https on its own port."""
    assert IDENTITY.hop_headers(url, {}) == ({"Authorization": OTHERS} if is_told else {})


def test_a_hop_keeps_the_authorization_it_has() -> None:
    """It was chosen for this origin."""
    assert IDENTITY.hop_headers("https://e.org/", {"authorization": "Bearer x"}) == {}


def test_it_never_shows_itself() -> None:
    """In no repr that a log might take."""
    assert MINE not in repr(IDENTITY)
    assert OTHERS not in repr(IDENTITY)


def test_a_user_may_have_colons_in_the_password() -> None:
    """The first one ends the name."""
    assert parse_user("me:a:b") == basic("me", "a:b")


@pytest.mark.parametrize("text", [":c4nary", "me:c4nary\n", "\x00c4nary"])
def test_a_user_that_cannot_be_is_refused_unseen(text: str) -> None:
    """The message does not repeat it."""
    with pytest.raises(UsageError, match="NAME:PASSWORD") as caught:
        parse_user(text)
    assert "c4nary" not in str(caught.value)
