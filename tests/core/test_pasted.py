"""Pastes of addresses and curl commands in any mixture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.pasted import one_download, read_paste

PASTE = """https://a.example/1

# curl https://never.example/
curl 'https://b.example/2' \\
  -H 'cookie: a=b' ;
curl https://c.example/3
  https://d.example/4
"""


def meant(text: str) -> list[tuple[int, str]]:
    """Return the lines and addresses, or problems."""
    return [
        (one.line, one.problem or " ".join(each.url for each in one.downloads) or "nothing") for one in read_paste(text)
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_addresses_and_commands_may_be_mixed(end: str) -> None:
    """Each with the line on which it begins; comments and blank lines are left out, commented commands too."""
    assert meant(PASTE.replace("\n", end)) == [
        (1, "https://a.example/1"),
        (4, "https://b.example/2"),
        (6, "https://c.example/3"),
        (7, "https://d.example/4"),
    ]


def test_two_commands_of_a_line_are_two() -> None:
    """Whatever joins them."""
    assert meant("curl https://a.example/1; curl https://a.example/2 && curl https://a.example/3") == [
        (1, "https://a.example/1"),
        (1, "https://a.example/2"),
        (1, "https://a.example/3"),
    ]


def test_a_bad_line_is_a_problem_of_its_own() -> None:
    """The others are read on."""
    assert [(line, "http" in text) for line, text in meant("https://a.example/1\nnonsense\nhttps://a.example/2")] == [
        (1, True),
        (2, True),
        (3, True),
    ]
    assert [one.problem[:2] for one in read_paste("https://a.example/1\nnonsense\nhttps://a.example/2")][::2] == [
        "",
        "",
    ]


def test_a_bad_command_does_not_take_the_next_with_it() -> None:
    """Its further lines are no addresses, and the command after it stands for itself."""
    found = meant("curl 'https://a.example/1' \\\n  -X POST \\\n  -d 'x'\ncurl https://b.example/2\n")
    assert [line for line, _ in found] == [1, 4]
    assert "another method" in found[0][1]
    assert found[1][1] == "https://b.example/2"


def test_a_quote_that_is_never_closed_takes_its_paragraph() -> None:
    """What follows a blank line is read on."""
    found = meant("curl 'https://a.example/1 \\\n  -H 'a: b'\n\nhttps://b.example/2")
    assert [line for line, _ in found] == [1, 4]


def test_another_program_is_named_once() -> None:
    """And its lines are not taken for addresses."""
    found = meant('Invoke-WebRequest -Uri "https://a.example/1" `\n-Headers @{\n"a"="b"\n}')
    assert [(line, "PowerShell" in text) for line, text in found] == [(1, True)]


def test_one_download_is_one() -> None:
    """None and several are refused, each in words."""
    assert one_download(" https://a.example/1 \n").url == "https://a.example/1"
    assert one_download("curl https://a.example/1 -H 'a: b'").headers == (("a", "b"),)
    for text, says in (("", "paste an address"), ("https://a/1\nhttps://a/2", "not 2"), ("nonsense", "no http")):
        with pytest.raises(UsageError, match=says):
            one_download(text)


@given(st.text(st.sampled_from("curl 'h\"\\\n^;&$#:/a-H\t"), max_size=60))
def test_every_paste_ends_with_sane_lines(text: str) -> None:
    """Reading ends, raises nothing, and names lines that there are, in order."""
    lines = [one.line for one in read_paste(text)]
    assert lines == sorted(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)


def test_the_path_of_a_metalink_is_taken_as_it_is() -> None:
    """Whether there is such a file is not for this one to say."""
    (found,) = read_paste("~/f.meta4\n")
    assert found.downloads[0].url == "~/f.meta4"
    (other,) = read_paste("~/f.iso\n")
    assert other.problem


def test_patterns_of_a_paste_are_counted_where_they_are_wanted() -> None:
    """And are addresses as they stand where one address is."""
    text = "http://h/[1-3]\nhttp://h/\\[1-3\\]\nhttp://h/[3-1]\n"
    first, second, third = read_paste(text, has_globs=True)
    assert first.glob is not None
    assert (first.glob.count, first.downloads) == (3, ())
    assert [one.url for one in second.downloads] == ["http://h/[1-3]"]
    assert "runs backwards" in third.problem
    assert one_download("http://h/[1-3]").url == "http://h/[1-3]"


def test_blanks_inside_the_only_address_are_encoded() -> None:
    """Among several lines they may part columns, and are refused as in a list."""
    assert meant("https://a.example/a file.zip\n") == [(1, "https://a.example/a%20file.zip")]
    (_, first), (_, second) = meant("https://a.example/a file.zip\nhttps://a.example/b\n")
    assert "white space" in first
    assert second == "https://a.example/b"
