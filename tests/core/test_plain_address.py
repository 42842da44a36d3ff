"""The short way for everyday addresses says what the full way says."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui_dl.core.addresses import host_of
from tui_dl.core.filename import name_from_url
from tui_dl.core.plain_address import plain_parts

PIECES = st.sampled_from(
    [
        *(
            "http://",
            "https://",
            "HTTP://",
            "ftp://",
            "a.test",
            "A-1.test",
            "x_y",
            "127.0.0.1",
            ":8080",
            ":80",
            ":99999",
        ),
        *("/", "/dir/", "//", "name.png", "NUL.txt", "com1.iso", "con", "desktop.ini", "a.desktop", "a.LNK", "x.url"),
        *(
            "a.tui-dl.part",
            "..",
            ".",
            ".hidden",
            "-dash.zip",
            "%2F",
            "%20",
            "?q=/a.b",
            "#f/x.y",
            "@",
            " ",
            "\t",
            "é",
            "a~b",
            "-",
            ".",
            "CON",
            "clock$",
            "a(1),b=2&c+d;e@f[0]{g}^`!'~",
            ":43567",
            ":65535",
            ":65536",
            ":0",
        ),
        *("thumbs.db", "trailing.", "two..dots.gz", "_x.7z", ";p=1.zip", "lpt9.tar.gz", '"q".txt', "a" * 160),
    ]
)


@given(st.lists(PIECES, min_size=1, max_size=6).map("".join) | st.text(max_size=30))
@example("https://a.test/dir/image-001.png?size=/b.c#d")
@example("http://127.0.0.1:8080/f.bin")
def test_the_short_way_agrees_with_the_full_one(url: str) -> None:
    """Whatever it takes, it names host and file as the full way does."""
    parts = plain_parts(url)
    assert parts is None or parts == (host_of(url), name_from_url(url))


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://cdn.example.org/a/b/image-0001.png", ("cdn.example.org", "image-0001.png")),
        ("http://127.0.0.1:8080/x.tar.gz?token=1/2", ("127.0.0.1:8080", "x.tar.gz")),
        ("http://127.0.0.1:43567/x.tar.gz", ("127.0.0.1:43567", "x.tar.gz")),
        ("https://images.test/id/237/200/300", ("images.test", "300")),
        ("https://a.test/f(1),b=2+c~.jpg", ("a.test", "f(1),b=2+c~.jpg")),
    ],
)
def test_everyday_addresses_take_the_short_way(url: str, parts: tuple[str, str]) -> None:
    """Else it would be worth nothing."""
    assert plain_parts(url) == parts
