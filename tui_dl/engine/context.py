"""What every transfer shares: settings, transport, journal, disk, budgets, limits, clocks."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui_dl.core.host_budget import HostBudget
from tui_dl.core.task import OnExists
from tui_dl.engine.ledger import save_rows
from tui_dl.engine.live import Traffic
from tui_dl.engine.watermark import Watermark

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.identity import Identity
    from tui_dl.core.ports import Transport
    from tui_dl.core.settings import Settings
    from tui_dl.core.task import DownloadTask
    from tui_dl.disk.small_files import GroupCommit
    from tui_dl.disk.writer import DiskPool
    from tui_dl.engine.live import LiveTask
    from tui_dl.journal.journal import Journal


def _budgets() -> defaultdict[str, HostBudget]:
    return defaultdict(HostBudget)


@dataclass(slots=True)
class EngineContext:
    """One per engine."""

    settings: Settings
    """Replaced as a whole when a person changes one live."""
    transport: Transport
    """Carries all requests."""
    journal: Journal
    """Where rows and checkpoints live."""
    pool: DiskPool
    """Writer threads by file system."""
    small_files: GroupCommit
    """Saves bodies of up to 1 MiB in groups."""
    throttle: Throttle
    """The limit over all tasks."""
    identity: Identity
    """Credentials that belong to no single task."""
    on_change: Callable[[LiveTask], None]
    """Told when a live task's row changed without an event."""
    budgets: defaultdict[str, HostBudget] = field(default_factory=_budgets)
    """By host and port."""
    task_throttles: dict[int, Throttle] = field(default_factory=dict)
    """Limits of the tasks in hand, by id."""
    clock: Callable[[], float] = time.monotonic
    """Monotonic seconds."""
    wall_clock: Callable[[], float] = time.time
    """Unix time."""
    opened_at: float = field(default_factory=time.time)
    """Unix time of the engine's start: rows added before may have run in a process that crashed."""
    random: Callable[[], float] = random.random
    """Uniform in [0, 1), for jitter."""
    claimed_paths: set[str] = field(default_factory=set)
    watermark: Watermark = field(init=False)
    """Room on the disks that downloads go to."""

    def __post_init__(self) -> None:
        """Make what looks at the others."""
        self.watermark = Watermark(self)
    """Targets that tasks with SKIP went for: a file that this batch makes is no file from before."""
    traffic: Traffic = field(default_factory=Traffic)
    """Bytes received by all tasks."""
    last_answer_at: float = float("-inf")
    """Monotonic instant of the last answer from any host: without one for a while there may be no network."""

    def throttles_of(self, task: DownloadTask) -> tuple[Throttle, ...]:
        """Return the limits that a task in hand is under; its own one may be changed while it runs."""
        own = self.task_throttles.get(task.id)
        if own is None:
            own = self.task_throttles[task.id] = Throttle(task.options.limit_rate_bps or 0)
        return (self.throttle, own)

    async def store(self, live: LiveTask) -> None:
        """Save a row in hand, durably, and remember that the journal has it so; a refusing disk fails no transfer."""
        await save_rows(self.journal, [live.task])
        live.stored = live.task

    def policy_of(self, task: DownloadTask) -> OnExists:
        """Return what to do where the target of a task exists."""
        return task.options.on_exists or OnExists(self.settings.on_exists)

    def commit_policy_of(self, task: DownloadTask) -> OnExists:
        """Return the same for the instant of the rename.

        What was there before has been skipped by then; what is there now, another address of the batch took: with
        SKIP too it is kept beside, never dropped.
        """
        policy = self.policy_of(task)
        return OnExists.RENAME if policy is OnExists.SKIP else policy

    def claim_target(self, task: DownloadTask) -> None:
        """Note that a task goes for its target, where that decides what another one of the same name does."""
        if self.policy_of(task) is OnExists.SKIP:
            self.claimed_paths.add(_target_of(task))

    async def was_there_before(self, task: DownloadTask) -> bool:
        """Whether a target exists that no task of ours went for since we started."""
        path = _target_of(task)
        if path in self.claimed_paths:
            return False
        return await asyncio.to_thread(os.path.lexists, path)


def _target_of(task: DownloadTask) -> str:
    return os.path.join(task.dir, task.filename)  # noqa: PTH118  # text in, text out
