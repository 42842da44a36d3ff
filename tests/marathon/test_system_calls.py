"""Killed at, or refused, the n-th system call of a short download: nothing false, nothing lost, no debris."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

import pytest

from tests.marathon.rig import MIB, Engine, Server, require_no_lie, require_whole
from tests.marathon.tamper import needs_strace, tampered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = needs_strace

CALLS: Final = (
    "openat",
    "pwritev2",
    "pwrite64",
    "fdatasync",
    "fsync",
    "syncfs",
    "renameat2",
    "linkat",
    "ftruncate",
    "fallocate",
    "unlink",
)
PASSING: Final = ("ENOSPC", "EDQUOT", "EMFILE")
"""Errors after which the engine goes on by itself."""
REFUSED: Final = (
    ("openat", "EMFILE"),
    ("openat", "ENOSPC"),
    ("openat", "EIO"),
    ("pwritev2", "ENOSPC"),
    ("pwritev2", "EDQUOT"),
    ("pwritev2", "EIO"),
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("fallocate", "ENOSPC"),
    ("fallocate", "EDQUOT"),
    ("fallocate", "EIO"),
    ("fallocate", "EOPNOTSUPP"),
    ("fdatasync", "ENOSPC"),
    ("fdatasync", "EIO"),
    ("fsync", "EIO"),
    ("fsync", "EDQUOT"),
    ("syncfs", "EIO"),
    ("renameat2", "EIO"),
    ("renameat2", "ENOSPC"),
    ("linkat", "EDQUOT"),
    ("linkat", "EIO"),
)
SETTINGS: Final = ("retry_delay=0.05", "connections=4")
MOST_CPU_S: Final = 3.0
"""More would be a busy loop: an undisturbed run takes 0.4 s."""
STRIDE: Final = {"pwrite64": 5}
"""The journal's pages: every fifth, there are hundreds."""
SETTLED: Final = frozenset({"failed", "waiting", "completed"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a file of 1.5 MiB, slow enough for several writes, and five small ones."""
    home = tmp_path_factory.mktemp("server")
    with Server(home, "--pace", "4e6", size_bytes=3 * MIB // 2, small=5) as running:
        yield running


def recover(engine: Engine, server: Server, urls: list[str]) -> None:
    """Run again undisturbed, failed rows retried: all is there in the end, whole, and nothing else."""
    code = engine.run(*urls, "--retry-failed")
    assert code == 0, engine.story
    assert sorted(row["url"] for row in engine.said("rows")[0]["rows"]) == sorted(server.urls)
    require_whole(engine.folder, server)


def unacknowledged(engine: Engine, server: Server) -> list[str]:
    """Return the addresses that the last run did not say it holds: only these may have to be given again."""
    held = {line["url"] for line in engine.said("acknowledged")}
    return [url for url in server.urls if url not in held]


def kill_at(home: Path, server: Server, call: str, number: int) -> bool:
    """Kill a run at a call and mend it; False where there was no such call."""
    with Engine(home, *SETTINGS) as engine:
        code = engine.run(*server.urls, under=tampered(engine, call, f"signal=KILL:when={number}"))
        assert code in (0, -9), engine.story
        require_no_lie(engine.folder, server)
        recover(engine, server, unacknowledged(engine, server))
    return code != 0


def refuse_once(home: Path, server: Server, call: str, error: str, number: int) -> bool:
    """Refuse one call of a run, which must get over it or say why not; False where there was no such call."""
    with Engine(home, *SETTINGS) as engine:
        code = engine.run(*server.urls, under=tampered(engine, call, f"error={error}:when={number}"))
        require_calm(engine)
        require_no_lie(engine.folder, server)
        failed = engine.said("failed") + engine.said("refused") + engine.said("not-started")
        assert all(line["reason"] and line["text"] for line in failed + engine.said("waiting"))
        assert code == 0 or failed, engine.story
        if error in PASSING and call != "pwrite64":
            assert not engine.said("failed"), engine.story
        had_effect = bool(failed or engine.said("waiting"))
        recover(engine, server, unacknowledged(engine, server))
    return had_effect


def refuse_always(home: Path, server: Server, call: str, error: str, first: int) -> None:
    """Refuse all calls from one on until every row has said why it stands still; then the fault is gone."""
    with Engine(home, *SETTINGS) as engine:
        engine.start(*server.urls, under=tampered(engine, call, f"error={error}:when={first}+"), has_group=True)

        def is_settled() -> bool:
            last = {line["url"]: line["event"] for line in engine.lines if "url" in line}
            return last.keys() == set(server.urls) and set(last.values()) <= SETTLED | {"refused"}

        engine.watch(is_settled)
        if engine.process is not None and engine.process.poll() is None:
            assert engine.stop_traced() <= 10, engine.story
        else:
            engine.end()
        require_calm(engine)
        require_no_lie(engine.folder, server)
        recover(engine, server, unacknowledged(engine, server))


def require_calm(engine: Engine) -> None:
    """Raise where a run burned the processor."""
    for figures in engine.said("figures"):
        assert figures["cpu_s"] <= MOST_CPU_S, engine.story


@pytest.mark.parametrize(("call", "number"), [("linkat", 3)])
def test_killed_at_a_call(tmp_path: Path, server: Server, call: str, number: int) -> None:
    """Killed on entry of a system call, the next start finds its rows and ends whole without debris."""
    assert kill_at(tmp_path, server, call, number)


@pytest.mark.marathon
@pytest.mark.parametrize("call", CALLS)
def test_killed_at_every_call(tmp_path: Path, server: Server, call: str) -> None:
    """The same at every instance of every call that makes, fills, syncs or names a file."""
    kills = 0
    for number in count(1, STRIDE.get(call, 1)):
        if not kill_at(tmp_path / str(number), server, call, number):
            break
        kills += 1
    print(f"killed at {kills} instances of {call}")  # noqa: T201  # to quote
    assert kills


@pytest.mark.parametrize(("call", "error", "number"), [("pwritev2", "EIO", 2)])
def test_refused_once(tmp_path: Path, server: Server, call: str, error: str, number: int) -> None:
    """One refused call costs a wait or fails a row with its reason, and all ends whole."""
    refuse_once(tmp_path, server, call, error, number)


@pytest.mark.marathon
@pytest.mark.parametrize(("call", "error"), REFUSED)
def test_refused_at_every_call(tmp_path: Path, server: Server, call: str, error: str) -> None:
    """The same at every instance of the call."""
    effects = 0
    for number in range(1, 90, 8) if call == "pwrite64" else range(1, 9):
        effects += refuse_once(tmp_path / str(number), server, call, error, number)
    print(f"{error} at {call}: {effects} times with effect")  # noqa: T201  # to quote


@pytest.mark.marathon
@pytest.mark.parametrize("first", [1, 3])
@pytest.mark.parametrize(("call", "error"), REFUSED)
def test_refused_always(tmp_path: Path, server: Server, call: str, error: str, first: int) -> None:
    """A call refused for good stands everything still without a spin, with reasons; without the fault all goes on."""
    refuse_always(tmp_path, server, call, error, first)


@pytest.mark.marathon
@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("pwritev2", "ENOSPC"),
        ("pwritev2", "EDQUOT"),
        ("openat", "EMFILE"),
        ("linkat", "EDQUOT"),
        ("fallocate", "ENOSPC"),
    ],
)
def test_refused_for_a_while(tmp_path: Path, server: Server, call: str, error: str) -> None:
    """When the fault passes while the engine runs, it goes on by itself and ends whole, without a retry."""
    first = 1 if call == "fallocate" else 2  # room is taken once
    with Engine(tmp_path, *SETTINGS) as engine:
        what = f"error={error}:when={first}..{first + 2}"
        code = engine.run(*server.urls, under=tampered(engine, call, what, spares_journal=True))
        assert code == 0, engine.story
        assert engine.said("waiting"), engine.story
        require_calm(engine)
        require_whole(engine.folder, server)
