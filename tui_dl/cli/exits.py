"""Exit codes, and an end without complaints."""

from __future__ import annotations

import os
import sys
from typing import Final

DONE: Final = 0
"""Everything is there."""
SOME_FAILED: Final = 1
"""Something is not."""
WRONG_USAGE: Final = 2
"""The command line, the settings or a list are wrong; nothing was done."""
CANNOT_START: Final = 3
"""It could not begin, or it has a fault itself."""
INTERRUPTED: Final = 130
"""A signal ended it, or whoever read its output went away; everything can be resumed."""


def silence_closed_streams() -> None:
    """Keep Python from complaining at its end about a reader that went away."""
    for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            stream.flush()
        except (OSError, ValueError):
            spare = os.open(os.devnull, os.O_WRONLY)
            os.dup2(spare, number)
            os.close(spare)
