"""Ctrl+C comes through, but never between two lines of importlib."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from tui_dl.cli.interrupts import hold_interrupts_in_imports

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTED = "os.kill(os.getpid(), signal.SIGINT)\nseen.append('the next line')"


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """Put the handlers back that were there."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def interrupt_in(place: str) -> list[str]:
    """Interrupt code that counts as that of a file; return what it did, once `KeyboardInterrupt` has come."""
    seen: list[str] = []

    def work() -> None:
        exec(compile(INTERRUPTED, place, "exec"), {"os": os, "signal": signal, "seen": seen})
        threading.Event().wait(30)

    with pytest.raises(KeyboardInterrupt):
        work()
    return seen


def test_it_waits_for_the_end_of_what_importlib_does() -> None:
    """There the lock of all imports may have been taken and not given back."""
    hold_interrupts_in_imports()
    assert interrupt_in("<frozen importlib._bootstrap>") == ["the next line"]


def test_it_comes_at_once_elsewhere() -> None:
    """A module's own code may be interrupted while it is imported."""
    hold_interrupts_in_imports()
    assert interrupt_in("a_module.py") == []


def test_it_stays_ignored_where_it_is() -> None:
    """Whoever started us with nohup or in the background means it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hold_interrupts_in_imports()
    os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
