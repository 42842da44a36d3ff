"""What a person at a terminal sees and what a lost or stalled terminal does, through a real pseudo terminal."""

from __future__ import annotations

import os
import signal
import termios

import pytest

from tests.ui.terminal.pty_session import PtySession


@pytest.mark.parametrize(
    ("columns", "rows", "seed", "mode"),
    [(80, 24, 1, "foreground"), (121, 36, 2, "uvloop"), (40, 10, 3, "foreground"), (80, 24, 4, "stock")],
)
def test_the_terminal_shows_what_the_compositor_holds(columns: int, rows: int, seed: int, mode: str) -> None:
    """After scrolling, dialogs, toasts and resizes every line is right, and no cell differs from a full repaint."""
    with PtySession(columns, rows, mode=mode) as session:
        for step in range(3):
            session.command("session", seed=seed * 100 + step, steps=8)
            assert session.read_until_mark() == session.shown()
        session.resize(columns - 7, rows + 3)
        session.command("session", seed=seed, steps=4)
        assert session.read_until_mark() == session.shown()
        incremental = session.cells()
        session.emulator.reset()
        session.command("repaint")
        session.read_until_mark()
        assert session.cells() == incremental


def test_a_frame_without_a_change_writes_nothing() -> None:
    """Refreshing everything thrice costs 0 bytes."""
    with PtySession() as session:
        session.read_until_mark()
        before = session.fed
        session.command("refresh")
        session.read_until_mark()
        assert session.raw[before : session.fed] == b"\x1b]2;mark-2\x07"


@pytest.mark.parametrize("mode", ["foreground", "stock"])
def test_a_stalled_terminal_stops_nobody_and_is_made_right_afterwards(mode: str) -> None:
    """The loop beats on while nobody reads, and reading again shows a whole screen."""
    with PtySession(120, 36, mode=mode) as session:
        session.read_until_mark()
        session.command("churn", is_on=True)
        session.wait_for(lambda: (beat := session.last("pending")) and beat["pending"] > 0, is_reading=False)
        stalled = session.last("beat")
        assert stalled is not None
        session.wait_for(lambda: session.last("beat")["beat"] >= stalled["beat"] + 20, is_reading=False, within_s=2)  # type: ignore[index]
        beat = session.last("beat")
        assert beat is not None
        assert 0 < beat["pending"] < 100_000, "frames were queued although the terminal did not take the last one"
        session.command("churn", is_on=False)
        assert session.read_until_mark() == session.shown()


@pytest.mark.parametrize("mode", ["foreground", "uvloop"])
def test_sigterm_gives_the_terminal_back(mode: str) -> None:
    """Within 2 s the process ends, the alternate screen is left and the line settings are as before."""
    with PtySession(mode=mode) as session:
        session.read_until_mark()
        assert termios.tcgetattr(session.slave_fd) != session.attrs_before
        session.process.send_signal(signal.SIGTERM)
        session.wait_for(lambda: session.process.poll() is not None, within_s=2)
        session.wait_for(lambda: session.raw.endswith(b"\x1b[?1049l\x1b[?25h"), within_s=1)
        assert session.process.returncode == 0
        assert termios.tcgetattr(session.slave_fd) == session.attrs_before


def test_sigterm_ends_the_process_although_the_terminal_is_stalled() -> None:
    """Nobody reads; within 2 s the process has ended with the line settings as before."""
    with PtySession() as session:
        session.read_until_mark()
        session.command("churn", is_on=True)
        session.wait_for(lambda: (beat := session.last("pending")) and beat["pending"] > 0, is_reading=False)
        session.process.send_signal(signal.SIGTERM)
        session.wait_for(lambda: session.process.poll() is not None, is_reading=False, within_s=2)
        assert session.process.returncode == 0
        assert termios.tcgetattr(session.slave_fd) == session.attrs_before


def test_a_lost_terminal_ends_the_app() -> None:
    """When the terminal is closed, without any signal, the process ends by itself."""
    with PtySession() as session:
        session.read_until_mark()
        os.close(session.slave_fd)
        os.close(session.master_fd)
        session.wait_for(lambda: session.process.poll() is not None, is_reading=False, within_s=2)
        assert session.process.returncode == 0


def test_a_lost_terminal_costs_no_processor_time() -> None:
    """An owner that lives on without a terminal is told once and does not spin."""
    with PtySession(mode="session") as session:
        session.read_until_mark()
        os.close(session.slave_fd)
        os.close(session.master_fd)
        session.wait_for(lambda: session.last("gone"), is_reading=False)
        first = session.last("beat")
        assert first is not None
        session.wait_for(lambda: session.last("beat")["beat"] >= first["beat"] + 20, is_reading=False)  # type: ignore[index]
        last = session.last("beat")
        assert last is not None
        assert last["cpu_s"] - first["cpu_s"] < 0.4


def test_ctrl_z_lends_the_terminal_to_the_shell() -> None:
    """SIGTSTP gives the terminal back before the process stops; SIGCONT takes it again with a whole screen."""
    with PtySession(mode="suspend") as session:
        session.read_until_mark()
        session.process.send_signal(signal.SIGTSTP)
        session.wait_for(lambda: b"\x1b[?1049l" in session.raw)
        pid, status = os.waitpid(session.process.pid, os.WUNTRACED)
        assert pid
        assert os.WIFSTOPPED(status)
        assert termios.tcgetattr(session.slave_fd) == session.attrs_before
        session.process.send_signal(signal.SIGCONT)
        session.emulator.reset()
        assert session.read_until_mark() == session.shown()
        assert session.raw.count(b"\x1b[?1049h") == 2


def test_keys_arrive() -> None:
    """An arrow, a letter beyond ASCII and a lone escape come as the keys they are."""
    with PtySession() as session:
        session.read_until_mark()
        for typed, key in ((b"\x1b[B", "down"), ("é".encode(), "é"), (b"\x1b", "escape")):
            os.write(session.master_fd, typed)
            session.wait_for(lambda key=key: (told := session.last("key")) and told["key"].endswith(key))  # type: ignore[misc]
