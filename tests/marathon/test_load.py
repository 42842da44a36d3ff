"""Many connections on a slow disk: memory stays flat, the loop stays awake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.marathon.rig import MIB, Engine, Server, require_whole
from tests.marathon.tamper import needs_strace

if TYPE_CHECKING:
    from pathlib import Path

MOST_LAG_P99_MS: Final = 50.0
HELD_PER_CONNECTION_BYTES: Final = 3 * MIB
"""A gather, a write under way, and what the socket's reader holds."""
BASE_BYTES: Final = 60 * MIB
"""Interpreter, libraries, journal."""

pytestmark = [needs_strace, pytest.mark.marathon]


@pytest.mark.parametrize(("tasks", "mean_mib", "sync_ms"), [(100, 6, 50), (300, 3, 20), (10, 40, 2000)])
def test_slow_disk(tmp_path: Path, tasks: int, mean_mib: int, sync_ms: int) -> None:
    """With 64 connections, 20 ms a write and slow syncs the memory is bounded and the loop's lag p99 below 50 ms."""
    # With --seccomp-bpf only the slowed calls stop at the tracer, so the loop's own calls cost nothing more.
    under = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=pwritev2,fdatasync,fsync"]
    under += ["-e", "inject=pwritev2:delay_enter=20000", "-e", f"inject=fdatasync,fsync:delay_enter={sync_ms}000"]
    with (
        Server(tmp_path, small=tasks, small_bytes=mean_mib * MIB) as server,
        Engine(tmp_path, "concurrent_downloads=64", "per_host=64", "connections=8") as engine,
    ):
        code = engine.run(*server.urls, "--memory-every", "0.25", under=under, patience_s=300)
        assert code == 0, engine.story
        require_whole(engine.folder, server)
        memory = [line["resident_bytes"] for line in engine.said("memory")]
        figures = engine.said("figures")[0]
        objects = [line["objects"] for line in engine.said("memory")]
        half = len(memory) // 2
        early, late = max(memory[:half]) / MIB, max(memory[half:]) / MIB
        print(  # noqa: T201  # figures to quote
            f"{tasks} tasks, {server.total_bytes / MIB:.0f} MiB, syncs of {sync_ms} ms: memory at most {early:.0f} MiB "
            f"in the first half, {late:.0f} in the second; lag p99 {figures['lag_p99_ms']:.1f} ms, "
            f"worst {figures['lag_max_ms']:.0f} ms; {figures['cpu_s']:.1f} s of processor"
        )
        assert max(memory) <= BASE_BYTES + 64 * HELD_PER_CONNECTION_BYTES
        assert max(objects[half:]) <= max(objects[:half]) * 1.1, "it grows with the tasks done"
        assert figures["lag_p99_ms"] <= MOST_LAG_P99_MS
