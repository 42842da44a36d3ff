"""A server never chooses a path: names are one safe component, whatever was sent."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.filename import (
    MOST_NAME_BYTES,
    SUFFIX_RESERVE_BYTES,
    name_from_content_disposition,
    name_from_url,
    numbered,
    safe_name,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=400)
NASTY = st.lists(
    st.sampled_from(
        [
            "..", "/", "\\", ".", "-", " ", "con", "NUL", "com\u00b9", ".desktop", ".LNK", ".tar", ".gz", "a" * 120,
            "\u6771" * 70, "\x1b[2J", "\u202e", "\u200b", "\ud800", "\udcff", "e", "\u0301", ".tui-dl.part", "\x00",
            ":", "\U0001f600" * 30, "\n", "thumbs.db", "\ufe0f", "=?UTF-8?Q?", "?=", "%2e%2F", "'", '"', ";",
        ]
    ),
    max_size=12,
).map("".join)  # fmt: skip
DANGEROUS = (".desktop", ".url", ".lnk", ".scf", ".webloc", ".local", ".tui-dl.part")
DEVICES = {"con", "prn", "aux", "nul", "clock$", "conin$", "conout$"} | {
    f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"
}


def assert_safe(name: str, most_bytes: int) -> None:
    """Fail unless a name may be given to a file."""
    assert name
    assert len(name.encode("utf-8")) <= most_bytes
    assert not set(name) & set('/\\:*?"<>|')
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for char in name)
    assert name[0] not in ".- "
    assert name[-1] not in ". "
    assert unicodedata.is_normalized("NFC", name)
    assert not name.casefold().endswith(DANGEROUS)
    assert name.partition(".")[0].rstrip().casefold() not in DEVICES
    assert name.casefold() not in {"desktop.ini", "thumbs.db"}


def safe(raw: str) -> str:
    """Make a name safe with the usual reserve."""
    return safe_name(raw, reserve_bytes=SUFFIX_RESERVE_BYTES)


@given(st.one_of(ANY_TEXT, NASTY), st.integers(0, 200))
def test_any_name_becomes_safe(raw: str, reserve_bytes: int) -> None:
    """Any text becomes one component that harms nobody and fits with its suffixes."""
    name = safe_name(raw, reserve_bytes=reserve_bytes)
    assert_safe(name, MOST_NAME_BYTES - reserve_bytes)
    assert safe_name(name, reserve_bytes=reserve_bytes) == name


@given(st.one_of(ANY_TEXT, NASTY), st.integers(1, 2_000_000))
def test_numbered_names_stay_safe(raw: str, number: int) -> None:
    """A number never breaks a rule that held before, nor the bound with the part file's suffix."""
    name = safe(raw)
    assert numbered(name, 0) == name
    assert_safe(numbered(name, number), MOST_NAME_BYTES - len(".tui-dl.part"))
    assert numbered(name, number) != numbered(name, number + 1)


@given(st.one_of(ANY_TEXT, NASTY))
def test_any_url_gives_a_safe_name(text: str) -> None:
    """No address makes the name unsafe or raises."""
    for url in (text, f"https://example.org/{text}", f"https://{text}/"):
        assert_safe(name_from_url(url), MOST_NAME_BYTES - SUFFIX_RESERVE_BYTES)


