"""What a person sees of the hosts behind a row: how many connections they bear, and how long they want to be left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.addresses import host_of
from tui_dl.core.display_text import display_text
from tui_dl.core.ports import HostView

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

SHOWN_CELLS = 60
LEAST_SHOWN_S = 1.0
"""A shorter pause is over before it is read."""


def host_views(context: EngineContext, task: DownloadTask, live: LiveTask | None) -> tuple[HostView, ...]:
    """Return the hosts that a task asks, the one that serves it first; those never met are left out."""
    named = [host_of(task.final_url) if task.final_url else task.host, task.host]
    if live is not None:
        sources = () if live.sources is None else live.sources.all
        named += [live.waits_for, *(host_of(one.asker.final_url or one.url) for one in sources)]
    return tuple(_view(context, host) for host in dict.fromkeys(named) if host in context.budgets)


def _view(context: EngineContext, host: str) -> HostView:
    budget, per_host = context.budgets[host], context.settings.per_host
    wait_s = budget.wait_s(context.clock())
    return HostView(
        host=display_text(host, SHOWN_CELLS),
        connections=budget.open_connections,
        allowed=budget.allowed(per_host),
        due_at=context.wall_clock() + wait_s if wait_s >= LEAST_SHOWN_S else None,
        is_restricted=budget.learned_connections is not None and budget.learned_connections < per_host,
    )
