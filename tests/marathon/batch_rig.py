"""A list of small files through `tui-dl get`, killed and started again, and judged: folder and journal must agree."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import tarfile
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.faults import oracle
from tests.marathon.rig import Engine
from tui_dl.core.sharding import STAGING
from tui_dl.disk.locations import locations_under

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.marathon.rig import Server

TWIN: Final = "?twin"
"""Behind an address whose file has the name of another one's."""
GONE: Final = "/gone/"
FILES_VARIABLE: Final = "BATCH_KILL_FILES"


def marathon_files(default: int = 20_000) -> int:
    """Return how many files the marathon is of."""
    return int(os.environ.get(FILES_VARIABLE, default))


class Row(NamedTuple):
    """What the journal says of an address."""

    status: str
    """Where it stands."""
    path: str
    """Its file, or its shard."""
    member: str
    """Its name in the shard."""


class ListGet(Engine):
    """`tui-dl get` of a list with twins and addresses that are gone, the same command again and again."""

    def __init__(self, home: Path, server: Server, *options: str, twins: int, gone: int) -> None:
        super().__init__(home, journal=locations_under(home / "tui-dl-home").journal_file)
        self.server = server
        self._contents = server.contents
        urls = server.urls
        self.gone = [f"{server.origin}{GONE}{number}.bin" for number in range(gone)]
        self.urls = [
            *urls[: len(urls) // 2],
            *self.gone,
            *(url + TWIN for url in urls[:twins]),
            *urls[len(urls) // 2 :],
        ]
        self._list = home / "list.txt"
        self._list.write_text("".join(f"{url}\n" for url in self.urls))
        self._options = options

    def command(self, *words: str) -> list[str]:
        """Return the command line, the same for each run."""
        how = ["--json", "-q", "-j", "20", "--dir", str(self.folder), "--retry-delay", "0.05", "--max-retries", "20"]
        return [sys.executable, "-m", "tui_dl", "get", *how, *self._options, "-i", str(self._list), *words]

    def rows(self) -> dict[str, Row]:
        """Return what the journal says, once the run has ended; raises where an address has two rows."""
        with closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as journal:
            found = journal.execute("SELECT url, status, path, member FROM tasks").fetchall()
        rows = {url: Row(*row) for url, *row in found}
        assert len(rows) == len(found)
        return rows

    def is_content(self, url: str, held: bytes) -> bool:
        """Whether these bytes are what an address serves."""
        seed, size_bytes = self._contents[url.partition("?")[0].rpartition("/")[2]]
        return len(held) == size_bytes and held == oracle.content(seed, 0, size_bytes)

    def require_no_lie(self, most: int) -> None:
        """Raise unless what has a final name is whole: so many of the files, every shard."""
        names = [one for one in sorted(self.folder.iterdir()) if one.name.endswith(".bin")]
        for path in names[:: max(1, len(names) // most)]:
            assert self.is_content(path.name.replace(" (1)", ""), path.read_bytes()), path.name
        for path in self.folder.glob("*.tar"):
            with tarfile.open(path) as archive:
                assert len(archive.getnames()) % 2 == 0
            assert path.stat().st_size % tarfile.RECORDSIZE == 0

    def require_agreement(self) -> None:
        """Raise unless folder and journal agree exactly: none missing, none half, none twice, nothing else."""
        rows = self.rows()
        assert set(rows) == set(self.urls)
        statuses = Counter(row.status for row in rows.values())
        assert statuses == {"completed": len(self.urls) - len(self.gone), "failed": len(self.gone)}
        wanted = {(row.path, row.member): url for url, row in rows.items() if row.status == "completed"}
        assert len(wanted) == statuses["completed"]
        held = 0
        for key, content in self._held():
            assert self.is_content(wanted.pop(key), content), key
            held += 1
        assert not wanted
        assert held == statuses["completed"]

    def _held(self) -> Iterator[tuple[tuple[str, str], bytes]]:
        """Yield what the folder holds: each file, or each payload of each shard."""
        assert not (self.folder / STAGING).exists()
        for path in sorted(self.folder.iterdir()):
            if path.suffix == ".tar":
                yield from _payloads(path)
            else:
                yield (str(path), ""), path.read_bytes()


def _payloads(path: Path) -> Iterator[tuple[tuple[str, str], bytes]]:
    with tarfile.open(path) as archive:
        members = list(archive)
        for payload, facts in zip(members[::2], members[1::2], strict=True):
            content, about = archive.extractfile(payload), archive.extractfile(facts)
            assert content is not None
            assert about is not None
            told = json.load(about)
            assert [payload.name.partition(".")[0], facts.name] == [told["key"], told["key"] + ".json"]
            yield (str(path), payload.name), content.read()
