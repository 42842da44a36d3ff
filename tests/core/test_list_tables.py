"""Lists in CSV, TSV and JSON Lines: columns by name, the rest passed through, every bad row by its line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.list_texts import only_bad, outline, read_text
from tui_dl.core.errors import UsageError
from tui_dl.core.list_kinds import ListFormat, format_of
from tui_dl.core.parts import Part
from tui_dl.core.url_list import MOST_ROW_BYTES, BadLine, Line

CSV, TSV, JSONL, AUTO = ListFormat.CSV, ListFormat.TSV, ListFormat.JSONL, ListFormat.AUTO
SHA1 = "0123456789012345678901234567890123456789"
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


def test_columns_go_by_their_names() -> None:
    """In any order and spelling; what we do not know is extra, in the list's order."""
    text = f"label,URL,File Name,Dir,sha-1,Referer,size\ncat,http://h/a,a.png,d,{SHA1},http://r/,12\n"
    assert read_text(text, CSV) == [
        Line(
            2,
            "http://h/a",
            name="a.png",
            dir="d",
            checksum=f"sha1={SHA1}",
            headers=(("Referer", "http://r/"),),
            extra=(("label", "cat"), ("size", "12")),
        )
    ]


def test_an_address_column_alone_makes_a_plain_line() -> None:
    """Nothing else is said of it."""
    assert read_text("url\r\nhttp://h/a\r\n\r\nhttp://h/b", CSV) == [Line(2, "http://h/a"), Line(4, "http://h/b")]


@pytest.mark.parametrize(
    ("cell", "digest"),
    [(f"sha1={SHA1}", "sha1"), (f"SHA1:{SHA1}", "sha1"), (SHA1, "sha1"), ("0" * 32, "md5"), ("0" * 64, "sha256")],
)
def test_a_checksum_is_written_in_several_ways(cell: str, digest: str) -> None:
    """With its algorithm or, where the number of digits tells it, without."""
    (line,) = read_text(f"url,checksum\nhttp://h/a,{cell}\n", CSV)
    assert isinstance(line, Line)
    assert line.checksum.startswith(f"{digest}=")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("kind", [CSV, AUTO])
def test_the_first_line_tells_what_separates(delimiter: str, kind: ListFormat) -> None:
    """Spreadsheets of half of Europe write semicolons."""
    text = "id,url\n1,http://h/a;x\n".replace(",", delimiter)
    found = read_text(text, kind)
    if delimiter != ";":
        assert found == [Line(2, "http://h/a;x", extra=(("id", "1"),))]
    else:
        assert only_bad(found) == [(2, "3 fields where there are 2 columns")]


def test_quoted_fields_hold_anything() -> None:
    """Commas, quotes and line ends; the row has the number of its first line."""
    text = 'name,url,note\n"a ""b"", c",http://h/a,"one\ntwo, ""three""\n"\nd,http://h/b,\n'
    assert read_text(text, CSV) == [
        Line(2, "http://h/a", name='a "b", c', extra=(("note", 'one\ntwo, "three"\n'),)),
        Line(5, "http://h/b", name="d", extra=(("note", ""),)),
    ]


def test_an_unclosed_quote_costs_its_own_line_alone() -> None:
    """Everything below it is read as if it were not there."""
    rows = "".join(f"{number},http://h/{number}\n" for number in range(2000))
    found = read_text(f'id,url\n"x,http://h/x\n{rows}', CSV)
    assert only_bad(found) == [(2, "the quote is not closed")]
    assert outline(found)[1:] == [(number + 3, f"http://h/{number}") for number in range(2000)]


def test_an_unclosed_quote_at_the_end_is_reported() -> None:
    """With the rows behind it read all the same."""
    found = read_text('url,id\nhttp://h/a,1\nhttp://h/b,"2\nhttp://h/c,3\n', CSV)
    assert outline(found) == [(2, "http://h/a"), (3, "!"), (4, "http://h/c")]


def test_rows_that_do_not_fit_are_bad_lines() -> None:
    """Too many fields (a comma in an address), no address, a bad one, no text, a bare carriage return."""
    text = b"url,n\nhttp://h/a,b,1\n,2\nnonsense,3\nhttp://h/\xff,4\nhttp://h/c\rd,5\nhttp://h/e,6\nhttp://h/f\n"
    found = read_text(text, CSV)
    assert outline(found) == [*((number, "!") for number in range(2, 7)), (7, "http://h/e"), (8, "http://h/f")]


def test_a_row_of_ten_megabytes_is_one_bad_line() -> None:
    """And the row after it is whole."""
    found = read_text(b"url,n\nhttp://h/a," + b"x" * (10 << 20) + b"\nhttp://h/b,1\n", CSV, block=65536)
    assert outline(found) == [(2, "!"), (3, "http://h/b")]
    assert f"{MOST_ROW_BYTES // 1024} KiB" in only_bad(found)[0][1]


def test_a_list_without_names_of_columns_is_understood() -> None:
    """Its addresses are where the first line has one; the other columns are numbered."""
    found = read_text("a.png,http://h/a,x\nb.png,http://h/b,y\n", CSV)
    assert found[0] == Line(1, "http://h/a", extra=(("column1", "a.png"), ("column3", "x")))
    assert outline(found) == [(1, "http://h/a"), (2, "http://h/b")]


def test_a_list_without_an_address_column_is_refused() -> None:
    """At once, with what its first line says."""
    with pytest.raises(UsageError, match=r"names no column url: 'id,name'"):
        read_text("id,name\n1,a\n", CSV)


