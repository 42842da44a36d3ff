"""Header values mean what RFC 9110 says, and nonsense means nothing."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.http_rules import (
    ContentRange,
    Match,
    UnsatisfiedRange,
    Validator,
    content_encodings,
    is_strong_etag,
    is_web_page,
    parse_content_length,
    parse_content_range,
    parse_http_date,
    parse_retry_after,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
DATE_AT = 784111777.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes 0-99/100", ContentRange(0, 100, 100)),
        ("BYTES 5-5/10", ContentRange(5, 6, 10)),
        (" bytes  10-19/* ", ContentRange(10, 20, None)),
        ("bytes */47", UnsatisfiedRange(47)),
        ("bytes */0", UnsatisfiedRange(0)),
        ("bytes 0-99/50", None),
        ("bytes 0-99/99", None),
        ("bytes 9-5/100", None),
        ("bytes 9-8/100", None),
        ("bytes -5-9/100", None),
        ("bytes 0-/100", None),
        ("bytes */*", None),
        ("bytes 0-9223372036854775808/*", None),
        ("bytes 0-9/9223372036854775808", None),
        ("bytes 0-99999999999999999999/*", None),
        ("items 0-9/10", None),
        ("bytes=0-9/10", None),
        ("bytes 0-9/10, bytes 0-9/10", None),
        ("bytes \u0660-\u0669/10", None),
        ("", None),
        (None, None),
    ],
)
def test_content_range(value: str | None, expected: object) -> None:
    """Valid ranges end exclusively; an invalid one is None, never a guess."""
    assert parse_content_range(value) == expected


@given(st.integers(0, 2**62), st.integers(1, 2**62), st.integers(0, 2**61))
def test_content_range_round_trip(start: int, length: int, rest: int) -> None:
    """Whatever fits in a file is read back exactly."""
    end = start + length
    total = end + rest
    expected = ContentRange(start, end, total) if total <= 2**63 - 1 else None
    assert parse_content_range(f"bytes {start}-{end - 1}/{total}") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0), ("42", 42), (" 42 ", 42), ("42, 42", 42), ("42,43", None), ("-1", None), ("+1", None), ("1.0", None),
        ("4_2", None), ("\u0664", None), ("", None), (None, None), ("42,", None), ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None), ("9" * 5000, None), ("0x10", None),
    ],
)  # fmt: skip
def test_content_length(value: str | None, expected: int | None) -> None:
    """A negative, contradictory or garbled length is unknown."""
    assert parse_content_length(value) == expected


@pytest.mark.parametrize(
    "value",
    [DATE, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", " sun, 6 nov 1994 08:49:37 gmt "],
)
def test_http_date_has_three_forms(value: str) -> None:
    """All forms of RFC 9110 §5.6.7 name the same instant."""
    assert parse_http_date(value) == DATE_AT


@pytest.mark.parametrize(
    "value",
    [None, "", "0", "-1", "yesterday", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT", "1994-11-06",
     "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", DATE + "x"],
)  # fmt: skip
def test_garbage_is_no_date(value: str | None) -> None:
    """What is no date is unknown."""
    assert parse_http_date(value) is None


def test_leap_second_is_a_date() -> None:
    """A second of 60 is legal in HTTP."""
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == 1483228799.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120.0), ("0", 0.0), ("-5", 0.0), ("1e30", 3600.0), ("99999999999", 3600.0), ("1.5", 1.5),
        ("9" * 300, 3600.0), ("soon", None), ("", None), (None, None), ("nan", None), ("inf", None), ("1_0", None),
        ("1e999", 3600.0),
    ],
)  # fmt: skip
def test_retry_after_in_seconds(value: str | None, expected: float | None) -> None:
    """Seconds are clamped, garbage is nothing."""
    assert parse_retry_after(value, None, now=0.0, max_s=3600.0) == expected


def test_retry_after_date_counts_from_the_servers_clock() -> None:
    """A wrong clock here or there does not matter when the server says its time."""
    assert parse_retry_after(DATE, EARLIER, now=0.0, max_s=60.0) == 1.0
    assert parse_retry_after(DATE, None, now=DATE_AT - 7, max_s=60.0) == 7.0
    assert parse_retry_after(EARLIER, DATE, now=0.0, max_s=60.0) == 0.0
    assert parse_retry_after(DATE, "garbage", now=0.0, max_s=60.0) == 60.0


@given(ANY_TEXT, ANY_TEXT)
def test_any_value_is_parsed_or_unknown(one: str, other: str) -> None:
    """No header value raises anything."""
    parse_content_range(one)
    parse_content_range(f"bytes {one}-{other}/{one}")
    parse_content_length(one)
    parse_http_date(one)
    wait_s = parse_retry_after(one, other, now=0.0, max_s=10.0)
    assert wait_s is None or 0.0 <= wait_s <= 10.0
    is_web_page(one)
    headers = {"ETag": one, "Last-Modified": other, "Date": DATE, "Content-Encoding": one}
    content_encodings(headers)
    validator = Validator.from_headers(headers)
    assert validator.matches(validator) is not Match.DIFFERENT
    assert Validator.from_json(validator.as_json()) == validator
    Validator.from_json(one)


def test_strong_etags() -> None:
    """Only a quoted, visible, non-empty tag is strong."""
    assert is_strong_etag('"abc"')
    for etag in ('W/"abc"', 'w/"abc"', "abc", '""', "", '"a"b"', '"a b"', '"\u00e9"', '"a\n"', '"a', '"a"\n'):
        assert not is_strong_etag(etag)


def test_if_range_prefers_the_strong_etag() -> None:
    """A strong ETag, else a strong date, else nothing may be sent."""
    etag, weak = '"v1"', 'W/"v1"'
    assert Validator(etag, DATE, is_date_strong=True).if_range_value() == etag
    assert Validator(weak, DATE, is_date_strong=True).if_range_value() == DATE
    assert Validator(weak, DATE, is_date_strong=False).if_range_value() is None
    assert Validator().if_range_value() is None


@pytest.mark.parametrize(
    ("modified", "sent", "is_strong"),
    [
        (EARLIER, DATE, True),
        (DATE, DATE, False),
        (DATE, EARLIER, False),
        (EARLIER, "", False),
        ("Thu, 01 Jan 1970 00:00:00 GMT", DATE, False),
        ("garbage", DATE, False),
    ],
)
def test_a_date_is_strong_a_second_later(modified: str, sent: str, is_strong: bool) -> None:
    """RFC 9110 §8.8.2.2: within its own second a date names no version; the future and the epoch never do."""
    headers = {"last-modified": modified, "DATE": sent}
    assert Validator.from_headers(headers).is_date_strong is is_strong


def test_first_of_repeated_headers_counts() -> None:
    """Contradictory headers end one way, whatever the mapping."""
    assert Validator.from_headers({"etag": ' "a" ', "ETag": '"b"'}).etag == '"a"'


STRONG = Validator('"a"', EARLIER, is_date_strong=True)


@pytest.mark.parametrize(
    ("held", "later", "expected"),
    [
        (STRONG, STRONG, Match.SAME),
        (STRONG, Validator('"b"', EARLIER, is_date_strong=True), Match.DIFFERENT),
        (STRONG, Validator('"a"', DATE), Match.SAME),
        (STRONG, Validator(), Match.UNKNOWN),
        (Validator(), Validator(), Match.UNKNOWN),
        (Validator('W/"a"'), Validator('W/"a"'), Match.UNKNOWN),
        (Validator('W/"a"'), Validator('W/"b"'), Match.DIFFERENT),
        (Validator('W/"a"'), Validator('"a"'), Match.UNKNOWN),
        (Validator('W/"a"', EARLIER, is_date_strong=True), Validator('W/"a"', EARLIER), Match.SAME),
        (Validator("", EARLIER, is_date_strong=True), Validator("", EARLIER), Match.SAME),
        (Validator("", EARLIER), Validator("", EARLIER, is_date_strong=True), Match.UNKNOWN),
        (Validator("", EARLIER, is_date_strong=True), Validator("", DATE), Match.DIFFERENT),
        (Validator('"a"', EARLIER), Validator("", DATE), Match.DIFFERENT),
        (Validator("", EARLIER, is_date_strong=True), Validator('"a"', EARLIER), Match.SAME),
    ],
)
def test_versions_are_same_different_or_unknown(held: Validator, later: Validator, expected: Match) -> None:
    """Proof, contradiction and ignorance are three things."""
    assert held.matches(later) is expected


VALIDATORS = [
    Validator(etag, date, is_date_strong=is_strong)
    for etag, date, is_strong in product(("", '"a"', '"b"', 'W/"a"', 'W/"b"'), ("", DATE, EARLIER), (False, True))
]


@pytest.mark.parametrize("held", VALIDATORS)
def test_difference_is_symmetric(held: Validator) -> None:
    """Over the whole product: a contradiction holds both ways, and nobody contradicts himself."""
    assert held.matches(held) is not Match.DIFFERENT
    for later in VALIDATORS:
        assert (held.matches(later) is Match.DIFFERENT) == (later.matches(held) is Match.DIFFERENT)


def test_damaged_json_proves_nothing() -> None:
    """A validator that cannot be read is none."""
    for text in ("", "null", "{}", "[1,2,3]", '["\\"a\\""]', '["a","b",1]', "[" * 100_000):
        assert Validator.from_json(text) == Validator()


def test_web_pages() -> None:
    """Pages for people are known by their type, whatever its parameters and case."""
    assert is_web_page("Text/HTML; charset=utf-8")
    assert is_web_page("application/xhtml+xml")
    assert not is_web_page("application/octet-stream")
    assert not is_web_page("text/htmlx")
    assert not is_web_page(None)


def test_content_encodings() -> None:
    """Codings are listed in order, identity is none."""
    assert content_encodings({}) == ()
    assert content_encodings({"Content-Encoding": "identity"}) == ()
    assert content_encodings({"content-encoding": "GZIP, , br"}) == ("gzip", "br")
    assert content_encodings({"Content-Encoding": "gzip", "content-encoding": "br"}) == ("gzip", "br")
