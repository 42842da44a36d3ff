"""Messages between client and session: cut anywhere, they arrive whole; what is none is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.session.partings import parting_lines, stopped_lines
from tui_dl.session.protocol import BadMessageError, Hello, Unpacker, packed, terminal_environment

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
MESSAGES = st.lists(st.dictionaries(st.text(max_size=9), JSON, max_size=4), max_size=5)


@given(MESSAGES, st.lists(st.integers(1, 7), min_size=1))
def test_however_they_are_cut_messages_arrive_whole(messages: list[dict[str, Any]], steps: list[int]) -> None:
    """In order, none lost, none joined."""
    octets, unpacker, found, place = b"".join(map(packed, messages)), Unpacker(), [], 0
    while place < len(octets):
        step = steps[place % len(steps)]
        found += list(unpacker.feed(octets[place : place + step]))
        place += step
    assert found == messages


@given(st.binary(max_size=40))
def test_what_is_no_message_raises_nothing_else(octets: bytes) -> None:
    """A stranger's bytes end its connection, nothing more."""
    try:
        list(Unpacker().feed(octets))
    except BadMessageError:
        return


@given(st.dictionaries(st.sampled_from(["want", "protocol", "size", "environment", "options", "proxies"]), JSON))
def test_a_hello_is_read_or_refused(message: dict[str, Any]) -> None:
    """Whatever its fields hold."""
    try:
        hello = Hello.of(message)
    except BadMessageError:
        return
    assert Hello.of(hello.message()) == hello


def test_nothing_of_the_environment_travels_but_what_describes_the_terminal() -> None:
    """P7: secrets and paths of the one who attaches stay there."""
    environment = {"TERM": "xterm", "AWS_SECRET_ACCESS_KEY": "x", "PATH": "/evil", "NO_COLOR": "1", "LD_PRELOAD": "y"}
    assert terminal_environment(environment) == {"TERM": "xterm", "NO_COLOR": "1"}


@pytest.mark.parametrize(
    ("moving", "unfinished", "line"),
    [
        (0, 0, []),
        (1, 2, ["1 download goes on in the background; `tui-dl` shows it, `tui-dl stop` ends it."]),
        (1200, 1200, ["1,200 downloads go on in the background; `tui-dl` shows them, `tui-dl stop` ends them."]),
        (0, 1, ["1 paused; `tui-dl` shows it."]),
    ],
)
def test_leaving_says_in_one_line_what_goes_on(moving: int, unfinished: int, line: list[str]) -> None:
    """How many, how to come back, how to end them; nothing where there is nothing."""
    assert parting_lines(moving, unfinished, is_taken_over=False) == line
    assert len(stopped_lines(unfinished)) == 1
