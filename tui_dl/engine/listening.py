"""Who hears of events: called in turn on the loop, each until it wants no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.engine.foreign import Foreign

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.events import Event


class Listeners:
    """The listeners of one source of events."""

    def __init__(self) -> None:
        self._all: list[Foreign[Event]] = []

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` for each event; the returned function ends that."""
        foreign = Foreign(listener, "a listener")
        self._all.append(foreign)

        def unsubscribe() -> None:
            if foreign in self._all:
                self._all.remove(foreign)

        return unsubscribe

    @property
    def are_there(self) -> bool:
        """Whether anybody hears."""
        return bool(self._all)

    def tell(self, event: Event) -> None:
        """Tell all; one that fails does not keep the others from hearing it."""
        for listener in tuple(self._all):
            listener.tell(event)
