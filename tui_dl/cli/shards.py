"""`get --shards`: what may be said with it, and the engine that packs what it finishes."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from tui_dl.cli.options import SHARD_PARAMETERS, SettingType
from tui_dl.core.errors import UsageError
from tui_dl.core.settings import SETTINGS
from tui_dl.core.sharding import names_of, parse_pattern

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from tui_dl.cli.batch import BatchEngine
    from tui_dl.cli.order import Order
    from tui_dl.engine.engine import AsyncDownloadEngine
    from tui_dl.engine.shard_sink import ShardWish

F = TypeVar("F", bound="Callable[..., Any]")

_METAVARS: Final = {"shards": "N", "shard_name": "PATTERN"}
_OF_FILES: Final = {
    "output": "names one file",
    "skip_existing": "looks for files of the same names",
    "overwrite": "replaces files of the same names",
    "if_modified": "asks again for files that are there",
    "rename": "names files beside those that are there",
    "continues": "takes over a half file of another tool",
    "origin_attributes": "is noted in files of their own",
}
"""Options that mean something for files of their own alone, and what they do."""


def shard_options(command: F) -> F:
    """Add what `get` takes about tar shards."""
    for name in reversed(SHARD_PARAMETERS):
        option, facts = f"--{name.replace('_', '-')}", SETTINGS[name]
        text = facts.help if not facts.default else f"{facts.help} [{facts.default}]"
        command = click.option(option, name, type=SettingType(facts), metavar=_METAVARS[name], help=text)(command)
    return command


def shard_wish(given: Mapping[str, Any], order: Order) -> ShardWish | None:
    """Return how shards are wanted, None where files are; raises `UsageError` for what does not go together."""
    settings, origins = order.effective.settings, order.effective.origins
    if not settings.shards:
        if given.get("shard_name"):
            raise UsageError("--shard-name names tar shards, which --shards N asks for; give both or neither")
        return None
    where = "--shards" if given.get("shards") else f"shards ({origins.get('shards', 'shards')})"
    for parameter, what in _OF_FILES.items():
        if given.get(parameter):
            option = f"--{parameter.replace('_', '-')}".replace("continues", "continue")
            raise UsageError(
                f"{option} {what}, and {where} makes no files but tar shards; leave it out, or say --shards 0"
            )
    from tui_dl.engine.shard_sink import ShardWish  # noqa: PLC0415  # most runs make none

    return ShardWish(order.dir, settings.shards, parse_pattern(settings.shard_name))


@asynccontextmanager
async def packing(
    engine: AsyncDownloadEngine, wish: ShardWish | None, tell: Callable[[str], None]
) -> AsyncIterator[BatchEngine]:
    """Yield an engine that packs what it finishes, the engine itself where no shards are wanted.

    `tell` hears at the end how the shards are called.
    """
    if wish is None:
        yield engine
        return
    from tui_dl.engine.sharded import ShardedEngine  # noqa: PLC0415  # most runs make none

    async with ShardedEngine(engine, wish) as sharded:
        try:
            yield sharded
        finally:
            if made := sharded.shards_made:
                words = "1 shard" if len(made) == 1 else f"{len(made):,} shards"
                tell(f"{words} in {wish.folder}: {names_of(made, wish.pattern)}")
