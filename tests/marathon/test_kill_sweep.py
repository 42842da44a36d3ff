"""SIGKILL of the engine or the server at random instants, and signals: bit-exact, bounded, nothing lost."""

from __future__ import annotations

import random
import signal
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from tests.marathon.rig import KIB, MIB, Engine, Server, require_no_lie, require_whole
from tests.marathon.tamper import needs_strace

if TYPE_CHECKING:
    from pathlib import Path

PER_CONNECTION_BYTES: Final = 4 * MIB
PER_FILE_BYTES: Final = 16 * MIB
FAST_BPS: Final = 5e7
WORST_FAST_BYTES: Final = PER_FILE_BYTES + 8 * PER_CONNECTION_BYTES
"""Of a file that comes fast; what the system queues for a connection is part of what that connection may lose."""
SEND_BUFFER_BYTES: Final = 64 * KIB
"""Little of what counts as sent stays with the server."""
CONNECTIONS: Final = 8
LONGEST_START_S: Final = 0.8
"""Kills at an instant rather than at a byte fall within this time from the start: journal, adoption, first request."""
START_SHARE: Final = 0.2
"""Share of the kills that fall at such an instant."""
LONGEST_STOP_S: Final = 2.0
SETTINGS: Final = ("retry_delay=0.05", "max_retries=50", f"connections={CONNECTIONS}", "concurrent_downloads=2")


@dataclass
class Losses:
    """What the kills cost."""

    each: list[int] = field(default_factory=list)
    """Bytes that the server sent and the journal did not hold, one for each kill."""

    def note(self, engine: Engine, server: Server) -> None:
        """Count what the last kill cost."""
        finished = [size for name, (_, size) in server.contents.items() if (engine.folder / name).exists()]
        held_bytes = (
            server.total_bytes if len(finished) == len(server.contents) else engine.held_bytes() + sum(finished)
        )
        self.each.append(server.sent_bytes - held_bytes - sum(self.each))

    def text(self, server: Server) -> str:
        """Say the figures."""
        beyond_bytes = server.sent_bytes - server.total_bytes
        return (
            f"{len(self.each)} kills of {server.total_bytes / MIB:.1f} MiB in {len(server.contents)} files: "
            f"{beyond_bytes / MIB:.2f} MiB fetched again in all, worst kill {max(self.each, default=0) / KIB:.0f} KiB"
        )


def has_come_to_its_instant(engine: Engine, server: Server, dice: random.Random, step_bytes: int) -> bool:
    """Wait for a random byte, or for a random instant of the start; False where the run ended before."""
    assert engine.process is not None
    if dice.random() < START_SHARE:
        engine.watch(lambda: False, dice.uniform(0, LONGEST_START_S))
    else:
        # Squared: most kills fall early, while few connections work, and some late.
        target = server.sent_bytes + int(step_bytes * dice.random() ** 2)
        engine.watch(lambda: server.sent_bytes > target)
    return engine.process.poll() is None


def kill_often(engine: Engine, server: Server, dice: random.Random, *, kills: int, step_bytes: int) -> Losses:
    """Kill the engine so many times and start it again without addresses; the last run ends."""
    losses = Losses()
    engine.start(*server.urls)
    engine.until("acknowledged", url=server.urls[-1])
    while len(losses.each) < kills and has_come_to_its_instant(engine, server, dice, step_bytes):
        engine.kill()
        losses.note(engine, server)
        require_no_lie(engine.folder, server)
        engine.start()
    return losses


def restart_server_often(engine: Engine, server: Server, dice: random.Random, *, kills: int, step_bytes: int) -> int:
    """Kill the server so many times and start it again; return how often it was."""
    engine.start(*server.urls)
    engine.until("acknowledged", url=server.urls[-1])
    for count in range(kills):
        if not has_come_to_its_instant(engine, server, dice, step_bytes):
            return count
        server.kill()
        server.start()
    return kills


def require_all(engine: Engine, server: Server) -> None:
    """Raise unless the run ends with every row completed, every file whole and nothing else in the folder."""
    assert engine.end() == 0, engine.story
    assert {row["url"] for row in engine.said("rows")[0]["rows"]} == set(server.urls)
    require_whole(engine.folder, server)


@pytest.mark.parametrize(
    ("size_mib", "pace", "kills", "step_mib"),
    [
        pytest.param(6, 8e6, 8, 1, id="sample"),
        pytest.param(400, 6e6, 100, 12, id="marathon", marks=pytest.mark.marathon),
        pytest.param(1500, 5e8, 10, 200, id="fast", marks=pytest.mark.marathon),
    ],
)
def test_engine_killed_at_random(tmp_path: Path, size_mib: int, pace: float, kills: int, step_mib: int) -> None:
    """Killed again and again, no file is visible before it is whole, and little is fetched twice."""
    with (
        Server(tmp_path, "--pace", str(pace), size_bytes=size_mib * MIB + 4321, small=3) as server,
        Engine(tmp_path, *SETTINGS) as engine,
    ):
        losses = kill_often(engine, server, random.Random(size_mib), kills=kills, step_bytes=step_mib * MIB)
        require_all(engine, server)
        print(losses.text(server))  # noqa: T201  # figures to quote
        assert len(losses.each) == kills
        assert sum(losses.each) <= kills * PER_FILE_BYTES
        assert max(losses.each) <= (WORST_FAST_BYTES if pace > FAST_BPS else PER_FILE_BYTES)


