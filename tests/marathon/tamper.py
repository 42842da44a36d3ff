"""System calls of a run tampered with by strace: killed at, refused or slowed."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.marathon.rig import Engine

CREATING_CALLS = ("openat",)
"""Python itself makes these by the thousand: they count on our own paths alone."""


@cache
def can_trace() -> bool:
    """Whether strace is there and may trace."""
    strace = shutil.which("strace")
    if strace is None:
        return False
    return subprocess.run([strace, "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0


needs_strace = pytest.mark.skipif(not can_trace(), reason="needs strace and the right to trace")


def tampered(engine: Engine, call: str, what: str, *, spares_journal: bool = False) -> list[str]:
    """Return the command to run an engine under, so that strace does `what` at calls of that name.

    strace counts calls by thread: the first thread whose n-th call it is meets the fault. `spares_journal`: of the
    calls that create files those of the journal do not count.
    """
    # Without --seccomp-bpf: with it strace 6.1 sends no signal but at the first call.
    words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{what}"]
    if call in CREATING_CALLS:
        journal = str(engine.journal)
        own = () if spares_journal else (journal, journal + "-wal", journal + "-shm")
        for path in (str(engine.folder), *own):
            words += ["-P", path]
    return words
