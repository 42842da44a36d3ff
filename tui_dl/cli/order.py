"""What a command line orders: addresses, folder, name, and how; checked before anything is opened."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from tui_dl.cli import curl
from tui_dl.cli.agreement import check_archive, folder_of
from tui_dl.cli.header_files import header_lines
from tui_dl.cli.list_orders import take_lists
from tui_dl.cli.listed import new_task, task_of_line
from tui_dl.cli.media_wishes import media_options
from tui_dl.cli.metalinks import notes_of, take_metalinks
from tui_dl.cli.options import HOOK_PARAMETERS, ON_EXISTS_FLAGS, SETTING_PARAMETERS, SHARD_PARAMETERS
from tui_dl.cli.settings_file import effective_settings
from tui_dl.core.addresses import shown_url, split_userinfo
from tui_dl.core.digests import parse_digest
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.filename import SUFFIX_RESERVE_BYTES, safe_name
from tui_dl.core.header_lines import parse_header
from tui_dl.core.name_template import namer_for
from tui_dl.core.sharing import priority_number
from tui_dl.core.task import NewTask, OnExists, TaskOptions
from tui_dl.core.url_list import BadLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tui_dl.cli.list_orders import Lists
    from tui_dl.cli.metalinks import MetalinkWish
    from tui_dl.cli.settings_file import EffectiveSettings
    from tui_dl.core.name_template import Namer
    from tui_dl.core.url_list import Line
    from tui_dl.disk.locations import Locations

STANDARD: Final = "-"
"""Stands for standard input or output."""
_OF_FILES: Final = (
    *("remote_time", "origin_attributes", "min_free", "preallocate", "cache", "archive"),
    *("skip_existing", "overwrite", "if_modified", "rename"),
)
"""Options that mean something for files alone."""


@dataclass(frozen=True, slots=True)
class Order:
    """A command line, understood."""

    news: tuple[NewTask, ...]
    """Addresses that were typed."""
    lists: Lists
    """What further addresses are read from."""
    dir: str
    """Absolute folder."""
    options: TaskOptions
    """What holds for every address of this order."""
    effective: EffectiveSettings
    """Settings and where they come from."""
    namer: Namer
    """Gives each address its folder and name."""
    is_to_stdout: bool = False
    """Whether the one file goes to standard output."""
    priority: int | None = None
    """1, 0 or -1 for high, normal and low; None where nobody said."""
    notes: tuple[str, ...] = ()
    """What was passed over in what was typed, for people."""
    listed_options: TaskOptions = field(init=False)
    """What holds for every address of its lists."""

    def __post_init__(self) -> None:
        """Settle once what holds for a million lines."""
        says_otherwise = "on_exists" in self.effective.origins
        options = self.options if says_otherwise else replace(self.options, on_exists=OnExists.SKIP)
        object.__setattr__(self, "listed_options", options)

    def listed_task(self, line: Line) -> NewTask:
        """Return the task that a line of a list stands for.

        A list is run again and again, so a file that is there is left alone unless somebody said otherwise.
        """
        return task_of_line(line, self.dir, self.listed_options, self.priority, self.namer)

    def listed_tasks(self, lines: Iterable[Line | BadLine], name: str) -> list[NewTask | BadLine]:
        """Return the tasks of a list's lines in their order; raises `UsageError` if not even the first can be named."""
        return [self._listed(line, name) for line in lines]

    def _listed(self, line: Line | BadLine, name: str) -> NewTask | BadLine:
        if isinstance(line, BadLine):
            self.namer.skip()
            return line
        try:
            return self.listed_task(line)
        except UsageError as error:
            if self.lists.is_strict or not self.namer.has_placed:
                raise
            return BadLine(line.number, shown_url(line.url), display_text(error.message), name)