def test_objects_of_json_lines() -> None:
    """Keys are columns, whatever their order; values keep their kind; an address in quotes will do."""
    lines = [
        {"url": "http://h/a", "filename": "a", "caption": "café", "n": 3, "tags": ["x", None]},
        {"n": 4, "url": "http://h/b", "headers": {"X-A": "1"}, "mirrors": ["http://m/b"]},
        "http://h/c",
        {"url": "http://h/d", "headers": ["X-A: 1", "X-B: 2"], "name": 7},
    ]
    assert read_text("\n\n".join(map(json.dumps, lines)), JSONL) == [
        Line(1, "http://h/a", name="a", extra=(("caption", "café"), ("n", 3), ("tags", ["x", None]))),
        Line(3, "http://h/b", headers=(("X-A", "1"),), mirrors=("http://m/b",), extra=(("n", 4),)),
        Line(5, "http://h/c"),
        Line(7, "http://h/d", name="7", headers=(("X-A", "1"), ("X-B", "2"))),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        "12",
        "null",
        '{"url": 3}',
        '{"url": null}',
        '{"no": "http://h/"}',
        '{"url": "nonsense"}',
        '{"url": "http://h/", "name": {}}',
        '{"url": "http://h/", "name": true}',
        '{"url": "http://h/", "checksum": "x"}',
        '{"url": "http://h/", "mirrors": [[]]}',
        '{"url": "http://h/\\ud800"}',
        '{"url": ' + "[" * 100_000,
        '{"n": ' + "9" * 5000 + "}",
    ],
)
def test_no_json_line_raises(line: str) -> None:
    """Whatever it is, it is one bad line."""
    assert outline(read_text(f'"http://h/a"\n{line}\n"http://h/c"\n', JSONL)) == [
        (1, "http://h/a"),
        (2, "!"),
        (3, "http://h/c"),
    ]


@pytest.mark.parametrize("kind", [JSONL, AUTO])
@pytest.mark.parametrize("text", ['[{"url": "http://h/"}]', '["http://h/"]', '[\n  {"url": "http://h/"}\n]\n'])
def test_an_array_is_refused_with_the_way_out(text: str, kind: ListFormat) -> None:
    """It cannot be read as a stream of lines."""
    with pytest.raises(UsageError, match="jq"):
        read_text(text, kind)


def test_values_that_json_does_not_know_are_words() -> None:
    """NaN must not come out of a manifest again as what nobody can read."""
    (line,) = read_text('{"url": "http://h/", "n": NaN}', JSONL)
    assert isinstance(line, Line)
    assert line.extra == (("n", "NaN"),)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.CSV", CSV),
        ("a.tsv.gz", TSV),
        ("a.jsonl.zst", JSONL),
        ("a.ndjson", JSONL),
        ("a.parquet", ListFormat.PARQUET),
        ("a.txt.xz", AUTO),
        ("-", AUTO),
    ],
)
def test_the_suffix_tells_the_format(name: str, kind: ListFormat) -> None:
    """That of the packing apart."""
    assert format_of(name) is kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# c\n\nurl,name\nhttp://h/a,x\n", [Line(4, "http://h/a", name="x")]),
        ('\n{"url": "http://h/a", "name": "x"}\n', [Line(2, "http://h/a", name="x")]),
        ("\n# c\nhttp://h/a\n out=x\n", [Line(3, "http://h/a", name="x")]),
        ("http://h/a,b\n", [Line(1, "http://h/a,b")]),
        ("http://h/?a|url|b\n", [Line(1, "http://h/?a|url|b")]),
        ("url\thash\nhttp://h/a\t1\n", [Line(2, "http://h/a", extra=(("hash", "1"),))]),
        ('a cat, "red"\thttp://h/a\n', [Line(1, "http://h/a", extra=(("column1", 'a cat, "red"'),))]),
        ("http://h/a\thttp://m/a\n", [Line(1, "http://h/a", mirrors=("http://m/a",))]),
        ("# nothing\n\n", []),
    ],
)
def test_the_first_line_that_says_anything_tells_the_format(text: str, expected: list[Line]) -> None:
    """Where no name does; the lines before it are counted."""
    assert read_text(text, AUTO) == expected
    assert read_text(text, AUTO, block=3) == expected


def test_parts_of_a_table_go_by_line() -> None:
    """The line of the names belongs to every part."""
    text = "url\n" + "".join(f"http://h/{number}\n" for number in range(2, 9))
    parts = [read_text(text, CSV, part=Part(number, 3)) for number in (1, 2, 3)]
    assert [[one.number for one in part] for part in parts] == [[4, 7], [2, 5, 8], [3, 6]]
    assert read_text(text.replace("url", '"url"'), CSV, part=Part(2, 3)) == parts[1]


@given(st.lists(ANY_TEXT | st.text('",\n;url\r', max_size=20), max_size=6), st.sampled_from([CSV, JSONL, AUTO]))
def test_any_table_is_lines_and_reports(texts: list[str], kind: ListFormat) -> None:
    """No row raises; what is reported is safe to show; blocks do not matter."""
    head = "url,name,x\n" if kind is CSV else '"http://h/"\n'
    octets = (head + "\n".join(texts)).encode("utf-8", "surrogatepass")
    found = read_text(octets, kind)
    assert read_text(octets, kind, block=5) == found
    for line in found:
        if isinstance(line, BadLine):
            assert (line.text_shown + line.problem + line.message).isprintable()
