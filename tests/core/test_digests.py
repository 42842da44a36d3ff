"""Digests are read as people and servers write them; nonsense is refused or passed over, never guessed."""

from __future__ import annotations

import base64
import hashlib
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.digests import LENGTHS_BYTES, Digest, header_digest, new_hasher, parse_digest
from tui_dl.core.errors import UsageError

BODY = b"hello"
SHA256 = hashlib.sha256(BODY)
SHA512 = hashlib.sha512(BODY)
MD5 = hashlib.md5(BODY, usedforsecurity=False)
KNOWN = Digest("sha256", SHA256.hexdigest())
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
HEADERS = ("Repr-Digest", "Content-Digest", "Digest", "Content-MD5")


def b64(value: bytes) -> str:
    """Return base64 as headers carry it."""
    return base64.b64encode(value).decode()


def heard(name: str, value: str, *, is_whole: bool = True) -> tuple[Digest | None, list[str]]:
    """Return what one header names, with the notes."""
    notes: list[str] = []
    return header_digest({name: value}, is_whole=is_whole, note=notes.append), notes


@pytest.mark.parametrize("spelling", ["sha256", "sha-256", "SHA-256", "SHA256", "sha_256"])
def test_an_algorithm_is_known_by_any_spelling(spelling: str) -> None:
    """The value may be in capitals too; what is kept has one form."""
    assert parse_digest(f" {spelling}={SHA256.hexdigest().upper()} ") == KNOWN
    assert str(KNOWN) == f"sha256={SHA256.hexdigest()}"


@pytest.mark.parametrize("algorithm", LENGTHS_BYTES)
def test_every_algorithm_is_computed_at_its_length(algorithm: str) -> None:
    """Piece by piece it gives what its own form takes."""
    hasher = new_hasher(algorithm)
    hasher.update(BODY[:2])
    hasher.update(BODY[2:])
    whole = new_hasher(algorithm)
    whole.update(BODY)
    assert parse_digest(f"{algorithm}={hasher.hexdigest()}") == Digest(algorithm, whole.hexdigest())


def test_values_are_those_of_the_standard_library() -> None:
    """CRC-32 keeps its leading zeros, and `sha3-256` is SHA-3."""
    crc, sha3 = new_hasher("crc32"), new_hasher("sha3-256")
    crc.update(b"")
    assert crc.hexdigest() == "00000000"
    crc.update(BODY)
    sha3.update(BODY)
    assert int(crc.hexdigest(), 16) == zlib.crc32(BODY)
    assert sha3.hexdigest() == hashlib.sha3_256(BODY).hexdigest()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abcdef", "ALGO=HEX"),
        ("sha257=00", "use one of crc32, md5"),
        ("sha256=00", "64 hexadecimal digits are expected, not 2"),
        ("md5=" + "g" * 32, "32 digits 0-9 a-f"),
        ("md5=", "not hexadecimal"),
        ("md5=" + "\u0660" * 32, "not hexadecimal"),
    ],
)
def test_what_is_no_digest_is_refused_with_what_is_expected(text: str, expected: str) -> None:
    """The message names form, algorithms or length."""
    with pytest.raises(UsageError, match=expected):
        parse_digest(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Repr-Digest", f"sha-256=:{b64(SHA256.digest())}:"),
        ("repr-digest", f"md5=:{b64(MD5.digest())}:, sha-256=:{b64(SHA256.digest())}:;q=1"),
        ("Content-Digest", f"sha-256=:{b64(SHA256.digest())}:"),
        ("Digest", f"SHA-256={b64(SHA256.digest())}"),
        ("Digest", f"MD5={b64(MD5.digest())},sha-256={b64(SHA256.digest())}, UNIXsum=30637"),
    ],
)
def test_a_header_names_a_digest(name: str, value: str) -> None:
    """Of several the strongest counts; unknown algorithms are passed over without a word."""
    assert heard(name, value) == (KNOWN, [])


