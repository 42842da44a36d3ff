"""Our words in aria2's: names of states, numbers of errors, keys of a download."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import Reason
from tui_dl.core.status import FINISHED, LIVE, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tui_dl.core.ports import TaskDetails
    from tui_dl.core.ranges import ByteRange
    from tui_dl.core.task import DownloadProgress, DownloadTask

ACTIVE: Final = LIVE
WAITING: Final = frozenset({Status.PENDING, Status.WAITING, Status.PAUSED})
"""Statuses of aria2's waiting queue: what has no slot, whether or not a person paused it."""
STOPPED: Final = FINISHED

_STATUS: Final = {
    **dict.fromkeys(ACTIVE, "active"),
    Status.PENDING: "waiting",
    Status.WAITING: "waiting",
    Status.PAUSED: "paused",
    Status.COMPLETED: "complete",
    Status.SKIPPED: "complete",
    Status.FAILED: "error",
    Status.CANCELLED: "removed",
}
_REMOVED_BY_USER: Final = "31"
_UNKNOWN_ERROR: Final = "1"
_ERROR_CODES: Final = {
    **dict.fromkeys((Reason.STALLED, Reason.CONNECT_TIMEOUT, Reason.MAX_TIME), "2"),
    **dict.fromkeys((Reason.NOT_FOUND, Reason.GONE), "3"),
    **dict.fromkeys((Reason.CONNECT_REFUSED, Reason.CONNECTION_RESET, Reason.TRUNCATED, Reason.TLS_FAILED), "6"),
    **dict.fromkeys((Reason.NO_NETWORK, Reason.PROXY_FAILED, Reason.HOST_GIVEN_UP), "6"),
    **dict.fromkeys((Reason.RANGE_REFUSED, Reason.UNVERIFIABLE_RESUME, Reason.NOT_CONTINUED, Reason.WRONG_RANGE), "8"),
    **dict.fromkeys((Reason.DISK_FULL, Reason.LOW_SPACE, Reason.QUOTA_EXCEEDED), "9"),
    Reason.PART_BUSY: "11",
    **dict.fromkeys((Reason.TARGET_EXISTS, Reason.ARCHIVED), "13"),
    Reason.PART_LOST: "15",
    **dict.fromkeys((Reason.READ_ONLY, Reason.PERMISSION_DENIED, Reason.NAME_REFUSED, Reason.TOO_MANY_FILES), "16"),
    **dict.fromkeys((Reason.IO_ERROR, Reason.FILE_TOO_LARGE), "17"),
    Reason.FOLDER_MISSING: "18",
    Reason.DNS_FAILED: "19",
    Reason.BAD_METALINK: "20",
    **dict.fromkeys((Reason.PROTOCOL_ERROR, Reason.HTTP_STATUS, Reason.FORBIDDEN, Reason.NO_CONTENT), "22"),
    **dict.fromkeys((Reason.REDIRECT_LOOP, Reason.REDIRECT_REFUSED), "23"),
    Reason.UNAUTHORIZED: "24",
    **dict.fromkeys((Reason.TOO_MANY_REQUESTS, Reason.SERVER_ERROR), "29"),
    **dict.fromkeys((Reason.DIGEST_MISMATCH, Reason.NO_DIGEST), "32"),
}
"""aria2c(1), "EXIT STATUS"; what it has no number for is 1."""
PIECE_BYTES: Final = 1 << 20
MOST_PIECES: Final = 1 << 16
"""Of larger files the pieces are larger: a bit field of 16 KiB is enough for any screen."""


def status_word(status: Status) -> str:
    """Return aria2's name of a status."""
    return _STATUS[status]


