"""What a list says travels to the session whole, what its rows share once, in requests of a bounded size."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from tui_dl.cli import session_adding
from tui_dl.cli.session_adding import SessionQueue
from tui_dl.core.task import NewTask, OnExists, TaskOptions
from tui_dl.core.wire_wishes import wish_json

LISTED = TaskOptions(on_exists=OnExists.SKIP, headers=(("A", "b"),))


class Session:
    """Takes what is added and says so."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def another(self) -> Session:
        """Stand for both connections."""
        return self

    def written(self, method: str, params: dict[str, Any]) -> bytes:
        """Write it down."""
        assert method == "tui_dl.execute"
        return json.dumps(params).encode()

    def ask(self, call: bytes) -> dict[str, Any]:
        """Take it as it comes out of JSON."""
        arguments = json.loads(call)["arguments"]
        self.requests.append(arguments)
        return {"changed": len(arguments["downloads"]), "ids": [1], "known_ids": []}

    def wishes(self) -> list[dict[str, Any]]:
        """Return the wishes as the engine reads them, whatever they share."""
        others = ("downloads", "batch", "name_template", "part")
        return [
            {key: value for key, value in arguments.items() if key not in others} | one
            for arguments in self.requests
            for one in arguments["downloads"]
        ]


@pytest.mark.parametrize(
    "news",
    [
        [NewTask(f"http://h.test/{number}", "/d", "", LISTED, 1, 0, number, '{"a": "\u00e9"}') for number in range(5)],
        [NewTask("http://h.test/1", "/d", "n\u00e9", LISTED), NewTask("http://h.test/2", "/e", "", LISTED)],
        [NewTask("http://h.test/1", "/d"), NewTask("http://h.test/2", "/d", "", LISTED)],
        [NewTask("http://h.test/1", "/d", priority=-1), NewTask("http://h.test/2", "/d", priority=0)],
    ],
)
async def test_rows_arrive_with_all_that_they_say(news: list[NewTask]) -> None:
    """Whether they share their folder, options and priority, or not."""
    session = Session()
    await SessionQueue(cast("Any", session)).add_checked(news, batch="b")
    assert session.wishes() == json.loads(json.dumps([wish_json(new) for new in news]))


async def test_what_a_list_shares_travels_once() -> None:
    """A million rows have one folder and the same options."""
    session = Session()
    news = [NewTask(f"http://h.test/{number}", "/d", "", LISTED, line=number) for number in range(1, 4)]
    await SessionQueue(cast("Any", session)).add_checked(news, batch="b")
    assert [sorted(one) for one in session.requests[0]["downloads"]] == [["line", "url"]] * 3


async def test_requests_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By rows and by bytes, whatever a name is made of."""
    monkeypatch.setattr(session_adding, "MOST_WISHES", 3)
    monkeypatch.setattr(session_adding, "MOST_BYTES", 2_000)
    session = Session()
    names = ["", "\u00e9" * 250, "x", "", "", "", "\U0001f600" * 100]
    news = [NewTask(f"http://h.test/{number}", "/d", name) for number, name in enumerate(names)]
    queue = SessionQueue(cast("Any", session))
    await queue.add_checked(news, batch="b")
    assert queue.added == len(news)
    for arguments in session.requests:
        assert len(arguments["downloads"]) <= 3
        assert len(arguments["downloads"]) == 1 or len(json.dumps(arguments["downloads"])) <= 2_000
    parts = [arguments["part"] for arguments in session.requests]
    assert len({part["list"] for part in parts}) == 1
    assert [part["number"] for part in parts] == list(range(len(parts)))
