"""How much memory this process holds, as far as the system says."""

from __future__ import annotations

import sys


def peak_memory_bytes() -> int | None:
    """Return the most memory this process held so far; None where the system does not say."""
    try:
        import resource  # noqa: PLC0415  # POSIX alone has it
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
