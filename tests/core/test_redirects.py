"""Redirects lead to usable addresses only, and secrets stay with their origin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import HttpError, Reason
from tui_dl.core.http_rules import check_redirect, headers_for_redirect

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
HEADERS = {
    "Accept": "*/*", "User-Agent": "x", "Range": "bytes=0-", "If-Range": '"a"', "Accept-Encoding": "identity",
    "Authorization": "Basic CANARY", "cookie": "CANARY", "Proxy-Authorization": "CANARY", "X-Custom": "CANARY",
    "Referer": "http://e.org/CANARY", "X-Api-Key": "CANARY",
}  # fmt: skip


@pytest.mark.parametrize(
    "target",
    ["http://f.org/", "http://e.org:8080/", "https://e.org/", "http://sub.e.org/", "http://e.org.evil/", "nonsense"],
)
def test_secrets_stay_with_their_origin(target: str) -> None:
    """Another host, port or scheme gets no credential and no custom header, but still the range."""
    sent = headers_for_redirect(HEADERS, "http://e.org/a", target)
    assert "CANARY" not in str(sent)
    assert set(sent) == {"Accept", "User-Agent", "Range", "If-Range", "Accept-Encoding"}


def test_headers_go_on_within_an_origin() -> None:
    """The same scheme, host and port keep all headers."""
    assert headers_for_redirect(HEADERS, "http://e.org/a", "http://E.org:80/b") == HEADERS


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://f.org/x?y=z", "https://f.org/x?y=z"),
        ("https://f.org/x?", "https://f.org/x?"),
        ("/b", "https://e.org/b"),
        ("b", "https://e.org/dir/b"),
        ("../b", "https://e.org/b"),
        ("?q=1", "https://e.org/dir/a?q=1"),
        ("//f.org/b", "https://f.org/b"),
        ("https://f.org", "https://f.org"),
        ("https://f.org/a#frag", "https://f.org/a"),
        ("https://user:CANARY@f.org/a", "https://f.org/a"),
        (" /a b ", "https://e.org/a%20b"),
        ("/\u00fc", "https://e.org/%C3%BC"),
        ("/\udcfc", "https://e.org/%FC"),
        ("/a\u00a0\u200eb", "https://e.org/a%C2%A0%E2%80%8Eb"),
        ("https://b\u00fccher.de/", "https://xn--bcher-kva.de/"),
        ("/already%20encoded%2F", "https://e.org/already%20encoded%2F"),
    ],
)
def test_redirects_are_resolved(location: str, target: str) -> None:
    """Locations of every form lead where RFC 3986 says, without user info and fragment."""
    assert check_redirect("https://e.org/dir/a?x", location, allow_downgrade=False) == target


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("", "where to"),
        ("  ", "where to"),
        ("/a\r\nSet-Cookie: x", "control characters"),
        ("/a\x00", "control characters"),
        ("http://e.org/a", "from https to http"),
        ("HTTP://e.org/a", "from https to http"),
        ("file:///etc/passwd", "file:"),
        ("ftp://e.org/", "ftp:"),
        ("data:text/plain,x", "data:"),
        ("javascript:x", "javascript:"),
        ("unix:/run/x", "unix:"),
        ("gopher://e.org/", "gopher:"),
        ("https://", "unusable"),
        ("https://[::1/", "unusable"),
        ("https://e.org:99999/", "unusable"),
        ("//e%2Forg/", "unusable"),
        ("https://" + "a" * 70_000, "without end"),
    ],
)
def test_bad_redirects_are_refused(location: str, words: str) -> None:
    """Every refusal has one reason code and says why."""
    with pytest.raises(HttpError, match=words) as caught:
        check_redirect("https://e.org/dir/a", location, allow_downgrade=False)
    assert caught.value.reason is Reason.REDIRECT_REFUSED
    assert not caught.value.is_retryable


def test_downgrade_is_possible_when_asked_for() -> None:
    """A step from https to http is taken only with permission."""
    assert check_redirect("https://e.org/", "http://e.org/a", allow_downgrade=True) == "http://e.org/a"
    assert check_redirect("http://e.org/", "http://e.org/a", allow_downgrade=False) == "http://e.org/a"


@given(ANY_TEXT, st.sampled_from(["", "/", "//", "https://", "https://e.org/", "http:", "https://a@", "https://["]))
def test_any_location_is_followed_or_refused(text: str, prefix: str) -> None:
    """No Location raises anything but our refusal, and what passes is clean ASCII over https."""
    refusal = None
    try:
        target = check_redirect("https://e.org/a", prefix + text, allow_downgrade=False)
    except HttpError as error:
        refusal = error
    if refusal is not None:
        assert refusal.reason is Reason.REDIRECT_REFUSED
        assert refusal.message.isprintable()
        return
    assert target.startswith("https://")
    assert target.isascii()
    assert target.isprintable()
    assert "@" not in target[8:].partition("/")[0].partition("?")[0]
