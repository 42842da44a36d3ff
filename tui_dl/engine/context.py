"""What every transfer shares: settings, transport, journal, disk, budgets, limits, clocks."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tui_dl.core.task import OnExists
from tui_dl.disk.part_file import PartFile
from tui_dl.engine.archived import Archive
from tui_dl.engine.crowd import Crowds
from tui_dl.engine.everyday import EverydayRules
from tui_dl.engine.existing import Existing
from tui_dl.engine.ledger import save_rows
from tui_dl.engine.listings import Listings
from tui_dl.engine.live import Traffic
from tui_dl.engine.pacing import Pacing
from tui_dl.engine.sites import Sites
from tui_dl.engine.small_reads import read_whole
from tui_dl.engine.targets import Targets
from tui_dl.engine.watermark import Watermark

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui_dl.core.identity import Identity
    from tui_dl.core.ports import Transport
    from tui_dl.core.ports_media import MediaWorker
    from tui_dl.core.settings import Settings
    from tui_dl.core.task import DownloadTask, NewTask
    from tui_dl.disk.small_files import GroupCommit
    from tui_dl.disk.writer import DiskPool
    from tui_dl.engine.hosts import HostBudgets
    from tui_dl.engine.limits import Limits
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.names_ahead import NamesAhead
    from tui_dl.engine.playlists import Playlists
    from tui_dl.engine.throttle import Share
    from tui_dl.journal.journal import Journal


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
    limits: Limits
    """Bandwidth for everything, by host, by task."""
    identity: Identity
    """Credentials that belong to no single task."""
    budgets: HostBudgets
    """By host and port."""
    on_change: Callable[[LiveTask], None]
    """Told when a live task's row changed without an event."""
    names_ahead: NamesAhead | None = None
    """Looks names up ahead; None where others carry the requests."""
    crowds: Crowds = field(default_factory=Crowds)
    """Who wants how many connections of which host."""
    pacing: Pacing = field(init=False)
    """Requests per second, all together."""
    clock: Callable[[], float] = time.monotonic
    """Monotonic seconds."""
    wall_clock: Callable[[], float] = time.time
    """Unix time."""
    opened_at: float = field(default_factory=time.time)
    """Unix time of the engine's start: rows added before may have run in a process that crashed."""
    random: Callable[[], float] = random.random
    """Uniform in [0, 1), for jitter."""
    continued: dict[str, int] = field(default_factory=dict)
    """Where tasks look for half files, with the task's id: what one of them made is no half file for another."""
    targets: Targets = field(init=False)
    """Names that running tasks go for."""
    archive: Archive = field(init=False)
    """Answers whether an address or digest was done before."""
    existing: Existing = field(init=False)
    """Answers whether a target was there before a batch began."""
    traffic: Traffic = field(default_factory=Traffic)
    """Bytes received by all tasks."""
    last_answer_at: float = float("-inf")
    """Monotonic instant of the last answer from any host: without one for a while there may be no network."""
    watermark: Watermark = field(init=False)
    """Room on the disks that downloads go to."""
    add_files: Callable[[DownloadTask, Sequence[NewTask]], Awaitable[int]] = field(init=False)
    """Puts the files that a task's answer described into the queue; returns how many are to be fetched."""
    listings: Listings = field(init=False)
    """Digests that servers list beside files, by folder."""

    media: MediaWorker | None = None
    """Reads pages and downloads videos; None where nobody can."""
    playlists: Playlists = field(init=False)
    """Heads of playlists, which follow their entries."""
    sites: Sites = field(init=False)
    """How many videos of each site are in hand, and when its next page may be read."""
    everyday: EverydayRules = field(init=False)
    """Which files go the short way."""

    def __post_init__(self) -> None:
        """Make what looks at the others."""
        self.everyday = EverydayRules(self)
        self.sites = Sites(self)
        self.targets = Targets(self)
        self.archive = Archive(self.journal.remembered)
        self.existing = Existing(self.journal, self.pool, self.policy_of)
        self.watermark = Watermark(self)
        self.pacing = Pacing(self.settings.rate, self.clock)
        self.budgets.parking.park_time_s = self.settings.park_time
        self.listings = Listings(partial(read_whole, self), self.clock)

    def throttles_of(self, task: DownloadTask, host: str = "") -> tuple[Share, ...]:
        """Return the places of a task at the limits it is under; `host` where it is not that of its last answer."""
        return self.limits.shares_of(task, host)

    async def store(self, live: LiveTask) -> None:
        """Save a row in hand, durably, and remember that the journal has it so; a refusing disk fails no transfer."""
        await save_rows(self.journal, [live.task])
        live.stored = live.task

    async def reopen_part(self, task: DownloadTask) -> PartFile:
        """Open the part file that a row names; raises `FileSystemError`, PART_LOST or FOLDER_MISSING if it is gone."""
        return await PartFile.open(
            self.pool, task.dir, task.filename, is_ordered=task.options.is_ordered, part_path=task.part_path
        )

    def policy_of(self, task: DownloadTask | NewTask) -> OnExists:
        """Return what to do where the target of a task exists."""
        return task.options.on_exists or OnExists(self.settings.on_exists)

    def commit_policy_of(self, task: DownloadTask) -> OnExists:
        """Return the same for the instant of the rename.

        What was there before has been skipped by then; what is there now, another address of the batch took: with
        SKIP too it is kept beside, never dropped.
        """
        policy = self.policy_of(task)
        is_replacing = policy is OnExists.OVERWRITE and not task.options.wanted_name
        if policy is OnExists.IF_MODIFIED:
            # Its own file of before, and no other.
            is_replacing = task.path == os.path.join(task.dir, task.filename)  # noqa: PTH118  # text in, text out
        return OnExists.OVERWRITE if is_replacing else OnExists.RENAME
