"""What may be believed of a server's date, and what of an address may be noted for others to read."""

from __future__ import annotations

import pytest

from tui_dl.core.provenance import believable_time, without_secrets

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tue, 14 Nov 2023 22:13:20 GMT", NOW),
        ("Tue, 14 Nov 2023 22:13:21 GMT", None),
        ("Wed, 01 Jan 2199 00:00:00 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Thu, 01 Jan 1970 00:00:01 GMT", None),
        ("Mon, 01 Jan 1601 00:00:00 GMT", None),
        ("Fri, 13 Mar 1998 10:00:00 GMT", 889_783_200.0),
        ("yesterday", None),
        ("", None),
    ],
)
def test_only_a_time_that_can_be_is_taken(text: str, expected: float | None) -> None:
    """Dates yet to come and those of servers that know none are the time of nothing."""
    assert believable_time(text, NOW) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h.example/a.bin", "https://h.example/a.bin"),
        ("https://user:pass@h.example:8443/a.bin", "https://h.example:8443/a.bin"),
        ("https://h.example/a?file=7&token=abc&page=2", "https://h.example/a?file=7&page=2"),
        ("https://b.s3.example/a?X-Amz-Signature=ab&X-Amz-Credential=k", "https://b.s3.example/a"),
        ("https://h.example/a?sig=1&sv=2#frag", "https://h.example/a?sv=2"),
        ("https://h.example/a?access%54oken=abc", "https://h.example/a"),
        ("https://[bad/a", ""),
    ],
)
def test_an_address_is_noted_without_its_secrets(url: str, expected: str) -> None:
    """User info, fragment and parameters that look like tokens go; what names the file stays."""
    assert without_secrets(url) == expected
