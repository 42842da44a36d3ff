"""One run of a command: without a shell, in a process group of its own, with a time limit. Blocks; for threads."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_OUTPUT_BYTES: Final = 8 * 1024
"""Of what a command says that goes into the log; the rest is read and dropped."""
GRACE_S: Final = 2.0
"""Between the request to end and the end by force."""
_LOOK_EVERY_S: Final = 0.1
_BLOCK_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    text: str
    """In words: the exit code, the signal, or why it did not begin."""
    is_well: bool
    """Whether it ended by itself with 0."""
    output: bytes = b""
    """The first of what it said on standard output and standard error."""


class Run:
    """A command that is about to run; `stop()` may come from another thread."""

    def __init__(self, words: Sequence[str], environment: Mapping[bytes, bytes], limit_s: float) -> None:
        self._words = [str(Path(words[0]).expanduser()) if words[0].startswith("~/") else words[0], *words[1:]]
        self._environment = environment
        self._limit_s = limit_s
        self._is_stopped = False

    def stop(self) -> None:
        """End it, with all that it started."""
        self._is_stopped = True

    def __call__(self, told: bytes) -> Outcome:
        """Run it to its end; `told` is its standard input."""
        # From a file, so that a command that reads nothing keeps nobody waiting.
        with tempfile.TemporaryFile() as given:
            given.write(told)
            given.seek(0)
            try:
                process = self._begin(given)
            except (OSError, ValueError) as error:
                return Outcome(f"could not begin: {getattr(error, 'strerror', None) or error}", is_well=False)
        with process:
            return self._follow(process)

    def _begin(self, given: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # the words are the person's own, and no shell reads them
            self._words,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
            # Never the folder of a download: what lies there is named by servers.
            cwd="/",
            start_new_session=True,
        )

    def _follow(self, process: subprocess.Popen[bytes]) -> Outcome:
        assert process.stdout is not None
        said = bytearray()
        until = time.monotonic() + self._limit_s
        os.set_blocking(process.stdout.fileno(), False)
        has_more = True
        while process.poll() is None:
            if has_more:
                has_more = _read(process.stdout, said, _LOOK_EVERY_S)
            else:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK_EVERY_S)
            if self._is_stopped or time.monotonic() > until:
                _end(process)
                text = "was ended with the program" if self._is_stopped else f"took more than {self._limit_s:g} s"
                return Outcome(text, is_well=False, output=bytes(said))
        # What it left behind in the pipe; whoever it started may hold the other end for ever.
        while has_more and len(said) < MOST_OUTPUT_BYTES and _is_readable(process.stdout, 0):
            has_more = _read(process.stdout, said, 0)
        code = process.returncode
        text = f"exit {code}" if code >= 0 else f"ended by signal {-code}"
        return Outcome(text, is_well=code == 0, output=bytes(said))


def _read(stream: IO[bytes], said: bytearray, wait_s: float) -> bool:
    """Take what there is within a moment, keep the first of it; return whether there may be more."""
    if not _is_readable(stream, wait_s):
        return True
    try:
        block = os.read(stream.fileno(), _BLOCK_BYTES)
    except BlockingIOError:
        return True
    said += block[: MOST_OUTPUT_BYTES - len(said)]
    return bool(block)


def _is_readable(stream: IO[bytes], wait_s: float) -> bool:
    # Not select(): descriptors beyond 1,023 are usual beside many connections.
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    return bool(poll.poll(wait_s * 1000))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: asked first, then by force. Its leader is not reaped before, so the number is its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
        until = time.monotonic() + GRACE_S
        while time.monotonic() < until and not _has_ended(process.pid):
            time.sleep(_LOOK_EVERY_S)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _has_ended(pid: int) -> bool:
    """Whether a child has ended, without reaping it; where the system cannot say, the grace is waited for."""
    if not hasattr(os, "waitid"):
        return False
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
