"""Give a row another address: its identity follows, what it holds stays, and no address is in the queue twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tui_dl.core.addresses import host_of
from tui_dl.core.filename import name_from_url
from tui_dl.core.status import READDRESSABLE, TRANSITIONS, Trigger
from tui_dl.journal import identities
from tui_dl.journal.task_rows import SELECT_TASK, clean, decode, encode_options, identity_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from tui_dl.core.status import Status
    from tui_dl.core.task import DownloadTask, TaskOptions
    from tui_dl.journal.owners import Owner

_SELECT: Final = SELECT_TASK.replace(" FROM tasks", ", asked, owner FROM tasks")
_SAME: Final = (
    f"SELECT id FROM tasks WHERE {identities.WITH_IDENTITY}"  # noqa: S608  # fixed parts
    " AND url = :url AND dir = :dir AND asked = :asked AND id <> :id"
)
_UPDATE: Final = (
    "UPDATE tasks SET url = ?, host = ?, identity = ?, filename = ?, status = ?, options = ?, owner = ?,"
    " final_url = '', reason = NULL, reason_text = '', due_at = NULL, finished_at = NULL, retry_count = 0 WHERE id = ?"
)


@dataclass(frozen=True, slots=True)
class AddressChange:
    """What is wanted."""

    which: int | str
    """Id of the row, or its present address."""
    url: str
    """Checked address without user info."""
    options_of: Callable[[DownloadTask], TaskOptions]
    """Gives the options of the row from now on; pure, called in the journal's thread."""
    takes_over: bool
    """Whether the row becomes ours; otherwise it belongs to whom it belonged to."""


class Readdressed(NamedTuple):
    """What came of it."""

    before: DownloadTask | None
    """The row as it was; None if there is none, or several."""
    after: DownloadTask | None = None
    """The row as it is now; None if nothing was changed."""
    holder: str = ""
    """The living process that runs it, in words, where that is what stands against it."""
    same: DownloadTask | None = None
    """The row that has this address already, where that is what stands against it."""
    several: tuple[DownloadTask, ...] = ()
    """The rows of the present address, where it does not tell which one is meant."""


def readdress(connection: sqlite3.Connection, owner: Owner, change: AddressChange) -> Readdressed:
    """Change the address, if the row is of nobody else and its status lets it, and no other row has it."""
    rows = _rows(connection, change.which)
    if len(rows) != 1:
        return Readdressed(None, several=tuple(task for task, _, _ in rows))
    (task, asked, lease), url = rows[0], clean(change.url)
    if holder := _holder(owner, task):
        return Readdressed(task, holder=holder)
    if task.status not in READDRESSABLE:
        return Readdressed(task)
    identity = identity_of(url, task.dir, asked)
    wanted = {"url": url, "dir": task.dir, "asked": asked, "id": task.id}
    same = connection.execute(_SAME, wanted | identities.in_json([identity])).fetchone()
    if same is not None:
        return Readdressed(task, same=decode(connection.execute(f"{SELECT_TASK} WHERE id = ?", same).fetchone()))
    if change.takes_over:
        lease = owner.lease(connection)
    after = _with_address(task, url, change.options_of(task))
    values: tuple[Any, ...] = (url, after.host, identity, after.filename, after.status.value)
    this = {"id": task.id}
    identities.leave_out(connection, "SELECT identity, id FROM tasks WHERE id = :id", this)
    connection.execute(_UPDATE, (*values, encode_options(after.options), lease, task.id))
    identities.take_in(connection, "id = :id", this)
    identities.move_on(connection)
    # No change of status may have told the screens that they must look again.
    connection.execute("UPDATE counts SET changes = changes + 1 WHERE is_get = 0 AND status = 'pending'")
    return Readdressed(task, replace(after, owner=owner.instance if change.takes_over else task.owner))


def _rows(connection: sqlite3.Connection, which: int | str) -> list[tuple[DownloadTask, str, int]]:
    """Return the rows meant, each with the name asked and its lease; of one address those that still want something."""
    column, value = ("id", which) if isinstance(which, int) else ("url", clean(which))
    found = connection.execute(f"{_SELECT} WHERE {column} = ? ORDER BY position, id", (value,)).fetchall()
    rows = [(decode(row[:-2]), str(row[-2]), int(row[-1])) for row in found]
    return [row for row in rows if row[0].status in READDRESSABLE] or rows[:1]


def _holder(owner: Owner, task: DownloadTask) -> str:
    if task.owner in ("", owner.instance):
        return ""
    holder = owner.living().get(task.owner)
    return "" if holder is None else str(holder)


def _with_address(task: DownloadTask, url: str, options: TaskOptions) -> DownloadTask:
    return replace(
        task,
        url=url,
        host=clean(host_of(url)),
        filename=task.filename if task.name_fixed else clean(name_from_url(url)),
        status=_status_after(task.status),
        options=options,
        final_url="",
        reason=None,
        reason_text="",
        due_at=None,
        finished_at=None,
        retry_count=0,
    )


def _status_after(status: Status) -> Status:
    again = TRANSITIONS[Trigger.RETRY].get(status)
    return again or TRANSITIONS[Trigger.REQUEUE].get(status, status)
