"""The commands of a person on the events of an engine: told on the loop, run by threads, a few at once."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Self

from tui_dl.core.display_text import display_text
from tui_dl.core.events import Event, EventKind
from tui_dl.core.hook_commands import QUEUE_END, SETTING_OF_EVENT
from tui_dl.core.media import Kind
from tui_dl.hooks.backlog import Backlog
from tui_dl.hooks.payload import as_json, payload_of, queue_end_payload, variables_of
from tui_dl.hooks.running import GRACE_S, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

logger = logging.getLogger(__name__)

AT_ONCE: Final = 4
"""Commands that run at the same time."""
INTERRUPTED_S: Final = 1.0
"""What commands have left where a signal ended the work; a system that shuts down kills soon."""
MOST_TROUBLES: Final = 10
"""Failures that a person is told of; the log has all."""
_ENDS: Final = (EventKind.COMPLETED, EventKind.FAILED, EventKind.SKIPPED, EventKind.CANCELLED)
_SHOWN_CELLS: Final = 60


@dataclass(frozen=True, slots=True)
class HookPlan:
    """What is to run, and how."""

    commands: Mapping[str, tuple[str, ...]]
    """Words of each command by its event; never empty."""
    environment: Mapping[bytes, bytes] = field(repr=False)
    """What they find besides the event's own variables."""
    limit_s: float
    """How long each may take."""
    patience_s: float | None
    """How long those that are due may keep the end of the work waiting, in all; None: as long as they take."""


class Hooks:
    """Runs the commands; use it as `async with`, around the engine, so that what it says last is heard."""

    def __init__(self, plan: HookPlan, clock: Callable[[], float], on_trouble: Callable[[str], None]) -> None:
        self._plan = plan
        self._clock = clock
        self._on_trouble = on_trouble
        self._inbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._counts: Counter[str] = Counter()
        self._troubles = 0
        self._runs: set[Run] = set()
        self._waiting = 0
        self._is_closing = self._is_stopped = False
        self._gone = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._serve, name="hooks", daemon=True).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closing = True
        self._inbox.put(None)
        patience_s = INTERRUPTED_S if isinstance(error, asyncio.CancelledError) else self._plan.patience_s
        try:
            async with asyncio.timeout(patience_s):
                await self._gone.wait()
        except TimeoutError:
            await self._stop()
        except asyncio.CancelledError:
            await self._stop()
            raise

    @property
    def is_busy(self) -> bool:
        """Whether commands run or are due."""
        return bool(self._runs) or self._waiting > 0 or not self._inbox.empty()

    # -- on the loop ---------------------------------------------------------------------------------------------------

    def hear(self, event: Event) -> None:
        """Take in a step of a task."""
        if event.task.kind is Kind.PLAYLIST:
            return  # its entries are what starts, and ends with a file
        if event.kind in _ENDS:
            self._counts[event.kind.value] += 1
        if event.kind.value in self._plan.commands:
            self._inbox.put(as_json(payload_of(event)))

    def end_queue(self) -> None:
        """Take in that nothing is left to do."""
        counts = {kind.value: self._counts[kind.value] for kind in _ENDS}
        self._counts.clear()
        if QUEUE_END in self._plan.commands:
            self._inbox.put(as_json(queue_end_payload(counts, self._clock())))

    async def _stop(self) -> None:
        """End what runs and drop what waits."""
        self._is_stopped = True
        for run in tuple(self._runs):
            run.stop()
        self._inbox.put(None)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S + 1):
                await self._gone.wait()

    def _tell_trouble(self, text: str) -> None:
        self._troubles += 1
        if self._troubles <= MOST_TROUBLES:
            self._on_trouble(text)

    # -- in the thread of its own --------------------------------------------------------------------------------------

    def _serve(self) -> None:
        backlog = Backlog()
        try:
            while not (self._is_closing and self._inbox.empty() and not self._runs and not backlog):
                if (told := self._inbox.get()) is not None:
                    self._keep(backlog, told)
                if self._is_stopped and backlog:
                    logger.warning("%d commands were not run: the program ended", len(backlog))
                    backlog = Backlog()
                while len(self._runs) < AT_ONCE and (due := backlog.take()) is not None:
                    self._begin(due)
                self._waiting = len(backlog)
        finally:
            backlog.close()
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                self._loop.call_soon_threadsafe(self._gone.set)

    def _keep(self, backlog: Backlog, told: bytes) -> None:
        try:
            backlog.put(told)
        except OSError as error:
            logger.warning("a command was not run: its event could not be kept: %s", error.strerror)

    def _begin(self, told: bytes) -> None:
        payload = json.loads(told)
        environment = {**self._plan.environment, **variables_of(payload)}
        run = Run(self._plan.commands[payload["event"]], environment, self._plan.limit_s)
        self._runs.add(run)
        threading.Thread(target=self._one, args=(run, told, payload), name="hook", daemon=True).start()

    def _one(self, run: Run, told: bytes, payload: Mapping[str, Any]) -> None:
        """Run one command, in a thread of its own."""
        try:
            outcome = run(told)
            name = SETTING_OF_EVENT[payload["event"]]
            about = display_text(str(payload.get("name", "")), _SHOWN_CELLS) or f"task {payload.get('id', '')}"
            what = name if payload["event"] == QUEUE_END else f"{name} for {about}"
            for line in outcome.output.decode(errors="replace").splitlines():
                logger.info("%s said: %s", what, line)
            logger.log(logging.INFO if outcome.is_well else logging.WARNING, "%s: %s", what, outcome.text)
            if not outcome.is_well:
                with suppress(RuntimeError):  # as above
                    self._loop.call_soon_threadsafe(self._tell_trouble, f"{what}: {outcome.text}")
        except Exception:
            # The border of a command: its failing harms nobody.
            logger.exception("a command could not be run")
        finally:
            self._runs.discard(run)
            self._inbox.put(None)
