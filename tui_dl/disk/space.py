"""Free space of the file system that holds a path."""

from __future__ import annotations

import os
from typing import NamedTuple


class Space(NamedTuple):
    """A file system at an instant."""

    device: int
    """`st_dev`."""
    free_bytes: int
    """What an ordinary user may still write."""
    size_bytes: int
    """Its whole size."""


def free_bytes(path: str) -> int | None:
    """Return what an ordinary user may still write there, None where nobody can tell; blocks, so call it in a thread.

    A folder that does not exist yet is answered by its nearest parent that does.
    """
    space = space_of(path)
    return None if space is None else space.free_bytes


def space_of(path: str) -> Space | None:
    """Return the file system of a path, or of its nearest parent that exists; None where nobody can tell. Blocks."""
    while True:
        try:
            facts = os.statvfs(path)
            device = os.stat(path).st_dev  # noqa: PTH116 - text in
        except FileNotFoundError:
            parent = os.path.dirname(path)  # noqa: PTH120 - text in, text out
            if parent == path:
                return None
            path = parent
        except OSError:
            return None
        else:
            return Space(device, facts.f_bavail * facts.f_frsize, facts.f_blocks * facts.f_frsize)


def taken_bytes(path: str) -> int:
    """Return the room that a file takes on its disk already, reserved or written; 0 where there is none. Blocks."""
    try:
        return os.stat(path).st_blocks * 512  # noqa: PTH116 - text in
    except OSError:
        return 0