def test_the_strongest_of_all_headers_counts() -> None:
    """Whichever header it is in."""
    headers = {"Content-MD5": b64(MD5.digest()), "Digest": f"sha-512={b64(SHA512.digest())}"}
    notes: list[str] = []
    found = header_digest(headers, is_whole=True, note=notes.append)
    assert found == Digest("sha512", SHA512.hexdigest())
    del headers["Digest"]
    assert header_digest(headers, is_whole=True, note=notes.append) == Digest("md5", MD5.hexdigest())


@pytest.mark.parametrize(
    ("name", "value"), [("Content-Digest", f"sha-256=:{b64(SHA256.digest())}:"), ("Content-MD5", b64(MD5.digest()))]
)
def test_a_digest_of_a_part_is_not_one_of_the_file(name: str, value: str) -> None:
    """RFC 9530 §2: it is of the content that the answer carries."""
    assert heard(name, value, is_whole=False) == (None, [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Repr-Digest", f"sha-256={b64(SHA256.digest())}"),
        ("Repr-Digest", "sha-256=:AAAA:"),
        ("Repr-Digest", "sha-256=:A:"),
        ("Repr-Digest", "nonsense"),
        ("Digest", "sha-256"),
        ("Digest", f"sha-256={SHA256.hexdigest()}"),
        ("Content-MD5", "\u0660" * 24),
    ],
)
def test_a_malformed_one_is_ignored_with_a_note(name: str, value: str) -> None:
    """It proves nothing against the file."""
    found, notes = heard(name, value)
    assert found is None
    assert len(notes) == 1
    assert notes[0].startswith(f"{name}: ")


@given(st.sampled_from(HEADERS), ANY_TEXT | ANY_TEXT.map("sha-256={}".format) | ANY_TEXT.map("md5=:{}:".format))
def test_no_header_raises(name: str, value: str) -> None:
    """Whatever it holds, what is found is of its algorithm's length."""
    found, _ = heard(name, value)
    assert found is None or parse_digest(str(found)) == found


@given(ANY_TEXT | ANY_TEXT.map("crc32={}".format))
def test_no_option_raises_anything_but_ours(text: str) -> None:
    """A digest, or a refusal."""
    with suppress(UsageError):
        assert parse_digest(text).algorithm in LENGTHS_BYTES


@pytest.mark.parametrize(
    ("name", "value", "algorithm"),
    [
        ("x-amz-checksum-sha256", b64(SHA256.digest()), "sha256"),
        ("x-amz-checksum-crc32", b64(zlib.crc32(BODY).to_bytes(4, "big")), "crc32"),
        ("x-goog-hash", f"crc32c=mnG7TA==, md5={b64(MD5.digest())}", "md5"),
        ("Digest", f"id-sha-256={b64(SHA256.digest())}", "sha256"),
    ],
)
def test_the_sums_of_stores_are_heard(name: str, value: str, algorithm: str) -> None:
    """As S3 and Google name them; those of an unknown kind beside them are passed over."""
    digest, notes = heard(name, value)
    assert digest is not None
    assert digest.algorithm == algorithm
    assert notes == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-amz-checksum-sha256", f"{b64(SHA256.digest())}-3"),
        ("x-amz-checksum-type", "FULL_OBJECT"),
        ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA="),
        ("x-goog-hash", "crc32c=mnG7TA=="),
    ],
)
def test_sums_of_parts_and_unknown_ones_are_none(name: str, value: str) -> None:
    """A sum of the parts' sums is not one of the file."""
    assert heard(name, value) == (None, [])


def test_a_store_that_keeps_a_file_coded_says_nothing_of_it() -> None:
    """Its sums are of the coded bytes."""
    headers = {"x-goog-hash": f"md5={b64(MD5.digest())}", "X-Goog-Stored-Content-Encoding": "gzip"}
    assert header_digest(headers, is_whole=True, note=print) is None


def test_a_store_names_sums_of_the_whole_alone() -> None:
    """A 206 of a part carries those of the whole, or of the part: nobody can tell."""
    assert heard("x-amz-checksum-sha256", b64(SHA256.digest()), is_whole=False) == (None, [])
