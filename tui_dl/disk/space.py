"""Free space of the file system that holds a path."""

from __future__ import annotations

import os


def free_bytes(path: str) -> int | None:
    """Return what an ordinary user may still write there, None where nobody can tell; blocks, so call it in a thread.

    A folder that does not exist yet is answered by its nearest parent that does.
    """
    while True:
        try:
            facts = os.statvfs(path)
        except FileNotFoundError:
            parent = os.path.dirname(path)  # noqa: PTH120 - text in, text out
            if parent == path:
                return None
            path = parent
        except OSError:
            return None
        else:
            return facts.f_bavail * facts.f_frsize
