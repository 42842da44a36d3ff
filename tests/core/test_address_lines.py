"""Lists with an address a line: comments, ends of lines, aria2's options and mirrors; each bad line by its number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.list_texts import only_bad, outline, read_text
from tui_dl.core.address_lines import AddressLines
from tui_dl.core.addresses import PLAIN_URL, origin_of, split_userinfo, wire_url
from tui_dl.core.errors import UsageError
from tui_dl.core.list_kinds import ListFormat
from tui_dl.core.parts import Part
from tui_dl.core.task import OnExists
from tui_dl.core.url_list import MOST_LINE_BYTES, BadLine, BadLines, Line

ARIA2 = ListFormat.ARIA2
PLAIN = ListFormat.PLAIN
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize("kind", [ARIA2, PLAIN, ListFormat.AUTO])
def test_lines_have_numbers_comments_and_blanks(kind: ListFormat) -> None:
    """Comments and blank lines are skipped but counted; line ends vanish; an indented address is one, too."""
    text = "http://e.org/1\r\n\n# http://e.org/no\n  http://e.org/4  \n   # no\nHTTP://e.org/6"
    assert outline(read_text(text, kind)) == [(1, "http://e.org/1"), (4, "http://e.org/4"), (6, "http://e.org/6")]


def test_bad_lines_are_reported_and_the_rest_goes_on() -> None:
    """Each defect has its line number and its words."""
    text = "nonsense\nhttp://e.org/a b\ngopher://e.org/\nhttp://e.org/\x1b[2J\nhttp://e.org/\0\nhttp://e.org/ok\n"
    found = read_text(text, ARIA2)
    assert outline(found) == [*((number, "!") for number in range(1, 6)), (6, "http://e.org/ok")]
    assert [problem.split(":")[0] for _, problem in only_bad(found)[:2]] == [
        "no http",
        "white space or a control character inside",
    ]


def test_what_is_no_text_is_a_bad_line_and_ends_the_address_above() -> None:
    """Binary garbage between two good lines is counted by its lines."""
    found = read_text(b"http://e.org/1\n\xff\xfe\x00\n\x89PNG\nhttp://e.org/4\n", ARIA2)
    assert outline(found) == [(1, "http://e.org/1"), (2, "!"), (3, "!"), (4, "http://e.org/4")]
    assert "UTF-8" in only_bad(found)[0][1]


def test_the_limit_of_a_line_is_exact() -> None:
    """Its end apart; of a longer line only the beginning is kept."""
    longest = "http://e.org/".ljust(MOST_LINE_BYTES, "a")
    good, bad = read_text(f"{longest}\r\n{longest}a\r\n", ARIA2)
    assert good == Line(1, longest)
    assert isinstance(bad, BadLine)
    assert "64 KiB" in bad.problem
    assert len(bad.text_shown) < 100


def test_options_of_aria2_are_honoured() -> None:
    """Each one that means something for one address; the later of two wins, headers add up."""
    text = """http://e.org/a
  out=sub/x.bin
  dir=/there
  checksum=sha-1=0123456789012345678901234567890123456789
  header=X-One: 1
  header=X-Two: 2
  referer=http://r/
  user-agent=me
  split=4
  max-connection-per-server=2
  max-download-limit=2M
  max-tries=7
  continue=true
  allow-overwrite=true
  out=y.bin
http://e.org/b
"""
    first, second = read_text(text, ARIA2)
    assert first == Line(
        1,
        "http://e.org/a",
        name="y.bin",
        dir="/there",
        checksum="sha1=0123456789012345678901234567890123456789",
        headers=(("X-One", "1"), ("X-Two", "2"), ("Referer", "http://r/"), ("User-Agent", "me")),
        asked=(
            ("limit_rate_bps", 2 * 1024 * 1024),
            ("max_retries", 7),
            ("continues", True),
            ("connections", 2),
            ("on_exists", OnExists.OVERWRITE),
        ),
    )
    assert second == Line(16, "http://e.org/b")


def test_folders_in_a_name_are_below_the_folder() -> None:
    """As aria2's `out=` has them; none leads out of it."""
    found = read_text("http://h/a\n dir=d\n out=x//y/z\nhttp://h/b\n out=x/y\nhttp://h/c\n out=../y\n", ARIA2)
    assert [(one.dir, one.name) for one in found if isinstance(one, Line)] == [("d/x/y", "z"), ("x", "y")]
    assert only_bad(found) == [(7, "the name leads out of its folder, or to none; give the folder as dir")]


