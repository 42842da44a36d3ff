"""The book of tar shards: which finished file is in which of them, and how much of each is durable."""

from __future__ import annotations

from array import array
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from tui_dl.core.sharding import Shard
from tui_dl.core.status import Status
from tui_dl.journal.task_rows import clean
from tui_dl.journal.writer import Need

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Sequence

T = TypeVar("T")

_READ: Final = "SELECT id, number, name, samples, size_bytes, leftovers FROM shards"


class Member(NamedTuple):
    """A finished file that is durable in a shard."""

    task_id: int
    """Its row."""
    name: str
    """Member that holds its bytes."""


class _Ask(Protocol):
    """How the writing thread is asked."""

    def __call__(self, run: Callable[[sqlite3.Connection], T], need: Need) -> Awaitable[T]:
        """Do it after all that was told before."""
        ...


class ShardBook:
    """The shards of a journal; every change is durable on return."""

    def __init__(self, ask: _Ask) -> None:
        self._ask = ask

    async def unfinished(self, folder: str) -> tuple[list[Shard], list[Shard]]:
        """Return the shards of a folder that are not whole, and those that left files behind."""
        return await self._ask(partial(_unfinished, folder=folder), Need.READ)

    async def next_number(self, folder: str) -> int:
        """Return the first number that no shard of this folder ever had."""
        return await self._ask(partial(_next_number, folder=folder), Need.READ)

    async def begin(self, folder: str, number: int, name: str) -> Shard:
        """Enter an empty shard."""
        return await self._ask(partial(_begin, folder=folder, number=number, name=name), Need.DURABLE)

    async def add(self, shard: Shard, path: str, members: Sequence[Member]) -> None:
        """Enter what a shard holds now: `members` came last, `path` leads to its part file."""
        await self._ask(partial(_add, shard=shard, path=path, members=tuple(members)), Need.DURABLE)

    async def read(self, shard: Shard) -> Shard:
        """Return what is entered of a shard."""
        return await self._ask(partial(_read, shard=shard), Need.READ)

    async def rename(self, shard: Shard) -> None:
        """Enter the name that an unfinished shard will have, and what it left behind."""
        await self._ask(partial(_rename, shard=shard), Need.DURABLE)

    async def end(self, shard: Shard, path: str) -> None:
        """Enter that a shard is whole under its final path; a power cut before that finds it by its content."""
        await self._ask(partial(_end, shard=shard, path=path), Need.DURABLE)

    async def forget(self, shard: Shard) -> None:
        """Enter that a shard is lost: its files are nowhere, and who asks for them again fetches them again."""
        await self._ask(partial(_forget, shard=shard), Need.DURABLE)

    async def lose(self, task_id: int) -> None:
        """Enter that a finished file was taken away before it was packed: who asks for it again fetches it again."""
        await self._ask(partial(_lose, task_id=task_id), Need.DURABLE)

    async def staged(self, folder: str) -> array[int]:
        """Return the finished files that lie below a folder, in the order in which they ended."""
        return await self._ask(partial(_staged, folder=folder), Need.READ)


def _unfinished(connection: sqlite3.Connection, *, folder: str) -> tuple[list[Shard], list[Shard]]:
    found = connection.execute(f"{_READ} WHERE folder = ? AND NOT is_whole ORDER BY number", (clean(folder),))
    unfinished = [Shard(*row) for row in found]
    found = connection.execute(f"{_READ} WHERE folder = ? AND leftovers <> ''", (clean(folder),))
    return unfinished, [Shard(*row) for row in found]


def _next_number(connection: sqlite3.Connection, *, folder: str) -> int:
    found = connection.execute("SELECT coalesce(max(number) + 1, 0) FROM shards WHERE folder = ?", (clean(folder),))
    return int(found.fetchone()[0])


def _begin(connection: sqlite3.Connection, *, folder: str, number: int, name: str) -> Shard:
    values = (clean(folder), number, name)
    made = connection.execute("INSERT INTO shards (folder, number, name) VALUES (?, ?, ?)", values)
    assert made.lastrowid is not None
    return Shard(made.lastrowid, number, name)


def _add(connection: sqlite3.Connection, *, shard: Shard, path: str, members: tuple[Member, ...]) -> None:
    connection.execute(
        "UPDATE shards SET samples = ?, size_bytes = ?, leftovers = ? WHERE id = ?",
        (shard.samples, shard.size_bytes, shard.leftovers, shard.id),
    )
    connection.executemany(
        "UPDATE tasks SET shard_id = ?, path = ?, member = ? WHERE id = ?",
        [(shard.id, clean(path), member.name, member.task_id) for member in members],
    )


def _read(connection: sqlite3.Connection, *, shard: Shard) -> Shard:
    row = connection.execute(f"{_READ} WHERE id = ?", (shard.id,)).fetchone()
    return shard if row is None else Shard(*row)


def _rename(connection: sqlite3.Connection, *, shard: Shard) -> None:
    values = (shard.name, shard.leftovers, shard.id)
    connection.execute("UPDATE shards SET name = ?, leftovers = ? WHERE id = ?", values)


def _end(connection: sqlite3.Connection, *, shard: Shard, path: str) -> None:
    connection.execute("UPDATE shards SET is_whole = 1, leftovers = '' WHERE id = ?", (shard.id,))
    connection.execute("UPDATE tasks SET path = ? WHERE shard_id = ?", (clean(path), shard.id))


def _forget(connection: sqlite3.Connection, *, shard: Shard) -> None:
    # Without a path: the number may be given again, and a file of that path would then pass for theirs.
    connection.execute("UPDATE tasks SET shard_id = 0, path = '', member = '' WHERE shard_id = ?", (shard.id,))
    connection.execute("DELETE FROM shards WHERE id = ?", (shard.id,))


def _lose(connection: sqlite3.Connection, *, task_id: int) -> None:
    connection.execute("UPDATE tasks SET path = '' WHERE id = ? AND shard_id = 0", (task_id,))


def _staged(connection: sqlite3.Connection, *, folder: str) -> array[int]:
    below = clean(folder)
    found = connection.execute(
        "SELECT id FROM tasks WHERE status = ? AND shard_id = 0 AND path > ? AND path < ? ORDER BY finished_at, id",
        # The slash and the character after it: everything below the folder lies between.
        (Status.COMPLETED.value, below + "/", below + "0"),
    )
    return array("q", (row[0] for row in found))
