"""Name templates: what they say, what they refuse, and that nothing leads out of the folder."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.name_template import (
    FIELDS,
    MOST_FOLDER_BYTES,
    MOST_FOLDERS,
    NameFacts,
    namer_for,
    parse_name_template,
    split_folder,
)
from tui_dl.core.setting_facts import coerce
from tui_dl.core.settings import SETTINGS
from tui_dl.core.task import NewTask

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
URL = "https://Example.org:8443/a/b%20c/data.tar.gz?page=2&q=x%2Fy"


@pytest.mark.parametrize(
    ("template", "place"),
    [
        ("{name}", ("", "data.tar.gz")),
        ("{host}/{path}/{name}", ("example.org/a/b c", "data.tar.gz")),
        ("{index:06}.{ext}", ("", "000007.tar.gz")),
        ("{index}", ("", "7")),
        ("{line:3d}-{stem}", ("", "011-data")),
        ("{sha1:2}/{name}", ("b9", "data.tar.gz")),
        ("{sha256:.4}", ("", "46cf")),
        ("{name}-{query}", ("", "data.tar.gz-page=2&q=x_y")),
        ("{date}/{date:%H%M%S}", ("2026-03-04", "050607")),
        ("{scheme}-{port}/{stem:2}", ("https-8443", "da")),
        ("x-{path}/{{{name}}}", ("x-a_b c", "{data.tar.gz}")),
        ("{label}/{name}", ("cats", "data.tar.gz")),
        ("{nothing}/{name}", ("", "data.tar.gz")),
    ],
)
def test_a_template_is_filled_from_address_list_and_date(template: str, place: tuple[str, str]) -> None:
    """Every field has one meaning; a folder of nothing is left out."""
    facts = NameFacts(URL, index=7, line=11, at=AT, columns={"label": "cats", "nothing": None})
    assert parse_name_template(template).place(facts) == place


def test_dots_in_an_address_lead_up_within_it() -> None:
    """The folder is the one that the server is asked for; nothing leads above the first."""
    place = parse_name_template("{path}/{name}").place
    assert place(NameFacts("http://h/a/b/../%2e%2E/c/./d//f"))[0] == "c/d"
    assert place(NameFacts("http://h/../../../f"))[0] == ""


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{hots}/{name}", "did you mean {host}?"),
        ("{filename}", "did you mean {name}?"),
        ("{zzz}", "there are name, stem, ext"),
        ("{}", "no field {}"),
        ("/x/{name}", "--dir"),
        ("../{name}", "may not begin with '.'"),
        (".{name}", "may not begin with '.'"),
        ("-{name}", "may not begin with '-'"),
        ("{host}/", "add a name"),
        ("a//{name}", "empty folder"),
        ("{name", "a lone {"),
        ("name}", "a lone }"),
        ("a:{name}", ": cannot be in a name"),
        ("{index:x}", "{index:06}"),
        ("{index:99}", "{index:06}"),
        ("{name:0}", "{name:2}"),
        ("{date:%c}", "%Y %m %d"),
        ("{name}\n", "control characters"),
        ("/".join(["{host}"] * (MOST_FOLDERS + 1)), "more than"),
    ],
)
def test_a_wrong_template_is_refused_with_the_right_one(template: str, words: str) -> None:
    """Before anything is added."""
    with pytest.raises(UsageError) as caught:
        parse_name_template(template, has_columns=False)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("/a/b", ("/a/b", "")),
        ("~/a/{host}/b/{name}", ("~/a", "{host}/b/{name}")),
        ("{name}", ("", "{name}")),
        ("/{host}/{name}", ("/", "{host}/{name}")),
        ("", ("", "")),
    ],
)
def test_a_folder_may_have_a_template_behind_it(text: str, parts: tuple[str, str]) -> None:
    """The dialog has one line for both."""
    assert split_folder(text) == parts


def test_the_setting_is_checked_where_it_is_read() -> None:
    """A file's fault is told with the file's line by whoever reads it."""
    with pytest.raises(UsageError, match="a lone"):
        coerce(SETTINGS["name_template"], "{name")


def test_a_column_that_a_list_lacks_is_named_with_the_nearest() -> None:
    """The first line tells."""
    namer = namer_for("{lable}/{name}", AT)
    with pytest.raises(UsageError, match=r"did you mean \{label\}\?"):
        namer.place("/d", URL, columns={"label": "cats"})
    assert not namer.has_placed


_TEXTS = st.text(st.characters(), max_size=300)


@given(
    template=st.sampled_from(
        [*("{" + name + "}" for name in FIELDS), "{host}/{path}/{name}", "{col}/{name}", "{path}/{col}", "{col}{query}"]
    ),
    path=_TEXTS,
    query=_TEXTS,
    name=_TEXTS,
    column=_TEXTS | st.integers() | st.none(),
)
def test_nothing_leads_out_of_the_folder(template: str, path: str, query: str, name: str, column: object) -> None:
    """Whatever a server's address, a list's name or a column says: harmless components, each of at most 255 bytes."""
    facts = NameFacts(f"http://h/{path}?{query}", name, 1, 1, AT, {"col": column})
    folders, file_name = parse_name_template(template).place(facts)
    components = [*folders.split("/"), file_name] if folders else [file_name]
    for one in components:
        assert one not in ("", ".", "..")
        assert "/" not in one
        assert "\0" not in one
        assert not one.startswith((".", "-"))
        assert len(one.encode()) <= 255
    assert os.path.normpath(f"/d/{folders}/{file_name}").startswith("/d/")


def test_a_path_of_a_thousand_folders_stays_bounded_and_different() -> None:
    """What is beyond the bounds becomes one digest."""
    template = parse_name_template("{path}/{name}")
    places = [
        template.place(NameFacts(f"http://h/{segment * 200}last{end}/f.bin"))[0]
        for segment in ("a/", f"{'é' * 100}/")
        for end in (1, 2)
    ]
    assert len(set(places)) == len(places)
    for one in places:
        assert len(one.split("/")) <= MOST_FOLDERS
        assert len(one.encode()) <= MOST_FOLDER_BYTES


def test_the_parts_of_a_list_number_without_meeting() -> None:
    """Three jobs of an array count in turns; an address that cannot be used keeps its number."""
    numbers = []
    for part in (1, 2, 3):
        namer = namer_for("{index}", AT, start=part, step=3)
        namer.place("/d", URL)
        namer.skip()
        numbers += [part, int(namer.place("/d", URL)[1])]
    assert sorted(numbers) == [1, 2, 3, 7, 8, 9]


def test_a_name_that_was_asked_for_stays() -> None:
    """`-o` says more than a template; without a template nothing changes."""
    asked, bare = NewTask(URL, "/d", "mine"), NewTask(URL, "/d")
    assert namer_for("{index}", AT).named(asked) is asked
    assert namer_for("", AT).named(bare) is bare
    placed = namer_for("{host}/{index}", AT).named(bare)
    assert (placed.dir, placed.name) == ("/d/example.org", "1")
