"""Addresses that stand for many: curl's patterns, counted before they are made, nothing else touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.url_globs import MOST_ADDRESSES, parse_glob, unescaped


def expanded(text: str) -> list[str]:
    """Return what a pattern stands for."""
    glob = parse_glob(text)
    assert glob is not None
    found = list(glob)
    assert len(found) == glob.count
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h/[1-3]", ["h/1", "h/2", "h/3"]),
        ("h/[001-003]", ["h/001", "h/002", "h/003"]),
        ("h/[098-101]", ["h/098", "h/099", "h/100", "h/101"]),
        ("h/[0-10:5]x", ["h/0x", "h/5x", "h/10x"]),
        ("h/[9-10]", ["h/9", "h/10"]),
        ("h/[a-c]", ["h/a", "h/b", "h/c"]),
        ("h/[A-E:2]", ["h/A", "h/C", "h/E"]),
        ("{one,two}.h/", ["one.h/", "two.h/"]),
        ("h/{a,}", ["h/a", "h/"]),
        ("h/{a\\,b,c}", ["h/a,b", "h/c"]),
        ("h/[1-2]{a,b}", ["h/1a", "h/1b", "h/2a", "h/2b"]),
        ("h/\\[1-2\\]/[3-4]", ["h/[1-2]/3", "h/[1-2]/4"]),
        ("h[1-2]/[7-7]", ["h1/7", "h2/7"]),
    ],
)
def test_patterns_are_curls(text: str, expected: list[str]) -> None:
    """Ranges with zeros and steps, letters, words; the last one runs fastest."""
    assert expanded(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://[::1]:80/a",
        "http://[fe80::1%25eth0]/",
        "http://h/a[1].png",
        "http://h/a[]",
        "http://h/{uuid}",
        "http://h/a[b-3]",
        "http://h/a[a-Z]",
        "http://h/[1-]",
        "http://h/?q[]=1&r[x]=2",
        "http://h/{",
    ],
)
def test_what_has_no_such_shape_is_left_alone(text: str) -> None:
    """IPv6 addresses above all."""
    assert parse_glob(text) is None
    assert unescaped(text) == text


def test_a_backslash_takes_the_meaning_away() -> None:
    """And goes away itself."""
    assert parse_glob("h/\\[1-3\\]\\{a,b\\}") is None
    assert unescaped("h/\\[1-3\\]\\{a,b\\}") == "h/[1-3]{a,b}"


@pytest.mark.parametrize("text", ["h/[3-1]", "h/[1-3:0]", "h/[c-a]", "h/[a-c:0]"])
def test_senseless_patterns_are_refused(text: str) -> None:
    """With the way to mean them as they stand."""
    with pytest.raises(UsageError, match="--no-glob"):
        parse_glob(text)


def test_millions_are_counted_without_being_made() -> None:
    """And more than can be meant are refused."""
    glob = parse_glob("h/[0-999]/[0-9999]")
    assert glob is not None
    assert glob.count == MOST_ADDRESSES
    assert glob.address(glob.count - 1) == "h/999/9999"
    with pytest.raises(UsageError, match="10,010,000 addresses"):
        parse_glob("h/[0-1000]/[0-9999]")
    with pytest.raises(UsageError):
        parse_glob("[0-999999999999999999]" * 20)


@given(st.text("[]{}0129a-z:,\\/", max_size=30))
def test_no_address_raises_anything_else(text: str) -> None:
    """Whatever was typed, it is a pattern, none, or refused."""
    try:
        glob = parse_glob(text)
    except UsageError:
        return
    if glob is not None:
        assert all(isinstance(glob.address(place), str) for place in {0, glob.count // 2, glob.count - 1})