@pytest.mark.parametrize("name", ["/etc/passwd", "a/", "..", "a/../b", "."])
def test_a_name_stays_in_its_folder(name: str) -> None:
    """No list names a file elsewhere by `out=`."""
    assert [number for number, _ in only_bad(read_text(f"http://h/a\n out={name}\n", ARIA2))] == [2]


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ("all-proxy=http://p:1", "--proxy"),
        ("load-cookies=c.txt", "--cookies"),
        ("check-certificate=false", "--insecure"),
        ("pause=true", "not taken for one address"),
        ("ouut=x", "no option of aria2"),
        ("checksum=md5=1", "32 hexadecimal digits"),
        ("header=Range: bytes=0-", "tui-dl sets this one itself"),
        ("max-tries=x", "whole number"),
        ("split=x", "no number"),
    ],
)
def test_an_option_that_cannot_be_kept_leaves_its_address_out(option: str, word: str) -> None:
    """It would change what comes, so nothing is fetched instead; the report names the option's own line."""
    found = read_text(f"http://h/a\n  timeout=5\n  {option}\n  dir=x\nhttp://h/b\n", ARIA2)
    ((number, problem),) = only_bad(found)
    assert number == 3
    assert word in problem
    assert outline(found)[1:] == [(5, "http://h/b")]


@pytest.mark.parametrize("option", ["timeout=5", "bt-tracker=x", "check-certificate=true", "all-proxy=", "gid=1"])
def test_options_that_do_not_change_what_comes_are_accepted(option: str) -> None:
    """Lists made for aria2 work as they are."""
    assert read_text(f"http://h/a\n  {option}\n", ARIA2) == [Line(1, "http://h/a")]


def test_credentials_of_aria2_become_a_header() -> None:
    """Only those of the address's own protocol, and a header given for it stands."""
    first, second, third = read_text(
        "http://h/a\n http-user=me\n http-passwd=pw\n"
        "ftp://h/b\n http-user=me\n http-passwd=pw\n"
        "http://h/c\n http-user=me\n header=Authorization: Bearer x\n",
        ARIA2,
    )
    assert isinstance(first, Line)
    assert first.headers == (("Authorization", "Basic bWU6cHc="),)
    assert second == Line(4, "ftp://h/b")
    assert isinstance(third, Line)
    assert third.headers == (("Authorization", "Bearer x"),)


def test_mirrors_stand_behind_a_tab() -> None:
    """The first is the address, with or without options below it; a bad mirror makes a bad line."""
    text = "http://h/a\thttp://m/a\thttp://n/a\n dir=d\nhttp://h/b\t\thttp://m/b\nhttp://h/c\tnonsense\n"
    found = read_text(text, ARIA2)
    assert found[0] == Line(1, "http://h/a", dir="d", mirrors=("http://m/a", "http://n/a"))
    assert found[1] == Line(3, "http://h/b", mirrors=("http://m/b",))
    assert outline(found)[2:] == [(4, "!")]


def test_an_option_without_an_address_is_a_bad_line() -> None:
    """At the list's beginning; below a bad address it is left out with it."""
    found = read_text(" out=x\nnonsense\n out=y\n dir=z\nhttp://h/a\n", ARIA2)
    assert outline(found) == [(1, "!"), (2, "!"), (5, "http://h/a")]
    assert only_bad(found)[0][1] == "an option without an address above it"


def test_a_plain_list_has_no_options() -> None:
    """Nothing waits for a further line, and an indented word is a bad line."""
    reader = AddressLines(BadLines("list"), has_options=False)
    assert reader.feed([b"http://h/a"]) == [Line(1, "http://h/a")]
    assert outline(reader.feed([b"  out=x"])) == [(2, "!")]


