"""What a command line wants of media: `--as`, yt-dlp's options behind `--`, and what is refused with the right form."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tui_dl.cli.get import get
from tui_dl.cli.main import run
from tui_dl.cli.open import open_screen
from tui_dl.cli.order import read_order
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import UsageError
from tui_dl.core.task import TaskOptions
from tui_dl.disk.locations import find_locations
from tui_dl.media.options import split_addresses
from tui_dl.session.rpc.own import _refuse_yt_dlp

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

PAGE = "https://v.example/watch?v=1"


def options_of(arguments: Sequence[str], command: click.Command = get) -> TaskOptions:
    """Return the options of the one address of a command line."""
    context = command.make_context("get", list(arguments))
    given: dict[str, Any] = context.params
    order = read_order(given, locations=find_locations(os.environ), environment={}, folder=Path("/d"))
    (new,) = order.news
    return new.options


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([PAGE], TaskOptions(as_kind="found", has_config=True)),
        (["https://v.example/a.iso"], TaskOptions()),
        (["https://v.example/a.iso", "--as", "media"], TaskOptions(as_kind="media", has_config=True)),
        ([PAGE, "--as", "file"], TaskOptions()),
        ([PAGE, "-d", "x"], TaskOptions(as_kind="found", has_config=True, has_own_dir=True)),
        ([PAGE, "--", "-f", "b", "-x"], TaskOptions(as_kind="media", has_config=True, yt_dlp=("-f", "b", "-x"))),
        (["--", PAGE], TaskOptions(as_kind="found", has_config=True)),
        ([PAGE, "--checksum", "md5=" + 32 * "0"], TaskOptions(checksum="md5:" + 32 * "0")),
    ],
)
def test_addresses_are_what_a_command_line_says(arguments: list[str], options: TaskOptions) -> None:
    """What is typed may be media; what can only be a file is one."""
    found = options_of(arguments)
    assert (found.as_kind, found.yt_dlp, found.has_config, found.has_own_dir, found.asks) == (
        options.as_kind,
        options.yt_dlp,
        options.has_config,
        options.has_own_dir,
        False,
    )


def test_the_screen_may_ask() -> None:
    """Where one is shown, somebody can answer."""
    assert options_of([PAGE], open_screen).asks


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["get", PAGE, "-o", "%(title)s.%(ext)s"], "stands behind --"),
        (["get", "-x", PAGE], "yt-dlp's -x"),
        (["get", PAGE, "--extract-audio"], "is an option of yt-dlp"),
        (["get", PAGE, "--", "--no-such-thing"], "no such option: --no-such-thing"),
        (["get", PAGE, "--", "-u", "me"], "--username without its password"),
        (["get", PAGE, "--as", "file", "--", "-x"], "of no use to a file"),
        (["ytdlp", "--queue", "-f", "b"], "none is given"),
    ],
)
def test_the_right_form_is_named(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and what to write instead."""
    assert run(arguments) == 2
    assert words in capsys.readouterr().err


def test_a_command_line_is_taken_apart_for_the_session() -> None:
    """Addresses go, options stay, each in its order."""
    line = ["-f", "b", "https://v.example/1", "-o", "x.%(ext)s", "--", "https://v.example/2"]
    assert split_addresses(line) == (
        ("-f", "b", "-o", "x.%(ext)s"),
        ["https://v.example/1", "https://v.example/2"],
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"urls": [PAGE], "options": {"yt_dlp": ["--exec", "x"]}},
        {"downloads": [{"url": PAGE, "options": {"has_config": True}}]},
    ],
)
def test_callers_over_tcp_give_no_options_of_yt_dlp(arguments: dict[str, Any]) -> None:
    """They could run commands."""
    for name in (CommandName.ADD, CommandName.SET_OPTIONS):
        with pytest.raises(UsageError, match="over TCP"):
            _refuse_yt_dlp(Command(name, arguments=arguments))
