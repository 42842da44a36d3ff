"""How a control command is told which downloads it means: the words on its line, and their help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from tui_dl.cli.completed_words import complete_rows
from tui_dl.core.query_text import HELP

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def target_options(command: F) -> F:
    """Add how downloads are named."""
    command = click.option("--all", "is_all", is_flag=True, help="All downloads.")(command)
    return click.argument("words", nargs=-1, metavar="[ID|FILTER]...", shell_complete=complete_rows)(command)


def write_filter_help(formatter: click.HelpFormatter) -> None:
    """Write how a filter is written into a help text."""
    with formatter.section("Filter"):
        formatter.write_dl([*HELP[:-1], ("-- -TERM", f"{HELP[-1][1]}; after -- nothing is an option")])
