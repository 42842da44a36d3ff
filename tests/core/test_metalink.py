"""Metalink documents are read as RFC 5854 means them; what is hostile or broken is refused with its name."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.metalink import Metalink, parse_metalink
from tui_dl.core.metalink_names import is_metalink_name, is_metalink_type
from tui_dl.core.task import TaskOptions

SHA1 = "a" * 40
SHA256 = "b" * 64
PIECE = hashlib.sha256(b"x").hexdigest()
FULL = f"""<?xml version="1.0" encoding="UTF-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink">
  <generator>test/1</generator>
  <origin dynamic="true">http://example.com/f.meta4</origin>
  <file name="folder/example.iso">
    <size>14471447</size>
    <hash type="sha-1">{SHA1}</hash>
    <hash type="sha-256">{SHA256.upper()}</hash>
    <hash type="tiger">0123</hash>
    <pieces length="8388608" type="sha-256"><hash>{PIECE}</hash><hash>{PIECE}</hash></pieces>
    <signature mediatype="application/pgp-signature">-----BEGIN</signature>
    <metaurl mediatype="torrent" priority="1">http://example.com/example.torrent</metaurl>
    <url>http://last.example.com/example.iso</url>
    <url location="us" priority="2">http://us.example.com/example.iso</url>
    <url priority="3">ftp://ftp.example.com/example.iso</url>
    <url location="de" priority="1"> https://de.example.com/example.iso </url>
    <url priority="9">http://us.example.com/example.iso</url>
  </file>
</metalink>""".encode()
OLD = f"""<metalink version="3.0" xmlns="http://www.metalinker.org/" type="static"><files>
  <file name="old.iso"><size>2048</size>
    <verification><hash type="md5">{"c" * 32}</hash>
      <pieces length="1024" type="sha1"><hash piece="0">{SHA1}</hash><hash piece="1">{SHA1}</hash></pieces>
    </verification>
    <resources>
      <url type="http" preference="10">http://worse.example.com/old.iso</url>
      <url type="http" location="de" preference="90">http://better.example.com/old.iso</url>
      <url type="bittorrent" preference="100">magnet:?xt=urn:btih:1</url>
    </resources></file></files></metalink>""".encode()


def document(inner: str, name: str = "f.iso") -> bytes:
    """Return a document with one file."""
    return f'<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="{name}">{inner}</file></metalink>'.encode()


URL = "<url>http://a.example.com/f.iso</url>"


def read(content: bytes) -> Metalink:
    """Read a document called f.meta4."""
    return parse_metalink(content, "f.meta4")


def test_a_file_is_read_whole() -> None:
    """Addresses by priority, the strongest digest, the pieces, one component of the name."""
    (file,) = read(FULL).files
    assert file.name == "example.iso"
    assert file.urls == (
        "https://de.example.com/example.iso",
        "http://us.example.com/example.iso",
        "http://last.example.com/example.iso",
    )
    assert file.size_bytes == 14_471_447
    assert str(file.digest) == f"sha256={SHA256}"
    assert file.pieces is not None
    assert (file.pieces.length_bytes, file.pieces.hexes) == (8_388_608, (PIECE, PIECE))


@pytest.mark.parametrize("word", ["folders", "metaurl", "signature", "tiger", "ftp", "origin"])
def test_what_is_passed_over_is_noted(word: str) -> None:
    """Nothing is dropped in silence."""
    assert any(word in note for note in read(FULL).notes)


def test_version_3_is_read_too() -> None:
    """Its preference counts the other way round."""
    (file,) = read(OLD).files
    assert file.urls == ("http://better.example.com/old.iso", "http://worse.example.com/old.iso")
    assert (file.name, file.size_bytes) == ("old.iso", 2048)
    assert str(file.digest) == f"md5={'c' * 32}"
    assert file.pieces is not None
    assert file.pieces.algorithm == "sha1"


def test_a_task_has_all_of_it() -> None:
    """The first address is the task's own, the others are its mirrors."""
    (new,) = read(FULL).tasks("/d", TaskOptions())
    assert (new.url, new.dir, new.name) == ("https://de.example.com/example.iso", "/d", "example.iso")
    assert new.options.mirrors == ("http://us.example.com/example.iso", "http://last.example.com/example.iso")
    assert new.options.checksum == f"sha256={SHA256}"
    assert new.options.expected_bytes == 14_471_447
    assert new.options.pieces.startswith("sha256:8388608:")


