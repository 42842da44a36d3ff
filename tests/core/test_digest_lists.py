"""Lists of digests are read in every format that is about; what is no line of one is passed over, never guessed."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.digest_lists import (
    DigestList,
    folder_of,
    is_listing_name,
    name_in,
    parse_companion,
    parse_listing,
)

ONE = hashlib.sha256(b"1").hexdigest()
TWO = hashlib.sha256(b"2").hexdigest()
LONG = hashlib.sha512(b"1").hexdigest()


def read(text: str | bytes) -> DigestList:
    """Read a SHA256SUMS."""
    return parse_listing(text if isinstance(text, bytes) else text.encode(), "sha256")


def value(listing: DigestList, *names: str) -> str | None:
    """Return what is found, as text."""
    found = listing.find(*names)
    return None if found is None else str(found)


@pytest.mark.parametrize(
    "line",
    [
        f"{ONE}  f.iso",
        f"{ONE} *f.iso",
        f"{ONE} f.iso",
        f"{ONE}\tf.iso",
        f"{ONE.upper()}  ./f.iso",
        f"SHA256 (f.iso) = {ONE}",
        f"SHA256(f.iso)= {ONE}",
        f"SHA2-256(f.iso)= {ONE}",
        f"\ufeff{ONE}  f.iso",
        f"# a comment\n\n{ONE}  f.iso\r\n{TWO}  g.iso\r",
    ],
)
def test_every_format_is_read(line: str) -> None:
    """GNU text and binary, BSD, OpenSSL; CRLF, a byte order mark, comments."""
    assert value(read(line), "f.iso") == f"sha256={ONE}"


def test_names_with_blanks_and_escapes_are_read() -> None:
    """As `sha256sum` writes them."""
    listing = read(f"{ONE}  a name.iso\n\\{TWO}  new\\nline\\\\.iso\n")
    assert value(listing, "a name.iso") == f"sha256={ONE}"
    assert value(listing, "new\nline\\.iso") == f"sha256={TWO}"


def test_the_first_name_that_is_listed_counts() -> None:
    """The address's own name, then that of the answer."""
    listing = read(f"{ONE}  f.iso\n{TWO}  g.iso\n")
    assert value(listing, "x", "g.iso") == f"sha256={TWO}"
    assert value(listing, "x") is None


def test_a_file_in_another_folder_is_another_file() -> None:
    """A list of a tree names `main/f.iso`, which is not ours."""
    assert value(read(f"{ONE}  main/f.iso\n"), "f.iso") is None


def test_a_name_with_two_values_has_none() -> None:
    """Nobody could say which one is meant; the same one twice is fine."""
    assert value(read(f"{ONE}  f.iso\n{TWO}  f.iso\n"), "f.iso") is None
    assert value(read(f"{ONE}  f.iso\n{ONE} *f.iso\n"), "f.iso") == f"sha256={ONE}"


def test_a_cut_line_is_no_digest() -> None:
    """Neither a cut value nor one of another algorithm's length counts."""
    listing = read(f"{ONE}  f.iso\n{TWO[:50]}  g.iso\n{LONG}  h.iso\n{TWO[:40]}")
    assert len(listing) == 1
    assert value(listing, "f.iso") == f"sha256={ONE}"


def test_a_bsd_line_names_its_own_algorithm() -> None:
    """In whatever list it stands."""
    assert value(read(f"SHA512 (f.iso) = {LONG}\n"), "f.iso") == f"sha512={LONG}"


def test_a_web_page_lists_nothing() -> None:
    """A server that answers 200 with a page for what it does not have."""
    assert len(read("<!DOCTYPE html><html><head><title>404</title></head>\n<body>not found</body></html>")) == 0


def test_hostile_names_are_only_names() -> None:
    """They are compared, never shown or opened."""
    listing = read(f"{ONE}  ../../etc/passwd\n{TWO}  \x1b[2J\u202e\n".encode() + b"\xff\xfe\x00 nonsense\n")
    assert value(listing, "passwd") is None
    assert value(listing, "../../etc/passwd") == f"sha256={ONE}"


@pytest.mark.parametrize(
    "content",
    [ONE, f"{ONE}\n", f"{ONE}  f.iso\n", f"{ONE}  /build/out/f.iso\r\n", f"SHA256 (dist/f.iso) = {ONE}"],
)
def test_a_companion_names_one_file(content: str) -> None:
    """A bare value too, and the folder of whoever made it does not matter."""
    assert str(parse_companion(content.encode(), "sha256", "f.iso")) == f"sha256={ONE}"


@pytest.mark.parametrize("content", ["", f"{ONE}  other.iso", f"{ONE}\n{TWO}", f"{ONE}  f.iso\n{TWO}  f.iso", ONE[:40]])
def test_a_companion_of_another_file_says_nothing(content: str) -> None:
    """Nor does one that contradicts itself."""
    assert parse_companion(content.encode(), "sha256", "f.iso") is None


@given(st.binary(max_size=300), st.text(max_size=20))
def test_any_bytes_are_read(content: bytes, name: str) -> None:
    """Never an error."""
    parse_listing(content, "sha256").find(name)
    parse_companion(content, "sha256", name)


def test_the_folder_of_an_address() -> None:
    """What has a query is no file in a folder."""
    assert folder_of("http://a.example.com:8/x/y/f%20g.iso#z") == "http://a.example.com:8/x/y/"
    assert name_in("http://a.example.com:8/x/y/f%20g.iso#z") == "f g.iso"
    assert not folder_of("http://a.example.com/get?f=1")
    assert not folder_of("http://a.example.com/x/")
    assert not folder_of("http://a.example.com")


def test_lists_themselves_are_known() -> None:
    """None is looked for beside them."""
    assert is_listing_name("sha256sums")
    assert is_listing_name("f.iso.SHA256")
    assert not is_listing_name("f.iso")
