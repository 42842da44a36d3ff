"""Challenges and answers of HTTP authentication, against the examples of their RFCs."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.http_auth import Credentials, DigestSession, parse_challenges, request_target

MUFASA = Credentials("Mufasa", "Circle of Life")
RFC_NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
RFC_CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def session(challenge: str, credentials: Credentials = MUFASA, cnonce: str = RFC_CNONCE) -> DigestSession:
    """Return what answers the first challenge of a header."""
    return DigestSession(parse_challenges([challenge])[0], credentials, lambda: cnonce)


def field(answer: str, name: str) -> str:
    """Return a parameter of an answer, empty if it is not there."""
    return parse_challenges([answer])[0].parameters.get(name, "")


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_first_example_of_rfc_7616(algorithm: str, response: str) -> None:
    """Section 3.9.1, letter for letter."""
    answer = session(
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="{RFC_NONCE}",'
        ' opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    ).answer("/dir/index.html")
    assert field(answer, "response") == response
    assert (field(answer, "qop"), field(answer, "nc"), field(answer, "uri")) == ("auth", "00000001", "/dir/index.html")
    assert field(answer, "opaque") == "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


def test_the_second_example_of_rfc_7616_hides_the_name() -> None:
    """Section 3.9.2: userhash, SHA-512-256 and a name beyond ASCII (with the errata's values, by our own count)."""
    user, realm = "J\u00e4s\u00f8n Doe", "api@example.org"
    answer = session(
        f'Digest realm="{realm}", qop="auth", algorithm=SHA-512-256, nonce="n", charset=UTF-8, userhash=true',
        Credentials(user, "Secret, or not?"),
        cnonce="c",
    ).answer("/doe.json")

    def digest(text: str) -> str:
        return hashlib.new("sha512_256", text.encode()).hexdigest()

    key = digest(f"{user}:{realm}:Secret, or not?")
    assert field(answer, "username") == digest(f"{user}:{realm}")
    assert field(answer, "response") == digest(f"{key}:n:00000001:c:auth:{digest('GET:/doe.json')}")
    assert field(answer, "userhash") == "true"


def test_the_example_of_rfc_2069_without_qop() -> None:
    """Neither a count nor a client nonce where no quality of protection was asked for."""
    answer = session('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"').answer(
        "/d/i.html"
    )

    def digest(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    key = digest("Mufasa:testrealm@host.com:Circle of Life")
    assert field(answer, "response") == digest(f"{key}:dcd98b7102dd2f0e8b11d0f600bfb0c093:{digest('GET:/d/i.html')}")
    assert not any(field(answer, name) for name in ("nc", "cnonce", "qop", "algorithm"))


@pytest.mark.parametrize("algorithm", ["MD5-sess", "SHA-256-sess", "SHA-512-256-sess"])
def test_a_session_keeps_its_client_nonce(algorithm: str) -> None:
    """Its key is made of the first one; the algorithm is echoed as it was written."""
    numbers = iter("abcdef")
    challenge = parse_challenges([f'Digest realm="r", nonce="n", qop="auth", algorithm={algorithm}'])[0]
    one = DigestSession(challenge, MUFASA, lambda: next(numbers))
    answers = [one.answer("/") for _ in range(3)]
    assert {field(answer, "cnonce") for answer in answers} == {"a"}
    assert [field(answer, "nc") for answer in answers] == ["00000001", "00000002", "00000003"]
    assert field(answers[0], "algorithm") == algorithm


def test_plain_digest_takes_a_new_client_nonce_each_time() -> None:
    """So that no two answers can be told to be for the same."""
    numbers = iter("abcdef")
    challenge = parse_challenges(['Digest realm="r", nonce="n", qop="auth"'])[0]
    one = DigestSession(challenge, MUFASA, lambda: next(numbers))
    assert field(one.answer("/"), "cnonce") != field(one.answer("/"), "cnonce")


def test_the_next_nonce_begins_a_new_count() -> None:
    """As Authentication-Info may say."""
    one = session('Digest realm="r", nonce="n", qop="auth"')
    one.answer("/")
    one.renew("m")
    answer = one.answer("/")
    assert (field(answer, "nonce"), field(answer, "nc")) == ("m", "00000001")


@pytest.mark.parametrize(
    ("header", "schemes"),
    [
        ('Basic realm="a", Digest realm="b", nonce="c"', ["basic", "digest"]),
        ("Negotiate, NTLM", ["negotiate", "ntlm"]),
        ('Negotiate YIIabc+/==, Basic realm="x, y=z"', ["negotiate", "basic"]),
        ('Digest nonce="a\\"b, Basic c" , ,realm=x', ["digest"]),
        ("Basic", ["basic"]),
        ("", []),
        (', "', []),
        ("Bearer error=invalid_token,  Digest   realm = q", ["bearer", "digest"]),
    ],
)
def test_several_challenges_in_one_header(header: str, schemes: list[str]) -> None:
    """A bare word begins the next one; commas and equal signs inside quotes do not."""
    assert [one.scheme for one in parse_challenges([header])] == schemes


def test_quoted_values_lose_their_quotes() -> None:
    """And get them again in the answer."""
    one = parse_challenges(['Digest realm="a \\"b\\" \\\\ c", nonce="n"'])[0]
    assert one.realm == 'a "b" \\ c'
    assert 'realm="a \\"b\\" \\\\ c"' in DigestSession(one, MUFASA, lambda: "x").answer("/")


@pytest.mark.parametrize(
    ("challenge", "is_answerable"),
    [
        ('Digest realm="r", nonce="n", algorithm=sha-256', True),
        ('Digest realm="", nonce="n"', True),
        ('Digest realm="r", nonce="n", qop="auth-int"', True),
        ('Digest realm="r"', False),
        ('Digest realm="r", nonce="n", algorithm=SHA3-512', False),
        ('Digest realm="r", nonce="n", qop="auth-conf"', False),
        ('Digest realm="\udce9", nonce="n"', False),
        ('Basic realm="r"', False),
    ],
)
def test_which_digests_can_be_answered(challenge: str, *, is_answerable: bool) -> None:
    """Not those of unknown algorithms, without a nonce, or with bytes that cannot be sent back."""
    assert bool(parse_challenges([challenge])[0].strength) is is_answerable


@pytest.mark.parametrize(
    ("charset", "shown"), [("", 'username="J\u00e4s\u00f8n"'), (", charset=UTF-8", "username*=UTF-8''J%C3%A4s%C3%B8n")]
)
def test_a_name_beyond_ascii(charset: str, shown: str) -> None:
    """In the extended form where the server reads UTF-8."""
    assert shown in session(f'Digest realm="r", nonce="n"{charset}', Credentials("J\u00e4s\u00f8n", "x")).answer("/")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://h", "/"),
        ("http://h?x=1", "/?x=1"),
        ("https://h:1/a%2Fb?c=%20#frag", "/a%2Fb?c=%20"),
        ("http://h/?u=http://x/", "/?u=http://x/"),
    ],
)
def test_the_target_is_what_goes_on_the_wire(url: str, target: str) -> None:
    """Nothing decoded, nothing encoded again, no fragment."""
    assert request_target(url) == target


def test_basic_is_read_back() -> None:
    """Colons belong to the password, bytes of any encoding survive; what is no name and password is not touched."""
    me = Credentials("m\u00e9", "p:w")
    assert Credentials.from_basic(me.basic) == me
    odd = "Basic " + b64encode(b"m\xff:\xfe").decode()
    found = Credentials.from_basic(odd)
    assert found is not None
    assert found.basic == odd
    for other in ("Bearer abc", "Basic !", "Basic bm9jb2xvbg==", ""):
        assert Credentials.from_basic(other) is None


def test_passwords_are_not_shown() -> None:
    """Nor by whoever prints the record."""
    assert "Circle" not in repr(MUFASA)


@given(st.text(max_size=200))
def test_no_header_raises(text: str) -> None:
    """Whatever a server writes; what is answerable is answered on one line."""
    for one in parse_challenges([text, f"Digest {text}", f'Digest nonce="{text}"']):
        if one.strength:
            assert re.fullmatch(r"Digest [^\r\n]+", DigestSession(one, MUFASA, lambda: "c").answer("/"))