def download_of(
    task: DownloadTask, progress: DownloadProgress | None, details: TaskDetails | None = None
) -> dict[str, Any]:
    """Return what aria2 tells of a download; with its particulars also which pieces are there."""
    total, held = task.total_bytes, task.downloaded_bytes
    if progress is not None:
        total, held = progress.total_bytes, progress.downloaded_bytes
    piece_bytes = _piece_bytes(total or 0)
    found: dict[str, Any] = {
        "completedLength": str(held),
        "connections": str(progress.connections if progress is not None else 0),
        "dir": task.dir,
        "downloadSpeed": str(int(progress.speed_bps) if progress is not None else 0),
        "files": files_of(task, total, held),
        "gid": task.gid,
        "numPieces": str(-(-total // piece_bytes) if total else 0),
        "pieceLength": str(piece_bytes),
        "status": status_word(task.status),
        "totalLength": str(total or 0),
        "uploadLength": "0",
        "uploadSpeed": "0",
    }
    if task.status in STOPPED:
        found |= _ending(task)
    if total and task.status is Status.COMPLETED:
        found["bitfield"] = _bits(((0, total),), total, piece_bytes)
    elif total and details is not None:
        found["bitfield"] = _bits(_ends(details.held), total, piece_bytes)
    if task.parent_id:
        found["belongsTo"] = f"{task.parent_id:016x}"
    return found


def files_of(task: DownloadTask, total: int | None, held: int) -> list[dict[str, Any]]:
    """Return the one file of a download, as aria2 lists it."""
    # A guess from the address is not told, as aria2 tells none.
    is_named = task.name_fixed or bool(task.part_path)
    path = task.path or (os.path.join(task.dir, task.filename) if is_named else "")  # noqa: PTH118  # text alone
    return [
        {
            "completedLength": str(held),
            "index": "1",
            "length": str(total or 0),
            "path": path,
            "selected": "true",
            "uris": uris_of(task),
        }
    ]


def uris_of(task: DownloadTask) -> list[dict[str, str]]:
    """Return the addresses of a download."""
    first = "waiting" if task.status in WAITING else "used"
    return [
        {"status": first if number == 0 else "waiting", "uri": url}
        for number, url in enumerate((task.url, *task.options.mirrors))
    ]


def servers_of(task: DownloadTask, details: TaskDetails) -> list[dict[str, Any]]:
    """Return the connections of an active download."""
    current = task.final_url or task.url
    servers = [
        {"currentUri": current, "downloadSpeed": str(int(segment.speed_bps)), "uri": task.url}
        for segment in details.segments
    ]
    return [{"index": "1", "servers": servers}]


def _ending(task: DownloadTask) -> dict[str, str]:
    if task.status in (Status.COMPLETED, Status.SKIPPED):
        return {"errorCode": "0", "errorMessage": ""}
    if task.status is Status.CANCELLED:
        return {"errorCode": _REMOVED_BY_USER, "errorMessage": ""}
    code = _ERROR_CODES.get(task.reason, _UNKNOWN_ERROR) if task.reason is not None else _UNKNOWN_ERROR
    return {"errorCode": code, "errorMessage": task.reason_text}


def _piece_bytes(total: int) -> int:
    size = PIECE_BYTES
    while total > size * MOST_PIECES:
        size *= 2
    return size


def _ends(ranges: Iterable[ByteRange]) -> Iterable[tuple[int, int]]:
    return ((one.start, one.end) for one in ranges)


def _bits(held: Iterable[tuple[int, int]], total: int, piece_bytes: int) -> str:
    """Return the pieces that are there whole, the highest bit of the first digit being the first."""
    count = -(-total // piece_bytes)
    field = bytearray(-(-count // 8))
    for start, end in held:
        last = count if end >= total else end // piece_bytes
        for number in range(-(-start // piece_bytes), last):
            field[number // 8] |= 0x80 >> number % 8
    return field.hex()


def only(found: dict[str, Any], keys: Sequence[str] | None) -> dict[str, Any]:
    """Return those keys that were asked for; all without any."""
    return {key: found[key] for key in found if key in keys} if keys else found
