"""Functions of whoever uses the library: a fault of theirs must not end what they are told of."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

Told = TypeVar("Told")


def tell_foreign(function: Callable[[Told], object], told: Told, what: str) -> None:
    """Call a function that is not ours; what it raises goes into the log. `what` it was, in words."""
    try:
        function(told)
    except Exception:  # foreign code may raise anything
        logger.exception("%s failed", what)
