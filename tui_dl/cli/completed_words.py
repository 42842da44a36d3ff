"""What the arguments of commands can be completed with: filters, ids of rows, commands, files."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click

from tui_dl.cli.catalogue import COMMANDS
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import TuiDlError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from tui_dl.core.task import DownloadTask
    from tui_dl.ui.completion import Known

FILE: Final = "file"
DIR: Final = "dir"
_LOOKED_AT: Final = 200
"""Rows whose hosts and ids are offered: what a person can look through."""
_NAME_CELLS: Final = 40


class PathWord(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.5 alone, and we take 8.2
    """A text that the shell completes as a path."""

    name = "text"

    def __init__(self, kind: str = FILE) -> None:
        self._kind = kind

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG002  # click's shape
        """Leave it to the shell."""
        return [_item(incomplete, kind=self._kind)]


def complete_first_word(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer the commands where nothing but options was typed yet."""
    if ctx.params.get(param.name or ""):
        return []
    return [_item(name, text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]


def complete_filter(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001  # click's shape
    """Offer the terms of a filter, and the values that the queue knows."""
    from tui_dl.ui.completion import complete  # noqa: PLC0415  # `--help` must not pay for it

    known = _known()[0] if ":" in incomplete else None
    found = complete(incomplete, len(incomplete), known or _nothing_known())
    # A shell puts a word in the place of its own beginning.
    fitting = [one for one in found.candidates if one.startswith(incomplete)]
    return [_item(one, kind="more" if one.endswith(":") else "plain") for one in fitting]


def complete_rows(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer the ids of rows with their names, then what a filter begins with."""
    ids = []
    if not incomplete or incomplete.isdigit():
        ids = [
            _item(str(task.id), f"{task.status.value}  {display_text(task.filename or task.host, _NAME_CELLS)}")
            for task in _known()[1]
            if str(task.id).startswith(incomplete)
        ]
    return [*ids, *complete_filter(ctx, param, incomplete)]


def _item(value: str, text: str = "", *, kind: str = "plain") -> CompletionItem[str]:
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # asked for by a shell alone

    return CompletionItem(value, type=kind, help=text or None)


def _nothing_known() -> Known:
    from tui_dl.ui.completion import Known  # noqa: PLC0415  # as above

    return Known()


def _known() -> tuple[Known, list[DownloadTask]]:
    """Return hosts and batches of the queue, and its first rows; nothing where it cannot be read."""
    from tui_dl.core.query import TaskQuery  # noqa: PLC0415  # as above
    from tui_dl.disk.locations import find_locations  # noqa: PLC0415  # as above
    from tui_dl.journal.looking import look_at  # noqa: PLC0415  # as above
    from tui_dl.ui.completion import Known  # noqa: PLC0415  # as above

    rows: list[DownloadTask] = []
    names: list[str] = []
    with suppress(TuiDlError), look_at(find_locations(os.environ).journal_file) as look:
        if look is not None:
            rows = [task for block in look.rows(TaskQuery(), _LOOKED_AT) for task in block]
            names = look.batch_names()
    hosts: Counter[Any] = Counter(task.host for task in rows if task.host)
    return Known(tuple(host for host, _ in hosts.most_common()), tuple(map(display_text, names))), rows
