"""A session's whole life on pseudo terminals: what a person sees, and that the downloads never notice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.faults import FaultServer, Resource, oracle, tempers
from tests.session.stage import Home, Terminal
from tui_dl.session.reaching import Line, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SIZE: Final = 24 * 1024 * 1024
SLOW: Final = 512 * 1024
SEED: Final = 5
SHELL: Final = ["bash", "--norc", "--noprofile", "-i"]


class Slow:
    """A server with one file that comes slowly until a test has seen enough."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.server = FaultServer()
        self.url = ""

    @property
    def transfers(self) -> int:
        """Requests made for the file so far."""
        return len(self.server.requests)

    @property
    def sent_bytes(self) -> int:
        """Bytes sent so far."""
        return sum(one.sent_bytes for one in self.server.requests)

    def moves_on(self) -> bool:
        """Whether there is one transfer, and it sends more within the time."""
        before = self.sent_bytes
        Home.until(lambda: self.sent_bytes > before)
        return self.transfers == 1


@pytest.fixture
async def slow() -> AsyncIterator[Slow]:
    """Yield the server."""
    stage = Slow()
    async with stage.server as server:
        pace = tempers.pace_until(stage.is_over.is_set, SLOW, 1024 * SLOW)
        stage.url = server.add("/big.iso", Resource(SIZE, SEED), pace)
        yield stage


async def test_a_transfer_never_notices_what_happens_to_terminals(slow: Slow, tmp_path: Path) -> None:
    """Detach, attach, take-over, resize, SIGSTOP, SIGHUP, SIGKILL, a vanished terminal: one request throughout."""

    def use(home: Home) -> None:
        first = home.open("-x", "1", slow.url)
        first.until_shown("big.iso", "iB/s", "d Detach")
        pid = home.session_pid
        first.press("d")
        assert first.ends() == 0
        assert first.is_as_before
        assert "1 download goes on in the background; `tui-dl` shows it, `tui-dl stop` ends it." in first.text
        assert "big.iso  " not in first.text  # what stood there before stands there again
        assert slow.moves_on()

        second, third = home.open(), None
        second.until_shown("big.iso", "iB/s")
        third = home.open()
        third.until_shown("big.iso", "iB/s")
        assert second.ends() == 0
        assert "Another terminal shows the screen now" in second.text
        third.resize(60, 16)
        third.process.send_signal(signal.SIGWINCH)
        third.until(lambda: "Help" in third.shown.display[15] and "Progress" not in third.text)
        third.process.send_signal(signal.SIGHUP)
        assert third.ends() == 130
        assert third.is_as_before

        fourth = home.open()
        fourth.until_shown("big.iso", "iB/s")
        fourth.process.kill()
        fourth.until(lambda: fourth.has_no_screen and fourth.is_as_before)
        assert slow.moves_on()

        fifth = home.open()
        fifth.until_shown("big.iso", "iB/s")
        fifth.hang_up()
        Home.until(lambda: home.log.count("detached") == 5)
        assert slow.moves_on()
        assert home.session_pid == pid

        last = home.open()
        last.until_shown("big.iso", "iB/s")
        slow.is_over.set()
        last.until_shown("done")
        last.press("q")  # nothing is left to do, so nothing is asked
        assert last.ends() == 0
        Home.until(lambda: home.session_pid is None)
        assert (slow.transfers, oracle.check(tmp_path / "big.iso", SEED, SIZE)) == (1, None)

    with Home(tmp_path) as home:
        await asyncio.to_thread(use, home)


