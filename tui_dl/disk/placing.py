"""How a part gets its final name: the policies for a target that is there already."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.filename import numbered
from tui_dl.core.task import OnExists
from tui_dl.disk.durable import rename_noreplace
from tui_dl.disk.folder import require_component

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.disk.folder import Folder

MOST_NUMBERS: Final = 10_000
"""Names `NAME (n)` that are tried before giving up."""


def first_free(name: str, take: Callable[[str], None], *, start: int = 0) -> int:
    """Call `take` with `name`, `name (1)`... until it raises no `FileExistsError`; returns the number it took."""
    for number in range(start, MOST_NUMBERS):
        try:
            take(numbered(name, number))
        except FileExistsError:
            continue
        return number
    raise FileSystemError(Reason.TARGET_EXISTS, f"{name} and {MOST_NUMBERS} numbered names are taken")


def place(folder: Folder, part_name: str, part_fd: int, target_name: str, on_exists: OnExists) -> str:
    """Rename a whole, synced part to its target, blocking; returns the name that it got.

    Raises `FileSystemError` TARGET_EXISTS with SKIP, and with OVERWRITE where the target is no regular file. The part
    keeps its name then. No link is followed and nothing is replaced but what OVERWRITE names.
    """
    require_component(target_name)
    if on_exists is OnExists.OVERWRITE:
        _replace(folder, part_name, part_fd, target_name)
        return target_name

    def take(name: str) -> None:
        rename_noreplace(part_name, name, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)

    if on_exists is OnExists.RENAME:
        return numbered(target_name, first_free(target_name, take))
    try:
        take(target_name)
    except FileExistsError as error:
        raise FileSystemError(Reason.TARGET_EXISTS, f"{folder.join(target_name)} is there already") from error
    return target_name


def _replace(folder: Folder, part_name: str, part_fd: int, target_name: str) -> None:
    try:
        there = os.stat(target_name, dir_fd=folder.fd, follow_symlinks=False)
    except FileNotFoundError:
        there = None
    if there is not None:
        if not stat.S_ISREG(there.st_mode):
            raise FileSystemError(Reason.TARGET_EXISTS, f"{folder.join(target_name)} is not a regular file")
        _keep_private(part_fd, there)
    os.replace(part_name, target_name, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)


def _keep_private(part_fd: int, there: os.stat_result) -> None:
    """Give nobody a permission that the replaced file did not give (CVE-2022-32207)."""
    ours = stat.S_IMODE(os.fstat(part_fd).st_mode)
    allowed = ours & stat.S_IMODE(there.st_mode)
    if allowed != ours:
        os.fchmod(part_fd, allowed)
