"""Killed or refused at the n-th system call: nothing false under a final name, and everything goes on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.disk import scenario

ROOT = Path(scenario.__file__).parents[2]
CALLS = ("pwritev2", "fdatasync", "renameat2", "fsync", "syncfs", "linkat")


def _can_trace() -> bool:
    strace = shutil.which("strace")
    return (
        strace is not None and subprocess.run([strace, "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0
    )


pytestmark = pytest.mark.skipif(not _can_trace(), reason="needs strace and the right to trace")


def run(folder: Path, inject: str = "") -> subprocess.CompletedProcess[str]:
    """Run the scenario, with system calls tampered with as strace is told."""
    command = [sys.executable, "-m", "tests.disk.scenario", str(folder)]
    if inject:
        # Without --seccomp-bpf: with it strace 6.1 sends no signal but at the first call.
        trace = f"trace={inject.partition(':')[0]}"
        command = [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            trace,
            "-e",
            f"inject={inject}",
            *command,
        ]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)


def names(folder: Path) -> set[str]:
    """Return what lies in the folder."""
    return {path.name for path in folder.iterdir()}


def assert_recovers(folder: Path) -> None:
    """Run it again undisturbed: everything is there in the end, whole and once, and no part file is left."""
    again = run(folder)
    assert again.returncode == 0, again.stderr
    scenario.check(folder, again.stdout)
    assert names(folder) == {scenario.BIG_NAME, *scenario.SMALL_NAMES}


@pytest.mark.parametrize(
    ("call", "count"),
    [
        ("pwritev2", 1),
        ("pwritev2", 4),
        ("pwritev2", 6),
        ("fdatasync", 1),
        ("fdatasync", 2),
        ("renameat2", 1),
        ("fsync", 1),
        ("syncfs", 1),
        ("linkat", 1),
        ("linkat", 3),
        ("fsync", 2),
    ],
)
def test_killed_at_a_call(folder: Path, call: str, count: int) -> None:
    """SIGKILL at the entry of a system call leaves only whole files under final names; the next run ends well."""
    killed = run(folder, f"{call}:signal=KILL:when={count}")
    assert killed.returncode == -9, killed.stderr
    scenario.check(folder, killed.stdout)
    assert names(folder) <= {scenario.PART_NAME, scenario.BIG_NAME, *scenario.SMALL_NAMES}
    assert_recovers(folder)


@pytest.mark.parametrize(
    ("call", "error", "count", "reason"),
    [
        ("pwritev2", "ENOSPC", 3, "disk-full"),
        ("pwritev2", "EIO", 6, "io-error"),
        ("fdatasync", "ENOSPC", 1, "disk-full"),
        ("fdatasync", "EIO", 2, "io-error"),
        ("renameat2", "EIO", 1, "io-error"),
        ("fsync", "EIO", 1, "io-error"),
        ("linkat", "EDQUOT", 2, "quota-exceeded"),
    ],
)
def test_refused_once(folder: Path, call: str, error: str, count: int, reason: str) -> None:
    """An error at one call is reported with its reason, and another attempt ends whole without debris."""
    ended = run(folder, f"{call}:error={error}:when={count}")
    assert ended.returncode == 0, ended.stderr
    assert f"error {reason}\n" in ended.stdout
    scenario.check(folder, ended.stdout)
    assert names(folder) == {scenario.BIG_NAME, *scenario.SMALL_NAMES}


def test_a_group_survives_a_sync_that_blames_nobody(folder: Path) -> None:
    """When the sync of the whole file system fails but no file of ours did, the group is committed."""
    ended = run(folder, "syncfs:error=EIO")
    assert "error" not in ended.stdout
    assert names(folder) == {scenario.BIG_NAME, *scenario.SMALL_NAMES}


@pytest.mark.marathon
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", ["signal=KILL", "error=ENOSPC", "error=EIO", "error=EDQUOT"])
def test_at_every_call(tmp_path: Path, call: str, fault: str) -> None:
    """The same at every instance of every call that makes files, each followed by a run that mends it."""
    for count in range(1, 30):
        folder = tmp_path / str(count)
        folder.mkdir()
        ended = run(folder, f"{call}:{fault}:when={count}")
        scenario.check(folder, ended.stdout)
        if ended.returncode == 0 and "error" not in ended.stdout:
            assert names(folder) == {scenario.BIG_NAME, *scenario.SMALL_NAMES}
            if call != "syncfs" or count > 1:
                assert count > 1
                break
        assert_recovers(folder)
