"""Ctrl+C while modules are imported: held for an instant, since there it would leave Python's import lock taken.

`KeyboardInterrupt` is raised wherever the main thread is. In importlib's own code that may be after the lock of all
imports was taken and before the block that gives it back, in a callback that swallows it besides (CPython 3.11,
`_get_module_lock`): the next thread that imports anything then waits for ever, and so does whoever waits for it.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

HOLD_S: Final = 0.005
"""How long an interrupt is held before it is tried again."""
_IMPORTLIB: Final = "<frozen importlib._bootstrap>"


def hold_interrupts_in_imports() -> None:
    """Have Ctrl+C raise `KeyboardInterrupt` as ever, but never within importlib.

    Call it in the main thread; it takes SIGALRM for itself. Where SIGINT is ignored it stays so.
    """
    if hasattr(signal, "setitimer") and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGALRM, _interrupt)
        signal.signal(signal.SIGINT, _interrupt)


def leave_interrupts_to_loop() -> None:
    """Have `asyncio.Runner` see to Ctrl+C, which it does only where nobody else does; it raises nothing by itself.

    In other threads it does nothing: loops there leave the main thread's interrupts alone.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGINT) is _interrupt:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if frame is not None and frame.f_code.co_filename == _IMPORTLIB:
        signal.setitimer(signal.ITIMER_REAL, HOLD_S)
    else:
        signal.default_int_handler(number, frame)
