"""Ports: the Protocols and frozen views where the layers meet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from tui_dl.core.ports_media import FormatsPort

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Mapping, Sequence

    from tui_dl.core.commands import Command, CommandName, CommandOutcome
    from tui_dl.core.errors import Reason
    from tui_dl.core.events import Event, LogLine
    from tui_dl.core.query import TaskQuery
    from tui_dl.core.ranges import ByteRange
    from tui_dl.core.status import Status
    from tui_dl.core.task import DownloadProgress, DownloadTask


@dataclass(frozen=True, slots=True)
class WorkView:
    """A bulk action that goes on behind the screen."""

    name: CommandName
    """What is done."""
    done: int
    """Rows looked at so far."""
    total: int
    """Rows meant."""


Chunk: TypeAlias = bytes | memoryview
"""Bytes on their way from a server to a disk; a view is released by whoever used it last."""


@dataclass(frozen=True, slots=True)
class EngineSnapshot:
    """The engine at an instant: live tasks and counts, never all rows."""

    live: Mapping[int, DownloadProgress]
    """Tasks that hold a slot, and those waiting with a due time, by id."""
    counts: Mapping[Status, int]
    """Rows by status, all batches that the screen shows."""
    speed_bps: float
    """Bytes per second, all tasks."""
    concurrent_downloads: int
    """Tasks at once allowed now."""
    limit_rate_bps: int
    """Global limit, 0 for none."""
    limit_until_at: float | None = field(default=None, kw_only=True)
    """Unix time at which a timetable changes it; None where none does."""
    free_bytes: int | None
    """Free space where downloads go by default; None where unknown."""
    generation: int
    """Grows whenever a row is added, removed, moved or changes status: views are then asked anew."""
    speed_history: tuple[float, ...] = ()
    """Bytes per second of the last seconds, oldest first."""
    notices: tuple[str, ...] = ()
    """Lasting conditions for a person (no network, disk full, journal replaced); sanitised."""
    works: tuple[WorkView, ...] = ()
    """Bulk actions under way, oldest first."""


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A byte range that a connection fetches now."""

    range: ByteRange
    """What is left of it: from the next byte to its end."""
    speed_bps: float
    """Bytes per second of this connection."""


@dataclass(frozen=True, slots=True)
class SourceView:
    """One of several addresses that a file is fetched from."""

    host: str
    """Host and port; sanitised."""
    connections: int
    """Connections to it now."""
    speed_bps: float
    """Bytes per second of one of them lately, 0 while unknown."""
    ban: str
    """Why it is not asked any more; empty while it may be."""


@dataclass(frozen=True, slots=True)
class HostView:
    """What is known of a host that a task is fetched from."""

    host: str
    """Host and port, as rows name it."""
    connections: int
    """Connections at work, all tasks."""
    allowed: int
    """Most connections, by settings and by what was learned."""
    due_at: float | None = None
    """Unix time before which it wants no request; None where it waits for nothing."""
    is_restricted: bool = False
    """Whether its own answers taught less than the settings allow."""


@dataclass(frozen=True, slots=True)
class TaskDetails:
    """All that the details pane shows of one task."""

    task: DownloadTask
    """The row."""
    held: tuple[ByteRange, ...] = ()
    """Bytes held."""
    segments: tuple[SegmentView, ...] = ()
    """Connections at work."""
    sources: tuple[SourceView, ...] = ()
    """Addresses of the file in order of preference, where there are several."""
    hosts: tuple[HostView, ...] = ()
    """Hosts that it asks, the one that serves it first; empty where it is not in hand."""
    speed_history: tuple[float, ...] = ()
    """Bytes per second of the last seconds, oldest first."""
    peak_bps: float = 0.0
    """Highest speed since it started."""
    log: tuple[LogLine, ...] = ()
    """Requests, answers and errors, oldest first."""
    response_headers: tuple[tuple[str, str], ...] = field(default=())
    """Headers of the first answer; sanitised, secrets masked."""