async def test_job_control_concerns_the_client_alone(slow: Slow, tmp_path: Path) -> None:
    """Ctrl+Z and SIGSTOP give the terminal to the shell, `fg` brings the screen back, the transfer goes on."""

    def shell_works(terminal: Terminal, word: str) -> None:
        terminal.press(f"echo {word[0]}''{word[1:]}\r")
        terminal.until_shown(word)

    def use(home: Home) -> None:
        shell = home.open(command=SHELL)
        shell.press(f"{home.words()} -x 1 {slow.url}\r")
        shell.until_shown("big.iso", "iB/s")
        shell.press("\x1a")
        shell.until_shown("Stopped")
        shell_works(shell, "stopped-by-key")
        assert slow.moves_on()
        shell.press("fg\r")
        shell.until_shown("big.iso", "iB/s")
        os.kill(home.client_pid(shell), signal.SIGSTOP)
        shell.until(lambda: shell.has_no_screen)  # the shell, told at once, wrote over it meanwhile
        shell_works(shell, "stopped-by-signal")
        shell.press("fg\r")
        shell.until_shown("big.iso", "d Detach")
        assert slow.moves_on()
        shell.press("\x1a")
        shell.until_shown("Stopped")
        other = home.open()
        other.until_shown("big.iso", "iB/s")
        shell.press("fg\r")
        shell.until_shown("Another terminal shows the screen now")
        shell_works(shell, "the-shell-again")
        other.press("\x1a")  # nobody controls jobs there, so it comes back by itself
        other.until(lambda: other.raw.count(b"\x1b[?1049h") == 2)
        other.press("?")
        other.until_shown("Esc closes this")
        other.press("?d")
        assert other.ends() == 0
        shell.press(f"{home.words()}\r")
        shell.until_shown("big.iso", "d Detach")
        shell.press("\x1a")
        shell.until_shown("Stopped")
        assert home.run("stop").returncode == 0
        shell.press("fg\r")
        shell.until_shown("The session has ended; 1 unfinished")
        shell_works(shell, "the-shell-at-the-end")

    with Home(tmp_path) as home:
        await asyncio.to_thread(use, home)


async def test_the_first_minute(slow: Slow, tmp_path: Path) -> None:
    """Leaving asks; stopped it ends with everything durable, and the next start goes on where it was."""

    def use(home: Home) -> None:
        screen = home.open("-x", "1", slow.url)
        screen.until_shown("big.iso", "iB/s")
        Home.until(lambda: slow.sent_bytes > SLOW)
        screen.press("q")
        screen.until_shown("1 download is not finished", "In the background (y)", "Pause and stop (s)")
        screen.press("s")
        assert screen.ends() == 0
        assert "1 unfinished, `tui-dl` goes on with it" in screen.text
        assert home.session_pid is None
        assert "No session is running." in home.run("stop").stderr

        again = home.open()
        again.until_shown("big.iso", "iB/s")
        assert slow.server.requests[-1].range_asked != "bytes=0-"
        stopping = home.run("stop")
        assert "The session has ended; 1 unfinished" in stopping.stderr
        assert (stopping.returncode, again.ends()) == (0, 0)
        assert again.is_as_before

        foreground = home.open("--foreground")
        foreground.until_shown("big.iso", "iB/s", "q Quit")
        assert "Detach" not in foreground.text
        foreground.press("q")
        foreground.until_shown("Downloads pause")
        foreground.press("y")
        assert foreground.ends() == 0
        home.environment["TUI_DL_BACKGROUND"] = "false"
        old_way = home.open()
        old_way.until_shown("big.iso", "iB/s", "q Quit")
        assert home.session_pid is None
        old_way.press("P")
        old_way.until_shown("paused")
        old_way.press("q")
        assert old_way.ends() == 0

        del home.environment["TUI_DL_BACKGROUND"]
        paused = home.open()
        paused.until_shown("paused", "d Detach", "1 queued")
        paused.press("d")
        assert paused.ends() == 0
        assert "1 paused; `tui-dl` shows it." in paused.text
        Home.until(lambda: home.session_pid is None)

    with Home(tmp_path) as home:
        await asyncio.to_thread(use, home)