def read_order(
    given: Mapping[str, Any],
    *,
    locations: Locations,
    environment: Mapping[str, str],
    folder: Path,
    elsewhere: str = "",
) -> Order:
    """Return the order that click's values make; raises `UsageError` with what to do instead.

    `folder` is where the command was typed; `given` holds the parameters of `setting_options` and `task_options`.
    `elsewhere` stands for the folder of another machine, for which only what was typed counts.
    """
    given, lists = take_lists(given)
    given, metalinks = take_metalinks(given, folder)
    downloads = curl.downloads_of(given)
    given = {**given, "urls": (*(one.url for one in downloads), *(one.word for one in metalinks))}
    named = (*SETTING_PARAMETERS, *SHARD_PARAMETERS, *HOOK_PARAMETERS)
    settings = {name: given.get(name) for name in named} | curl.settings_of(downloads, given)
    settings["on_exists"] = _on_exists(given)
    settings["user"] = _with_password(settings["user"])
    effective = effective_settings(locations.config_file, environment, settings)
    _check_sequential(given, effective)
    check_archive(effective)
    options = TaskOptions(
        headers=tuple(parse_header(line) for line in header_lines(given.get("headers", ()))),
        checksum=_checksum(given),
        mirrors=_mirrors(given),
        continues=_continues(given),
    )
    media = media_options(given, effective, options)
    target = _folder_there(elsewhere, given.get("dir")) if elsewhere else folder_of(folder, effective)
    urls, output = tuple(given.get("urls", ())), given.get("output") or ""
    if given.get("output") == "":
        raise UsageError("--output is empty; give a name, or leave it out")
    _check_output(output, urls, given)
    name = "" if output == STANDARD else _checked_name(output)
    priority = _priority(given)
    _check_template(given)
    has_columns = bool(lists.files)
    start, step = lists.part or (1, 1)
    now = datetime.now().astimezone()
    # A shard's members are called by their numbers.
    template = "" if effective.settings.shards else effective.settings.name_template
    namer = namer_for(template, now, has_columns=has_columns, start=start, step=step)
    news = [
        namer.named(
            new_task(
                one.url, curl.target_of(one, target), name or one.name, media.of(one.url, curl.options_of(one, options))
            )
        )
        for one in downloads
    ]
    for one in metalinks:
        news += _metalink_tasks(one, target, name, options)
    return Order(
        news=tuple(replace(one, priority=priority) for one in news),
        notes=tuple(notes_of(metalinks)),
        lists=lists,
        dir=target,
        options=media.of_lists(options),
        effective=effective,
        namer=namer,
        is_to_stdout=output == STANDARD,
        priority=priority,
    )


def _check_template(given: Mapping[str, Any]) -> None:
    if given.get("name_template") and given.get("output"):
        raise UsageError("--output names the one file itself, so --name-template has no meaning; leave one of them out")
    if given.get("name_template") and given.get("shards"):
        raise UsageError("--shards calls its members by their numbers, so --name-template has no meaning; leave it out")


def _metalink_tasks(wish: MetalinkWish, folder: str, name: str, options: TaskOptions) -> list[NewTask]:
    if wish.content is None:
        return [new_task(wish.word, folder, name, replace(options, is_metalink=True))]
    return wish.content.tasks_of_file(folder, options, name)