@pytest.mark.marathon
@needs_strace
def test_engine_killed_while_the_disk_syncs(tmp_path: Path) -> None:
    """With a sync of 2 s under way and a fast network, the journal's lag keeps what a kill costs bounded."""
    with (
        Server(tmp_path, "--pace", "1e8", "--send-buffer", str(SEND_BUFFER_BYTES), size_bytes=1500 * MIB) as server,
        Engine(tmp_path, *SETTINGS) as engine,
    ):
        losses = Losses()
        for number in range(1, 7):
            slow = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fdatasync"]
            engine.start(*server.urls, under=[*slow, "-e", "inject=fdatasync:delay_enter=2000000"])
            engine.until("started")
            before = server.sent_bytes
            engine.watch(partial(server.has_sent, before + number * 40 * MIB), 15)
            engine.kill()
            losses.note(engine, server)
        assert engine.run() == 0, engine.story
        require_whole(engine.folder, server)
        print(f"syncs of 2 s: {losses.text(server)}")  # noqa: T201  # figures to quote
        assert max(losses.each) <= WORST_FAST_BYTES


@pytest.mark.marathon
@pytest.mark.parametrize(
    "poverty",
    [
        pytest.param(["--no-ranges"], id="no-ranges"),
        pytest.param(["--etag", "none"], id="last-modified"),
        pytest.param(["--etag", "none", "--no-last-modified"], id="no-validator"),
        pytest.param(["--etag", 'W/"weak"', "--no-last-modified"], id="weak-etag"),
        pytest.param(["--at-most", "2"], id="few-connections"),
    ],
)
def test_engine_killed_with_a_poor_server(tmp_path: Path, poverty: list[str]) -> None:
    """Where the server proves less or gives less, more may be fetched twice, but nothing is ever wrong."""
    with (
        Server(tmp_path, "--pace", "16e6", *poverty, size_bytes=24 * MIB + 99, small=2) as server,
        Engine(tmp_path, *SETTINGS) as engine,
    ):
        losses = kill_often(engine, server, random.Random(7), kills=10, step_bytes=8 * MIB)
        require_all(engine, server)
        print(f"{' '.join(poverty)}: {losses.text(server)}")  # noqa: T201  # figures to quote


@pytest.mark.parametrize(
    ("size_mib", "pace", "kills", "step_mib"),
    [
        pytest.param(4, 8e6, 2, 2, id="sample"),
        pytest.param(400, 6e6, 30, 20, id="marathon", marks=pytest.mark.marathon),
    ],
)
def test_server_killed_at_random(tmp_path: Path, size_mib: int, pace: float, kills: int, step_mib: int) -> None:
    """The server is killed and started again, and the engine goes on by itself; hardly a byte is fetched twice."""
    with (
        Server(tmp_path, "--pace", str(pace), size_bytes=size_mib * MIB + 4321, small=3) as server,
        Engine(tmp_path, *SETTINGS) as engine,
    ):
        done = restart_server_often(engine, server, random.Random(size_mib), kills=kills, step_bytes=step_mib * MIB)
        require_all(engine, server)
        beyond_bytes = server.sent_bytes - server.total_bytes
        print(f"{done} deaths of the server: {beyond_bytes / MIB:.2f} MiB fetched again")  # noqa: T201  # to quote
        assert beyond_bytes <= done * PER_FILE_BYTES


@pytest.mark.parametrize(
    ("number", "rounds"),
    [
        pytest.param(signal.SIGTERM, 1, id="term-sample"),
        pytest.param(signal.SIGTERM, 20, id="term", marks=pytest.mark.marathon),
        pytest.param(signal.SIGINT, 20, id="int", marks=pytest.mark.marathon),
        pytest.param(signal.SIGHUP, 20, id="hup", marks=pytest.mark.marathon),
    ],
)
def test_signalled(tmp_path: Path, number: signal.Signals, rounds: int) -> None:
    """A signal ends the engine within 2 s with all it has written held, and the next start goes on from there."""
    size_bytes = 3 * MIB if rounds == 1 else 200 * MIB
    with (
        Server(tmp_path, "--pace", "4e6", size_bytes=size_bytes, small=2) as server,
        Engine(tmp_path, *SETTINGS) as engine,
    ):
        losses, longest_s = Losses(), 0.0
        dice = random.Random(number)
        engine.start(*server.urls)
        engine.until("acknowledged", url=server.urls[-1])
        for _ in range(rounds):
            engine.until("running")
            if not has_come_to_its_instant(engine, server, dice, size_bytes // rounds):
                break
            longest_s = max(longest_s, engine.signal(number))
            losses.note(engine, server)
            require_no_lie(engine.folder, server)
            engine.start()
        require_all(engine, server)
        print(f"{number.name}: {losses.text(server)}, longest stop {longest_s:.2f} s")  # noqa: T201  # to quote
        assert longest_s <= LONGEST_STOP_S
        assert max(losses.each, default=0) <= PER_FILE_BYTES
