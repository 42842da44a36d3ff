"""SIGKILL of an engine that fetches one file from several servers, one of which may lie: bit-exact every time."""

from __future__ import annotations

import hashlib
import random
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from tests.faults import oracle
from tests.marathon.rig import MIB, Engine, Server, require_no_lie, require_whole

if TYPE_CHECKING:
    from pathlib import Path

PIECE_BYTES: Final = 256 * 1024
SETTINGS: Final = ("retry_delay=0.05", "max_retries=50", "connections=6")
LONGEST_START_S: Final = 0.8
START_SHARE: Final = 0.2
WORST_BYTES: Final = 16 * MIB
"""What a kill may cost, and a liar besides."""


def metalink_of(servers: list[Server], *, has_pieces: bool) -> str:
    """Describe the first server's file, with all servers as its sources."""
    seed, size_bytes = servers[0].seed, servers[0].size_bytes
    starts = range(0, size_bytes, PIECE_BYTES)
    pieces = [oracle.content(seed, start, min(start + PIECE_BYTES, size_bytes)) for start in starts]
    hexes = "".join(f"<hash>{hashlib.sha256(one).hexdigest()}</hash>" for one in pieces)
    listed = f'<pieces length="{PIECE_BYTES}" type="sha-256">{hexes}</pieces>' if has_pieces else ""
    urls = "".join(f'<url priority="{number}">{one.urls[0]}</url>' for number, one in enumerate(servers, 1))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
        <metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="{next(iter(servers[0].contents))}">
        <size>{size_bytes}</size><hash type="sha-256">{oracle.sha256_of(seed, size_bytes)}</hash>{listed}{urls}
        </file></metalink>"""


@pytest.mark.parametrize(
    ("size_mib", "pace", "kills", "seeds"),
    [
        pytest.param(6, 3e6, 5, (1, 1, 2), id="a-liar-found-by-pieces"),
        pytest.param(4, 3e6, 4, (1, 1), id="all-honest"),
        pytest.param(200, 6e6, 50, (1, 2, 1), id="marathon", marks=pytest.mark.marathon),
    ],
)
def test_engine_killed_while_several_serve(
    tmp_path: Path, size_mib: int, pace: float, kills: int, seeds: tuple[int, ...]
) -> None:
    """Killed again and again: only the right file gets its name, and what is held is not fetched again."""
    with ExitStack() as stack:
        servers = []
        for number, seed in enumerate(seeds):
            home = tmp_path / f"server{number}"
            home.mkdir()
            words = ["--pace", str(pace), "--etag", '"the same"']
            servers.append(stack.enter_context(Server(home, *words, size_bytes=size_mib * MIB + 4321, seed=seed)))
        engine = stack.enter_context(Engine(tmp_path, *SETTINGS))
        document = tmp_path / "file.meta4"
        document.write_text(metalink_of(servers, has_pieces=2 in seeds))
        _kill_often(engine, servers, document, random.Random(size_mib), kills)
        assert engine.end() == 0, engine.story
        require_whole(engine.folder, servers[0])
        sent_bytes = sum(one.sent_bytes for one in servers)
        print(f"{kills} kills: {sent_bytes / MIB:.1f} MiB sent for {size_mib} MiB")  # noqa: T201  # figures to quote
        assert sent_bytes <= 2 * servers[0].size_bytes + kills * WORST_BYTES


def _kill_often(engine: Engine, servers: list[Server], document: Path, dice: random.Random, kills: int) -> None:
    def has_sent(target_bytes: int) -> bool:
        return sum(one.sent_bytes for one in servers) > target_bytes

    engine.start("--metalink", str(document))
    engine.until("acknowledged")
    for _ in range(kills):
        if dice.random() < START_SHARE:
            engine.watch(lambda: False, dice.uniform(0, LONGEST_START_S))
        else:
            step_bytes = int(2 * servers[0].size_bytes / kills * dice.random() ** 2)
            engine.watch(partial(has_sent, step_bytes + sum(one.sent_bytes for one in servers)))
        assert engine.process is not None
        if engine.process.poll() is not None:
            return
        engine.kill()
        require_no_lie(engine.folder, servers[0])
        engine.start()