def _mirrors(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return further addresses of the one file, checked."""
    mirrors = given.get("mirrors", ())
    if mirrors and (len(given.get("urls", ())) != 1 or given.get("has_list")):
        raise UsageError("--mirror is another address of one file, so it takes exactly one address")
    if mirrors and given.get("output") == STANDARD:
        raise UsageError("--output - reads one address in order, so --mirror has no meaning; leave it out")
    checked = []
    for mirror in mirrors:
        url, authorization = split_userinfo(mirror.strip(), is_typed=True)
        if authorization:
            raise UsageError("--mirror: credentials in its address are not taken; put them into a netrc file")
        checked.append(url)
    return tuple(dict.fromkeys(checked))


def _with_password(user: str | None) -> str | None:
    """Return `NAME:PASSWORD`; the password is asked for where only a name was typed.

    Raises `UsageError` where there is nobody to ask.
    """
    if not user or ":" in user:
        return user
    if not _can_ask():
        raise UsageError(
            f"--user {display_text(user, 60)} has no password, and there is no terminal to ask for it: "
            "give NAME:PASSWORD, NAME: for an empty one, or keep it in a netrc file (--netrc)"
        )
    password = click.prompt(f"Password of {display_text(user)}", hide_input=True, err=True, default="")
    return f"{user}:{password}"


def _can_ask() -> bool:
    """Whether a password can be typed: on the terminal itself, since a list may come through standard input."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin.isatty() and sys.stderr.isatty()
    return True


def _on_exists(given: Mapping[str, Any]) -> str | None:
    chosen = [policy for flag, policy in ON_EXISTS_FLAGS.items() if given.get(flag)]
    if len(chosen) > 1:
        raise UsageError("--skip-existing, --overwrite, --if-modified and --rename exclude each other; keep one")
    return chosen[0].value if chosen else None


def _continues(given: Mapping[str, Any]) -> bool:
    if given.get("continues"):
        for flag in ("skip_existing", "if_modified", "rename"):
            if given.get(flag):
                name = flag.replace("_", "-")
                raise UsageError(f"--continue takes over the file that is there, --{name} leaves it alone; keep one")
    return bool(given.get("continues"))


def _check_sequential(given: Mapping[str, Any], effective: EffectiveSettings) -> None:
    if effective.settings.sequential and (given.get("connections") or 1) > 1:
        raise UsageError("--sequential fetches in order on one connection; leave --connections out")


def _check_output(output: str, urls: tuple[str, ...], given: Mapping[str, Any]) -> None:
    if not output:
        return
    if "%(" in output:
        raise UsageError("--output names one file; a template of yt-dlp's stands behind --: tui-dl get URL -- -o '...'")
    if len(urls) != 1 or given.get("has_list"):
        raise UsageError("--output names one file, so it takes exactly one address; use --dir for several")
    if output == STANDARD and given.get("is_json"):
        raise UsageError("--output - and --json both want standard output; keep one")
    for name in _OF_FILES:
        if output == STANDARD and given.get(name):
            raise UsageError(f"--output - writes no file, so --{name.replace('_', '-')} has no meaning; leave it out")
    if output == STANDARD and given.get("continues"):
        raise UsageError("--output - writes no file, so there is none to --continue; leave it out")
    if output == STANDARD and given.get("dir") is not None:
        raise UsageError("--output - writes to standard output, so --dir has no meaning; leave it out")


def _folder_there(elsewhere: str, typed: str | None) -> str:
    """Return a folder of another machine, about which nothing is known here."""
    return os.path.normpath(os.path.join(elsewhere, typed or ""))  # noqa: PTH118  # text in, text out


def _checksum(given: Mapping[str, Any]) -> str:
    text = given.get("checksum")
    if text is None:
        return ""
    if len(given.get("urls", ())) != 1 or given.get("has_list"):
        raise UsageError("--checksum is of one file, so it takes exactly one address; run one command for each file")
    return str(parse_digest(text))


def _priority(given: Mapping[str, Any]) -> int | None:
    word = given.get("priority")
    if word is not None and given.get("output") == STANDARD:
        raise UsageError("--output - writes one file alone, so --priority has no meaning; leave it out")
    return None if word is None else priority_number(word)


def _checked_name(output: str) -> str:
    if "/" in output:
        raise UsageError("--output takes a name without folders; give the folder with --dir")
    safe = safe_name(output, reserve_bytes=SUFFIX_RESERVE_BYTES) if output else ""
    if safe != output:
        raise UsageError(f"--output {display_text(output)!r} is not a safe file name; {safe!r} is")
    return output
