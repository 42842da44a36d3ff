"""One call of a method: who calls, and its parameters, read with errors that name what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from tui_dl.session.rpc.faults import FAILED, RpcError


class Listener(Protocol):
    """Where a caller hears notifications: a WebSocket."""

    def follow(self, kinds: frozenset[str]) -> None:
        """Send our own events of these kinds from now on; an empty set ends it."""
        ...


@dataclass(slots=True)
class Caller:
    """Who is at the other end of a connection."""

    is_local: bool
    """Whether it came through the Unix socket, so that it is the person's own program."""
    name: str
    """Address for the log."""
    listener: Listener | None = None
    """Where it hears notifications; None over HTTP."""
    has_proven: bool = False
    """Whether it gave the right secret once."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, its secret checked and taken off."""

    caller: Caller
    """Who calls."""
    params: tuple[Any, ...] = ()
    """Parameters by place."""
    named: dict[str, Any] = field(default_factory=dict)
    """Parameters by name."""

    def text(self, place: int, what: str) -> str:
        """Return a text that must be given."""
        value = self.at(place)
        if value is None:
            raise RpcError(FAILED, f"The parameter at {place} is required but missing.")
        if not isinstance(value, str):
            raise RpcError(FAILED, f"The parameter at {place} ({what}) has wrong type: expected text.")
        return value

    def number(self, place: int, what: str) -> int:
        """Return a whole number that must be given."""
        value = self.at(place)
        if value is None:
            raise RpcError(FAILED, f"The parameter at {place} is required but missing.")
        if type(value) is not int:
            raise RpcError(FAILED, f"The parameter at {place} ({what}) has wrong type: expected a whole number.")
        return value

    def texts(self, place: int, what: str) -> list[str] | None:
        """Return a list of texts, None where it was not given."""
        value = self.at(place)
        if value is not None and (not isinstance(value, list) or not all(isinstance(one, str) for one in value)):
            raise RpcError(FAILED, f"The parameter at {place} ({what}) has wrong type: expected a list of texts.")
        return value

    def struct(self, place: int, what: str) -> dict[str, Any]:
        """Return an object, empty where it was not given."""
        value = self.at(place)
        if value is not None and not isinstance(value, dict):
            raise RpcError(FAILED, f"The parameter at {place} ({what}) has wrong type: expected an object.")
        return value or {}

    def at(self, place: int) -> Any:
        """Return the parameter at a place, None where it was not given."""
        return self.params[place] if place < len(self.params) else None


Method: TypeAlias = Callable[[Call], Awaitable[Any]]
"""Carries out a call; what it returns is JSON."""
