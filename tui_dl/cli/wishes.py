"""What `get` is to say and to write down of a batch besides its files; checked before anything begins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from tui_dl.cli.completed_words import PathWord
from tui_dl.cli.manifest_files import check_form
from tui_dl.cli.shards import shard_wish
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import FileSystemError, UsageError
from tui_dl.core.failure_bound import parse_failure_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tui_dl.cli.order import Order
    from tui_dl.core.failure_bound import FailureBound
    from tui_dl.core.settings import Settings
    from tui_dl.disk.replaced_file import ReplacedFile
    from tui_dl.engine.shard_sink import ShardWish

F = TypeVar("F", bound="Callable[..., Any]")

_OF_BATCHES: Final = {"manifest": "--manifest", "failed_list": "--failed-list", "max_failed": "--max-failed"}
"""Parameters that mean something for files alone."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a batch is told and accounted for."""

    manifest: Path | None = None
    """Where to write what became of each line."""
    failed_list: Path | None = None
    """Where to write what failed."""
    bound: FailureBound | None = None
    """How many failures are still well; None: none are, and none end the batch."""
    shards: ShardWish | None = None
    """How tar shards are wanted; None where files are."""
    is_json: bool = False
    """Whether programs read standard output."""
    is_quiet: bool = False
    """Whether people are told nothing."""
    is_plain: bool = False
    """Whether people are told by lines alone, without redrawing."""
    is_verbose: bool = False
    """Whether people are told of every file, however many there are."""


def wish_options(command: F) -> F:
    """Add what `get` takes about its account and its words."""
    for option in reversed(
        (
            click.option(
                "--manifest",
                type=PathWord(),
                metavar="FILE.csv|.jsonl|.parquet",
                help="Write what became of each line.",
            ),
            click.option(
                "--failed-list",
                type=PathWord(),
                metavar="FILE",
                help="Write what failed: addresses, or a table (.csv).",
            ),
            click.option("--max-failed", metavar="N|P%", help="Failures that are still well; stop beyond them."),
            click.option("--json", "is_json", is_flag=True, help="One JSON object a line on standard output."),
            click.option("--plain", "is_plain", is_flag=True, help="Lines alone, nothing redrawn or coloured."),
            click.option("-q", "--quiet", "is_quiet", is_flag=True, help="Nothing on standard error but refusals."),
        )
    ):
        command = option(command)
    return command


def read_wishes(given: Mapping[str, Any], order: Order) -> Wishes:
    """Return what click's values wish; raises `UsageError` for what cannot be."""
    for parameter, option in _OF_BATCHES.items():
        if order.is_to_stdout and given.get(parameter) is not None:
            raise UsageError(f"--output - writes no file, so {option} has no meaning; leave it out")
    manifest, failed_list = _path(given, "manifest"), _path(given, "failed_list")
    if manifest is not None:
        check_form(manifest)
        if any(manifest == Path(one).absolute() for one in inputs_of(order)):
            raise UsageError(f"--manifest {display_text(str(manifest))}: that is the list that is read; name another")
    if manifest is not None and manifest == failed_list:
        raise UsageError("--manifest and --failed-list name the same file; name two")
    bound = given.get("max_failed")
    return Wishes(
        manifest=manifest,
        failed_list=failed_list,
        shards=None if order.is_to_stdout and not given.get("shards") else shard_wish(given, order),
        bound=None if bound is None else parse_failure_bound(bound),
        is_json=given["is_json"],
        is_quiet=given["is_quiet"],
        # A log on standard error, and JSON on the same terminal, would tear a frame apart.
        is_plain=given["is_plain"] or (given["verbose"] > 0 and not given["log_file"]),
        is_verbose=given["verbose"] > 0,
    )


def inputs_of(order: Order) -> tuple[str, ...]:
    """Return the lists that an order reads."""
    return order.lists.files


def settings_for(wishes: Wishes, order: Order) -> Settings:
    """Return the settings of a run: a manifest wants digests unless somebody said otherwise."""
    settings = order.effective.settings
    if wishes.manifest is not None and "sha256" not in order.effective.origins:
        return replace(settings, sha256=True)
    return settings


def open_export(option: str, path: Path | None) -> ReplacedFile | None:
    """Open what an option names, so that it is known now whether it can be written; raises `UsageError`."""
    from tui_dl.disk.replaced_file import ReplacedFile  # noqa: PLC0415  # most runs write none

    if path is None:
        return None
    try:
        return ReplacedFile(path)
    except FileSystemError as error:
        raise UsageError(f"{option}: {display_text(error.message)}") from None


def _path(given: Mapping[str, Any], parameter: str) -> Path | None:
    text = given.get(parameter)
    if text is None:
        return None
    if not text:
        raise UsageError(f"{_OF_BATCHES[parameter]} is empty; name a file")
    return Path(text).expanduser().absolute()
