"""Commands on events: exact values without a shell, bounded in number and time, in nobody's way."""

from __future__ import annotations

import asyncio
import json
import os
import select
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from tui_dl.core.errors import UsageError
from tui_dl.core.events import Event, EventKind
from tui_dl.core.hook_commands import command_text, commands_of
from tui_dl.core.settings import Settings, settings_with
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadTask
from tui_dl.hooks import hooks as hooks_module
from tui_dl.hooks.backlog import MOST_IN_MEMORY, Backlog
from tui_dl.hooks.hooks import AT_ONCE, HookPlan, Hooks
from tui_dl.hooks.payload import MOST_VALUE_BYTES, payload_of, variables_of
from tui_dl.hooks.queue_end import QueueEnd
from tui_dl.hooks.running import MOST_OUTPUT_BYTES, Run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PATIENCE_S: Final = 30.0
"""How long is waited for what comes at once where all is well."""
EVIL: Final = '$(touch x); "quote"'
TASK: Final = DownloadTask(
    id=7, url="https://h/a?b=$(c)", dir="/d", filename=EVIL, status=Status.COMPLETED, path=f"/d/{EVIL}"
)
NOTE: Final = """
import json, os, sys
told = json.load(sys.stdin)
with open(sys.argv[1], "a") as file:
    file.write(json.dumps([told["event"], told.get("name"), os.environ.get("TUI_DL_EVENT_NAME"),
        os.environ.get("TUI_DL_EVENT_PATH"), os.environ["TUI_DL_EVENT"], os.getcwd()]) + "\\n")
"""
"""A command that writes down what it was told, to the file that its argument names."""


def event(kind: EventKind, task: DownloadTask = TASK) -> Event:
    """Return a step of a task."""
    return Event(kind, task, 5.0)


def plan(
    commands: Mapping[str, tuple[str, ...]], *, limit_s: float = 60.0, patience_s: float | None = None
) -> HookPlan:
    """Return a plan with the environment of the tests."""
    return HookPlan(commands, dict(os.environb), limit_s=limit_s, patience_s=patience_s)


def run(words: tuple[str, ...], limit_s: float = 60.0, told: bytes = b"{}") -> Any:
    """Run one command."""
    return Run(words, dict(os.environb), limit_s)(told)


async def test_a_name_with_shell_characters_arrives_exactly(tmp_path: Path) -> None:
    """In the JSON object and in the variables; nothing of it is carried out."""
    out = tmp_path / "out"
    note = (sys.executable, "-c", NOTE, str(out))
    async with Hooks(plan({"completed": note, "queue-end": note}), lambda: 9.0, pytest.fail) as hooks:
        hooks.hear(event(EventKind.STARTED))
        hooks.hear(event(EventKind.COMPLETED))
        hooks.end_queue()
    lines = sorted(json.loads(line) for line in out.read_text().splitlines())
    assert lines == [
        ["completed", EVIL, EVIL, f"/d/{EVIL}", "completed", "/"],
        ["queue-end", None, None, None, "queue-end", "/"],
    ]
    assert os.listdir(tmp_path) == ["out"]  # noqa: PTH208  # names alone


async def test_a_failing_command_is_told_of_and_harms_nothing(tmp_path: Path) -> None:
    """One that is not there, one that fails, one that a signal ends: the work goes on."""
    troubles: list[str] = []
    commands = {
        "started": (str(tmp_path / "missing"),),
        "completed": ("false",),
        "failed": ("sh", "-c", "kill -9 $$"),
    }
    async with Hooks(plan(commands), lambda: 9.0, troubles.append) as hooks:
        for kind in (EventKind.STARTED, EventKind.COMPLETED, EventKind.FAILED):
            hooks.hear(event(kind))
    await asyncio.sleep(0)
    assert sorted(troubles) == [
        f"on_complete for {EVIL}: exit 1",
        f"on_error for {EVIL}: ended by signal 9",
        f"on_start for {EVIL}: could not begin: No such file or directory",
    ]


