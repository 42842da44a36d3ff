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


class Connection(Protocol):
    """What a caller came by."""

    has_proven: bool
    """Whether the right secret was given over it once."""


@dataclass(slots=True)
class Caller:
    """Who is at the other end of a connection."""

    is_local: bool
    """Whether it came through the Unix socket, so that it is the person's own program."""
    name: str
    """Address for the log."""
    listener: Listener | None = None
    """Where it hears notifications; None over HTTP."""
    connection: Connection | None = None
    """What it came by; None where nobody counts connections."""

    def prove(self) -> None:
        """Note that it gave the right secret."""
        if self.connection is not None:
            self.connection.has_proven = True


@dataclass(frozen=True, slots=True)
class Call:
    """One call, its secret checked and taken off."""

    caller: Caller
    """Who calls."""
    params: tuple[Any, ...] = ()
    """Parameters by place."""
    named: dict[str, Any] = field(default_factory=dict)
    """Parameters by name."""

    def text(self, place: int) -> str:
        """Return a text that must be given."""
        value = self.wanted(place)
        if not isinstance(value, str):
            raise _wrong_type(place)
        return value

    def number(self, place: int) -> int:
        """Return a whole number that must be given."""
        value = self.wanted(place)
        if type(value) is not int:
            raise _wrong_type(place)
        return value

    def texts(self, place: int) -> list[str]:
        """Return a list of texts, empty where it was not given."""
        value = self.at(place)
        if value is None:
            return []
        if not isinstance(value, list):
            raise _wrong_type(place)
        return [one for one in value if isinstance(one, str)]

    def struct(self, place: int) -> dict[str, Any]:
        """Return an object, empty where it was not given."""
        value = self.at(place)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise _wrong_type(place)
        return value

    def wanted(self, place: int) -> Any:
        """Return the parameter at a place that must be given."""
        value = self.at(place)
        if value is None:
            raise RpcError(FAILED, f"The parameter at {place} is required but missing.")
        return value

    def at(self, place: int) -> Any:
        """Return the parameter at a place, None where it was not given."""
        return self.params[place] if place < len(self.params) else None


def _wrong_type(place: int) -> RpcError:
    return RpcError(FAILED, f"The parameter at {place} has wrong type.")


Method: TypeAlias = Callable[[Call], Awaitable[Any]]
"""Carries out a call; what it returns is JSON."""
