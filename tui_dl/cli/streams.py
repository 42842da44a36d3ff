"""What the standard streams are: terminals, pipes, files."""

from __future__ import annotations

import os
import stat
import sys
from typing import Any


def is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal; a closed or missing one is none."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def is_piped() -> bool:
    """Whether somebody gives us a list on standard input: a pipe or a file, no terminal and no device."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)
