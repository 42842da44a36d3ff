"""Entry point of `tui-dl` and of `python -m tui_dl`."""

from __future__ import annotations

import gc
import os
import sys
from typing import Final

from tui_dl.cli.exits import INTERRUPTED
from tui_dl.session import SESSION_WORD

ALLOCATIONS_OF_A_START: Final = 500_000
"""What is imported stays, so looking for garbage in it is in vain: it was 40 ms of the way to the first frame."""


def main() -> None:
    """Run the command line of this process."""
    gc.set_threshold(ALLOCATIONS_OF_A_START, *gc.get_threshold()[1:])
    try:
        from tui_dl.cli.interrupts import hold_interrupts_in_imports  # noqa: PLC0415  # imports want the threshold

        hold_interrupts_in_imports()
        sys.exit(_run())
    except KeyboardInterrupt:
        # Before the command line was read: nothing was begun.
        sys.exit(INTERRUPTED)


def _run() -> int:
    """Run the command line and return the exit code."""
    _fill_closed_streams()
    from tui_dl.cli.kept_code import keep_code  # noqa: PLC0415  # as above

    keep_code()
    if sys.argv[1:] == [SESSION_WORD]:
        from tui_dl.cli.session_process import main as live  # noqa: PLC0415  # as above

        return live()
    if not sys.argv[1:]:
        from tui_dl.cli.at_once import attach_at_once  # noqa: PLC0415  # as above

        if (code := attach_at_once()) is not None:
            return code
    if sys.argv[1:] == ["--foreground"]:
        from tui_dl.cli.at_once import show_at_once  # noqa: PLC0415  # as above

        if (code := show_at_once()) is not None:
            return code
    from tui_dl.cli.main import run  # noqa: PLC0415  # as above

    return run(sys.argv[1:])


def _fill_closed_streams() -> None:
    """Open something where standard input, output or error came closed (`>&-`, some daemons).

    Else files of ours would take their numbers, and uvloop ends the whole process when it closes one of those. What
    is meant for standard output must not vanish unheard, so writing there fails as on a full disk.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            place = "/dev/full" if name == "stdout" and os.path.exists("/dev/full") else os.devnull  # noqa: PTH110  # light
            os.set_inheritable(os.open(place, os.O_RDWR), True)  # it takes the lowest number: this one
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115  # lives on


if __name__ == "__main__":
    main()
