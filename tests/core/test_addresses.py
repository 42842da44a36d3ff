"""Addresses are usable or refused with a reason, and belong to exactly one origin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.addresses import has_same_origin, origin_of, split_userinfo, wire_url, with_blanks
from tui_dl.core.errors import UsageError

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
BLANKS = st.text(" \t\r\n\v\x00\x1b\x85\u00a0\u2028ab#=-:/", max_size=12)


@pytest.mark.parametrize(
    "url",
    [
        "http://e.org",
        "https://e.org/",
        "https://e.org/a?",
        "https://e.org/a?b=%2f%2F&c=d+e#f",
        "https://e.org:8443/a//b/../c",
        "http://user:p%40w@e.org/",
        "http://[::1]:8080/a",
        "http://127.0.0.1/",
        "http://a_b.e.org./%zz",
        "http://e.org/@me/a:b",
    ],
)
def test_good_addresses_stay_as_written(url: str) -> None:
    """Signed links must not change by a single character."""
    assert wire_url(url) == url


@pytest.mark.parametrize(
    ("url", "wire"),
    [
        ("HTTPS://E.ORG/A", "https://e.org/A"),
        ("https://b\u00fccher.de/\u00fc?\u00fc=1", "https://xn--bcher-kva.de/%C3%BC?%C3%BC=1"),
        ("https://fa\u00df.de/", "https://xn--fa-hia.de/"),
        ("http://e.org:/a", "http://e.org/a"),
        ("http://[0:0::1]/", "http://[::1]/"),
    ],
)
def test_addresses_on_the_wire_are_ascii(url: str, wire: str) -> None:
    """Letters beyond ASCII are encoded, host and scheme are lower case."""
    assert wire_url(url) == wire


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "no http:// or https://"),
        ("e.org/file.iso", "is https://e.org/file.iso meant"),
        ("e.org:8080/file.iso", "is https://e.org:8080/file.iso meant"),
        ("localhost:8000", "is https://localhost:8000 meant"),
        ("//e.org/a", "no http:// or https://"),
        ("ftp://e.org/a", "not ftp"),
        ("javascript:alert(1)", "not javascript"),
        ("file:///etc/passwd", "not file"),
        ("http:/e.org", "no usable host"),
        ("http://", "no usable host"),
        ("http:///a", "no usable host"),
        ("http://user@/a", "no usable host"),
        ("http://[::1/a", "no usable host"),
        ("http://[zz]/a", "no usable host"),
        ("http://e%2Forg/a", "no usable host"),
        ("http://e.org\\@f.org/a", None),
        ("http://e.org\\f/a", "no usable host"),
        ("http://e..org/a", "no usable host"),
        ("http://" + "a" * 64 + ".org/", "no usable host"),
        ("http://" + "a." * 150 + "org/", "no usable host"),
        ("http://e.org:0/", "port"),
        ("http://e.org:65536/", "port"),
        ("http://e.org:99999999999999999999/", "port"),
        ("http://e.org:8a/", "no usable host"),
        ("http://e.org/a b", "white space"),
        ("http://e.org/a\r\nX: y", "white space"),
        ("http://e.org/a\x00", "white space"),
        ("http://e.org/a\u202eb", "white space"),
        ("http://e.org/\ud800", "white space"),
        ("http://e.org/" + "a" * 65_536, "64 KiB"),
    ],
)
def test_bad_addresses_are_refused_with_the_reason(url: str, words: str | None) -> None:
    """Each defect is named in words."""
    if words is None:
        assert origin_of(url)[1] == "f.org"
        return
    with pytest.raises(UsageError, match=words):
        wire_url(url)


def test_a_refusal_never_shows_the_password() -> None:
    """The message names the address without its secrets and control characters."""
    with pytest.raises(UsageError) as caught:
        wire_url("http://me:CANARY@e.org/\x1b[2J?token=CANARY")
    assert "CANARY" not in caught.value.message
    assert "\x1b" not in caught.value.message


@given(ANY_TEXT, st.sampled_from(["", "http://", "https://e.org/", "http://[", "https://a@b:", "e.org:"]))
def test_any_text_is_an_address_or_refused(text: str, prefix: str) -> None:
    """Nothing but `UsageError` leaves the parser; what passes is ASCII and passes again unchanged."""
    try:
        wire = wire_url(prefix + text)
    except UsageError:
        return
    assert wire.isascii()
    assert wire_url(wire) == wire
    assert origin_of(wire) == origin_of(prefix + text)


def test_origin_has_scheme_host_and_port() -> None:
    """The default port is a port like any other; each of the three parts counts."""
    assert origin_of("https://E.org/a") == ("https", "e.org", 443)
    assert has_same_origin("http://e.org/a", "http://e.org:80/b")
    assert not has_same_origin("http://e.org/", "https://e.org/")
    assert not has_same_origin("http://e.org/", "http://e.org:8080/")
    assert not has_same_origin("http://e.org/", "http://f.e.org/")
    assert not has_same_origin("nonsense", "nonsense")


def test_user_info_becomes_a_header() -> None:
    """Escapes are decoded, the address that remains has no secrets."""
    assert split_userinfo("http://Aladdin:open%20sesame@e.org:81/a?b#c") == (
        "http://e.org:81/a?b#c",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    )
    assert split_userinfo("http://e.org/") == ("http://e.org/", "")
    assert split_userinfo("http://@e.org/") == ("http://e.org/", "")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://e.org/a file.zip", "https://e.org/a%20file.zip"),
        (" https://e.org/a  b/c d?q=e f ", "https://e.org/a%20%20b/c%20d?q=e%20f"),
        ("ftp://me:x@e.org/a b", "ftp://me:x@e.org/a%20b"),
        ("https://e.org/a - b.zip", "https://e.org/a%20-%20b.zip"),
        ("https://e.org/a b#c", "https://e.org/a%20b#c"),
        ("https://e.org/a%20b", None),
        ("https://e.org /a", None),
        ("https://me you@e.org/a", None),
        ("https://e.org/a https://e.org/b", None),
        ("https://e.org/a ftp://e.org/b", None),
        ("https://e.org/a # the first", None),
        ("https://e.org/a out=b", None),
        ("https://e.org/a -o b", None),
        ("curl https://e.org/a", None),
        ("a b", None),
    ],
)
def test_blanks_are_encoded_in_what_is_clearly_one_address(typed: str, meant: str | None) -> None:
    """As browsers and aria2 do; what may be an address and something else is left as it is, and refused."""
    assert with_blanks(typed) == (typed if meant is None else meant)


@given(ANY_TEXT | BLANKS, st.sampled_from(["http://e.org/a b", "https://e.org/", "http://a b@e.org/ "]))
def test_encoding_blanks_lets_nothing_else_through(text: str, prefix: str) -> None:
    """White space of any other kind and control characters stay refused; what was usable stays as it was."""
    typed = prefix + text
    try:
        wire = wire_url(with_blanks(typed))
    except UsageError:
        return
    assert wire.isascii()
    assert wire.isprintable()
    assert " " not in wire
    assert wire == wire_url(typed.strip(" ").replace(" ", "%20"))
