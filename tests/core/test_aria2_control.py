"""aria2's control files: what they say, and that whatever they hold nothing is raised or claimed beyond the file."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.aria2_control import parse_aria2_control
from tui_dl.core.ranges import RangeSet

KIB = 1024
WRITTEN_BY_ARIA2 = bytes.fromhex(
    "00010000000000000000001000000000000001e00000000000000000000000000004fefffdfc000000020000000700100000"
    "0000 0008 ff00000000000000 00000016 00100000 00000008 fe00000000000000".replace(" ", "")
)
"""As aria2c 1.36 left it: 30 pieces of a mebibyte, two of them in flight."""


def control(order: str, *, piece: int, total: int, field: bytes, in_flight: bytes = b"", count: int = 0) -> bytes:
    """Return a control file with an info hash of three bytes."""
    version = b"\0\1" if order == ">" else b"\0\0"
    head = version + bytes(4) + struct.pack(f"{order}I", 3) + b"abc"
    numbers = struct.pack(f"{order}IQQI", piece, total, 7, len(field))
    return head + numbers + field + struct.pack(f"{order}I", count) + in_flight


def test_one_that_aria2_wrote() -> None:
    """Pieces by their bits, blocks of 16 KiB of those in flight."""
    said = parse_aria2_control(WRITTEN_BY_ARIA2)
    assert said is not None
    assert said.total_bytes == 30 << 20
    mib = 1 << 20
    assert said.held == RangeSet([(0, 7 * mib + 128 * KIB), (8 * mib, 22 * mib + 112 * KIB), (23 * mib, 30 * mib)])


@pytest.mark.parametrize("order", [">", "<"])
def test_both_versions_are_read(order: str) -> None:
    """Version 0 has the numbers of its machine; the last piece ends with the file."""
    said = parse_aria2_control(control(order, piece=100 * KIB, total=250 * KIB + 1, field=b"\xa0"))
    assert said is not None
    assert said.held == RangeSet([(0, 100 * KIB), (200 * KIB, 250 * KIB + 1)])


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\0\1",
        b"\0\2" + WRITTEN_BY_ARIA2[2:],
        WRITTEN_BY_ARIA2[:-1],
        control(">", piece=0, total=10, field=b"\x80"),
        control(">", piece=10, total=0, field=b""),
        control(">", piece=10, total=1 << 63, field=b"\x80"),
        control(">", piece=10, total=100, field=b"\x80"),
        control(">", piece=10, total=100, field=b"\x80\0\0"),
        control(">", piece=10, total=15, field=b"\0", in_flight=struct.pack(">III", 1, 10, 1) + b"\xff", count=1),
        control(">", piece=10, total=15, field=b"\0", in_flight=struct.pack(">III", 0, 10, 9) + bytes(9), count=1),
        control(">", piece=10, total=15, field=b"\0", count=1 << 31),
    ],
)
def test_what_contradicts_itself_says_nothing(octets: bytes) -> None:
    """A control file that cannot be of aria2 proves no byte."""
    assert parse_aria2_control(octets) is None


@given(st.binary(max_size=200), st.integers(0, len(WRITTEN_BY_ARIA2)), st.integers(0, 60))
def test_nothing_is_claimed_beyond_the_file(noise: bytes, at: int, dropped: int) -> None:
    """Whatever the octets, it returns, and what it claims lies within the length that it names."""
    for octets in (noise, WRITTEN_BY_ARIA2[:at] + noise + WRITTEN_BY_ARIA2[at + dropped :]):
        said = parse_aria2_control(octets)
        assert said is None or said.held.end <= said.total_bytes
