"""What may follow on a command line; asked by the shells' scripts with `_TUI_DL_COMPLETE` in the environment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import ShellComplete, split_arg_string

from tui_dl.cli.exits import DONE
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import TuiDlError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

VARIABLE: Final = "_TUI_DL_COMPLETE"
"""Set to the shell's name while it asks; not a setting, so it does not begin with `TUI_DL_`."""
_FILES: Final = ("file", "dir")


def answer(cli: click.Command, shell: str, asked: Sequence[str]) -> int:
    """Print what may follow, a line for each word; whatever is wrong on the command line, nothing is said of it."""
    breaks = ""
    if shell == "bash":
        breaks, line = asked[0], asked[1]
        words = split_arg_string(line)[1:]
        # A blank at the end begins the next word; within quotation marks it is part of the last one.
        if not words or (line[-1:].isspace() and split_arg_string(line + "x")[-1] == "x"):
            words.append("")
    else:
        words = [*asked]
    try:
        sys.stdout.write("".join(f"{one}\n" for one in lines_of(cli, words, breaks)))
        sys.stdout.flush()
    except (click.ClickException, TuiDlError, OSError, ValueError):
        # A half typed command is no fault, and the prompt is no place for messages.
        return DONE
    return DONE


def lines_of(cli: click.Command, words: Sequence[str], breaks: str = "") -> list[str]:
    """Return kind, word and words about it for each that may stand in the place of the last word.

    `breaks`: characters at which the shell begins a word of its own, so that what precedes them is not repeated.
    """
    *before, current = words
    items = ShellComplete(cli, {}, "tui-dl", VARIABLE).get_completions(list(before), current)
    head = _option_of(current)
    kept = max((current.rfind(char) for char in breaks), default=-1) + 1
    return [_line(item, head, current[:kept]) for item in items]


def _option_of(word: str) -> str:
    """Return `--name=` of a word that gives an option its value, else nothing."""
    name, equals, _ = word.partition("=")
    return name + equals if equals and name.startswith("-") else ""


def _line(item: CompletionItem[str], head: str, typed: str) -> str:
    if item.type in _FILES:
        # A path is completed by the shell itself; zsh finds its beginning alone.
        return f"{item.type}\t{item.value}\t{head}"
    value = (head + item.value).removeprefix(typed) if typed else head + item.value
    kind = "more" if item.type == "more" else "plain"
    return f"{kind}\t{value}\t{display_text(item.help or '', 70)}"
