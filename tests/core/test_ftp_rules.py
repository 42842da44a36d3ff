"""FTP in HTTP's terms: paths, replies, and heads under any combination of facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import HttpError
from tui_dl.core.ftp_rules import SETTLED_S, FileFacts, head_of, parse_size_reply, parse_time_reply, path_of
from tui_dl.core.http_rules import Validator, parse_content_range, parse_http_date
from tui_dl.core.resume import Asked, Verdict, judge

NOW = 1_700_000_000.0
TIMES = st.none() | st.integers(0, int(NOW)).map(float)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("ftp://h/a/b", "a/b"),
        ("ftp://h//a", "/a"),
        ("ftp://h:2121/%2Fa", "/a"),
        ("ftp://h/a%20b#c", "a b"),
        ("ftps://h/a?b", "a?b"),
        ("ftp://h/%FF", "\xff"),
    ],
)
def test_a_path_is_decoded_byte_by_byte(url: str, path: str) -> None:
    """It lies below the login's folder unless it begins with an encoded slash."""
    assert path_of(url) == path


@given(st.text(st.characters(max_codepoint=0xFF)))
def test_no_path_is_another_command(text: str) -> None:
    """Whatever stands in an address, no line break reaches the wire."""
    try:
        path = path_of(f"ftp://h/{text}")
    except HttpError:
        return
    assert not set(path) & set("\r\n\0")


@pytest.mark.parametrize("text", ["", "x", "-1", "1e3", "99999999999999999999", "٣"])
def test_a_size_that_is_none_is_unknown(text: str) -> None:
    """It is never guessed."""
    assert parse_size_reply(text) is None


@pytest.mark.parametrize("text", ["", "20200101", "20201301000000", "99999999999999", "2020010100000x"])
def test_a_time_that_is_none_is_unknown(text: str) -> None:
    """Nor is this."""
    assert parse_time_reply(text) is None


def test_a_time_is_read_in_utc() -> None:
    """Fractions are dropped, as HTTP's dates have none."""
    assert parse_time_reply(" 20231114221320.123 ") == NOW


@given(
    st.builds(FileFacts, st.none() | st.integers(0, 100), TIMES, st.booleans()),
    st.integers(0, 120),
    st.none() | st.integers(0, 120),
    st.booleans(),
)
def test_a_head_never_promises_what_is_not_sent(
    facts: FileFacts, start: int, last: int | None, has_range: bool
) -> None:
    """Status, lengths and body agree, and a part is what was asked for."""
    headers = {"Range": f"bytes={start}-{'' if last is None else last}"} if has_range else {}
    head = head_of(headers, facts, NOW)
    if head.status == 206:
        found = parse_content_range(head.headers["Content-Range"])
        assert found is not None
        assert (found.total, head.start) == (facts.total_bytes, start)
        assert head.end is not None
        assert int(head.headers["Content-Length"]) == head.end - head.start > 0
    else:
        assert head.start == 0
        assert head.end == (0 if head.status == 416 else facts.total_bytes)
    if has_range and last is None:
        judge(Asked(start=start), head.status, head.headers)


@given(st.integers(1, 100), TIMES, TIMES)
def test_a_part_is_given_for_the_very_version_alone(total: int, before: float | None, after: float | None) -> None:
    """`If-Range` holds where the time of the last change is told and equal."""
    first = head_of({}, FileFacts(total, before, can_restart=True), NOW)
    condition = Validator.from_headers(first.headers).if_range_value()
    if condition is None:
        assert before is None or NOW - before < SETTLED_S or before == 0
        return
    headers = {"Range": "bytes=0-", "If-Range": condition}
    assert (head_of(headers, FileFacts(total, after, can_restart=True), NOW).status == 206) == (before == after)


@pytest.mark.parametrize("condition", ['"etag"', "nonsense", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_condition_that_is_no_known_time_fails(condition: str) -> None:
    """The whole is given then, and judged as another version."""
    facts = FileFacts(100, NOW, can_restart=True)
    head = head_of({"range": "bytes=50-", "if-range": condition}, facts, NOW + SETTLED_S)
    assert head.status == 200
    asked = Asked(start=50, has_if_range=True, has_held=True, total_bytes=100)
    assert judge(asked, head.status, head.headers).verdict is Verdict.RESTART


def test_a_change_of_today_is_no_strong_validator() -> None:
    """Clocks of servers are wrong by hours: only an old change names one version."""
    fresh = head_of({}, FileFacts(1, NOW - SETTLED_S + 1, can_restart=True), NOW).headers
    assert "Date" not in fresh
    assert parse_http_date(fresh["Last-Modified"]) == NOW - SETTLED_S + 1
