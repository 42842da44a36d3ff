"""What a function gave or raised in one thread, carried to whoever waits for it in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


def carried(
    work: Callable[[*Arguments], Result], *arguments: *Arguments
) -> tuple[Result, None] | tuple[None, Exception]:
    """Return what `work(*arguments)` gave and None, or None and what it raised.

    The border of every thread that works for others: it is nobody's but the waiter's to know what can go wrong.
    """
    try:
        return work(*arguments), None
    except Exception as error:  # noqa: BLE001  # see above
        return None, error