def test_what_a_person_gave_stands() -> None:
    """Name, digest, mirrors and other options."""
    given_options = TaskOptions(checksum=f"sha1={SHA1}", connections=3, mirrors=("http://mine.example.com/",))
    (new,) = read(FULL).tasks("/d", given_options, "mine.iso")
    assert (new.name, new.options.checksum, new.options.connections) == ("mine.iso", f"sha1={SHA1}", 3)
    assert new.options.mirrors[0] == "http://mine.example.com/"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (TaskOptions(), "one.iso"),
        (TaskOptions(checksum=f"sha1={SHA1}"), ""),
        (TaskOptions(mirrors=("http://m.example.com/",)), ""),
    ],
)
def test_what_is_of_one_file_is_refused_for_several(options: TaskOptions, name: str) -> None:
    """Nobody could say which one was meant."""
    two = document(URL).replace(b"</metalink>", b'<file name="g.iso">' + URL.encode() + b"</file></metalink>")
    assert [one.name for one in read(two).files] == ["f.iso", "g.iso"]
    with pytest.raises(UsageError, match="2 files"):
        read(two).tasks("/d", options, name)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not XML"),
        (b"\x00\xff", "not XML"),
        (b"<html><body>404</body></html>", "not a Metalink"),
        (b"<metalink><file/></metalink>", "not a Metalink"),
        (b'<metalink xmlns="urn:ietf:params:xml:ns:metalink"></metalink>', "no file"),
        (document(""), "no http:// or https://"),
        (document("<url>ftp://a.example.com/f</url>"), "no http:// or https://"),
        (document(URL, name=""), "without a name"),
        (document(URL, name="/etc/passwd"), "leads out"),
        (document(URL, name="../../.bashrc"), "leads out"),
        (document(URL, name="C:\\windows\\x"), "leads out"),
        (document(URL, name="a/.."), "leads out"),
        (document(URL, name="a/"), "without a name"),
        (document("<size>-1</size>" + URL), "f.iso: the size"),
        (document("<size>" + "9" * 40 + "</size>" + URL), "f.iso: the size"),
        (document('<hash type="sha-256">00</hash>' + URL), "64 hexadecimal"),
        (document('<pieces length="x" type="sha-256"/>' + URL), "no number of bytes"),
        (document('<pieces length="1024" type="sha-256"/>' + URL), "0 digests"),
        (
            document(f'<size>5000</size><pieces length="1024" type="sha-1"><hash>{SHA1}</hash></pieces>' + URL),
            "f.iso: pieces: 5000 bytes are 5 pieces",
        ),
    ],
)
def test_nonsense_is_refused_and_named(content: bytes, words: str) -> None:
    """The message begins with the document's name."""
    with pytest.raises(UsageError, match=words) as caught:
        read(content)
    assert caught.value.message.startswith("f.meta4: ")


def test_a_bomb_of_entities_is_refused() -> None:
    """Nothing of it is expanded."""
    laughs = "".join(f'<!ENTITY l{one + 1} "{f"&l{one};" * 10}">' for one in range(9))
    bomb = f'<!DOCTYPE m [<!ENTITY l0 "ha">{laughs}]>'.encode() + document("<size>&l9;</size>")
    with pytest.raises(UsageError, match="document type or entities"):
        read(bomb)


def test_an_external_entity_is_refused() -> None:
    """No file of ours is read for a server."""
    content = b'<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + document("<size>&x;</size>")
    with pytest.raises(UsageError, match="document type or entities"):
        read(content)


@pytest.mark.parametrize("content", [b"<a>" * 100_000, b"<m>" + b"<a/>" * 1_000_000], ids=["deep", "many"])
def test_a_bomb_of_elements_is_refused(content: bytes) -> None:
    """Memory stays bounded."""
    with pytest.raises(UsageError, match="more or deeper"):
        read(content)


def test_a_document_without_end_is_refused() -> None:
    """By its length alone."""
    with pytest.raises(UsageError, match="longer than 16 MiB"):
        read(b" " * (16 * 1024 * 1024 + 1))


def test_a_hostile_name_becomes_a_safe_one() -> None:
    """As any name from a server."""
    (file,) = read(document(URL, name="-rf &#x202e;gpj.exe")).files
    assert not file.name.startswith("-")
    assert "\u202e" not in file.name


def test_credentials_in_an_address_are_left_out() -> None:
    """A server must not make us log in somewhere."""
    metalink = read(document("<url>http://me:secret@a.example.com/f.iso</url>"))
    assert metalink.files[0].urls == ("http://a.example.com/f.iso",)
    assert not any("secret" in note for note in metalink.notes)


def test_one_file_without_a_usable_address_does_not_hold_up_the_others() -> None:
    """It is noted."""
    content = document("").replace(b"</metalink>", b'<file name="g.iso">' + URL.encode() + b"</file></metalink>")
    metalink = read(content)
    assert [one.name for one in metalink.files] == ["g.iso"]
    assert any("f.iso" in note for note in metalink.notes)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """No other error ever leaves."""
    with suppress(UsageError):
        assert read(content).files


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_words_in_a_document_are_read_or_refused(name: str, size: str, url: str) -> None:
    """Names stay one component."""
    from xml.sax.saxutils import escape, quoteattr  # noqa: PLC0415  # this test alone writes XML

    content = f"<size>{escape(size)}</size><url>{escape(url)}</url>{URL}"
    text = f'<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name={quoteattr(name)}>{content}</file></metalink>'
    with suppress(UsageError):
        (file,) = read(text.encode("utf-8", "replace")).files
        assert "/" not in file.name
        assert file.name


def test_names_and_types_are_known() -> None:
    """By the path's ending and by the media type, parameters aside."""
    assert is_metalink_name("http://a.example.com/F.META4?x=1#y")
    assert is_metalink_name("old.metalink")
    assert not is_metalink_name("http://a.example.com/f.iso?f=.meta4")
    assert is_metalink_type("application/metalink4+xml; charset=utf-8")
    assert not is_metalink_type("text/xml")