@dataclass(frozen=True, slots=True)
class BatchView:
    """One add: what was asked for at once, and how far it is."""

    id: int
    """Number in the journal."""
    name: str
    """What the person called it, or when it was added; as given: show it sanitised."""
    at: float
    """Unix time of the add."""
    is_get: bool
    """Whether a run of `get` added it: its finished rows are shown only where it is asked for."""
    counts: Mapping[Status, int]
    """Its rows by status, without those of which there are none."""
    total_bytes: int
    """Bytes of its completed files."""
    started_at: float | None
    """Unix time at which the first of them began; None before."""
    finished_at: float | None
    """Unix time at which the last of them ended so far; None before."""

    @property
    def total(self) -> int:
        """Its rows."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failed tasks of one reason and one host."""

    reason: Reason
    """Documented reason; what was recorded without one counts as `internal`."""
    host: str
    """Host and port, as rows name it; show it sanitised."""
    count: int
    """How many there are."""
    text: str = ""
    """What one of them says in words, with its particulars; show it sanitised."""


class EnginePort(FormatsPort, Protocol):
    """What the screen may ask of the engine."""

    def snapshot(self) -> EngineSnapshot:
        """Return the present state; cheap, called several times a second."""
        ...

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` for each event on the loop; the returned function ends that."""
        ...

    async def execute(self, command: Command) -> CommandOutcome:
        """Do what a person wants; bad arguments raise `UsageError`."""
        ...

    async def view(self, query: TaskQuery, *, limit: int = -1) -> array[int]:
        """Return the ids of matching rows in order, as `array('q')`, at most `limit` (-1: all); ends when cancelled."""
        ...

    async def rows(self, ids: Sequence[int]) -> list[DownloadTask]:
        """Return the rows of these ids, in this order; ids that are gone are left out."""
        ...

    async def details(self, task_id: int) -> TaskDetails | None:
        """Return the particulars of one task, None if it is gone."""
        ...

    async def batches(self) -> list[BatchView]:
        """Return all batches that have rows, the newest first; counted anew, so not for every frame."""
        ...

    async def failure_groups(self, query: TaskQuery) -> list[FailureGroup]:
        """Return the failed rows that match, by reason and host, the largest group first."""
        ...

    async def batch_names(self) -> list[str]:
        """Return the names of the last batches, the newest first; cheap, for completion."""
        ...

    async def batch(self, batch_id: int) -> BatchView | None:
        """Return one batch, None if its rows are gone."""
        ...


@dataclass(frozen=True, slots=True)
class TransportRequest:
    """One GET, already decided: no redirects are followed and nothing is decoded below."""

    url: str
    """Absolute address, encoded as it goes to the server."""
    headers: Mapping[str, str]
    """All headers besides Host and Connection."""


class TransportAnswer(Protocol):
    """Head of an answer and its body as it arrives."""

    @property
    def status(self) -> int:
        """HTTP status code."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers, case-insensitive; the first of duplicates."""
        ...

    @property
    def has_proven_end(self) -> bool:
        """Whether the framing (length or final chunk) shows where the body ends."""
        ...

    async def read(self, most_bytes: int | None) -> bytes:
        """Return what has arrived of the body, undecoded, at most this much; empty at its end.

        Raises `NetworkError` when it is cut before its proven end, or by a reset where no end is proven.
        """
        ...

    def close(self) -> None:
        """End the exchange; the connection is kept only if the body was read to its end."""
        ...


@runtime_checkable
class Pausable(Protocol):
    """An answer that can leave its body on the wire."""

    def pause(self) -> None:
        """Take nothing from the socket until the next `read()`."""
        ...


@runtime_checkable
class Viewable(Protocol):
    """An answer that can give out its body without copying it."""

    async def view(self, most_bytes: int | None) -> Chunk:
        """Return what has arrived as `read()` does; a view is to be released after use, its memory is used again."""
        ...


class Transport(Protocol):
    """What carries requests; aiohttp is one, others may follow."""

    async def get(self, request: TransportRequest) -> TransportAnswer:
        """Send a GET and return as soon as the head is there; raises `NetworkError` or `HttpError`."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...
