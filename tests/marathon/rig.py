"""Processes of a marathon: the fault server and the engine, started, watched, killed by their own pid, and judged."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from tests.faults import oracle
from tests.faults.__main__ import FILE_PATH, small_path, small_resource
from tests.faults.ledger import read_counter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

ROOT: Final = Path(__file__).parents[2]
MIB: Final = 1 << 20
KIB: Final = 1 << 10
LOOK_S: Final = 0.002
"""Pause between two looks at a condition while a process is watched."""
PATIENCE_S: Final = 60.0
SMALL_BYTES: Final = 16 * KIB
FILE_NAME: Final = FILE_PATH.removeprefix("/")


class Server:
    """The fault server as a process; its counter and log go on over kills and restarts on the same port."""

    def __init__(
        self,
        home: Path,
        *options: str,
        size_bytes: int = 0,
        small: int = 0,
        small_bytes: int = SMALL_BYTES,
        seed: int = 1,
    ) -> None:
        self.size_bytes, self.small, self.small_bytes, self.seed = size_bytes, small, small_bytes, seed
        self._log = home / "server.log"
        self._options = options
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.origin = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, on the port that it had."""
        words = [sys.executable, "-m", "tests.faults", "--port", str(self._port), "--size", str(self.size_bytes)]
        words += ["--seed", str(self.seed), "--small", str(self.small), "--small-size", str(self.small_bytes)]
        words += ["--log", str(self._log), *self._options]
        self._process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        assert readable, "the server does not start"
        self.origin = self._process.stdout.readline().decode().strip()
        self._port = int(self.origin.rpartition(":")[2])

    def kill(self) -> None:
        """SIGKILL it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    @property
    def sent_bytes(self) -> int:
        """Body bytes sent over all its lives."""
        return read_counter(self._log.with_name(self._log.name + ".count"))

    def has_sent(self, size_bytes: int) -> bool:
        """Whether it sent more than so many body bytes over all its lives."""
        return self.sent_bytes > size_bytes

    @property
    def total_bytes(self) -> int:
        """Length of everything it serves."""
        return sum(size for _, size in self.contents.values())

    @property
    def contents(self) -> dict[str, tuple[int, int]]:
        """Seed and length of each file by the name that it must get."""
        found = {FILE_NAME: (self.seed, self.size_bytes)} if self.size_bytes else {}
        for index in range(self.small):
            one = small_resource(self.seed, index, self.small_bytes)
            found[small_path(index).rpartition("/")[2]] = (one.seed, one.size_bytes)
        return found

    @property
    def urls(self) -> list[str]:
        """Addresses of all files, the large one first."""
        small = [self.origin + small_path(index) for index in range(self.small)]
        return [self.origin + FILE_PATH, *small] if self.size_bytes else small


class Engine:
    """A worker with its journal and folder; each `start()` is another process on the same ones."""

    def __init__(self, home: Path, *settings: str, journal: Path | None = None, folder: Path | None = None) -> None:
        self.journal = journal or home / "state" / "journal.db"
        self.folder = folder or home / "downloads"
        self._report = home / "worker.jsonl"
        self._errors = home / "worker.err"
        self._settings = settings
        self.process: subprocess.Popen[bytes] | None = None
        self.last_code: int | None = None
        """Exit code of the last run that ended by itself."""
        self._read_from = 0
        for one in (self.journal.parent, self.folder):
            one.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.kill()

    def command(self, *words: str) -> list[str]:
        """Return the command line of a run."""
        settings = [word for pair in self._settings for word in ("--set", pair)]
        return [sys.executable, "-m", "tests.marathon.worker", str(self.journal), str(self.folder), *words, *settings]

    def start(self, *words: str, under: Sequence[str] = (), has_group: bool = False) -> None:
        """Start a run; `under` is a command to run it with; `has_group` lets `kill()` reach what that starts."""
        with self._report.open("ab") as report, self._errors.open("ab") as errors:
            self._read_from = self._report.stat().st_size
            self.process = subprocess.Popen(
                [*under, *self.command(*words)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=report,
                stderr=errors,
                start_new_session=has_group,
            )

    def run(self, *words: str, under: Sequence[str] = (), patience_s: float = PATIENCE_S) -> int:
        """Run to the end and return the exit code."""
        self.start(*words, under=under, has_group=bool(under))
        return self.end(patience_s)

    def end(self, patience_s: float = PATIENCE_S) -> int:
        """Wait for the end of the run; raises where it does not come."""
        assert self.process is not None
        try:
            code = self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"no end within {patience_s} s\n{self.story}") from None
        self.process, self.last_code = None, code
        assert "Traceback" not in self.errors, self.errors
        return code

    def kill(self) -> None:
        """SIGKILL the run, its tracer's child included."""
        assert self.process is not None
        for child in children(self.process.pid):
            os.kill(child, signal.SIGKILL)
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.process = None

    def signal(self, number: signal.Signals) -> float:
        """Send a signal to the run and return how many seconds it took to end."""
        assert self.process is not None
        before = time.monotonic()
        self.process.send_signal(number)
        self.end()
        return time.monotonic() - before

    def stop_traced(self) -> float:
        """SIGTERM what runs under a tracer and return how many seconds it took to end."""
        assert self.process is not None
        before = time.monotonic()
        for child in children(self.process.pid):
            os.kill(child, signal.SIGTERM)
        self.end()
        return time.monotonic() - before

    def watch(self, condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> bool:
        """Wait until the condition holds; False where the run ended or the time was over before."""
        assert self.process is not None
        due_at = time.monotonic() + patience_s
        while not condition():
            if time.monotonic() >= due_at:
                return False
            try:
                self.process.wait(LOOK_S)
            except subprocess.TimeoutExpired:
                continue
            return condition()
        return True

    def until(self, kind: str, patience_s: float = PATIENCE_S, **facts: object) -> dict[str, Any]:
        """Wait until this run says something, and return the line; raises where it does not."""
        found: list[dict[str, Any]] = []

        def is_said() -> bool:
            found.extend(self.said(kind, **facts))
            return bool(found)

        assert self.watch(is_said, patience_s), f"never said {kind} {facts}\n{self.story}"
        return found[0]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What this run said; a line cut by a kill is left out."""
        with self._report.open("rb") as file:
            file.seek(self._read_from)
            return [json.loads(line) for line in file.read().split(b"\n")[:-1]]

    def said(self, kind: str, **facts: object) -> list[dict[str, Any]]:
        """Return the lines of this run of one kind with these facts."""
        return [one for one in self.lines if one["event"] == kind and facts.items() <= one.items()]

    @property
    def errors(self) -> str:
        """What all runs wrote to standard error."""
        return self._errors.read_text() if self._errors.exists() else ""

    @property
    def story(self) -> str:
        """The end of what this run said, for a failed test."""
        return "\n".join(map(str, self.lines[-12:])) + "\n" + self.errors[-2000:]

    def held_bytes(self) -> int:
        """Return what the journal claims of part files; read from a copy, so that nothing is touched."""
        with tempfile.TemporaryDirectory() as copy:
            for suffix in ("", "-wal"):
                source = self.journal.with_name(self.journal.name + suffix)
                if source.exists():
                    shutil.copy(source, copy)
            held = sqlite3.connect(Path(copy) / self.journal.name)
            try:
                row = held.execute("SELECT coalesce(sum(end - start), 0) FROM extents").fetchone()
            except sqlite3.OperationalError:  # killed before the tables were made
                return 0
            finally:
                held.close()
            return int(row[0])


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def require_no_lie(folder: Path, server: Server) -> None:
    """Raise unless every file that has a final name is whole."""
    for name, (seed, size_bytes) in server.contents.items():
        if (folder / name).exists():
            wrong = oracle.check(folder / name, seed, size_bytes)
            assert wrong is None, f"{name} is wrong at {wrong}"


def require_whole(folder: Path, server: Server) -> None:
    """Raise unless the folder holds every file whole, and nothing else."""
    assert {one.name for one in folder.iterdir()} == set(server.contents)
    require_no_lie(folder, server)
