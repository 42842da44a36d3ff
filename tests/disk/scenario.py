"""A small life of the disk room, to be killed or given errors from outside: `python -m tests.disk.scenario FOLDER`.

It does what the engine does (write, sync, commit, begin again after an error) and says each fact on standard output
after it became one: `held START END CRC`, `committed PATH`, `error REASON`.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path
from typing import Final

from tui_dl.core.errors import FileSystemError
from tui_dl.core.ranges import RangeSet
from tui_dl.core.task import OnExists
from tui_dl.disk.committed import find_committed
from tui_dl.disk.part_file import PartFile
from tui_dl.disk.small_files import GroupCommit, SavedFile
from tui_dl.disk.writer import DiskPool, sum_extents

BIG_NAME: Final = "big.bin"
PART_NAME: Final = "big.bin.tui-dl.part"
SMALL_NAMES: Final = ("s0", "s1", "s2")
PIECE_BYTES: Final = 10_000
_PIECES: Final = 4
_MOST_ATTEMPTS: Final = 8


def body(name: str) -> bytes:
    """Return what the file of a name must hold."""
    return random.Random(name).randbytes(PIECE_BYTES * _PIECES if name == BIG_NAME else 3000)


def say(*words: object) -> None:
    """Write a line that is out before anything else is done."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def fetch_big(pool: DiskPool, folder: str) -> None:
    """Write the big file out of order, syncing half way, and commit it, unless a life before did."""
    whole = body(BIG_NAME)
    if found := await find_committed(pool, folder, BIG_NAME, sum_extents([whole], 0), len(whole)):
        say("committed", found)
        return
    old = os.path.join(folder, PART_NAME)  # noqa: PTH118 - the path as the journal would hold it
    part_path = old if await pool.scout(os.path.exists, old, what="look") else ""
    part = await PartFile.open(pool, folder, BIG_NAME, is_ordered=False, part_path=part_path)
    synced = RangeSet()
    for _ in range(_MOST_ATTEMPTS):
        held = synced.copy()
        try:
            for start in reversed(range(0, len(whole), PIECE_BYTES)):
                if synced.covers(start, start + PIECE_BYTES):
                    continue
                for extent in await part.write([whole[start : start + PIECE_BYTES]], start):
                    held.add(extent.start, extent.end)
                    say("held", *extent)
                if start == PIECE_BYTES:
                    await part.sync()
                    synced = held.copy()
            path = await part.commit(BIG_NAME, on_exists=OnExists.RENAME, expected_bytes=len(whole))
        except FileSystemError as error:
            say("error", error.reason)
            part.renew_trust()
        else:
            say("committed", path)
            break
    await part.close()


async def fetch_small(small: GroupCommit, folder: str, name: str) -> None:
    """Save a small file, again if need be."""
    for _ in range(_MOST_ATTEMPTS):
        try:
            await small.save(folder, name, [body(name)], on_exists=OnExists.RENAME, adopts_twin=True)
        except FileSystemError as error:
            say("error", error.reason)
        else:
            return


async def record(files: list[SavedFile]) -> None:
    """Say what the journal would hold."""
    for file in files:
        say("committed", file.path)


async def main(folder: str) -> None:
    """Fetch everything."""
    pool = DiskPool()
    await fetch_big(pool, folder)
    async with GroupCommit(pool, record) as small:
        await asyncio.gather(*(fetch_small(small, folder, name) for name in SMALL_NAMES))
    await pool.aclose()


def check(folder: Path, said: str) -> None:
    """Raise unless every final name is whole, every fact said is true, and nothing unknown lies about."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name, held in files.items():
        if name != PART_NAME:
            assert held == body(name), f"{name} is not whole"
    for line in said.splitlines():
        fact, _, rest = line.partition(" ")
        if fact == "committed":
            assert Path(rest).name in files, line
        elif fact == "held":
            start, end, _crc32 = map(int, rest.split())
            copies = [held[start:end] for name, held in files.items() if name.startswith("big")]
            assert body(BIG_NAME)[start:end] in copies, line


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
