"""What other programs may ask for besides what the screen does: the engine's totals and settings, and the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tui_dl.core.ports import EnginePort

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.settings import Settings
    from tui_dl.core.task import DownloadProgress


class ControlPort(EnginePort, Protocol):
    """The engine as control programs see it."""

    @property
    def settings(self) -> Settings:
        """Settings as they are now, changes made live included."""
        ...

    @property
    def default_dir(self) -> str:
        """Absolute folder of tasks that name none."""
        ...

    def statistics(self) -> dict[str, Any]:
        """Return totals since the start, as JSON values."""
        ...

    async def ids_named(self, prefix: str) -> list[int]:
        """Return at most two tasks whose gid begins with these hexadecimal digits, lower case."""
        ...

    def progress(self, task_id: int) -> DownloadProgress | None:
        """Return how one task stands that runs or waits for its turn again; None for any other. Cheap."""
        ...


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """Who answers."""

    version: str
    """Version of the program that runs."""
    pid: int
    """Its process."""
    since_at: float
    """Unix time of its start."""
    clients: int
    """Terminals attached."""
    id: str
    """Random name of this run, 40 hexadecimal digits as aria2's session id has."""


class SessionPort(Protocol):
    """The process that holds the engine."""

    def facts(self) -> SessionFacts:
        """Return who answers."""
        ...

    def refusal_of_proxies(self, proxies: Mapping[str, str] | None) -> str:
        """Return why what is added cannot go through these proxies of another environment; empty if it does."""
        ...

    def stop(self, *, is_forced: bool) -> None:
        """Begin to end, with everything durable; `is_forced`: without waiting for what a person ordered in bulk.

        Returns at once: the answer to whoever asked goes out first.
        """
        ...
