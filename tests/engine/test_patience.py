"""Many waits, one timer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from tui_dl.engine.patience import Patience

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

WAIT_S = 0.25


class _Loop:
    """Time passes when it is told to; the timers that were asked for are kept."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Callable[[], object]]] = []

    def time(self) -> float:
        """Return the time that was told."""
        return self.now

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> object:
        """Keep a timer."""
        self.timers.append((self.now + delay, lambda: callback(*args)))
        return object()

    def call_soon(self, callback: Callable[..., object], *args: object) -> object:
        """Keep one that is due."""
        return self.call_later(0, callback, *args)

    def run_until(self, at: float) -> None:
        """Run what is due by then, in order."""
        while self.timers and min(self.timers, key=lambda timer: timer[0])[0] <= at:
            first = min(self.timers, key=lambda timer: timer[0])
            self.timers.remove(first)
            self.now = max(self.now, first[0])
            first[1]()
        self.now = at


def patience_on(loop: _Loop, lose: Callable[[Any], object]) -> Patience[Any]:
    """Return one that takes this for its loop."""
    return Patience(cast("asyncio.AbstractEventLoop", loop), lose)


@pytest.fixture(name="loop")
def make_loop() -> _Loop:
    """Return a loop that stands still."""
    return _Loop()


def test_each_is_told_when_its_own_time_is_up(loop: _Loop) -> None:
    """Neither before, nor with those that began later."""
    lost: list[str] = []
    patience = patience_on(loop, lost.append)
    patience.begin("a", WAIT_S)
    loop.run_until(100.2)
    patience.begin("b", WAIT_S)
    loop.run_until(100.24)
    assert lost == []
    loop.run_until(100.26)
    assert lost == ["a"]
    loop.run_until(100.44)
    assert lost == ["a"]
    loop.run_until(100.46)
    assert lost == ["a", "b"]
    assert not loop.timers


def test_who_got_what_it_waited_for_is_not_told(loop: _Loop) -> None:
    """Also not of its earlier wait, where it waits again; and nothing rings while nobody waits."""
    lost: list[str] = []
    patience = patience_on(loop, lost.append)
    patience.begin("a", WAIT_S)
    loop.run_until(100.1)
    patience.end("a")
    patience.end("a")
    patience.begin("a", WAIT_S)
    loop.run_until(100.3)
    assert lost == []
    patience.end("a")
    loop.run_until(101)
    assert lost == []
    assert not loop.timers


def test_a_thousand_waits_ask_for_one_timer(loop: _Loop) -> None:
    """That is what it is for."""
    patience = patience_on(loop, lambda _one: None)
    for one in range(1000):
        patience.begin(one, WAIT_S)
        patience.end(one)
    assert len(loop.timers) == 1


def test_one_that_fails_does_not_keep_others_from_hearing(loop: _Loop) -> None:
    """Each is told in a turn of its own."""
    told: list[str] = []

    def lose(one: str) -> None:
        told.append(one)
        if one == "a":
            raise ValueError(one)

    patience = patience_on(loop, lose)
    for one in "abc":
        patience.begin(one, WAIT_S)
    with pytest.raises(ValueError, match="a"):
        loop.run_until(101)
    loop.run_until(101)
    assert told == ["a", "b", "c"]
