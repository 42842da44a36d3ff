"""A session in real tmux and behind a real sshd: 500 MB that no fate of a terminal interrupts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.faults import FaultServer, Resource, oracle, tempers
from tests.session.stage import Home, Terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.marathon

SIZE: Final = 500 * 1024 * 1024
SLOW_BPS: Final = 2 * 1024 * 1024
SEED: Final = 9
STORM: Final = 100
SSHD: Final = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


class Throttled:
    """The server, and what its log says of the one transfer."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.server = FaultServer()
        self.url = ""

    @property
    def sent_bytes(self) -> int:
        """Bytes sent so far."""
        return sum(one.sent_bytes for one in self.server.requests)

    def check_unbroken(self) -> None:
        """See that the first request is still the only one, and that its bytes keep coming."""
        before = self.sent_bytes
        Home.until(lambda: self.sent_bytes >= before + SLOW_BPS // 4)
        assert len(self.server.requests) == 1
        assert self.server.requests[0].is_active


@pytest.fixture
async def throttled() -> AsyncIterator[Throttled]:
    """Yield the server."""
    stage = Throttled()
    async with stage.server as server:
        pace = tempers.pace_until(stage.is_over.is_set, SLOW_BPS, 1024 * SLOW_BPS)
        stage.url = server.add("/big.iso", Resource(SIZE, SEED), pace)
        yield stage


class Tmux:
    """A tmux server of our own."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._name = f"tui-dl-{os.getpid()}-{id(self)}"

    def run(self, *words: str) -> str:
        """Run a command of tmux."""
        command = ["tmux", "-L", self._name, "-f", "/dev/null", *words]
        done = subprocess.run(command, env=self._home.environment, capture_output=True, text=True, check=False)
        return done.stdout

    def begin(self) -> None:
        """Open a window with a shell."""
        self.run("new-session", "-d", "-x", "110", "-y", "30", "-c", str(self._home.folder), "bash --norc --noprofile")

    def type(self, words: str, *keys: str) -> None:
        """Type text, then keys by their names."""
        self.run("send-keys", "-l", words)
        if keys:
            self.run("send-keys", *keys)

    @property
    def text(self) -> str:
        """What the window shows."""
        return self.run("capture-pane", "-p")

    def until(self, *texts: str, without: str = "\0") -> None:
        """Wait until the window shows all of these."""

        def holds() -> bool:
            shown = self.text
            return all(one in shown for one in texts) and without not in shown

        try:
            Home.until(holds)
        except AssertionError:
            raise AssertionError(f"{texts} without {without!r} is not what it shows:\n{self.text}") from None

    def has_shell(self, word: str) -> None:
        """See that the terminal is the shell's again: what it said meanwhile it said to the screen that is gone."""
        Home.until(lambda: self.run("display-message", "-p", "#{alternate_on}").strip() == "0")
        self.type(f"echo {word[:3]}''{word[3:]}", "Enter")
        self.until(word)

    def client_pid(self) -> int:
        """Return the process that the window's shell runs in the foreground."""
        shell = self.run("display-message", "-p", "#{pane_pid}").strip()
        return int(Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[tuple[Home, Tmux]]:
    """Yield a home and a tmux in it."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    with Home(tmp_path) as home:
        one = Tmux(home)
        one.begin()
        yield home, one
        one.run("kill-server")


async def test_tmux(throttled: Throttled, tmux: tuple[Home, Tmux], tmp_path: Path) -> None:
    """The acceptance scenario of the session, in one window after another."""
    home, window = tmux
    shown = ("big.iso", "iB/s", "d Detach")

    def use() -> None:  # the order is that of the issue
        call = home.words()
        window.type(f"{call} -x 1 {throttled.url}", "Enter")
        window.until(*shown)
        window.type("d")
        window.until("1 download goes on in the background", without="d Detach")
        throttled.check_unbroken()
        window.type(call, "Enter")
        window.until(*shown)
        window.run("kill-server")
        Home.until(lambda: home.log.count("detached") == 2)
        throttled.check_unbroken()

        window.begin()
        window.type(call, "Enter")
        window.until(*shown)
        os.kill(window.client_pid(), signal.SIGHUP)
        window.until("goes on in the background", without="d Detach")
        for ending in (signal.SIGKILL, signal.SIGTERM):
            window.type(f"clear; {call}", "Enter")
            window.until(*shown)
            os.kill(window.client_pid(), ending)
            window.has_shell(f"after-{ending.name}")
            throttled.check_unbroken()

        window.type(f"clear; {call}", "Enter")
        window.until(*shown)
        os.kill(window.client_pid(), signal.SIGSTOP)
        window.has_shell("after-SIGSTOP")
        throttled.check_unbroken()
        window.type("fg", "Enter")
        window.until(*shown)
        window.type("", "C-z")
        window.until("Stopped", without="d Detach")
        window.has_shell("after-the-key")
        throttled.check_unbroken()
        window.type("fg", "Enter")
        window.until(*shown)

        for number in range(STORM):
            window.run("resize-window", "-x", str(40 + number % 80), "-y", str(10 + number % 30))
        window.run("resize-window", "-x", "110", "-y", "30")
        window.until("big.iso", "Progress", "q Quit")
        throttled.check_unbroken()

        other = home.open()
        other.until_shown("big.iso", "iB/s")
        window.until("Another terminal shows the screen now", without="d Detach")
        window.type(call, "Enter")
        window.until(*shown)
        assert other.ends() == 0
        throttled.check_unbroken()
        throttled.is_over.set()
        window.until("1 done")
        window.type("q")
        window.has_shell("at-the-end")
        Home.until(lambda: home.session_pid is None)

    await asyncio.to_thread(use)
    (only,) = throttled.server.requests
    assert only.range_asked == "bytes=0-"
    assert only.sent_bytes == SIZE
    assert oracle.check(tmp_path / "big.iso", SEED, SIZE) is None


class Sshd:
    """Debian's sshd on a port of its own, for a key of its own."""

    def __init__(self, folder: Path, *more_lines: str) -> None:
        """`more_lines`: what else its configuration says."""
        self._folder = folder
        folder.mkdir(mode=0o700)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        with socket.socket() as spare:
            spare.bind(("127.0.0.1", 0))
            self.port = spare.getsockname()[1]
        lines = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {folder}/host",
            f"AuthorizedKeysFile {folder}/user.pub",
            "StrictModes no",
            "UsePAM no",
            "PermitRootLogin yes",
            f"PidFile {folder}/pid",
            *more_lines,
        ]
        (folder / "config").write_text("\n".join(lines) + "\n")
        Path("/run/sshd").mkdir(exist_ok=True)
        assert SSHD is not None
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL)
        Home.until(self._is_up)

    def _is_up(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def login(self, home: Home, words: str) -> Terminal:
        """Run a command at the far end, as a person does: `ssh -t host COMMAND`."""
        options = ["StrictHostKeyChecking=no", f"UserKnownHostsFile={self._folder}/known", "LogLevel=ERROR"]
        command = ["ssh", "-t", "-F", "none", "-p", str(self.port), "-i", str(self._folder / "user")]
        command += [part for one in options for part in ("-o", one)]
        variables = " ".join(f"{name}={home.environment[name]}" for name in ("TUI_DL_HOME", "PYTHONPATH"))
        far = f"cd {home.folder} && {variables} {words}"
        return home.open(command=[*command, "127.0.0.1", far])

    def connection_pids(self) -> list[int]:
        """Return sshd's processes that carry a connection."""
        pids = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(stat.read_text().rpartition(")")[2].split()[1]) == self.process.pid:
                    pids.append(int(stat.parent.name))
        return pids

    def cut_by_kernel(self) -> bool:
        """Drop every connection to us with the kernel's help; False where this kernel cannot."""
        done = subprocess.run(
            ["ss", "-K", "-t", "src", "127.0.0.1", "sport", "=", f":{self.port}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode == 0 and "ESTAB" in done.stdout

    def close(self) -> None:
        """End it."""
        for pid in self.connection_pids():
            os.kill(pid, signal.SIGKILL)
        self.process.terminate()
        self.process.wait()


@pytest.mark.needs_root
@pytest.mark.skipif(SSHD is None or os.geteuid() != 0, reason="needs Debian's openssh-server and root")
async def test_ssh(throttled: Throttled, tmp_path: Path) -> None:
    """`ssh -t host tui-dl`: the link is cut by killing its sshd and by the kernel, and nothing is lost."""
    sshd = Sshd(tmp_path / "sshd")
    cuts: list[str] = []

    def use(home: Home) -> None:
        first = sshd.login(home, f"{home.words()} -x 1 {throttled.url}")
        first.until_shown("big.iso", "iB/s", "d Detach")
        throttled.check_unbroken()
        for pid in sshd.connection_pids():
            os.kill(pid, signal.SIGKILL)
        cuts.append("sshd killed")
        first.until(lambda: first.process.poll() is not None)
        Home.until(lambda: home.log.count("detached") == 1)
        throttled.check_unbroken()

        second = sshd.login(home, home.words())
        second.until_shown("big.iso", "iB/s", "d Detach")
        if sshd.cut_by_kernel():
            cuts.append("dropped by ss -K")
            second.until(lambda: second.process.poll() is not None)
        else:
            second.process.kill()
            cuts.append("ssh killed (this kernel has no ss -K)")
        Home.until(lambda: home.log.count("detached") == 2)
        throttled.check_unbroken()

        third = sshd.login(home, home.words())
        third.until_shown("big.iso", "iB/s", "d Detach")
        third.press("d")
        assert third.ends() == 0
        assert "goes on in the background" in third.text
        throttled.check_unbroken()
        throttled.is_over.set()
        Home.until(lambda: home.session_pid is None)

    try:
        with Home(tmp_path) as home:
            await asyncio.to_thread(use, home)
    finally:
        sshd.close()
    print("\n".join(cuts))  # noqa: T201  # what the run did
    (only,) = throttled.server.requests
    assert (only.range_asked, only.sent_bytes) == ("bytes=0-", SIZE)
    assert oracle.check(tmp_path / "big.iso", SEED, SIZE) is None
