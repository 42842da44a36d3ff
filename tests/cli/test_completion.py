"""Completion: what may follow on a command line, and the Tab key in real shells."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, Self

import pytest

from tui_dl.cli.catalogue import COMMANDS
from tui_dl.cli.completing import VARIABLE, lines_of
from tui_dl.cli.completion_scripts import SCRIPTS
from tui_dl.cli.main import cli, run
from tui_dl.core.presets import PRESETS
from tui_dl.core.task import NewTask
from tui_dl.journal.journal import Journal

BREAKS: Final = " \t\n\"'@><=;|&(:"
"""Characters at which bash begins a word of its own."""
DEADLINE_S: Final = 60.0
AS_LEADER: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)
"""A shell takes keys from the terminal that its session has."""
STARTS: Final = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(tui-dl completion bash)"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "bindkey -e; autoload -Uz compinit && compinit -u -D; source <(tui-dl completion zsh)",
    ),
    "fish": (["fish", "--no-config", "-i"], "tui-dl completion fish | source"),
}
"""How each shell is started without anybody's own settings, and what makes it complete."""


def offered(*words: str, breaks: str = "") -> list[str]:
    """Return the words alone that may stand in the place of the last one."""
    return [line.split("\t")[1] for line in lines_of(cli, words, breaks)]


def test_the_first_word_may_be_any_command() -> None:
    """Commands come with the words that the help has for them."""
    assert lines_of(cli, [""]) == [f"plain\t{name}\t{text}" for name, (_, text) in COMMANDS.items()]
    assert offered("https://h/a", "") == []
    assert offered("-v", "ref") == ["refresh"]


def test_options_and_their_values_are_offered() -> None:
    """Long names, choices of options and of settings, in both spellings."""
    assert "--failed-list" in offered("get", "--f")
    assert offered("get", "--preset", "") == [*PRESETS]
    assert offered("get", "--http2", "--verify", "re") == ["require"]
    assert offered("get", "--cookies-from-browser", "ch") == ["chrome", "chromium"]
    assert offered("ls", "--sort=na") == ["--sort=name"]
    assert offered("ls", "--sort=na", breaks=BREAKS) == ["name"]
    assert offered("config", "sh") == ["show"]


def test_paths_are_left_to_the_shell() -> None:
    """The word so far goes back with its kind."""
    assert lines_of(cli, ["get", "-i", "li"]) == ["file\tli\t"]
    assert lines_of(cli, ["get", "--cookies=ja"]) == ["file\tja\t--cookies="]
    assert lines_of(cli, ["get", "-d", ""]) == ["dir\t\t"]
    assert lines_of(cli, ["doctor", "--log", ""]) == ["file\t\t"]


async def a_queue(home: Path) -> None:
    """Make a journal of two rows."""
    async with await Journal.open(home / "data" / "journal.sqlite3") as journal:
        news = [NewTask("https://archive.example/one.iso", "/d"), NewTask("https://b.example/two.iso", "/d")]
        await journal.add(news, batch="night", at=1.0)


def test_filters_and_ids_come_from_the_queue(home: Path) -> None:
    """Hosts, batches and ids are those of its rows; a term is begun without a blank behind it."""
    asyncio.run(a_queue(home))
    assert lines_of(cli, ["ls", "hos"]) == ["more\thost:\t"]
    assert offered("ls", "host:") == ["host:archive.example", "host:b.example"]
    assert offered("ls", "batch:n") == ["batch:night"]
    assert offered("ls", "status:fai", breaks=BREAKS) == ["failed"]
    assert lines_of(cli, ["refresh", "2"]) == ["plain\t2\tpending  two.iso"]


def test_a_senseless_line_offers_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No message comes between a person and the prompt."""
    monkeypatch.setenv(VARIABLE, "zsh")
    assert run(["gte", ""]) == 0
    monkeypatch.setenv(VARIABLE, "bash")
    assert run([BREAKS, "tui-dl get --preset 'pro"]) == 0
    assert capsys.readouterr() == ("plain\tproduction\t\n", "")


class Shell:
    """A shell on a pseudo terminal."""

    def __init__(self, name: str) -> None:
        argv, self._set_up = STARTS[name]
        self._near, far = pty.openpty()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "TERM": "xterm"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", AS_LEADER, *argv],
            stdin=far,
            stdout=far,
            stderr=far,
            env=environment,
            start_new_session=True,
            cwd=os.environ["HOME"],
        )
        os.close(far)
        self._read = b""

    def __enter__(self) -> Self:
        self._type(f"{self._set_up}\r")
        # In two pieces, so that the echo of what is typed is not taken for the answer.
        self._type("printf '%s\\n' SET''-UP\r")
        self._until(b"SET-UP\r\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._near)

    def completed(self, line: str) -> str:
        """Return the arguments of a line after Tab was typed at its end, each in angle brackets."""
        self._type(f"{line}\t\x01printf '<%s>' BEGIN \x05 ; printf '%s\\n' E''ND\r")
        return self._until(b"END\r\n").rpartition("<BEGIN>")[2]

    def _type(self, text: str) -> None:
        os.write(self._near, text.encode())

    def _until(self, token: bytes) -> str:
        deadline = time.monotonic() + DEADLINE_S
        while token not in self._read:
            assert select.select([self._near], [], [], deadline - time.monotonic())[0], self._read[-500:]
            self._read += os.read(self._near, 65536)
        found, _, self._read = self._read.partition(token)
        return found.decode(errors="replace")


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_tab_key_completes_in(name: str, tmp_path: Path) -> None:
    """A command, an option's value, a filter with a colon, a folder with a blank in its name."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    (tmp_path / "fo lder").mkdir()
    with Shell(name) as shell:
        assert shell.completed("tui-dl compl") == "<tui-dl><completion>"
        assert shell.completed("tui-dl ls --sort=na") == "<tui-dl><ls><--sort=name>"
        assert shell.completed("tui-dl ls status:fai") == "<tui-dl><ls><status:failed>"
        assert shell.completed("tui-dl get -d fo").rstrip("/>") == "<tui-dl><get><-d><fo lder"
