"""Functions of whoever uses the library: a fault of theirs must not end what they are told of."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

Told = TypeVar("Told")


class Foreign(Generic[Told]):
    """A function that is not ours. What it raises goes into the log: the first time whole, then the count alone.

    It may be called four times a second for each download, so that the count is told at 10, 100, 1,000 and so on.
    """

    def __init__(self, function: Callable[[Told], object], what: str) -> None:
        """Take it; `what` it is, in words."""
        self._function = function
        self._what = what
        self._failures = 0
        self._next_told = 1

    def tell(self, told: Told) -> None:
        """Call it."""
        try:
            self._function(told)
        except Exception as error:  # foreign code may raise anything
            self._failures += 1
            if self._failures < self._next_told:
                return
            self._next_told *= 10
            if self._failures == 1:
                logger.exception("%s failed", self._what)
            else:
                logger.error("%s failed %d times, last with %s", self._what, self._failures, type(error).__name__)  # noqa: TRY400  # its trace was told the first time
