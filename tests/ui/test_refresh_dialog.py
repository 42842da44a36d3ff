"""The dialog for a fresh link, and curl commands in it and in the dialog for new downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import TextArea

from tests.ui.fake_engine import FakeEngine, make_task
from tests.ui.pilots import notices, running, screen_text, settle
from tests.ui.test_add_dialog import paste
from tui_dl.core.commands import CommandName, CommandOutcome
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask

CURL = """curl 'https://host.example/a.bin?sig=hunter2' \\
  -H 'user-agent: Mozilla/5.0' \\
  -b 'sid=hunter2'"""
FRESH = "https://host.example/fresh.bin"


def failed(url: str = "https://host.example/a.bin") -> DownloadTask:
    """Return a row whose link has expired."""
    return make_task(1, "a.bin", Status.FAILED, url=url, reason=Reason.FORBIDDEN, reason_text="forbidden (403)")


async def test_an_expired_link_names_the_key() -> None:
    """The row of a 403 says how it goes on."""
    async with running(FakeEngine([failed()])) as (app, pilot):
        await settle(app, pilot)
        assert "forbidden (403), e: new link" in screen_text(app)


async def test_a_pasted_address_replaces_the_present_one() -> None:
    """It is there to be edited, selected as a whole; Enter sends it, the headers stay as they are."""
    engine = FakeEngine([failed()])
    engine.outcome = CommandOutcome(1, (1,), "Address changed")
    async with running(engine) as (app, pilot):
        await pilot.press("e")
        await pilot.pause()
        assert app.screen.query_one("#link", TextArea).text == "https://host.example/a.bin"
        await paste(app, pilot, FRESH)
        await pilot.press("enter")
        await settle(app, pilot)
        assert "Address changed" in notices(app)
    (command,) = engine.commands
    assert (command.name, command.ids) == (CommandName.REFRESH, (1,))
    assert dict(command.arguments) == {"url": FRESH, "headers": None}


async def test_a_present_address_with_secrets_is_shown_without_them() -> None:
    """Whoever looks over the shoulder sees no token; there is nothing to edit then."""
    async with running(FakeEngine([failed("https://host.example/a.bin?n=1&token=hunter2")])) as (app, pilot):
        await pilot.press("e")
        await pilot.pause()
        assert app.screen.query_one("#link", TextArea).text == ""
        assert "Now: https://host.example/a.bin?n=1&token=***" in screen_text(app)


async def test_a_curl_command_brings_its_headers() -> None:
    """They are understood before it is sent, secrets masked below the text."""
    engine = FakeEngine([failed()])
    async with running(engine) as (app, pilot):
        await pilot.press("e")
        await paste(app, pilot, CURL)
        await pilot.pause()
        assert "sig=***: 2 headers, cookie ***" in screen_text(app)
        await pilot.press("enter")
        await settle(app, pilot)
    assert dict(engine.commands[0].arguments) == {
        "url": "https://host.example/a.bin?sig=hunter2",
        "headers": [["user-agent", "Mozilla/5.0"], ["Cookie", "sid=hunter2"]],
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "no http://"),
        (f"{FRESH}\n{FRESH}", "one address is wanted here, not 2"),
        (f"curl -X POST {FRESH}", "another method"),
        (f"curl -x http://p.example {FRESH}", "--proxy"),
        ("", "paste an address"),
    ],
)
async def test_what_cannot_be_meant_is_said_in_place(text: str, says: str) -> None:
    """The dialog stays, and nothing is sent."""
    engine = FakeEngine([failed()])
    async with running(engine) as (app, pilot):
        await pilot.press("e")
        await pilot.pause()
        app.screen.query_one("#link", TextArea).load_text(text)
        await pilot.press("enter")
        await settle(app, pilot)
        assert says in screen_text(app)
    assert engine.commands == []


async def test_lines_that_are_typed_by_a_terminal_stay_together() -> None:
    """Without bracketed paste a line end comes as Enter: after a backslash it is no end."""
    engine = FakeEngine([failed()])
    async with running(engine) as (app, pilot):
        await pilot.press("e")
        await pilot.pause()
        app.screen.query_one("#link", TextArea).load_text(f"curl {FRESH} \\")
        app.screen.query_one("#link", TextArea).move_cursor(app.screen.query_one("#link", TextArea).document.end)
        await pilot.press("enter", *"-k")
        assert app.screen.query_one("#link", TextArea).text == f"curl {FRESH} \\\n-k"
    assert engine.commands == []


async def test_a_refusal_of_the_engine_is_shown() -> None:
    """As where another row has that address."""
    engine = FakeEngine([failed()])
    engine.outcome = CommandOutcome(message="this address is in the queue already", is_refused=True)
    async with running(engine) as (app, pilot):
        await pilot.press("e")
        await paste(app, pilot, FRESH)
        await pilot.press("enter")
        await settle(app, pilot)
        assert "this address is in the queue already" in notices(app)


async def test_a_finished_row_has_no_link_to_refresh() -> None:
    """The key says so instead of opening a dialog that could only fail."""
    async with running(FakeEngine([make_task(1, "a.bin", Status.COMPLETED)])) as (app, pilot):
        await pilot.press("e")
        await settle(app, pilot)
        assert any("done" in text for text in notices(app))


async def test_the_button_back_leaves_without_a_word() -> None:
    """Also by Enter on it."""
    engine = FakeEngine([failed()])
    async with running(engine) as (app, pilot):
        await pilot.press("e", "tab", "tab", "enter")
        await settle(app, pilot)
        assert not app.screen.query("#link")
    assert engine.commands == []


# -- curl commands in the dialog for new downloads ---------------------------------------------------------------------


async def test_pasted_curl_commands_are_added_with_their_headers() -> None:
    """Several at once, between plain addresses, in one command and in order."""
    engine = FakeEngine()
    async with running(engine) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, f"{FRESH}\n{CURL} ;\ncurl 'https://host.example/b' -o sub/b.bin")
        await pilot.press("ctrl+s")
        await settle(app, pilot)
    (command,) = engine.commands
    assert {name: value for name, value in command.arguments.items() if name != "batch"} == {
        "dir": "/downloads",
        "downloads": [
            {"url": FRESH, "name": "", "dir": "/downloads", "options": {"headers": []}},
            {
                "url": "https://host.example/a.bin?sig=hunter2",
                "name": "",
                "dir": "/downloads",
                "options": {"headers": [["user-agent", "Mozilla/5.0"], ["Cookie", "sid=hunter2"]]},
            },
            {"url": "https://host.example/b", "name": "b.bin", "dir": "/downloads/sub", "options": {"headers": []}},
        ],
    }


async def test_what_a_curl_command_means_is_shown() -> None:
    """Address and number of headers, cookies masked, and that -k is not taken over."""
    async with running(FakeEngine()) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, f"{CURL} \\\n  --insecure")
        for _ in range(100):
            await pilot.pause(0.05)
            if "-k left out" in (shown := screen_text(app)):
                break
    assert "1 address" in shown
    assert "https://host.example/a.bin?sig=***: 2 headers, cookie ***" in shown
    assert "-k left out (start with --insecure)" in shown


async def test_a_bad_curl_command_is_named_with_its_line() -> None:
    """The parser's message stands in place; the cursor goes to the command."""
    engine = FakeEngine()
    async with running(engine) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, f"{FRESH}\ncurl 'https://host.example/b' \\\n --data-raw 'x'\n")
        await pilot.press("ctrl+s")
        await settle(app, pilot)
        assert "line 2: curl's --data: only GET can be resumed" in screen_text(app)
        assert app.screen.query_one("#urls", TextArea).cursor_location == (1, 0)
    assert engine.commands == []
