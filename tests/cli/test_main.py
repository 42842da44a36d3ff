"""The command line as a person meets it: what is meant, what is refused, which exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tui_dl import __version__
from tui_dl.cli import getting as getting_module
from tui_dl.cli.catalogue import COMMANDS, SCREEN
from tui_dl.cli.exits import CANNOT_START, WRONG_USAGE
from tui_dl.cli.main import route, run
from tui_dl.cli.options import LATER_OPTIONS
from tui_dl.core.errors import FileSystemError, Reason

if TYPE_CHECKING:
    from pathlib import Path

Output = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", SCREEN),
        ("https://h/a", f"{SCREEN} https://h/a"),
        ("-d /x https://h/a", f"{SCREEN} -d /x https://h/a"),
        ("--foreground", f"{SCREEN} --foreground"),
        ("get https://h/a", "get https://h/a"),
        ("-v get https://h/a", "get -v https://h/a"),
        ("--log f -vv get -j 3", "get --log f -vv -j 3"),
        ("--log=f doctor", "doctor --log=f"),
        ("--help", f"{SCREEN} --help"),
        ("--version", "--version"),
        ("-v --version", "--version"),
    ],
)
def test_the_first_word_decides(typed: str, meant: str) -> None:
    """A command's name wins, an address means the screen, options of every command may stand before."""
    assert route(typed.split()) == meant.split()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("gte", "did you mean 'get'"),
        ("example.com/file", "addresses begin with https://"),
        ("list.meta4", "no such Metalink file"),
        ("get gopher://h/a", "only http://, https:// and ftp://"),
        ("get", "nothing to get"),
        ("get --timeot 3 http://h/a", "--timeout"),
        ("get -j many http://h/a", "expected a whole number"),
        ("get -j 0 http://h/a", "out of bounds"),
        ("get --preset fast http://h/a", "production"),
        ("get -o a http://h/a http://h/b", "exactly one address"),
        ("get -o - --json http://h/a", "both want standard output"),
        ("get -o - -d /x http://h/a", "--dir has no meaning"),
        ("get -o a/b http://h/a", "--dir"),
        ("get -o .bashrc http://h/a", "not a safe file name"),
        ("get --skip-existing --overwrite http://h/a", "exclude each other"),
        ("get --if-modified --overwrite http://h/a", "exclude each other"),
        ("get --if-modified -o - http://h/a", "writes no file"),
        ("get --cache on -o - http://h/a", "writes no file"),
        ("get --if-modified --archive http://h/a", "--no-archive"),
        ("get --if-modified --continue http://h/a", "keep one"),
        ("get --ipv4-only --ipv6-only http://h/a", "exclude each other"),
        ("get --http2 --no-http2 http://h/a", "exclude each other"),
        ("get --output= http://h/a", "--output is empty"),
        ("get --accept jpg http://h/a", "no media type"),
        ("get --min-size 2M --max-size 1M http://h/a", "no file would do"),
        ("get -d /dev/null http://h/a", "--dir /dev/null: is a file, no folder"),
        ("get -d ~nobody-of-this-name/x http://h/a", "whose home that is"),
        ("get -d /dev/null/x http://h/a", "--dir /dev/null/x: /dev/null is a file, no folder"),
        ("get --header nonsense http://h/a", "Name: value"),
        ("get --header Range:x http://h/a", "sets this one itself"),
        ("get -i /no/such/list", "/no/such/list: cannot be read"),
        ("get --cookies-from-browser firefx http://h/a", "--cookies-from-browser firefx: unsupported browser"),
        ("get --log /proc/nope/x http://h/a", "cannot be written"),
        ("config shwo", "show"),
    ],
)
def test_wrong_usage_is_refused_with_words(typed: str, words: str, capsys: Output) -> None:
    """Exit 2, the way out on standard error, nothing on standard output, no traceback."""
    assert run(typed.split()) == WRONG_USAGE
    out, err = capsys.readouterr()
    assert words in err
    assert out == ""
    assert "Traceback" not in err


@pytest.mark.parametrize("option", sorted(LATER_OPTIONS))
def test_what_later_versions_bring_is_refused(option: str, capsys: Output) -> None:
    """An option that cannot be honoured is never ignored."""
    assert run(["get", f"{option}=1", "http://h/a"]) == WRONG_USAGE
    assert f"{option} is not in this version" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(command: str, capsys: Output) -> None:
    """`--help` exits 0 and knows the options of every command."""
    assert run([*command.split(), "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Usage: tui-dl{' ' * bool(command)}{command} ")
    assert SCREEN not in out
    if command not in ("archive", "config", "service"):  # theirs have it
        assert "--log" in out
        assert "--verbose" in out


def test_the_help_of_the_screen_lists_the_commands(capsys: Output) -> None:
    """Whoever types `tui-dl --help` finds everything."""
    run(["--help"])
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in COMMANDS)
    assert "--concurrent-downloads" in out


def test_the_version_is_one_line(capsys: Output) -> None:
    """Name and version."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"tui-dl {__version__}\n"


def test_what_cannot_start_says_why_and_what_to_do(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 3 with reason code and hint."""

    def refuse(*_: object, **__: object) -> None:
        raise FileSystemError(Reason.JOURNAL_BUSY, "in use by process 7")

    monkeypatch.setattr(getting_module, "open_engine", refuse)
    assert run(["get", "http://h/a"]) == CANNOT_START
    err = capsys.readouterr().err
    assert "in use by process 7 [journal-busy]" in err
    assert "TUI_DL_HOME" in err


@pytest.mark.parametrize("reason", [Reason.FOLDER_MISSING, Reason.DISK_FULL, Reason.READ_ONLY])
def test_a_queue_that_cannot_be_kept_says_what_helps(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, reason: Reason
) -> None:
    """Nothing goes on by itself then, there is no key, and another --dir changes nothing."""

    def refuse(*_: object, **__: object) -> None:
        raise FileSystemError(reason, "the journal: so it is")

    monkeypatch.setattr(getting_module, "open_engine", refuse)
    assert run(["get", "http://h/a"]) == CANNOT_START
    hint = capsys.readouterr().err.splitlines()[-1]
    assert "repeat the command" in hint
    assert "TUI_DL_HOME" in hint


def test_a_fault_of_ours_shows_no_traceback(capsys: Output, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is named and the log holds the traceback, secrets masked."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("boom https://me:secret@h/")

    monkeypatch.setattr(getting_module, "open_engine", fail)
    assert run(["get", "http://h/a", "--log", str(tmp_path / "log")]) == CANNOT_START
    err = capsys.readouterr().err
    assert "a fault of tui-dl itself: RuntimeError: boom" in err
    assert "Traceback" not in err
    log = (tmp_path / "log").read_text()
    assert "Traceback" in log
    assert "secret" not in err + log


def test_what_is_said_about_an_argument_is_harmless(capsys: Output) -> None:
    """An escape sequence in an argument does not reach the terminal."""
    run(["\x1b]0;owned\x07"])
    assert "\x1b" not in capsys.readouterr().err


def test_a_certificate_that_is_not_there_is_wrong_usage(capsys: Output, tmp_path: Path) -> None:
    """Nothing is fetched on less trust than was asked for."""
    assert run(["get", "--ca-certificate", str(tmp_path / "none.pem"), "http://127.0.0.1:9/f"]) == 2
    assert "--ca-certificate" in capsys.readouterr().err
