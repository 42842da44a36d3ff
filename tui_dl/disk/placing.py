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

SCATTERED_SUFFIX: Final = ".tui-dl.part"
"""Of part files with holes: no other tool takes them up."""
ORDERED_SUFFIX: Final = ".part"
"""Of part files that are a prefix of the file."""
MOST_NUMBERS: Final = 10_000
"""Names `NAME (n)` that are tried one after the other before giving up."""
FEW_NUMBERS: Final = 16
"""Names that are tried one after the other before the numbers are searched in leaps, where that can be."""
_MOST_REMEMBERED: Final = 10_000


def first_free(
    name: str, take: Callable[[str], None], *, start: int = 0, is_there: Callable[[str], bool] | None = None
) -> int:
    """Call `take` with `name`, `name (1)`... until it raises no `FileExistsError`; returns the number it took.

    With `is_there`, which says whether a name is taken, it leaps where many are: ten thousand files of one name cost
    a few looks each.
    """
    for number in range(start, start + MOST_NUMBERS):
        if is_there is not None and number == start + FEW_NUMBERS:
            return first_free(name, take, start=free_number(name, is_there, start=number))
        try:
            take(numbered(name, number))
        except FileExistsError:
            continue
        return number
    raise FileSystemError(Reason.TARGET_EXISTS, f"{name} and {MOST_NUMBERS} numbered names are taken")


def free_number(name: str, is_there: Callable[[str], bool], *, start: int = 0) -> int:
    """Return a number from `start` on whose name is not there: the first one, or where many are, one after a taken."""
    for number in range(start, start + FEW_NUMBERS):
        if not is_there(numbered(name, number)):
            return number
    taken, leap = start + FEW_NUMBERS - 1, FEW_NUMBERS
    while is_there(numbered(name, taken + leap)):
        taken, leap = taken + leap, leap * 2
    free = taken + leap
    while free - taken > 1:
        middle = (taken + free) // 2
        if is_there(numbered(name, middle)):
            taken = middle
        else:
            free = middle
    return free


class Placing:
    """Gives whole, synced parts their final names, blocking; no link is followed, no file replaced unasked.

    It remembers the last number of each name, so that thousands of files of one name do not try every number again.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int, str], int] = {}

    def place(self, folder: Folder, part_name: str, part_fd: int, target_name: str, on_exists: OnExists) -> str:
        """Name a part and return the name that it got; an empty `part_name` is a file that never had one.

        Raises `FileSystemError` TARGET_EXISTS with SKIP, and with OVERWRITE where the target is no regular file. The
        part keeps its name then.
        """
        require_component(target_name)

        def take(name: str) -> None:
            _take(folder, part_name, part_fd, name)

        if on_exists is OnExists.RENAME:
            return numbered(target_name, self._first_free(folder, target_name, take))
        if on_exists is OnExists.OVERWRITE:
            _replace(folder, part_name, part_fd, target_name)
            return target_name
        try:
            take(target_name)
        except FileExistsError as error:
            raise FileSystemError(Reason.TARGET_EXISTS, f"{folder.join(target_name)} is there already") from error
        return target_name

    def _first_free(self, folder: Folder, name: str, take: Callable[[str], None]) -> int:
        key = (folder.device, folder.inode, name)
        number = first_free(name, take, start=self._numbers.get(key, 0), is_there=lambda one: _is_there(one, folder))
        if number:
            if len(self._numbers) >= _MOST_REMEMBERED:
                self._numbers.clear()
            self._numbers[key] = number
        return number


def _is_there(name: str, folder: Folder) -> bool:
    try:
        os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _take(folder: Folder, part_name: str, part_fd: int, name: str) -> None:
    if part_name:
        rename_noreplace(part_name, name, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
    else:
        os.link(f"/proc/self/fd/{part_fd}", name, dst_dir_fd=folder.fd, follow_symlinks=True)


def _replace(folder: Folder, part_name: str, part_fd: int, target_name: str) -> None:
    try:
        there = os.stat(target_name, dir_fd=folder.fd, follow_symlinks=False)
    except FileNotFoundError:
        there = None
    if there is not None:
        if not stat.S_ISREG(there.st_mode):
            raise FileSystemError(Reason.TARGET_EXISTS, f"{folder.join(target_name)} is not a regular file")
        _keep_private(part_fd, there)
    old_name = part_name or _name_part(folder, part_fd, target_name)
    try:
        os.replace(old_name, target_name, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
    except OSError:
        if not part_name:
            os.unlink(old_name, dir_fd=folder.fd)
        raise


def _name_part(folder: Folder, part_fd: int, target_name: str) -> str:
    """Name a file that has none: `link()` cannot replace, `rename()` needs a name to start from."""

    def take(name: str) -> None:
        _take(folder, "", part_fd, name + ORDERED_SUFFIX)

    return numbered(target_name, first_free(target_name, take)) + ORDERED_SUFFIX


def _keep_private(part_fd: int, there: os.stat_result) -> None:
    """Give nobody a permission that the replaced file did not give (CVE-2022-32207)."""
    ours = stat.S_IMODE(os.fstat(part_fd).st_mode)
    allowed = ours & stat.S_IMODE(there.st_mode)
    if allowed != ours:
        os.fchmod(part_fd, allowed)
