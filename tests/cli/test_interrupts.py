"""Ctrl+C comes through, but never between two lines of importlib."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tui_dl.cli.interrupts import hold_interrupts_in_imports, leave_interrupts_to_loop

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
INTERRUPTED: Final = "os.kill(os.getpid(), signal.SIGINT)\nseen.append('the next line')"


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


def test_a_loop_sees_to_it_as_ever() -> None:
    """It cancels the work, which closes its things, and raises nothing in the middle of a callback."""
    ends: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    hold_interrupts_in_imports()
    leave_interrupts_to_loop()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(work())
    assert ends == ["cancelled"]


def test_a_loop_in_a_thread_leaves_it_alone() -> None:
    """There the main thread goes on importing."""
    hold_interrupts_in_imports()
    handler = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=leave_interrupts_to_loop)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is handler


def test_before_the_command_line_is_read_it_is_no_traceback(tmp_path: Path) -> None:
    """The modules of the command line take a tenth of a second to import."""
    code = (
        "import tui_dl.__main__ as start, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tui_dl.cli.main': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "sys.argv = ['tui-dl', 'ls']\n"
        "start.main()"
    )
    environment = {"PYTHONPATH": str(ROOT), "TUI_DL_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
