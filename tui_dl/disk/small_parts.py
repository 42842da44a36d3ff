"""The thread's side of small files: one write each, then a group made durable and named at once."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from tui_dl.core.errors import FileSystemError
from tui_dl.core.filename import numbered
from tui_dl.core.provenance import NO_PROVENANCE, Provenance
from tui_dl.disk.durable import sync_folder, sync_group
from tui_dl.disk.folder import Folder, require_in_place
from tui_dl.disk.opening import is_ours, unlink_part
from tui_dl.disk.origin import give_provenance
from tui_dl.disk.os_errors import map_os_error
from tui_dl.disk.placing import ORDERED_SUFFIX, Placing, first_free
from tui_dl.disk.proving import has_same_bytes
from tui_dl.disk.writer import write_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.task import OnExists

_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_NAMELESS: Final = frozenset({errno.EOPNOTSUPP, errno.ENOTSUP, errno.EISDIR, errno.EINVAL, errno.ENOSYS})


class SmallPart(NamedTuple):
    """A small file that was written and has no final name yet."""

    fd: int
    """Open since before the write, because an error of writing back is told to such descriptors alone."""
    name: str
    """Name of its part file; empty where the file system can keep a file without a name until it is whole."""


@dataclass(frozen=True, slots=True)
class SmallCommit:
    """One member of a group."""

    folder: Folder
    """Where it goes."""
    part: SmallPart
    """What was written."""
    target_name: str
    """The name wanted."""
    on_exists: OnExists
    """Policy for a target that is there already."""
    provenance: Provenance = NO_PROVENANCE
    """Time and origin to note."""
    adopts_twin: bool = False
    """Whether a file of the wanted name with the very same bytes is taken for it: a crash may have come between the
    naming and the record."""


def write_small(folder: Folder, name: str, buffers: Sequence[bytes], *, is_nameless: bool) -> SmallPart:
    """Write a whole small file, blocking. Where it fails, nothing of it stays.

    With `is_nameless` the file has no name before it is whole (`O_TMPFILE`), so that a crash leaves nothing behind;
    else, or where that is not offered, it is `NAME.part`.
    """
    part = (_open_nameless(folder) if is_nameless else None) or _open_named(folder, name)
    try:
        write_all(part.fd, buffers, 0)
    except BaseException:
        discard_small(folder, part)
        raise
    return part


def discard_small(folder: Folder, part: SmallPart) -> None:
    """Remove what was written and close it."""
    with suppress(OSError):
        if part.name:
            unlink_part(folder, part.name, part.fd)
    os.close(part.fd)


def commit_group(commits: Sequence[SmallCommit], placing: Placing) -> list[str | FileSystemError]:
    """Make a group of one file system durable and give each its name, blocking: final paths or what failed.

    Order: sync all, name each, sync each folder once. A failure concerns one file, or those of one folder.
    """
    outcomes: list[str | FileSystemError | None] = [None] * len(commits)
    failures = sync_group(commits[0].folder.fd, [commit.part.fd for commit in commits])
    by_folder: dict[Folder, list[int]] = {}
    for index, commit in enumerate(commits):
        failure = failures.get(commit.part.fd)
        if failure is None:
            by_folder.setdefault(commit.folder, []).append(index)
        else:
            outcomes[index] = map_os_error(failure, f"sync {commit.folder.join(commit.target_name)}")
    for folder, indexes in by_folder.items():
        named = _name_all(folder, [commits[index] for index in indexes], placing)
        for index, path in zip(indexes, named, strict=True):
            outcomes[index] = path
    for commit in commits:
        # Named parts of twins are removed as well; a part that was renamed is no longer under its part name.
        discard_small(commit.folder, commit.part)
    return [outcome for outcome in outcomes if outcome is not None]


def _name_all(folder: Folder, commits: Sequence[SmallCommit], placing: Placing) -> list[str | FileSystemError]:
    try:
        require_in_place(folder)
    except FileSystemError as error:
        return [error] * len(commits)
    except OSError as error:
        return [map_os_error(error, f"look at the folder {folder.path}")] * len(commits)
    outcomes = [_name_one(commit, placing) for commit in commits]
    try:
        sync_folder(folder.fd)
    except OSError as error:
        failure = map_os_error(error, f"sync the folder {folder.path}")
        for commit, outcome in zip(commits, outcomes, strict=True):
            if isinstance(outcome, str):
                _take_back(commit, os.path.basename(outcome))  # noqa: PTH119 - text in, text out
        return [failure] * len(commits)
    return outcomes


def _name_one(commit: SmallCommit, placing: Placing) -> str | FileSystemError:
    folder, part = commit.folder, commit.part
    give_provenance(part.fd, folder.join(part.name), commit.provenance)
    try:
        if commit.adopts_twin and _is_twin(folder, commit.target_name, part.fd):
            return folder.join(commit.target_name)
        return folder.join(placing.place(folder, part.name, part.fd, commit.target_name, commit.on_exists))
    except FileSystemError as error:
        return error
    except OSError as error:
        return map_os_error(error, f"name {folder.join(commit.target_name)}")


def _is_twin(folder: Folder, name: str, part_fd: int) -> bool:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder.fd)
    except OSError:
        return False
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode) and has_same_bytes(part_fd, fd)
    finally:
        os.close(fd)


def _take_back(commit: SmallCommit, final_name: str) -> None:
    """Undo a name that is not durable: not acknowledged, hence not visible."""
    with suppress(OSError):
        if is_ours(commit.folder, final_name, commit.part.fd):
            os.unlink(final_name, dir_fd=commit.folder.fd)


def _open_nameless(folder: Folder) -> SmallPart | None:
    try:
        if not _has_proc():
            return None
        fd = os.open(".", os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o666, dir_fd=folder.fd)
    except OSError as error:
        if error.errno not in _NO_NAMELESS:
            raise
        return None
    return SmallPart(fd, "")


@cache
def _has_proc() -> bool:
    """Whether a descriptor can be given a name by way of /proc."""
    return os.path.isdir("/proc/self/fd")  # noqa: PTH112 - text in


def _open_named(folder: Folder, name: str) -> SmallPart:
    fd = -1

    def take(free_name: str) -> None:
        nonlocal fd
        fd = os.open(free_name + ORDERED_SUFFIX, _CREATE, 0o666, dir_fd=folder.fd)

    number = first_free(name, take)
    return SmallPart(fd, numbered(name, number) + ORDERED_SUFFIX)
