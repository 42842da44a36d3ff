"""The small parts: safe sequences, the foreground's grant, signals put back, the names of Textual."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color

from tui_dl.core.errors import UsageError
from tui_dl.ui.terminal import screen_output, sequences
from tui_dl.ui.terminal.appearance import dress
from tui_dl.ui.terminal.grant import foreground_grant
from tui_dl.ui.terminal.screen_output import missing_names
from tui_dl.ui.terminal.signals import installed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTILE = "a\x1b]52;c;AAAA\x07b\x9c\n\u202ec" + "x" * 500


@pytest.mark.parametrize("build", [sequences.window_title, sequences.notice])
def test_text_from_outside_cannot_leave_its_sequence(build: Callable[[str], str]) -> None:
    """One introducer, one terminator, and no control character or endless line between them."""
    sequence = build(HOSTILE)
    assert re.fullmatch(r"\x1b\][29];[^\x00-\x1f\x7f-\x9f\u202e]*\x07", sequence)
    assert len(sequence) < 250


def test_a_notice_is_not_taken_for_a_command() -> None:
    """OSC 9 followed by a digit drives progress bars in some terminals."""
    assert sequences.notice("4;1;50") == "\x1b]9; 4;1;50\x07"


def test_progress_is_clamped() -> None:
    """Any number is a percentage afterwards, and none takes the bar away."""
    assert [sequences.progress(percent) for percent in (-5, 140, None)] == [
        "\x1b]9;4;1;0\x07",
        "\x1b]9;4;1;100\x07",
        "\x1b]9;4;0;0\x07",
    ]


def test_a_dumb_terminal_is_refused_with_a_way_out() -> None:
    """TERM=dumb names no terminal for a screen."""
    with pytest.raises(UsageError, match="tui-dl get"):
        foreground_grant({"TERM": "dumb"})


def test_without_a_terminal_the_reason_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No stream is a terminal and there is no controlling one."""
    for name in ("__stdin__", "__stdout__", "__stderr__"):
        monkeypatch.setattr(sys, name, None)
    with pytest.raises(UsageError, match="no terminal"):
        foreground_grant({"TERM": "xterm"}, tty_path=str(tmp_path / "none"))


def test_piped_urls_leave_the_keys_to_the_controlling_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input is a pipe: keys and screen both go to the terminal at the path."""
    master_fd, slave_fd = os.openpty()
    try:
        for name in ("__stdin__", "__stdout__", "__stderr__"):
            monkeypatch.setattr(sys, name, None)
        grant = foreground_grant({"TERM": "xterm"}, tty_path=os.ttyname(slave_fd))
        assert os.isatty(grant.in_fd)
        assert grant.in_fd == grant.out_fd
        assert (grant.columns, grant.rows) == (80, 24), "a terminal that does not know its size gets the usual one"
        os.close(grant.in_fd)
    finally:
        os.close(master_fd)
        os.close(slave_fd)


async def test_signals_reach_the_loop_and_are_put_back() -> None:
    """The callback runs on the loop; afterwards the handler found before is in force."""
    before = signal.getsignal(signal.SIGHUP)
    has_come = asyncio.Event()
    with installed(asyncio.get_running_loop(), {signal.SIGHUP: has_come.set}):
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.wait_for(has_come.wait(), 2)
    assert signal.getsignal(signal.SIGHUP) is before


def test_the_installed_textual_has_all_names() -> None:
    """The pinned version has every private name that the output leans on."""
    assert missing_names() == []


def test_a_lacking_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that a later Textual drops is listed, which puts Textual's own output in force."""
    monkeypatch.setattr(screen_output, "_ATTRIBUTES", ((App, ("_gone_tomorrow",)),))
    assert missing_names() == ["App._gone_tomorrow"]


@pytest.mark.parametrize(
    ("environment", "color_system"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "truecolor"),
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "linux"}, "standard"),
    ],
)
async def test_colours_follow_the_granted_environment(environment: dict[str, str], color_system: str) -> None:
    """A session's own environment says nothing about the terminal that attaches."""
    app = App[None]()
    dress(app, environment | {"NO_COLOR": "1"})
    assert app.console.color_system == color_system
    assert app.no_color


async def test_no_color_with_the_terminals_own_colours_sends_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Greys instead would be black on black where there are 16 colours."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "screen")
    app = App[None]()
    app.theme = "ansi-dark"
    dress(app, {"NO_COLOR": "1", "TERM": "screen"})
    segments = [Segment("text", Style(color="red", bgcolor="blue", bold=True))]
    for line_filter in app.get_line_filters():
        segments = line_filter.apply(segments, Color(0, 0, 0))
    style = segments[0].style
    assert style is not None
    assert style.bold
    assert style.color is not None
    assert style.bgcolor is not None
    assert style.color.is_default
    assert style.bgcolor.is_default
