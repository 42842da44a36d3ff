"""Tell whether a folder lies on a network file system, where locks and shared memory cannot be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_NETWORK: Final = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "afs", "ceph", "glusterfs", "lustre", "gpfs"),
        *("beegfs", "ocfs2", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "davfs"),
    )
)
"""Types as Linux names them in /proc/mounts."""
_ESCAPES: Final = {r"\040": " ", r"\011": "\t", r"\012": "\n", r"\134": "\\"}


def is_on_network(folder: Path, mounts: Path) -> bool:
    """Whether the file system that holds this folder is a network's; False where the list cannot be read."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return False
    return _type_of(str(folder.resolve()), lines) in _NETWORK


def _type_of(folder: str, lines: list[str]) -> str:
    """Return the type of the deepest mount above a folder; of several at one place the last one shows."""
    best, kind = -1, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1]
        for escape, character in _ESCAPES.items():
            point = point.replace(escape, character)
        if len(point) >= best and (folder == point or folder.startswith(point.rstrip("/") + "/")):
            best, kind = len(point), fields[2]
    return kind