def test_a_command_that_is_ended_takes_along_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its whole process group, one that will not be asked included."""
    monkeypatch.setattr("tui_dl.hooks.running.GRACE_S", 0.2)
    held = tmp_path / "held"
    os.mkfifo(held)
    # All that it starts hold the pipe open: its end is read when the last of them is gone.
    reading = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    inner = 'trap "" TERM; echo begun >&3; exec sleep 600'
    script = f"exec 3>{held}; trap '' TERM; sh -c '{inner}' & sleep 600"
    going = Run(("sh", "-c", script), dict(os.environb), 600.0)

    def end_once_begun() -> None:
        select.select([reading], [], [], PATIENCE_S)
        going.stop()

    threading.Thread(target=end_once_begun).start()
    assert going(b"").text == "was ended with the program"
    assert os.read(reading, 100) == b"begun\n"
    assert select.select([reading], [], [], PATIENCE_S)[0], "something of it goes on"
    assert os.read(reading, 100) == b""
    os.close(reading)


def test_a_command_that_takes_too_long_is_ended() -> None:
    """By the limit, with words that say so."""
    outcome = run(("sleep", "600"), limit_s=0.1)
    assert (outcome.text, outcome.is_well) == ("took more than 0.1 s", False)


def test_what_it_says_is_kept_in_part_and_read_whole() -> None:
    """A command that says very much, or whose child keeps its output open, ends all the same."""
    loud = run((sys.executable, "-c", "print('x' * 5_000_000)"))
    assert (loud.text, len(loud.output)) == ("exit 0", MOST_OUTPUT_BYTES)
    left = run(("sh", "-c", "sleep 5 & echo here"))
    assert (left.text, left.output) == ("exit 0", b"here\n")
    deaf = run(("true",), told=b"x" * 1_000_000)
    assert deaf.is_well


async def test_few_run_at_once_and_none_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events beyond those in memory wait in a file; each has its run."""
    monkeypatch.setattr("tui_dl.hooks.backlog.MOST_IN_MEMORY", 3)
    lock, running, most, seen = threading.Lock(), set[int](), [0], list[int]()

    class Counted:
        def __init__(self, *_: object) -> None: ...

        def stop(self) -> None: ...

        def __call__(self, told: bytes) -> Any:
            key = json.loads(told)["id"]
            with lock:
                running.add(key)
                most[0] = max(most[0], len(running))
            ended.wait()
            with lock:
                running.discard(key)
                seen.append(key)
            return run(("true",))

    ended = threading.Event()
    monkeypatch.setattr(hooks_module, "Run", Counted)
    async with Hooks(plan({"completed": ("true",)}), lambda: 9.0, pytest.fail) as hooks:
        states = [hooks.is_busy]
        for key in range(40):
            hooks.hear(event(EventKind.COMPLETED, replace(TASK, id=key)))
        states.append(hooks.is_busy)
        ended.set()
    assert states == [False, True]
    assert not hooks.is_busy
    assert sorted(seen) == [*range(40)]
    assert most[0] <= AT_ONCE


async def test_those_that_are_due_at_the_end_have_their_time_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """Beyond the patience what runs is ended, and the log counts what did not run."""
    sleeping = plan({"completed": ("sleep", "600")}, patience_s=0.2)
    async with Hooks(sleeping, lambda: 9.0, lambda _text: None) as hooks:
        for _ in range(AT_ONCE + 3):
            hooks.hear(event(EventKind.COMPLETED))
    assert "3 commands were not run: the program ended" in caplog.text
    assert caplog.text.count("was ended with the program") == AT_ONCE


