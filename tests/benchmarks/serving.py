"""The benchmark's own servers as processes of their own, each on the cores it is given."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PACKAGE = "tests.benchmarks"


@contextmanager
def serving(server: str, arguments: Sequence[str], cores: str = "") -> Iterator[str]:
    """Run a module of this package that prints its origin and serves until its input ends; yield the origin."""
    pinned = ("taskset", "-c", cores) if cores else ()
    command = [*pinned, sys.executable, "-m", f"{PACKAGE}.{server}", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            origin = process.stdout.readline().strip()
            if not origin:
                raise SystemExit(f"{server} did not start")
            yield origin
        finally:
            process.stdin.close()
            process.wait()
