"""A person's commands on events, put together with an engine; nothing is imported where there are none."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from tui_dl.cli.options import HOOK_PARAMETERS, SettingType
from tui_dl.core.hook_commands import commands_of
from tui_dl.core.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from tui_dl.core.settings import Settings
    from tui_dl.engine.engine import AsyncDownloadEngine
    from tui_dl.hooks.hooks import Hooks

F = TypeVar("F", bound="Callable[..., Any]")

PATIENCE_S: Final = 5.0
"""How long commands may keep a queue that a person ends; those of `get` end by themselves before it does."""


def hook_options(command: F) -> F:
    """Add what `get` takes about commands on events."""
    for name in reversed(HOOK_PARAMETERS):
        option = f"--{name.replace('_', '-')}"
        facts = SETTINGS[name]
        command = click.option(option, name, type=SettingType(facts), metavar="COMMAND", help=facts.help)(command)
    return command


async def open_hooks(
    stack: AsyncExitStack, settings: Settings, *, is_get: bool, on_trouble: Callable[[str], None] | None
) -> Hooks | None:
    """Begin to run the commands of the settings until the stack ends; None where there are none."""
    commands = commands_of(settings)
    if not commands:
        return None
    from tui_dl.hooks.hooks import HookPlan, Hooks  # noqa: PLC0415  # most people have none

    patience_s = None if is_get else PATIENCE_S
    plan = HookPlan(commands, dict(os.environb), limit_s=settings.hook_timeout, patience_s=patience_s)
    return await stack.enter_async_context(Hooks(plan, time.time, on_trouble or _keep_silent))


def follow(stack: AsyncExitStack, hooks: Hooks, engine: AsyncDownloadEngine, *, is_get: bool) -> None:
    """Tell them of all that an engine does; `get` itself says when its queue ends."""
    from tui_dl.hooks.queue_end import QueueEnd  # noqa: PLC0415  # as above

    stack.callback(engine.subscribe(hooks.hear))
    if not is_get:
        end = QueueEnd(lambda: engine.snapshot().counts, hooks.end_queue)
        stack.callback(engine.subscribe(end.hear))
        stack.callback(end.close)


def _keep_silent(_text: str) -> None:
    """Leave it to the log."""
