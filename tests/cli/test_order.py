"""What a command line orders: folder, name, headers, policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tui_dl.cli.listed import new_task
from tui_dl.cli.order import Order, read_order
from tui_dl.core.errors import UsageError
from tui_dl.core.header_lines import parse_header
from tui_dl.core.task import NewTask, OnExists, TaskOptions
from tui_dl.core.url_list import Line
from tui_dl.disk.locations import locations_under

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://h/a"


def order(tmp_path: Path, environment: dict[str, str] | None = None, **given: Any) -> Order:
    """Return the order of one address, typed in `tmp_path`."""
    given = {"urls": (URL,), **given}
    return read_order(given, locations=locations_under(tmp_path), environment=environment or {}, folder=tmp_path)


def test_the_folder_is_where_the_command_was_typed(tmp_path: Path) -> None:
    """DESIGN 14: stored absolute."""
    assert order(tmp_path).news[0].dir == str(tmp_path)


def test_a_folder_is_taken_from_there_too(tmp_path: Path) -> None:
    """A relative one is below it, one from the settings holds where no option says otherwise, `~` is the home."""
    assert order(tmp_path, dir="sub").dir == str(tmp_path / "sub")
    assert order(tmp_path, {"TUI_DL_DIR": "/elsewhere"}).dir == "/elsewhere"
    assert order(tmp_path, {"TUI_DL_DIR": "/elsewhere"}, dir="/here").dir == "/here"
    assert order(tmp_path, dir="~/iso").dir == str(tmp_path / "iso")


def test_a_name_is_for_one_address(tmp_path: Path) -> None:
    """It is used as it is typed."""
    assert order(tmp_path, output="b.iso").news[0].name == "b.iso"
    with pytest.raises(UsageError, match="exactly one address"):
        order(tmp_path, output="b.iso", input_files=("-",))


def test_a_list_leaves_alone_what_is_there(tmp_path: Path) -> None:
    """DESIGN 14: lists skip, unless somebody said otherwise; typed addresses are renamed."""
    assert order(tmp_path).listed_task(Line(1, URL)).options.on_exists is OnExists.SKIP
    assert order(tmp_path, rename=True).listed_task(Line(1, URL)).options.on_exists is None
    assert order(tmp_path).news[0].options.on_exists is None


def test_a_policy_is_a_setting_of_the_whole_order(tmp_path: Path) -> None:
    """`--overwrite` holds for all."""
    assert order(tmp_path, overwrite=True).effective.settings.on_exists == OnExists.OVERWRITE


def test_credentials_in_an_address_become_a_header(tmp_path: Path) -> None:
    """Neither journal nor log shows them; a header that was given wins; other options stay."""
    options = TaskOptions(connections=3)
    task = new_task("http://me:secret@h/a", "/d", "", options)
    assert (task.url, task.options.connections) == (URL, 3)
    assert task.options.headers == (("Authorization", "Basic bWU6c2VjcmV0"),)
    given = TaskOptions(headers=(("authorization", "mine"),))
    assert new_task("http://me:secret@h/a", "/d", "", given).options == given


@pytest.mark.parametrize("line", ["X-A: b", "X-A:b", " X-A :  b "])
def test_a_header_is_name_and_value(line: str) -> None:
    """Blanks around them do not count."""
    assert parse_header(line) == ("X-A", "b")


@pytest.mark.parametrize("line", ["nonsense", ": b", "X A: b", "X-A: b\r\nHost: other", "Range: bytes=1-", "host: x"])
def test_a_header_that_would_break_the_request_is_refused(line: str) -> None:
    """No second header is smuggled in, and ours are ours."""
    with pytest.raises(UsageError, match="--header"):
        parse_header(line)


def test_an_address_is_checked_before_anything_is_opened(tmp_path: Path) -> None:
    """Wrong usage, not a failed download."""
    with pytest.raises(UsageError):
        order(tmp_path, urls=("http://",))


def test_a_checksum_is_of_one_address(tmp_path: Path) -> None:
    """It is kept in one spelling; for several and for a list it is refused with the way out."""
    text = "MD5=" + "AB" * 16
    assert order(tmp_path, checksum=text).news[0].options.checksum == "md5=" + "ab" * 16
    for others in ({"urls": (URL, "http://h/b")}, {"urls": ()}, {"input_files": ("-",)}):
        with pytest.raises(UsageError, match="one command for each"):
            order(tmp_path, checksum=text, **others)
    assert order(tmp_path, checksum=text, output="-").news[0].options.checksum == "md5=" + "ab" * 16


def test_a_checksum_of_another_length_is_refused(tmp_path: Path) -> None:
    """Before anything is opened."""
    with pytest.raises(UsageError, match="32 hexadecimal digits"):
        order(tmp_path, checksum="md5=abcd")


def test_the_proxys_credentials_are_no_header() -> None:
    """Every server would see them."""
    with pytest.raises(UsageError, match="--proxy"):
        parse_header("Proxy-Authorization: Basic c4nary")


def test_continue_is_asked_of_each_task(tmp_path: Path) -> None:
    """Typed addresses and those of lists take over half files."""
    assert order(tmp_path, continues=True).news[0].options.continues
    assert order(tmp_path, continues=True).listed_task(Line(1, URL)).options.continues
    assert not order(tmp_path).news[0].options.continues


@pytest.mark.parametrize("flag", ["skip_existing", "rename"])
def test_continue_and_leaving_alone_exclude_each_other(tmp_path: Path, flag: str) -> None:
    """One takes the file that is there, the other does not."""
    with pytest.raises(UsageError, match="keep one"):
        order(tmp_path, None, continues=True, **{flag: True})


def test_in_order_means_one_connection(tmp_path: Path) -> None:
    """More are refused rather than ignored, whoever asked for the order."""
    assert order(tmp_path, sequential=True).effective.settings.sequential
    with pytest.raises(UsageError, match="one connection"):
        order(tmp_path, sequential=True, connections=4)
    with pytest.raises(UsageError, match="one connection"):
        order(tmp_path, {"TUI_DL_SEQUENTIAL": "on"}, connections=4)


@pytest.mark.parametrize(
    ("name", "value"),
    [("remote_time", True), ("origin_attributes", True), ("continues", True), ("min_free", 1), ("preallocate", "off")],
)
def test_standard_output_is_no_file(tmp_path: Path, name: str, value: object) -> None:
    """What means something for files alone is refused there."""
    with pytest.raises(UsageError, match="writes no file"):
        order(tmp_path, None, output="-", **{name: value})


@pytest.mark.parametrize(("text", "size"), [("0", 0), ("2G", 2 << 30), ("512M", 512 << 20)])
def test_the_watermark_is_a_size(tmp_path: Path, text: str, size: int) -> None:
    """As every size is written."""
    assert order(tmp_path, {"TUI_DL_MIN_FREE": text}).effective.settings.min_free == size


@pytest.mark.parametrize(("word", "number"), [("high", 1), ("normal", 0), ("low", -1), (None, None)])
def test_a_priority_is_for_every_address(tmp_path: Path, word: str | None, number: int | None) -> None:
    """Typed or listed, each download has it; where nobody says one, a row that is there keeps its own."""
    made = order(tmp_path, urls=("http://h/a", "http://h/b"), priority=word)
    assert [one.priority for one in made.news] == [number, number]
    assert made.listed_task(Line(1, "http://h/c")).priority == number


def test_one_stream_has_no_priority(tmp_path: Path) -> None:
    """There is nothing beside it to be before."""
    with pytest.raises(UsageError, match="--priority"):
        order(tmp_path, urls=("http://h/a",), output="-", priority="high")


# -- names -------------------------------------------------------------------------------------------------------------


def test_a_template_names_what_was_typed_and_what_a_list_says(tmp_path: Path) -> None:
    """Numbers run on from the typed ones; what a list calls a file is its name, and its columns are fields."""
    made = order(tmp_path, name_template="{label}/{index:03}-{name}", input_files=(str(_list(tmp_path)),), urls=())
    lines = [
        Line(1, "http://h/a/x.jpg", extra=(("label", "cats"),)),
        Line(2, "http://h/b/x.jpg", name="y.jpg", dir="sub", extra=(("label", "../.."),)),
    ]
    news = [one for one in made.listed_tasks(lines, "list.txt") if isinstance(one, NewTask)]
    assert [(one.dir, one.name) for one in news] == [
        (str(tmp_path / "cats"), "001-x.jpg"),
        (str(tmp_path / "sub" / "_"), "002-y.jpg"),
    ]


def test_a_line_without_the_column_is_bad_where_others_have_it(tmp_path: Path) -> None:
    """The first line tells whether the template is wrong; the number of a bad line stays its own."""
    made = order(tmp_path, name_template="{id}-{index}", input_files=(str(_list(tmp_path)),), urls=())
    good = Line(1, URL, extra=(("id", 5),))
    names = [
        one.name if isinstance(one, NewTask) else one.problem
        for one in made.listed_tasks([good, Line(2, URL), good], "l")
    ]
    assert (names[0], names[2]) == ("5-1", "5-3")
    assert "no field and no column {id}" in names[1]
    with pytest.raises(UsageError, match="no column"):
        order(tmp_path, name_template="{id}", input_files=(str(_list(tmp_path)),), urls=()).listed_tasks(
            [Line(2, URL)], "l"
        )


def test_what_a_template_cannot_name_is_refused(tmp_path: Path) -> None:
    """A field that nothing fills, and options that name files themselves."""
    with pytest.raises(UsageError, match="no field"):
        order(tmp_path, name_template="{label}")
    with pytest.raises(UsageError, match="--output"):
        order(tmp_path, name_template="{name}", output="a")
    with pytest.raises(UsageError, match="members"):
        order(tmp_path, name_template="{name}", shards=10)


def test_a_name_that_was_typed_goes_before_the_settings_template(tmp_path: Path) -> None:
    """The settings speak of all, `-o` of this one."""
    template = {"TUI_DL_NAME_TEMPLATE": "{host}/{name}"}
    assert order(tmp_path, template).news[0].dir == str(tmp_path / "h")
    assert order(tmp_path, template, output="mine.bin").news[0].dir == str(tmp_path)


def _list(folder: Path) -> Path:
    path = folder / "list.txt"
    path.touch()
    return path
