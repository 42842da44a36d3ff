"""What comes from outside is one harmless line, and secrets stay hidden."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.display_text import (
    ascii_text,
    display_text,
    is_secret_header,
    mask_header,
    mask_secrets,
    mask_url,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()))
MARKS = st.text(
    st.sampled_from("ae\u0301\u0302\u0338\u0cc6\u0cc2\u09c7\u09be\u200d\ufe0f\u1100\u1161\u11a8\U0001f1e9 \x1b")
)


def test_plain_names_pass_unchanged() -> None:
    """Ordinary names, accents, CJK and emoji are shown as they are."""
    for name in ("debian-12.7.0.iso", "", "Gr\u00f6\u00dfe.txt", "\u6771\u4eac.zip", "\U0001f600.png"):
        assert display_text(name) == name


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b", "\x00", "\n", "\r", "\t", "\x7f", "\x9b", "\u200b", "\u200e", "\u202e", "\u2028", "\u2066", "\u061c",
        "\ufeff", "\u00ad", "\u3164", "\ue000", "\ud800", "\U000e0041", "\U0010ffff", "\u034f",
    ],
)  # fmt: skip
def test_hostile_characters_are_visible_replacements(hostile: str) -> None:
    """A character that acts on a terminal or hides becomes U+FFFD in its place."""
    assert display_text(f"a{hostile}b") == "a\ufffdb"


def test_escape_sequence_loses_its_escape() -> None:
    """A clipboard write arrives as dead letters."""
    assert display_text("x\x1b]52;c;AA==\x07") == "x\ufffd]52;c;AA==\ufffd"


def test_emoji_modifiers_vanish_and_flags_are_letters() -> None:
    """Sequences that terminals measure differently are shown as plain parts."""
    assert display_text("\u2764\ufe0f") == "\u2764"
    assert display_text("\U0001f44d\U0001f3fd") == "\U0001f44d"
    assert display_text("\U0001f468\u200d\U0001f469") == "\U0001f468\U0001f469"
    assert display_text("\U0001f1e9\U0001f1ea") == "DE"


def test_wide_spaces_are_spaces() -> None:
    """Every kind of space is one plain space."""
    assert display_text("a\u00a0b\u3000c\u2003d") == "a b c d"


def test_stacked_marks_are_thinned() -> None:
    """At most two combining marks stay on a character, and none without a character."""
    assert display_text("x" + "\u0338\u0327\u0325\u0337" * 20).count("\ufffd") == 0
    assert len(display_text("x" + "\u0338" * 20)) == 3
    assert display_text("\u0301abc") == "abc"


@given(st.one_of(ANY_TEXT, MARKS))
def test_display_is_printable_and_idempotent(text: str) -> None:
    """Any text becomes printable NFC that a second pass leaves alone."""
    shown = display_text(text)
    assert shown.isprintable()
    assert unicodedata.is_normalized("NFC", shown)
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for char in shown)
    assert display_text(shown) == shown


@given(ANY_TEXT, st.integers(-2, 20))
def test_cut_text_fits_its_cells(text: str, cells: int) -> None:
    """A line never takes more cells than it was given."""
    shown = display_text(text, cells)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in shown)
    marks = sum(unicodedata.category(char) in {"Mn", "Me"} for char in shown)
    assert len(shown) + wide - marks <= max(cells, 0)


def test_cut_text_says_that_it_was_cut() -> None:
    """An ellipsis ends what did not fit, and nothing else."""
    assert display_text("abcdef", 6) == "abcdef"
    assert display_text("abcdef", 5) == "abcd\u2026"
    assert display_text("\u6771\u4eac\u90fd", 6) == "\u6771\u4eac\u90fd"
    assert display_text("\u6771\u4eac\u90fd", 5) == "\u6771\u4eac\u2026"
    assert display_text("\u6771\u4eac\u90fd", 4) == "\u6771\u2026"


@given(ANY_TEXT)
def test_ascii_text_is_ascii(text: str) -> None:
    """A terminal without UTF-8 gets printable ASCII."""
    shown = ascii_text(text)
    assert shown.isascii()
    assert shown.isprintable()


def test_ascii_text_keeps_the_width() -> None:
    """A wide character becomes as many question marks as it took cells."""
    assert ascii_text("a\u00e9\u6771.zip") == "a???.zip"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@example.org/a", "https://***@example.org/a"),
        ("https://ghp_abc@example.org/a", "https://***@example.org/a"),
        ("https://user:p@ss@example.org/a", "https://***@example.org/a"),
        ("https://e.org/a?token=abc&x=1", "https://e.org/a?token=***&x=1"),
        ("https://e.org/a?x=1&sig=a%2Fb", "https://e.org/a?x=1&sig=***"),
        ("https://e.org/a?X-Amz-Signature=f&X-Amz-Expires=9", "https://e.org/a?X-Amz-Signature=***&X-Amz-Expires=9"),
        ("https://e.org/a?X-Amz-Credential=f&Expires=9", "https://e.org/a?X-Amz-Credential=***&Expires=9"),
        ("https://e.org/a?accessToken=f#access_token=g", "https://e.org/a?accessToken=***#access_token=***"),
        ("https://e.org/a?api_key=f&apikey=g&key=h", "https://e.org/a?api_key=***&apikey=***&key=***"),
        ("https://e.org/a?%74oken=f", "https://e.org/a?%74oken=***"),
        ("https://e.org/a?monkey=1&author=me&design=2", "https://e.org/a?monkey=1&author=me&design=2"),
        ("https://e.org/@user/a", "https://e.org/@user/a"),
    ],
)
def test_mask_url(url: str, shown: str) -> None:
    """User info and the values of secret keys are hidden, the rest of an address is not."""
    assert mask_url(url) == shown


@pytest.mark.parametrize(
    "text",
    [
        "GET failed: Authorization: Bearer CANARY1",
        "Cookie: a=b; session=CANARY1",
        "{'X-Api-Key': 'CANARY1'}",
        "could not open https://me:CANARY1@e.org/x for 'reading'",
        "two: http://e.org/?a=1&password=CANARY1 and http://f.org/?sig=CANARY1",
        "sent Basic Q0FOQVJZMQCANARY1",
        "Set-Cookie: id=CANARY1\r\nServer: x",
    ],
)
def test_mask_secrets_in_text(text: str) -> None:
    """A log line keeps its words and loses its secrets."""
    assert "CANARY1" not in mask_secrets(text)


def test_mask_secrets_leaves_prose() -> None:
    """Words about secrets are no secrets."""
    for text in ("Basic authentication failed", "unexpected token: <", "press any key: go"):
        assert mask_secrets(text) == text


def test_secret_headers_are_known() -> None:
    """Credentials and custom keys are secret, plain headers are not."""
    for name in (
        "Authorization", "cookie", "PROXY-AUTHORIZATION", "Set-Cookie", "X-Api-Key", "X-Auth", "PRIVATE-TOKEN",
        "X-Client-Secret", "X-Amz-Security-Token", "Api-Key",
    ):  # fmt: skip
        assert is_secret_header(name), name
    for name in ("Accept", "Content-Length", "ETag", "User-Agent", "Range", "Referer", "X-Author", "Location"):
        assert not is_secret_header(name), name


def test_mask_header() -> None:
    """A secret header shows nothing, an address in a plain one loses its secrets."""
    assert mask_header("Authorization", "Bearer abc") == "***"
    assert mask_header("Location", "https://e.org/?sig=abc") == "https://e.org/?sig=***"
    assert mask_header("ETag", '"abc"') == '"abc"'


@given(ANY_TEXT)
def test_masks_accept_any_text(text: str) -> None:
    """No text makes a mask fail, and masking twice is masking once."""
    once = mask_secrets(text)
    assert mask_secrets(once) == once
    mask_url(text)
    mask_header(text, text)