def test_an_address_that_was_taken_gets_no_options() -> None:
    """Of a slow pipe it does not wait for ever: what comes too late is said to."""
    reader = AddressLines(BadLines("list"))
    assert reader.feed([b"http://h/a"]) == []
    assert reader.is_holding
    assert reader.finish() == [Line(1, "http://h/a")]
    assert only_bad(reader.feed([b" out=x"])) == [(2, "an option that came too late: its address was taken already")]


def test_an_address_of_a_list_with_options_waits_for_its_own() -> None:
    """A program that writes such a list stops anywhere, also between an address and what belongs to it."""
    reader = AddressLines(BadLines("list"))
    reader.feed([b"http://h/a", b" out=x", b"http://h/b"])
    assert not reader.is_holding
    assert reader.feed([b" out=y", b"http://h/c"]) == [Line(3, "http://h/b", name="y")]


def test_parts_share_every_line_and_its_options() -> None:
    """Each line, good or bad, is in exactly one part; options go with their address."""
    text = "http://h/1\nnonsense\nhttp://h/3\n out=x\nhttp://h/5\n\nhttp://h/7\nhttp://h/8\n"
    parts = [read_text(text, ARIA2, part=Part(number, 3)) for number in (1, 2, 3)]
    assert sorted(one.number for part in parts for one in part) == [1, 2, 3, 5, 7, 8]
    assert outline(parts[1]) == [(2, "!"), (5, "http://h/5"), (8, "http://h/8")]
    assert parts[2] == [Line(3, "http://h/3", name="x")]


@given(st.lists(ANY_TEXT, max_size=5), st.sampled_from(["", " ", "http://", "http://e.org/", " out=", "http://h/\t"]))
def test_any_line_is_an_address_or_a_report(texts: list[str], prefix: str) -> None:
    """No line raises, and what is reported is safe to show."""
    octets = b"\n".join((prefix + text).encode("utf-8", "surrogatepass") for text in texts)
    for line in [*read_text(octets, ARIA2, block=7), *read_text(b"\xff" + octets, ARIA2)]:
        assert line.number >= 1
        if isinstance(line, BadLine):
            assert (line.text_shown + line.problem + line.message).isprintable()
        else:
            assert line.url.isascii()


@given(st.text("\n\r \t#ohtp:/=a.é\x00", max_size=80), st.integers(1, 9))
def test_blocks_do_not_matter(text: str, block: int) -> None:
    """Wherever a list is cut into blocks, it says the same."""
    assert read_text(text, ARIA2, block=block) == read_text(text, ARIA2)


@given(
    st.sampled_from(["http://", "https://", "ftp://"]),
    st.text("ab1-._:@[]A%", max_size=12),
    st.text("ab/?#[]{}@:%é \\", max_size=12),
)
def test_the_short_way_says_what_the_long_one_does(scheme: str, host: str, rest: str) -> None:
    """An address that is passed with one look is one that taking it apart would leave as it is."""
    url = f"{scheme}{host}{rest}"
    if PLAIN_URL.fullmatch(url):
        assert origin_of(url)[0] == scheme.removesuffix("://")
        assert wire_url(url + " ".strip(), is_typed=True) == url
        assert split_userinfo(url, is_typed=True) == (url, "")
        # the long way: a letter that only it understands, taken off again
        assert wire_url(url.replace("://", "://u@", 1)).replace("u@", "", 1) == url


@pytest.mark.parametrize("port", [1, 80, 8080, 9999, 10000, 43567, 59999, 60000, 64999, 65499, 65529, 65535])
def test_every_port_passes_the_short_way(port: int) -> None:
    """A list of a test server's addresses, whose port has five digits, is read as quickly as any."""
    assert PLAIN_URL.fullmatch(f"http://h.test:{port}/x")


def test_a_bad_host_of_a_plain_look_is_refused() -> None:
    """The short way is no hole: what is no host stays none."""
    for url in ("http://", "http://.a/", "http://a..b/", "http://h:0/", "http://h:65536/", "http://u@/"):
        assert not PLAIN_URL.fullmatch(url)
    with pytest.raises(UsageError):
        wire_url("http://a..b/")
