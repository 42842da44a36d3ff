"""A line of a list as a task: what the line says goes before what the command line says for all of them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import split_userinfo
from tui_dl.core.filename import SUFFIX_RESERVE_BYTES, safe_name
from tui_dl.core.task import NewTask

if TYPE_CHECKING:
    from tui_dl.core.name_template import Namer
    from tui_dl.core.task import TaskOptions
    from tui_dl.core.url_list import Line

_SIMPLE: Final = 2
"""Fields of a line that every line has: number and address."""


def new_task(url: str, folder: str, name: str, options: TaskOptions) -> NewTask:
    """Return a task whose address is checked; user info in it becomes a header, so that no log shows it."""
    bare, authorization = split_userinfo(url.strip(), is_typed=True)
    return NewTask(bare, folder, name, _authorized(options, authorization))


def task_of_line(line: Line, folder: str, options: TaskOptions, priority: int | None, namer: Namer) -> NewTask:
    """Return the task that a line stands for; `folder` is absolute and that of lines that name none.

    Raises `UsageError` where the line cannot be named.
    """
    bare, authorization = split_userinfo(line.url, is_typed=True)
    if any(line[_SIMPLE:]):
        options = _authorized(_options(line, options), authorization)
        folder, name = _target(line, folder)
        folder, name = namer.place(folder, bare, name=name, line=line.number, columns=dict(line.extra))
        extra = json.dumps(dict(line.extra)) if line.extra else ""
        return NewTask(bare, folder, name, options, priority, line=line.number, extra=extra)
    folder, name = namer.place(folder, bare, line=line.number)
    return NewTask(bare, folder, name, _authorized(options, authorization), priority, line=line.number)


def _options(line: Line, options: TaskOptions) -> TaskOptions:
    given = {name.lower() for name, _ in line.headers}
    headers = (*(one for one in options.headers if one[0].lower() not in given), *line.headers)
    return replace(
        options,
        headers=headers,
        checksum=line.checksum or options.checksum,
        mirrors=line.mirrors or options.mirrors,
        **dict(line.asked),
    )


def _authorized(options: TaskOptions, authorization: str) -> TaskOptions:
    if not authorization or any(header.lower() == "authorization" for header, _ in options.headers):
        return options
    return replace(options, headers=(*options.headers, ("Authorization", authorization)))


def _target(line: Line, folder: str) -> tuple[str, str]:
    """Return absolute folder and safe name."""
    # pathlib makes objects that a list of a million has no use for
    target = os.path.normpath(os.path.join(folder, os.path.expanduser(line.dir))) if line.dir else folder  # noqa: PTH111, PTH118
    return target, safe_name(line.name, reserve_bytes=SUFFIX_RESERVE_BYTES) if line.name else ""
