"""Link headers are read as RFC 8288 and RFC 6249 mean them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.links import described_by, duplicates, parse_links

BASE = "http://www.example.com/dir/f.iso"


def test_duplicates_come_by_priority() -> None:
    """The example of RFC 6249 §3, with a relative address and one without a priority."""
    value = (
        "<http://www2.example.com/f.iso>; rel=duplicate; pri=2; pref, <ftp://ftp.example.com/f>; rel=duplicate,"
        '<http://www3.example.com/f.iso>;rel="duplicate";geo=gb,<../f.iso>; rel="other Duplicate" ; pri="1"'
    )
    assert duplicates(value, BASE) == (
        "http://www.example.com/f.iso",
        "http://www2.example.com/f.iso",
        "http://www3.example.com/f.iso",
    )


def test_the_file_itself_is_no_duplicate() -> None:
    """Nor is an address named twice."""
    value = f"<{BASE}>; rel=duplicate, <http://m.example.com/f>; rel=duplicate, <http://m.example.com/f>; rel=duplicate"
    assert duplicates(value, BASE) == ("http://m.example.com/f",)


def test_a_link_about_another_resource_is_passed_over() -> None:
    """RFC 8288 §3.2: an anchor changes what the link speaks of."""
    assert duplicates('<http://m.example.com/f>; rel=duplicate; anchor="/other"', BASE) == ()


def test_the_describing_metalink_is_found_by_its_type() -> None:
    """A description of another kind is none."""
    value = (
        '<f.asc>; rel=describedby; type="application/pgp-signature", '
        '<f.meta4>; rel=describedby; type="application/metalink4+xml"'
    )
    assert described_by(value, BASE) == "http://www.example.com/dir/f.meta4"
    assert not described_by("<f.asc>; rel=describedby; type=application/pgp-signature", BASE)


def test_quoted_values_may_hold_separators() -> None:
    """A comma or a semicolon in quotes ends nothing."""
    (link, other) = parse_links(r'<a>; title="x, <y>; rel=duplicate \" z"; rel=next, <b>; rel=prev; rel=duplicate')
    assert link.parameters == {"title": 'x, <y>; rel=duplicate " z', "rel": "next"}
    assert other.relations == {"prev"}


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "http://me:pw@m.example.com/f", "http://[bad/f", "file:///x"]
)
def test_an_unusable_address_is_passed_over(target: str) -> None:
    """Credentials that a server writes into an address included."""
    assert duplicates(f"<{target}>; rel=duplicate", BASE) == ()


def test_a_header_without_end_is_bounded() -> None:
    """Some of it is read, quickly."""
    assert len(parse_links("<a>;rel=duplicate," * 100_000)) <= 256


@given(st.text(max_size=100) | st.from_regex(r"(<[^>]{0,5}>;? ?(rel|pri)=\"?[a-z1-9 ]{0,9}\"?,?){0,4}", fullmatch=True))
def test_any_value_is_read(value: str) -> None:
    """Never an error."""
    duplicates(value, BASE)
    described_by(value, BASE)
