"""Wishes that come as JSON values become the rows that their addresses become one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.name_template import namer_for
from tui_dl.core.task import NewTask, TaskOptions
from tui_dl.core.wire_wishes import options_json
from tui_dl.engine.wish_reading import WishReader
from tui_dl.engine.wishes import checked_task
from tui_dl.journal.task_rows import host_and_name

URLS = st.sampled_from(
    [
        *(
            "http://h.test/a.bin",
            "HTTP://H.test/A.bin",
            "https://u:p@h.test/x",
            "http://h.test:43567/x?y#z",
            "nonsense",
        ),
        *(
            "http://h.test/é",
            "http://h.test/a b",
            " http://h.test/x ",
            "http://h.test",
            "http://h.test:0/",
            "",
            "http://",
        ),
        *(
            "ftp://h.test/x",
            "http://h.test/%2e%2e",
            "http://h.test/" + "a" * 9000,
            "http://[::1]/x",
            "http://h_t.test/x",
        ),
    ]
) | st.text("htp:/.a1@ ?#%é", max_size=14)
OPTIONS = st.sampled_from([TaskOptions(), TaskOptions(connections=2), TaskOptions(checksum="sha256=" + "a" * 64)])


def _made(url: str, name: str, options: TaskOptions) -> NewTask | str:
    try:
        return checked_task(url, "/d", name, options)
    except UsageError as error:
        return error.message


@given(URLS, st.sampled_from(["", "n/é.bin"]), OPTIONS, st.booleans())
async def test_the_short_way_of_a_list_is_the_way_of_one(
    url: str, name: str, options: TaskOptions, is_shared: bool
) -> None:
    """Address, credentials, name and refusals are the same, and host and name are read alike."""
    asked = {"dir": "/d", "options": options_json(options), "priority": 1, **({"name": name} if name else {})}
    own = {"url": url, "line": 3, "extra": "{}"}
    reader = WishReader(asked if is_shared else {}, "/e", namer_for("", datetime.now(tz=UTC)))
    reading = reader.read([own if is_shared else asked | own])
    wanted = _made(url, name, options)
    if isinstance(wanted, str):
        with pytest.raises(UsageError) as caught:
            await reading
        assert caught.value.message == wanted
        return
    (found,) = await reading
    assert found == NewTask(wanted.url, "/d", wanted.name, wanted.options, 1, 0, 3, "{}")
    assert host_and_name(found) == host_and_name(wanted)


@pytest.mark.parametrize(
    ("shared", "own"),
    [
        ({"priority": 5}, {}),
        ({}, {"line": "3"}),
        ({}, {"extra": 1}),
        ({"options": {"speed": 1}}, {}),
    ],
)
async def test_nonsense_is_refused_in_what_is_shared_and_in_a_row(shared: dict[str, Any], own: dict[str, Any]) -> None:
    """It comes from elsewhere."""
    with pytest.raises(UsageError):
        await WishReader(shared, "/e", namer_for("", datetime.now(tz=UTC))).read([{"url": "http://h.test/a"} | own])
