"""Killed at, or refused, the n-th system call of a run that makes shards: the same command ends with them exact."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

import pytest

from tests.marathon.batch_rig import ListGet
from tests.marathon.rig import Server
from tests.marathon.tamper import needs_strace, tampered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = needs_strace

CALLS: Final = (
    *("pwritev", "pwritev2", "fdatasync", "fsync", "syncfs", "renameat2", "linkat", "unlink", "unlinkat"),
    *("ftruncate", "mkdir", "mkdirat", "rmdir", "flock", "pwrite64"),
)
STRIDE: Final = {"pwrite64": 7}
"""The journal's pages: every seventh, there are hundreds."""
REFUSED: Final = (
    ("pwritev", "EIO"),
    ("pwritev2", "EIO"),
    ("fdatasync", "EIO"),
    ("fsync", "EIO"),
    ("renameat2", "EIO"),
    ("unlink", "EIO"),
    ("ftruncate", "EIO"),
)
FILES: Final = 5
OPTIONS: Final = ("--shards", "2")
SOME_FAILED: Final = 1
KILLED: Final = -9


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve five small files."""
    with Server(tmp_path_factory.mktemp("server"), small=FILES) as running:
        yield running


class _Trials:
    """Runs with a home of their own each."""

    def __init__(self, folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._server, self._monkeypatch = folder, server, monkeypatch

    def tamper(self, number: int, call: str, what: str) -> int:
        """Tamper with one run, then run the same command to its end and judge; return how the first one ended."""
        home = self._folder / str(number)
        home.mkdir()
        self._monkeypatch.setenv("TUI_DL_HOME", str(home / "tui-dl-home"))
        with ListGet(home, self._server, *OPTIONS, twins=1, gone=1) as get:
            return _tamper(get, call, what)


@pytest.fixture
def trials(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> _Trials:
    """Make runs to tamper with."""
    return _Trials(tmp_path, server, monkeypatch)


def _tamper(get: ListGet, call: str, what: str) -> int:
    code = get.run(under=tampered(get, call, what))
    get.require_no_lie(FILES)
    assert get.run() == SOME_FAILED, get.story
    get.require_agreement()
    return code


@pytest.mark.parametrize(("call", "number"), [("renameat2", 2)])
def test_shards_killed_at_a_call(trials: _Trials, call: str, number: int) -> None:
    """Killed on entry of a system call, the next run takes up what there is."""
    assert trials.tamper(number, call, f"signal=KILL:when={number}") == KILLED


@pytest.mark.marathon
@pytest.mark.parametrize("call", CALLS)
def test_shards_killed_at_every_call(trials: _Trials, call: str) -> None:
    """The same at every instance of every call that makes, fills, syncs, names or removes a file."""
    kills = 0
    for number in count(1, STRIDE.get(call, 1)):
        if trials.tamper(number, call, f"signal=KILL:when={number}") != KILLED:
            break
        kills += 1
    print(f"shards: killed at {kills} instances of {call}")  # noqa: T201  # to quote


@pytest.mark.marathon
@pytest.mark.parametrize(("call", "error"), REFUSED)
def test_shards_refused_at_every_call(trials: _Trials, call: str, error: str) -> None:
    """One refused call ends the run with its reason, or is got over; the next run ends exact."""
    for number in range(1, 7):
        trials.tamper(number, call, f"error={error}:when={number}")