async def test_only_an_interruption_cuts_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that ends with an error, such as too many failures, leaves them what they need."""
    monkeypatch.setattr("tui_dl.hooks.hooks.INTERRUPTED_S", 0.0)
    out = tmp_path / "out"
    note = plan({"completed": (sys.executable, "-c", NOTE, str(out))})
    with pytest.raises(ValueError, match="work"):
        await ended_by(ValueError("work"), note)
    assert len(out.read_text().splitlines()) == 1
    with pytest.raises(asyncio.CancelledError):
        await ended_by(asyncio.CancelledError(), plan({"completed": ("sleep", "600")}))


async def ended_by(error: BaseException, what: HookPlan) -> None:
    """End work with an error while a command is due."""
    async with Hooks(what, lambda: 9.0, lambda _text: None) as hooks:
        hooks.hear(event(EventKind.COMPLETED))
        raise error


def test_a_backlog_gives_back_what_it_was_given_in_order() -> None:
    """Through memory and file, filled and emptied several times."""
    backlog, taken = Backlog(), list[bytes | None]()
    told = [str(number).encode() * 3 for number in range(4 * MOST_IN_MEMORY)]
    for start in range(0, len(told), MOST_IN_MEMORY // 2):
        for one in told[start : start + MOST_IN_MEMORY // 2]:
            backlog.put(one)
        taken += [backlog.take() for _ in range(MOST_IN_MEMORY // 5)]
    assert len(backlog) == len(told) - len(taken)
    taken += [backlog.take() for _ in range(len(backlog))]
    backlog.put(b"last")
    assert [*taken, backlog.take(), backlog.take()] == [*told, b"last", None]
    backlog.close()


def test_variables_are_exact_where_the_kernel_allows_it() -> None:
    """NUL cannot be passed, bytes that are no UTF-8 are, too long a value is in the JSON object alone."""
    strange = replace(TASK, filename="a\0b\udcff", path="/d/\ud800", reason_text="x" * (MOST_VALUE_BYTES + 1))
    found = variables_of(payload_of(event(EventKind.COMPLETED, strange)))
    assert found[b"TUI_DL_EVENT_NAME"] == "a\ufffdb".encode() + b"\xff"
    assert found[b"TUI_DL_EVENT_PATH"] == b"/d/?"
    assert b"TUI_DL_EVENT_REASON_TEXT" not in found
    assert b"TUI_DL_EVENT_SHA256" not in found


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("notify-send 'two words' $HOME", ("notify-send", "two words", "$HOME")),
        (["~/bin/done", 'a "b"', "*"], ("~/bin/done", 'a "b"', "*")),
        ("", None),
        ([], None),
    ],
)
def test_a_command_is_cut_once(given: str | list[str], words: tuple[str, ...] | None) -> None:
    """A text as a shell cuts it, a list as it is; nothing in it is filled in."""
    settings = settings_with(Settings(), {"on_complete": given})
    assert commands_of(settings).get("completed") == words


@pytest.mark.parametrize("given", ["'open", "bin/done", ["a", 3], ["a\0"], [""]])
def test_a_command_that_cannot_be_meant_is_refused(given: str | list[Any]) -> None:
    """A relative path would name another program in each folder."""
    with pytest.raises(UsageError):
        command_text(given)


async def test_the_queue_ends_once_nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not while anything waits, not by a person's pause, and not twice."""
    monkeypatch.setattr("tui_dl.hooks.queue_end.HOLD_S", 0.0)
    counts: dict[Status, int] = {Status.WAITING: 1}
    ends: list[int] = []
    end = QueueEnd(lambda: counts, lambda: ends.append(1))

    async def turns() -> None:
        for _turn in range(3):  # timers of no time ring in the next one
            await asyncio.sleep(0)

    end.hear(event(EventKind.FAILED))
    await turns()
    assert ends == []
    counts[Status.WAITING] = 0
    end.hear(event(EventKind.PAUSED))
    await turns()
    assert ends == []
    end.hear(event(EventKind.COMPLETED))
    end.hear(event(EventKind.COMPLETED))
    await turns()
    assert ends == [1]
    end.close()
