"""The program as a whole process: what it imports, how long it takes, how signals end it, what scripts see."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

import tui_dl
from tui_dl.demo.tempers import KIB, Temper, content

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(tui_dl.__file__).parent.parent
SERVE: Final = """
import asyncio, sys
from tui_dl.demo.server import DemoServer
from tui_dl.demo.tempers import KIB, Host, Temper, Trouble
async def main():
    tempers = [
        Temper("quick", 300 * KIB),
        Temper("slow", 3000 * KIB, pace_bps=30 * KIB),
        Temper("gone", 0, trouble=Trouble.MISSING),
    ]
    async with DemoServer(tempers=tempers) as server:
        print(*server.urls(), flush=True)
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""
WITHOUT_YT_DLP: Final = """import sys
sys.modules["yt_dlp"] = None
from tui_dl import *
try:
    from tui_dl import AsyncDownloadManager
except ImportError as error:
    print(Settings.__name__, error, sep="; ")
"""
QUICK: Final = content(Temper("quick", 1).seed, 0, 300 * KIB)


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """Serve three files in a process of its own: a quick one, a slow one and none."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as server:
        assert server.stdout is not None
        yield {url.rpartition("/")[2]: url for url in server.stdout.readline().split()}
        server.communicate()


class Shell:
    """A place to type commands in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TUI_DL_HOME": str(folder.parent / "home"),
            "HOME": str(folder.parent),
        }

    def run(self, *args: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end."""
        command = [sys.executable, "-m", "tui_dl", *args]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, timeout=30, check=False, **options
        )

    def typed(self, line: str) -> subprocess.CompletedProcess[bytes]:
        """Run a command with redirections, as a shell does."""
        command = ["sh", "-c", f"exec {sys.executable} -m tui_dl {line}"]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, timeout=30, check=False
        )

    @contextmanager
    def running(self, *args: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command beside the test."""
        command = [sys.executable, "-m", "tui_dl", *args]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=pipe, stderr=pipe, **options
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def python(self, code: str) -> str:
        """Run Python code and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-c", code], env=self.environment, capture_output=True, text=True, timeout=30, check=True
        )
        return done.stdout.strip()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Type commands in an empty folder with a home of their own."""
    return Shell(tmp_path / "here")


def events(output: bytes) -> list[dict[str, Any]]:
    """Return the JSON lines of an output."""
    return [json.loads(line) for line in output.splitlines()]


def until(process: subprocess.Popen[bytes], event: str) -> None:
    """Read JSON lines until this event."""
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == event:
            return


HEAVY: Final = ("textual", "rich", "aiohttp", "sqlite3", "asyncio", "uvloop", "platformdirs", "defusedxml", "isal")
TRANSPORTS: Final = ("curl_cffi", "aioftp")
"""Loaded where an address wants them; aiohttp loads aiodns by itself where it is installed."""


def test_the_version_imports_nothing_heavy(shell: Shell) -> None:
    """DESIGN 3: `--version` pays for neither screen nor engine nor journal."""
    loaded = shell.python(
        "import sys; from tui_dl.cli.main import run; run(['--version']);"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert loaded.endswith("[]")


def test_the_version_takes_less_than_100_ms(shell: Shell) -> None:
    """DESIGN 11, as a whole process; processor time, which does not depend on what else runs here."""
    assert min(_cpu_s(shell, "--version") for _ in range(3)) < 0.1


def _cpu_s(shell: Shell, *args: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert shell.run(*args).returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_the_engine_does_not_know_the_screen(shell: Shell) -> None:
    """DESIGN 3: the library works without Textual, and loads no transport before an address wants it."""
    unwanted = ("textual", "rich", *TRANSPORTS)
    loaded = shell.python(
        f"import sys, tui_dl.engine.engine; print([name for name in {unwanted} if name in sys.modules])"
    )
    assert loaded == "[]"


def test_get_does_not_load_the_screen(shell: Shell) -> None:
    """A foreground download pays for the engine alone."""
    loaded = shell.python(
        "import sys, tui_dl.cli.get, tui_dl.engine.engine;"
        f"print([name for name in {('textual', 'rich', *TRANSPORTS)} if name in sys.modules])"
    )
    assert loaded == "[]"


def test_public_names_are_lazy_and_complete(shell: Shell) -> None:
    """`import tui_dl` alone loads nothing; every public name is there when asked for."""
    assert shell.python("import sys, tui_dl; print('aiohttp' in sys.modules, 'tui_dl.core' in sys.modules)") == (
        "False False"
    )
    missing = shell.python("import tui_dl; print([name for name in tui_dl.__all__ if getattr(tui_dl, name, 0) == 0])")
    assert missing == "[]"


def test_public_names_without_yt_dlp(shell: Shell) -> None:
    """All the others can be taken at once, and what needs it says how it is had."""
    said = shell.python(WITHOUT_YT_DLP)
    assert said == "Settings; AsyncDownloadManager needs yt-dlp: pip install 'tui-dl[media]'"


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "<&-", ">&-", "2>&-"])
def test_streams_may_be_closed(shell: Shell, urls: dict[str, str], closed: str) -> None:
    """As daemons and `>&-` leave them: files of ours must not take their numbers, which uvloop ends the process for."""
    done = shell.typed(f"get {urls['quick']} {closed}")
    assert done.returncode == 0
    assert (shell.folder / "quick").read_bytes() == QUICK


@pytest.mark.parametrize(("words", "code"), [("-o -", 1), ("--json", 130)])
@pytest.mark.parametrize("output", [">&-", "> /dev/full"])
def test_output_that_nobody_takes_is_no_success(
    shell: Shell, urls: dict[str, str], words: str, code: int, output: str
) -> None:
    """Closed or full: what was asked for there did not arrive, and that is no fault of ours."""
    done = shell.typed(f"get {words} {urls['quick']} {output}")
    assert done.returncode == code
    assert b"fault of tui-dl" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_name_beyond_the_letters_of_the_locale(shell: Shell, urls: dict[str, str]) -> None:
    """Is refused by its reason where file names are ASCII, and says what helps."""
    shell.environment |= {"LC_ALL": "C", "PYTHONUTF8": "0"}
    (shell.folder / "list.txt").write_text(f"{urls['quick']}\n  out=\u00fc\n", encoding="utf-8")
    done = shell.run("get", "-q", "--json", "-i", "list.txt")
    assert done.returncode == 1
    (failed,) = [line for line in events(done.stdout) if line["event"] == "failed"]
    assert failed["reason"] == "name-refused"


def test_json_ends_in_a_right_summary(shell: Shell, urls: dict[str, str]) -> None:
    """Files equal, lines parse, the last one sums up, exit 1 because one was missing."""
    done = shell.run("get", "--json", "-q", urls["quick"], urls["gone"])
    lines = events(done.stdout)
    assert (done.returncode, done.stderr) == (1, b"")
    assert (shell.folder / "quick").read_bytes() == QUICK
    summary = lines[-1]
    assert summary["event"] == "summary"
    counts = [summary[key] for key in ("total", "success", "failed", "skipped", "total_bytes")]
    assert counts == [2, 1, 1, 0, len(QUICK)]
    assert summary["failed_urls"] == [urls["gone"]]
    assert summary["errors_by_class"] == {"not-found": 1}
    ended = {line["event"]: line for line in lines if line["event"] in ("completed", "failed")}
    assert ended["completed"]["path"] == str(shell.folder / "quick")
    assert ended["failed"]["reason"] == "not-found"


def test_people_read_what_failed_and_what_to_do(shell: Shell, urls: dict[str, str]) -> None:
    """Name, reason, code and hint on standard error, nothing on standard output."""
    done = shell.run("get", urls["gone"])
    assert done.stdout == b""
    assert b"gone: not found (404) [not-found]\n    Check the address" in done.stderr
    assert b"1 failed" in done.stderr


def test_a_list_comes_from_a_pipe(shell: Shell, urls: dict[str, str]) -> None:
    """Comments and blank lines are passed over, a bad line is named and counted."""
    text = f"# a list\n\n{urls['quick']}\nnonsense\n".encode()
    done = shell.run("get", "-i", "-", "--json", input=text)
    assert done.returncode == 1
    assert b"standard input:4: " in done.stderr
    summary = events(done.stdout)[-1]
    assert [summary[key] for key in ("total", "success", "failed")] == [2, 1, 1]
    assert (shell.folder / "quick").read_bytes() == QUICK


def test_standard_output_gets_the_bytes_in_order(shell: Shell, urls: dict[str, str]) -> None:
    """`-o -` writes the file and nothing else, and leaves no file behind."""
    done = shell.run("get", "-o", "-", urls["quick"])
    assert (done.returncode, hashlib.sha256(done.stdout).digest()) == (0, hashlib.sha256(QUICK).digest())
    assert list(shell.folder.iterdir()) == []


def test_what_fails_on_standard_output_says_why(shell: Shell, urls: dict[str, str]) -> None:
    """Exit 1, no byte, the reason on standard error."""
    done = shell.run("get", "-o", "-", urls["gone"])
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"[not-found]" in done.stderr


def test_a_password_that_nobody_can_be_asked_for_is_missed_at_once(shell: Shell, urls: dict[str, str]) -> None:
    """Without a terminal a name alone would be refused by the server, for a reason that nobody sees."""
    alone = {"start_new_session": True, "stdin": subprocess.DEVNULL}
    done = shell.run("get", "--user", "me", urls["quick"], **alone)
    assert done.returncode == 2
    assert b"--user me has no password" in done.stderr
    assert b"--netrc" in done.stderr
    assert shell.run("get", "--user", "me:", urls["quick"], **alone).returncode == 0


def test_a_digest_that_fits_is_told_with_the_file(shell: Shell, urls: dict[str, str]) -> None:
    """The `completed` event bears the SHA-256 that was computed."""
    value = hashlib.sha256(QUICK).hexdigest()
    done = shell.run("get", "--json", "-q", "--checksum", f"SHA-256={value.upper()}", urls["quick"])
    assert done.returncode == 0
    assert [line["sha256"] for line in events(done.stdout) if line["event"] == "completed"] == [value]


def test_a_digest_that_differs_leaves_no_file_of_that_name(shell: Shell, urls: dict[str, str]) -> None:
    """Exit 1, with both values and the reason's code."""
    value = hashlib.md5(QUICK, usedforsecurity=False).hexdigest()
    done = shell.run("get", "--checksum", f"md5={'0' * 32}", urls["quick"])
    assert done.returncode == 1
    assert b"[digest-mismatch]" in done.stderr
    assert value.encode() in done.stderr
    assert b"0" * 32 in done.stderr
    assert [path.name for path in shell.folder.iterdir() if not path.name.endswith(".part")] == []


def test_a_second_get_skips_what_is_done(shell: Shell, urls: dict[str, str]) -> None:
    """DESIGN 14: skipped with an event, exit 0."""
    assert shell.run("get", urls["quick"]).returncode == 0
    done = shell.run("get", "--json", urls["quick"])
    assert done.returncode == 0
    assert [line["event"] for line in events(done.stdout)] == ["skipped", "summary"]
    assert [path.name for path in shell.folder.iterdir()] == ["quick"]


def test_a_damaged_journal_is_told(shell: Shell, urls: dict[str, str]) -> None:
    """However short the run is: what was kept aside is named, and no part file is said to go on."""
    assert shell.run("get", urls["quick"]).returncode == 0
    (journal,) = (shell.folder.parent / "home").rglob("journal.sqlite3")
    journal.write_bytes(b"SQLite format 3\0" + bytes(5000))
    done = shell.run("get", "-q", urls["quick"], "-o", "again")
    assert (done.returncode, done.stderr) == (0, b"")
    journal.write_bytes(b"SQLite format 3\0" + bytes(5000))
    done = shell.run("get", urls["quick"], "-o", "once more")
    assert done.returncode == 0
    assert b"The journal was damaged" in done.stderr
    assert b"journal.damaged-" in done.stderr
    assert b"fetched anew" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_it_in_time_with_everything_kept(
    shell: Shell, urls: dict[str, str], number: signal.Signals
) -> None:
    """Exit 130 within 2 s, the summary is the last line, the part file and its row are kept."""
    with shell.running("get", "--json", urls["slow"]) as process:
        until(process, "progress")
        sent_at = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert time.monotonic() - sent_at < 2
    assert process.returncode == 130
    assert events(out)[-1]["event"] == "summary"
    assert b"Traceback" not in err
    (part,) = shell.folder.iterdir()
    assert part.name.endswith(".part")


def test_what_a_signal_ended_is_gone_on_with(shell: Shell, urls: dict[str, str]) -> None:
    """The same command again takes up the row with its bytes."""
    for _ in range(2):
        with shell.running("get", "--json", urls["slow"]) as process:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            until(process, "progress")
            process.terminate()
            process.communicate(timeout=10)
    assert first["event"] == "added"
    assert first["id"] == 1
    assert first["downloaded_bytes"] > 0


def test_a_reader_that_goes_away_ends_it_quietly(shell: Shell, urls: dict[str, str]) -> None:
    """`| head -1`: no traceback, no complaint, everything can be resumed."""
    with shell.running("get", "--json", "-q", urls["slow"]) as process:
        until(process, "started")
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(10) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_a_signal_that_the_starter_ignored_stays_ignored(shell: Shell, urls: dict[str, str]) -> None:
    """`nohup tui-dl get` survives the hang-up."""

    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with shell.running("get", "--json", urls["slow"], preexec_fn=ignore) as process:
        until(process, "started")
        process.send_signal(signal.SIGHUP)
        until(process, "progress")
        assert process.poll() is None


def test_names_reach_a_terminal_harmless_and_a_poor_locale_unbroken(shell: Shell, tmp_path: Path) -> None:
    """LANG=C and a list named with an escape sequence and other letters."""
    shell.environment["LC_ALL"] = "C"
    shell.environment["PYTHONCOERCECLOCALE"] = "0"
    shell.environment["PYTHONUTF8"] = "0"
    name = "l\u00efst\x1b[31m.txt"
    (tmp_path / "here" / name).write_text("nonsense\n")
    done = shell.run("get", "-i", name)
    assert done.returncode == 2
    assert b"\x1b" not in done.stderr
    assert done.stderr.isascii()
    assert b"Traceback" not in done.stderr
