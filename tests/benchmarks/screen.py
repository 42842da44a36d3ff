"""The screen measured over a pty at 120x40: `python -m tests.benchmarks.screen [--stall SECONDS]`.

Twenty rows alive from a paced server; bytes a second, key to screen, first frame, CPU; nothing changing; and a
terminal that nobody reads.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import pyte

from tests.faults.ledger import read_counter

COLUMNS, ROWS = 120, 40
PACE_BPS = 400_000
LIVE_ROWS = 20
WINDOW_S = 10.0
KEYS = 120
CURSOR = "▸".encode()
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][\d;]*u|\x1b\[\?\d+\$p")


def cpu_s_of(pid: int) -> float:
    """Return user and system seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


class Terminal:
    """The near side of a pty with the program on the far side."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.started_at = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.raw = bytearray()

    def read_for(self, seconds: float) -> int:
        """Read what comes for so long; return the bytes."""
        end_at = time.monotonic() + seconds
        before = len(self.raw)
        while (left_s := end_at - time.monotonic()) > 0:
            self.read_once(left_s)
        return len(self.raw) - before

    def read_once(self, timeout_s: float) -> bytes:
        """Return what comes first within the time."""
        if not select.select([self.fd], [], [], timeout_s)[0]:
            return b""
        try:
            chunk = os.read(self.fd, 65536)
        except OSError:
            return b""
        self.raw += chunk
        return chunk

    def read_until(self, mark: bytes, limit_s: float) -> float:
        """Read until the mark came since now; return the seconds that took."""
        started_at = time.monotonic()
        seen = bytearray()
        while mark not in seen:
            left_s = started_at + limit_s - time.monotonic()
            if left_s <= 0:
                raise SystemExit(f"{mark!r} did not come within {limit_s} s; the screen shows:\n{self.text()}")
            seen += self.read_once(left_s)
        return time.monotonic() - started_at

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.fd, keys)

    def cpu_s(self) -> float:
        """Return user and system seconds of the program so far."""
        return cpu_s_of(self.pid)

    def text(self) -> str:
        """Return what the screen shows."""
        screen = pyte.Screen(COLUMNS, ROWS)
        stream = pyte.ByteStream(screen)
        stream.feed(UNKNOWN_TO_PYTE.sub(b"", bytes(self.raw)))
        return "\n".join(line.rstrip() for line in screen.display)

    def end(self, signum: int, *, is_reading: bool = True) -> float:
        """Send a signal; return the seconds until the program ended."""
        os.kill(self.pid, signum)
        started_at = time.monotonic()
        while True:
            ended, _ = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                return time.monotonic() - started_at
            if time.monotonic() - started_at > 20:
                os.kill(self.pid, signal.SIGKILL)
                raise SystemExit("it did not end within 20 s")
            if is_reading:
                self.read_once(0.01)
            else:
                time.sleep(0.01)


def measure_alive(terminal: Terminal) -> None:
    """Bytes and CPU with all rows alive."""
    terminal.read_for(5.0)
    cpu_s = terminal.cpu_s()
    count = terminal.read_for(WINDOW_S)
    cpu_s = terminal.cpu_s() - cpu_s
    print(
        f"{LIVE_ROWS} rows alive: {count / WINDOW_S / 1000:.2f} KB/s to the terminal, {cpu_s / WINDOW_S:.1%} CPU in all"
    )


def measure_keys(terminal: Terminal) -> None:
    """Key to screen: from the key to the bytes that paint the moved cursor."""
    latencies = []
    for number in range(KEYS):
        terminal.read_for(0.07 + (number * 37 % 50) / 1000)
        terminal.type(b"j" if number // 10 % 2 == 0 else b"k")
        latencies.append(terminal.read_until(CURSOR, 5.0) * 1000)
    cuts = statistics.quantiles(latencies, n=100)
    print(f"key to screen: p50 {cuts[49]:.1f}, p95 {cuts[94]:.1f}, p99 {cuts[98]:.1f} ms over {KEYS} keys")


def measure_quiet(terminal: Terminal) -> None:
    """Bytes and CPU when all is paused."""
    terminal.type(b"P")
    terminal.read_for(25.0)  # the graph of the last seconds runs out first
    cpu_s = terminal.cpu_s()
    count = terminal.read_for(WINDOW_S)
    print(f"nothing changing: {count} bytes in {WINDOW_S:.0f} s, {(terminal.cpu_s() - cpu_s) / WINDOW_S:.1%} CPU")


def measure_stall(terminal: Terminal, counter: Path, seconds: float) -> None:
    """Rate at the server while the terminal is read, then while nobody reads it."""
    terminal.type(b"P")
    terminal.read_for(6.0)
    sent = read_counter(counter)
    terminal.read_for(WINDOW_S)
    read_bps = (read_counter(counter) - sent) / WINDOW_S
    sent = read_counter(counter)
    time.sleep(seconds)
    stalled_bps = (read_counter(counter) - sent) / seconds
    share = stalled_bps / read_bps
    print(f"terminal stalled for {seconds:.0f} s: {share:.1%} of the rate before ({read_bps / 1e6:.1f} MB/s)")
    terminal.read_for(2.0)
    shown = terminal.text()
    whole = "tui-dl" in shown.splitlines()[0] and "Quit" in shown.splitlines()[-1]
    print(f"after the stall: {'a whole screen' if whole else 'NOT a whole screen:' + chr(10) + shown}")


def main() -> None:
    """Run the program on a pty and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stall", type=float, default=20.0)
    parser.add_argument("--show", action="store_true", help="print the screen too")
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="tui-dl-screen-"))
    counter = work / "server.log.count"
    small = ["--small", str(LIVE_ROWS), "--small-size", str(2 << 30), "--pace", str(PACE_BPS)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults", *small, "--log", str(work / "server.log")],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        origin = server.stdout.readline().strip()
        urls = [f"{origin}/small/{number:05d}.bin" for number in range(LIVE_ROWS)]
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "TUI_DL_HOME": str(work / "home"),
        }
        options = ["-j", str(LIVE_ROWS), "-x1", "-d", str(work / "out")]
        try:
            terminal = Terminal([sys.executable, "-m", "tui_dl", "--foreground", *options, *urls], environment)
            terminal.read_until(b"tui-dl", 10.0)
            print(f"first frame: {(time.monotonic() - terminal.started_at) * 1000:.0f} ms")
            measure_alive(terminal)
            if asked.show:
                print(terminal.text())
            measure_keys(terminal)
            measure_quiet(terminal)
            if asked.stall:
                measure_stall(terminal, counter, asked.stall)
                time.sleep(3)
            print(
                f"SIGTERM with a stalled terminal: ended after {terminal.end(signal.SIGTERM, is_reading=False):.2f} s"
            )
        finally:
            with contextlib.suppress(NameError, ProcessLookupError, UnboundLocalError):
                os.kill(terminal.pid, signal.SIGKILL)
            server.terminate()
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