async def test_a_piped_list_is_read_where_it_was_typed(slow: Slow, tmp_path: Path) -> None:
    """Its files go to that folder, a bad line is named after the screen, the keys still work."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "list.txt").write_text(f"{slow.url}\nnonsense\n{slow.url}?second\n")
    slow.is_over.set()

    def use(home: Home) -> None:
        home.open().until_shown("Progress")
        shell = home.open(command=SHELL)
        shell.press(f"cd here; cat list.txt | {home.words()} -x 1\r")
        shell.until_shown("big.iso", "2 done")
        shell.press("d")
        shell.until_shown("standard input:2: ")
        assert oracle.check(tmp_path / "here" / "big.iso", SEED, SIZE) is None
        shell.press(f"http_proxy=http://127.0.0.1:9 {home.words()} {slow.url}\r")
        shell.until_shown("another http_proxy in its environment")
        refused = home.run("add", slow.url, env=home.environment | {"HTTPS_PROXY": "http://127.0.0.1:9"})
        assert refused.returncode == 2
        assert "another https_proxy in its environment" in refused.stderr

    with Home(tmp_path) as home:
        await asyncio.to_thread(use, home)


def test_two_starts_at_the_same_instant_share_one_session(tmp_path: Path) -> None:
    """One shows the screen, the other was shown it first or takes it over; nobody starts a second session."""
    with Home(tmp_path) as home:
        both = [home.open(), home.open()]
        for one in both:
            one.until(lambda one=one: "Progress" in one.text or one.process.poll() is not None)  # type: ignore[misc]
        assert home.session_pid is not None
        shown = [one for one in both if one.process.poll() is None]
        assert shown
        assert home.log.count("attached") <= 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_session_in_order(tmp_path: Path, number: signal.Signals) -> None:
    """P8: the terminal is restored, its person is told, nobody is left."""
    with Home(tmp_path) as home:
        screen = home.open()
        screen.until_shown("Progress")
        pid = home.session_pid
        assert pid is not None
        os.kill(pid, number)
        assert screen.ends() == 0
        assert screen.is_as_before
        assert "The session has ended" in screen.text
        Home.until(lambda: home.session_pid is None)


def test_a_session_that_dies_leaves_the_terminal_whole(tmp_path: Path) -> None:
    """The client restores it by itself, says so, and the next start finds its way past what is left."""
    with Home(tmp_path) as home:
        screen = home.open()
        screen.until_shown("Progress")
        pid, card = home.session_pid, home.session
        assert pid is not None
        assert card is not None
        os.kill(pid, signal.SIGKILL)
        assert screen.ends() == 3
        assert screen.is_as_before
        assert "ended unexpectedly" in screen.text
        assert "Progress" not in screen.text
        assert Path(card.attach).exists()
        home.open().until_shown("Progress")


def test_a_session_is_found_again_when_its_folder_was_cleared(tmp_path: Path) -> None:
    """Systemd removes the runtime folder with the last login; the session outlives that and can be reached."""
    with Home(tmp_path) as home:
        home.open().until_shown("Progress")
        card = home.session
        assert card is not None
        shutil.rmtree(Path(card.attach).parent)
        home.open().until_shown("Progress")
        assert home.session_pid == card.pid
        assert home.run("ls", "--json").returncode == 0


def test_a_session_that_hangs_keeps_nobody(tmp_path: Path) -> None:
    """A client that is told to end restores the terminal by itself where nobody does it for it."""
    with Home(tmp_path) as home:
        screen = home.open()
        screen.until_shown("Progress")
        pid = home.session_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        screen.process.terminate()
        assert screen.ends() == 130
        assert screen.is_as_before
        assert "Progress" not in screen.text


def test_a_session_of_another_version_is_restarted_if_the_person_agrees(tmp_path: Path) -> None:
    """The offer names both versions; no keeps the old one, yes ends it and shows the new one."""
    with Home(tmp_path) as home:
        home.open().until_shown("Progress")
        pid = home.session_pid
        text = home.lock_file.read_text().replace('"version": "', '"version": "0.0.')
        home.lock_file.write_text(text)
        kept = home.open()
        kept.until_shown("The session that runs is of tui-dl 0.0.", "Restart it?")
        kept.press("n\r")
        kept.until_shown("Progress")
        assert home.session_pid == pid
        changed = home.open()
        changed.until_shown("Restart it?")
        changed.press("\r")
        changed.until_shown("Progress")
        assert home.session_pid not in (pid, None)


def test_a_command_that_wants_other_settings_is_refused_or_heard(tmp_path: Path) -> None:
    """What can be changed live is; what a session keeps for life is refused with the way out, exit 2."""
    with Home(tmp_path) as home:
        home.open("-j", "3").until_shown("3 at once")
        home.open("-j", "7").until_shown("7 at once")
        refused = home.open("--proxy", "http://127.0.0.1:9")
        assert refused.ends() == 2, refused.text
        assert "--proxy is not what the running session was started with; `tui-dl stop` first" in refused.text


def test_an_engine_that_cannot_start_is_told_on_the_terminal(tmp_path: Path) -> None:
    """P16: reason code and hint instead of a traceback; exit 3, the terminal whole, no session left."""
    with Home(tmp_path) as home:
        (home.lock_file.parent / "journal.sqlite3").mkdir(parents=True)
        screen = home.open()
        assert screen.ends() == 3
        assert "[permission-denied]" in screen.text.replace("\n", "")
        assert "Choose another folder" in screen.text
        assert screen.is_as_before
        Home.until(lambda: home.session_pid is None)


def test_each_screen_has_the_abilities_of_its_own_terminal(tmp_path: Path) -> None:
    """Colours and characters are those of who looks now, not of who started the session or looked before."""
    true_colour, indexed = re.compile(rb"[34]8;2;"), re.compile(rb"[34]8;5;")
    any_colour = re.compile(rb"\x1b\[[\d;]*3[1-7]m|[34]8;[25];")
    with Home(tmp_path) as home:
        plain = home.open(NO_COLOR="1", TERM="linux", LC_ALL="C")
        plain.until_shown("Progress", "d Detach")
        rich = home.open(COLORTERM="truecolor")
        rich.until_shown("Progress", "d Detach")
        middle = home.open()
        middle.until_shown("Progress", "d Detach")
        again = home.open(NO_COLOR="1")
        again.until_shown("Progress", "d Detach")
    assert true_colour.search(rich.raw)
    assert not any_colour.search(plain.raw)
    assert indexed.search(middle.raw)
    assert not true_colour.search(middle.raw)
    assert not any_colour.search(again.raw)


def test_strangers_on_the_attach_socket_harm_nobody(tmp_path: Path) -> None:
    """Silence, garbage, a giant, a hello without a terminal: turned away, and the screen stays as it is."""
    with Home(tmp_path) as home, contextlib.ExitStack() as crowd:
        screen = home.open()
        screen.until_shown("Progress")
        card = home.session
        assert card is not None
        for _ in range(70):
            silent = connect(card.attach)
            assert silent is not None
            crowd.enter_context(silent)
        for octets in (b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff", b"\0\0\0\2[]", b"\0\0\0\2{}", b"\0\0\0\1\xff"):
            connection = connect(card.attach)
            assert connection is not None
            connection.settimeout(30)
            with connection, contextlib.suppress(ConnectionResetError, BrokenPipeError):  # it did not read all of it
                connection.sendall(octets)
                assert connection.recv(1) == b""
        crowd.close()
        # Until the silent ones are counted out, one more is turned away.
        Home.until(lambda: answer_of(card.attach) is not None)
        assert answer_of(card.attach) == ("refused", "no terminal came with it")
        screen.press("?")
        screen.until_shown("Keys")


def answer_of(path: str) -> tuple[str, str] | None:
    """Return what an attach without a terminal is told."""
    connection = connect(path)
    assert connection is not None
    line = Line(connection)
    with contextlib.suppress(OSError):
        line.say({"want": "attach", "protocol": 1})
    answer = line.answer()
    line.close()
    return None if answer is None else (answer["word"], answer["text"])