@given(st.one_of(ANY_TEXT, NASTY))
def test_any_header_gives_a_safe_name_or_none(text: str) -> None:
    """No Content-Disposition makes the name unsafe or raises."""
    for header in (
        text, f"attachment; filename={text}", f'attachment; filename="{text}"', f"inline; filename*=UTF-8''{text}",
        f"a; filename*0*={text}; filename*1={text}", f"a; filename*=iso-8859-1''{text}; {text}",
        f'a; filename="=?UTF-8?B?{text}?= =?us-ascii?Q?{text}?="',
    ):  # fmt: skip
        name = name_from_content_disposition(header)
        if name is not None:
            assert_safe(name, MOST_NAME_BYTES - SUFFIX_RESERVE_BYTES)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("basic.txt", "basic.txt"),
        (".bashrc", "bashrc"),
        ("...dots...", "dots"),
        ("  spaces  inside  .txt ", "spaces inside .txt"),
        ("-rf", "_-rf"),
        ("", "download"),
        (". .", "download"),
        ("..", "download"),
        ('a/b\\c:d*e?f"g<h>i|j', "a_b_c_d_e_f_g_h_i_j"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\x00b\x1b[31mc\r\nd\x9be", "ab[31mcde"),
        ("photo\u202egpj.exe", "photo_gpj.exe"),
        ("a\u200bb\ufeffc.txt", "abc.txt"),
        ("a\u3164b\ufe0fc\u034f\U000e0041.txt", "abc.txt"),
        ("e\u0301.txt", "\u00e9.txt"),
        ("a\ud800b", "a_b"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("aux .c", "_aux .c"),
        ("com\u00b2.log", "_com\u00b2.log"),
        ("LPT0", "_LPT0"),
        ("CLOCK$", "_CLOCK$"),
        ("conin$", "_conin$"),
        ("console.txt", "console.txt"),
        ("Desktop.ini", "_Desktop.ini"),
        ("Thumbs.db", "_Thumbs.db"),
        ("evil.desktop", "evil.desktop.download"),
        ("evil.LNK. ", "evil.LNK.download"),
        ("x.url", "x.url.download"),
        ("x.tui-dl.part", "x.tui-dl.part.download"),
        ("a\u2028b\u00a0c", "a b c"),
    ],
)  # fmt: skip
def test_names_of_every_temper(raw: str, name: str) -> None:
    """Each rule of the browsers holds by itself."""
    assert safe(raw) == name


def test_a_long_name_keeps_its_extension() -> None:
    """The cut falls between code points of the stem, the extension stays, the suffixes fit."""
    name = safe("\u6771" * 300 + ".tar.gz")
    assert name.endswith("\u6771.tar.gz")
    assert 255 - SUFFIX_RESERVE_BYTES - 3 < len(name.encode()) <= 255 - SUFFIX_RESERVE_BYTES


def test_a_cut_cannot_uncover_a_shortcut() -> None:
    """A name whose cut would end in a dangerous extension is defused all the same."""
    room = 255 - SUFFIX_RESERVE_BYTES
    assert safe("a" * (room - 8) + ".desktop" + "b" * 50).endswith("a.download")


@pytest.mark.parametrize("reserve_bytes", [-1, 201])
def test_an_absurd_reserve_is_a_programming_error(reserve_bytes: int) -> None:
    """A reserve that leaves no name is refused, not cut to nothing."""
    with pytest.raises(ValueError, match="reserve"):
        safe_name("a", reserve_bytes=reserve_bytes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.iso", "a (1).iso"),
        ("a", "a (1)"),
        ("a.tar.gz", "a (1).tar.gz"),
        ("a.tar.zst", "a (1).tar.zst"),
        ("a.part1.rar", "a (1).part1.rar"),
        ("a.7z.001", "a (1).7z.001"),
        ("v1.2 final release", "v1.2 final release (1)"),
        ("Mr. Smith", "Mr. Smith (1)"),
    ],
)
def test_numbers_go_before_the_extension(name: str, expected: str) -> None:
    """The number stands where people expect it, double extensions included."""
    assert numbered(name, 1) == expected


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://e.org/a/b.iso", "b.iso"),
        ("https://e.org/a/b.iso?x=1/2#f/g", "b.iso"),
        ("https://e.org/gr%C3%B6%C3%9Fe.txt", "gr\u00f6\u00dfe.txt"),
        ("https://e.org/gr%F6.txt", "gr\u00f6.txt"),
        ("https://e.org/gr\u00f6.txt", "gr\u00f6.txt"),
        ("https://e.org/gr\udcf6.txt", "gr\u00f6.txt"),
        ("https://e.org/..%2F..%2Fetc%2Fpasswd", "_.._etc_passwd"),
        ("https://e.org/%252e%252e%252fpasswd", "%2e%2e%2fpasswd"),
        ("https://e.org/%2e%2e", "e.org"),
        ("https://e.org/..", "e.org"),
        ("https://e.org/a/", "e.org"),
        ("https://e.org", "e.org"),
        ("https://u:p@e.org:8080/", "e.org"),
        ("", "download"),
        ("https://[::1/x", "download"),
        ("https://[::1]/", "__1"),
        ("https://e.org/a%00b%0A", "ab"),
    ],
)
def test_names_from_addresses(url: str, name: str) -> None:
    """The last segment counts, decoded once; without one the host does."""
    assert name_from_url(url) == name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment", None),
        ("", None),
        ("attachment; filename=", None),
        ('attachment; filename=""', None),
        ('attachment; filename=".."', None),
        ('attachment; filename="a/"', None),
        ("attachment; filename=foo.html", "foo.html"),
        ("filename=foo.html", "foo.html"),
        ("inline; FILENAME = foo.html ;", "foo.html"),
        ('attachment; filename="foo bar.html"', "foo bar.html"),
        ("attachment; filename=foo bar.html", "foo bar.html"),
        ('attachment; filename="a;b=c.html"; x=y', "a;b=c.html"),
        ('attachment; x="filename=no.txt"; filename=yes.txt', "yes.txt"),
        (r'attachment; filename="a\"b\;c.html"', "a_b;c.html"),
        (r'attachment; filename="..\\..\\x.exe"', "x.exe"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="/abs/x.txt"', "x.txt"),
        ('attachment; filename="open.txt', "open.txt"),
        ('attachment; filename="open.txt\\', "open.txt"),
        ("attachment; filename=a.txt; filename=b.txt", "a.txt"),
        ("attachment; filename=a.txt; filename*=UTF-8''%e2%82%ac.txt", "\u20ac.txt"),
        ("attachment; filename*=UTF-8'en'%e2%82%ac.txt; filename=a.txt", "\u20ac.txt"),
        ("attachment; filename*=iso-8859-1''gr%f6.txt", "gr\u00f6.txt"),
        ("attachment; filename*=\"UTF-8''a%20b.txt\"", "a b.txt"),
        ("attachment; filename*=UTF-8''%2e%2e%2fx%5cy.txt", "y.txt"),
        ("attachment; filename*=UTF-8''%ff; filename=a.txt", "a.txt"),
        ("attachment; filename*=koi8-r''%ff; filename=a.txt", "a.txt"),
        ("attachment; filename*=plain.txt; filename=a.txt", "a.txt"),
        ("attachment; filename*0=foo-; filename*1=bar.txt", "foo-bar.txt"),
        ("attachment; filename*0*=UTF-8''gr%c3; filename*1*=%b6.txt; filename=a", "gr\u00f6.txt"),
        ('attachment; filename*1=b.txt; filename*0="a-"', "a-b.txt"),
        ("attachment; filename*1=b.txt; filename=a.txt", "a.txt"),
        ('attachment; filename="=?UTF-8?B?4oKsLnR4dA==?="', "\u20ac.txt"),
        ('attachment; filename="=?UTF-8?B?4oKsLnR4dA?="', "\u20ac.txt"),
        ('attachment; filename="=?ISO-8859-1?Q?gr=F6_b?= =?utf-8?q?.txt?="', "gr\u00f6 b.txt"),
        ('attachment; filename="=?utf-7?Q?x?=.txt"', "=_utf-7_Q_x_=.txt"),
        ('attachment; filename="gr\udcf6.txt"', "gr\u00f6.txt"),
        ('attachment; filename="gr\udcc3\udcb6.txt"', "gr\u00f6.txt"),
        ('attachment; filename="a\x1b[2J\x00.txt"', "a[2J.txt"),
        ('attachment; filename=".bashrc"', "bashrc"),
    ],
)
def test_names_from_headers(header: str, name: str | None) -> None:
    """RFC 6266 and the bad habits of servers, one each."""
    assert name_from_content_disposition(header) == name
