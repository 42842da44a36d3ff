"""A line of a list as a task: what the line says goes before what the command line says for all of them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import split_userinfo
from tui_dl.core.filename import SUFFIX_RESERVE_BYTES, safe_name
from tui_dl.core.plain_address import plain_parts
from tui_dl.core.task import NewTask

if TYPE_CHECKING:
    from tui_dl.core.name_template import Namer
    from tui_dl.core.task import TaskOptions
    from tui_dl.core.url_list import Line

_JSON: Final = json.JSONEncoder(check_circular=False)


def new_task(url: str, folder: str, name: str, options: TaskOptions) -> NewTask:
    """Return a task whose address is checked; user info in it becomes a header, so that no log shows it."""
    bare, authorization = split_userinfo(url.strip(), is_typed=True)
    return NewTask(bare, folder, name, _authorized(options, authorization))


def task_of_line(line: Line, folder: str, options: TaskOptions, priority: int | None, namer: Namer) -> NewTask:
    """Return the task that a line stands for; `folder` is absolute and that of lines that name none.

    Raises `UsageError` where the line cannot be named.
    """
    number, url, name, folder_said, checksum, headers, mirrors, extra, asked = line
    parts = plain_parts(url)
    # Nearly every line of a list is an everyday address, and those have no user info.
    bare, authorization = (url, "") if parts else split_userinfo(url, is_typed=True)
    if checksum or headers or mirrors or asked:
        options = _options(line, options)
    if authorization:
        options = _authorized(options, authorization)
    if name or folder_said:
        folder, name = _target(line, folder)
    columns = dict(extra) if extra else None
    folder, name = namer.place(folder, bare, name=name, line=number, columns=columns)
    extra_text = _JSON.encode(columns) if columns else ""
    return NewTask(bare, folder, name, options, priority, 0, number, extra_text, parts=parts)


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
