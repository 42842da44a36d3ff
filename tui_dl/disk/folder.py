"""A target folder, opened once, so that its removal or replacement is noticed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError, Reason

if TYPE_CHECKING:
    from tui_dl.disk.made_folders import MadeFolders

_OPEN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder; names are resolved against its descriptor, never against its path again."""

    path: str
    """Where it was found, absolute."""
    fd: int
    """Descriptor of the folder; owned by whoever opened it."""
    device: int
    """`st_dev` of its file system."""
    inode: int
    """`st_ino`: with `device`, who it is."""

    def join(self, name: str) -> str:
        """Return the path of a name in it."""
        return os.path.join(self.path, name)  # noqa: PTH118 - names from outside may not be normalised


def open_folder(path: str, *, create: bool = False, made: MadeFolders | None = None) -> Folder:
    """Open a folder, blocking; with `create` it and its parents are made where missing, and remembered in `made`."""
    if not _is_encodable(path):
        raise FileSystemError(Reason.NAME_REFUSED, f"not the name of a folder: {path!r}")
    if create and made is not None:
        made.make(path)
    elif create:
        os.makedirs(path, exist_ok=True)  # noqa: PTH103 - a Path object is not needed
    fd = os.open(path, _OPEN_FOLDER)
    facts = os.fstat(fd)
    return Folder(path, fd, facts.st_dev, facts.st_ino)


def close_folder(folder: Folder) -> None:
    """Close its descriptor."""
    os.close(folder.fd)


def require_in_place(folder: Folder) -> None:
    """Raise `FileSystemError` FOLDER_MISSING unless the path still leads to the open folder."""
    try:
        facts = os.stat(folder.path)  # noqa: PTH116 - the path is text already
    except FileNotFoundError:
        facts = None
    if facts is None or (facts.st_dev, facts.st_ino) != (folder.device, folder.inode):
        raise FileSystemError(Reason.FOLDER_MISSING, f"the folder {folder.path} was removed or replaced")


def require_component(name: str) -> None:
    """Raise `FileSystemError` NAME_REFUSED unless the name is one component of a path."""
    if name in {"", ".", ".."} or "/" in name or not _is_encodable(name):
        raise FileSystemError(Reason.NAME_REFUSED, f"not the name of a file: {name!r}")


def _is_encodable(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False
