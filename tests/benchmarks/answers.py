"""A queue of a million on the screen: `python -m tests.benchmarks.answers [--rows N] [--times N]`.

From a key on a pty at 120x40 to what the screen shows of it: scrolling, filters, each order and commands for all that
match. The first sign is the first frame with other rows, or one that says what goes on ("looking", "pausing"); the
answer is the first frame with the rows that were asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyte

from tests.benchmarks.queue import HOSTS, Silent, silent_server
from tests.benchmarks.screen import COLUMNS, ROWS, UNKNOWN_TO_PYTE, Terminal
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.query_text import parse_query
from tui_dl.core.settings import Settings
from tui_dl.core.task import NewTask
from tui_dl.disk.locations import locations_under
from tui_dl.engine.engine import AsyncDownloadEngine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

TARGET_MS: Final = 200.0
PATIENCE_S: Final = 60.0
QUIET_S: Final = 0.6
"""How long nothing may change until a screen counts as settled."""
KEY_BAR: Final = ROWS - 1
_ENDED: Final = re.compile("cancelled|failed")
PORT: Final = "port"
"""File that says which port the addresses of a queue have."""


class Watched(Terminal):
    """The program on a pty, its screen read as it comes."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        super().__init__(command, environment)
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def look(self, timeout_s: float) -> bool:
        """Wait for what comes; return whether the screen is another one."""
        before = self.lines()
        if chunk := self.read_once(timeout_s):
            self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", chunk))
        return self.lines() != before

    def lines(self) -> list[str]:
        """Return what the screen shows."""
        return list(self._screen.display)

    def state(self) -> tuple[list[str], list[str]]:
        """Return tabs and head, and the rows of the table."""
        lines = self.lines()
        head = _head_of(lines)
        return [_tabs_of(lines), lines[head]], lines[head + 1 : KEY_BAR]

    def settle(self) -> None:
        """Wait until nothing but numbers changes and nothing is under way."""
        quiet_at = time.monotonic() + QUIET_S
        ends_at = time.monotonic() + PATIENCE_S
        while time.monotonic() < quiet_at:
            before = self.state()
            self.look(0.05)
            if self.state() != before or self.is_busy():
                quiet_at = time.monotonic() + QUIET_S
            if time.monotonic() > ends_at:
                raise SystemExit("the screen does not settle:\n" + "\n".join(self.lines()))

    def is_busy(self) -> bool:
        """Whether the screen says that something is under way."""
        return any("looking …" in line or "ing " in line.partition("…")[0] for line in self.lines()[1:4])


@dataclass
class Answer:
    """How long one key took, over and over."""

    name: str
    sign_ms: list[float] = field(default_factory=list)
    answer_ms: list[float] = field(default_factory=list)

    def line(self) -> str:
        """Return it as a line of the table."""
        sign, answer = statistics.median(self.sign_ms), statistics.median(self.answer_ms)
        worst = max(self.sign_ms)
        verdict = "met" if worst <= TARGET_MS else "MISSED"
        return f"| {self.name:44} | {sign:6.0f} | {worst:6.0f} | {answer:7.0f} | {verdict} |"


def ask(screen: Watched, answer: Answer, keys: bytes, has_come: Callable[[list[str]], bool]) -> None:
    """Press keys and time the first sign and the answer."""
    screen.settle()
    before = screen.state()[1]
    pressed_at = time.monotonic()
    screen.type(keys)
    sign_ms = 0.0
    while True:
        screen.look(0.05)
        now_ms = (time.monotonic() - pressed_at) * 1000
        if not sign_ms and (screen.is_busy() or screen.state()[1] != before or has_come(screen.lines())):
            sign_ms = now_ms
        if sign_ms and has_come(screen.lines()):
            answer.sign_ms.append(sign_ms)
            answer.answer_ms.append(now_ms)
            return
        if now_ms > PATIENCE_S * 1000:
            raise SystemExit(f"no answer to {answer.name}:\n" + "\n".join(screen.lines()))


def ask_order(screen: Watched, key: bytes) -> tuple[str, float, float]:
    """Press a key that changes the order; return it, and when its sign and the last change of the rows came.

    In another order the rows may be the same, so that the answer is when nothing is under way any more.
    """
    screen.settle()
    before = screen.state()
    pressed_at = time.monotonic()
    screen.type(key)
    sign_ms = changed_ms = 0.0
    last = before
    while True:
        screen.look(0.02)
        now_ms = (time.monotonic() - pressed_at) * 1000
        if (now := screen.state()) != last:
            last, changed_ms = now, now_ms
            if not sign_ms and (screen.is_busy() or now[1] != before[1]):
                sign_ms = now_ms
        if changed_ms and not screen.is_busy() and now_ms - changed_ms > QUIET_S * 1000:
            # Rows that stay as they are have their answer with the arrow in the head.
            return _order_of(screen.lines()), sign_ms or changed_ms, changed_ms


def scrolling(screen: Watched, times: int) -> list[Answer]:
    """Go through the queue: by rows, by pages, to its ends."""
    answers = [
        Answer(name) for name in ("a row down (j)", "half a screen (ctrl+d)", "to the last row (G)", "to the first (g)")
    ]
    for _ in range(times):
        for one, key in zip(answers, (b"j", b"\x04", b"G", b"g"), strict=True):
            before = _rows(screen.lines())

            def has_come(lines: list[str], before: list[str] = before) -> bool:
                return _are_rows_there(lines) and _rows(lines) != before

            ask(screen, one, key, has_come)
    return answers


def _head_of(lines: list[str]) -> int:
    return next((number for number, line in enumerate(lines) if line.startswith("  Name")), 3)


def _tabs_of(lines: list[str]) -> str:
    return next((line for line in lines if line.startswith(" All")), "")


def _rows(lines: list[str]) -> list[str]:
    return lines[_head_of(lines) + 1 : KEY_BAR]


def _are_rows_there(lines: list[str]) -> bool:
    return all("image-" in line for line in _rows(lines))


def filtering(screen: Watched, times: int, rows: int) -> Iterator[Answer]:
    """Type filters; the last key is the one that is timed, and all of them at once as a paste."""
    rare = f"{rows * 7 // 10:07d}"
    texts = {
        "host:127.0.0.17": lambda line: "127.0.0.17" in line,
        "status:paused": lambda line: "paused" in line,
        "status:failed": lambda line: "failed" in line or "image-" not in line,
        f"image-{rare[:4]}": lambda line: f"image-{rare[:4]}" in line,
        f"image-{rare}": lambda line: f"image-{rare}" in line or "image-" not in line,
        "name:*7.png -host:127.0.0.1": lambda line: "7.png" in line,
        "nothing-of-that-name": lambda line: "image-" not in line,
    }
    for text, fits in texts.items():
        last, pasted = Answer(f"filter {text}, last key"), Answer(f"filter {text}, pasted")

        def has_come(lines: list[str], fits: Callable[[str], bool] = fits) -> bool:
            return all(map(fits, _rows(lines)))

        for _ in range(times):
            screen.type(b"/")
            screen.settle()
            screen.type(text[:-1].encode())
            ask(screen, last, text[-1:].encode(), has_come)
            clear_filter(screen)
            screen.type(b"/")
            ask(screen, pasted, text.encode(), has_come)
            clear_filter(screen)
        yield from (last, pasted)


def clear_filter(screen: Watched) -> None:
    """Leave the filter line and show all rows again."""
    screen.settle()
    screen.type(b"\x1b")
    screen.settle()
    for _ in range(3):
        if "/ " not in _tabs_of(screen.lines()):
            break
        screen.type(b"\x1b")
        screen.settle()


def sorting(screen: Watched, times: int) -> list[Answer]:
    """Sort by each column in turn, and turn each order round, until all have come round so often."""
    answers: dict[str, Answer] = {}
    while not answers or len(next(iter(answers.values())).sign_ms) <= times:
        for key, turned in ((b"s", ""), (b"S", ", turned")):
            order, sign_ms, answer_ms = ask_order(screen, key)
            name = f"sort by {order}{turned}"
            found = answers.setdefault(name, Answer(name))
            found.sign_ms.append(sign_ms)
            found.answer_ms.append(answer_ms)
    return list(answers.values())


def _order_of(lines: list[str]) -> str:
    """Return the column that has an arrow in the head, or what the tabs say."""
    if " by " in (tabs := _tabs_of(lines)):
        return tabs.rpartition(" by ")[2].split()[0]
    head = lines[_head_of(lines)]
    at = next((head.index(arrow) for arrow in "▴▾" if arrow in head), None)
    if at is None:
        return "queue"
    word = head[:at].split()[-1] if head[at + 1 : at + 2].isspace() else head[at + 1 :].split()[0]
    return word.lower()


def commanding(screen: Watched, times: int) -> list[Answer]:
    """Pause and resume all that match, which takes seconds behind the screen."""
    steps = (
        (Answer("pause all of host:127.0.0.3 (*, p)"), (b"/host:127.0.0.3\r", b"*", b"p"), True),
        (Answer("resume them (*, p)"), (b"*", b"p"), False),
        (Answer("pause all (P)"), (b"\x1b", b"\x1b", b"\x1b", b"P"), True),
        (Answer("resume all (P)"), (b"P",), False),
    )
    for _ in range(times):
        for one, keys, are_paused in steps:
            for key in keys[:-1]:
                screen.type(key)
                screen.settle()

            def has_come(lines: list[str], are_paused: bool = are_paused) -> bool:
                rows = [line for line in _rows(lines) if "image-" in line and not _ENDED.search(line)]
                return sum(("paused" in row) is are_paused for row in rows) > len(rows) / 2

            ask(screen, one, keys[-1], has_come)
    return [one for one, _, _ in steps]


async def fill(home: Path, rows: int, port: int) -> None:
    """Make a queue of so many rows over all hosts, a tenth of them paused and a tenth cancelled."""

    async def news() -> AsyncIterator[NewTask]:
        for number in range(rows):
            host = f"127.0.0.{number * 7919 % HOSTS + 1}"
            yield NewTask(f"http://{host}:{port}/files/{number % 97}/image-{number:07d}.png", str(home / "out"))

    settings = Settings(dir=str(home / "out"), concurrent_downloads=1)
    async with AsyncDownloadEngine(settings, locations_under(home).journal_file, transport=Silent()) as engine:
        await engine.add_many(news(), batch="list.txt")
        await engine.execute(Command(CommandName.CANCEL, query=parse_query("host:127.0.0.15")))
        await engine.execute(Command(CommandName.PAUSE, query=parse_query("host:127.0.0.9")))
    (home / PORT).write_text(str(port))


def _port_of(home: Path) -> tuple[int, ...]:
    """Return the port that the addresses of a kept queue have."""
    return (int((home / PORT).read_text()),) if (home / PORT).exists() else ()


def show(screen: Watched, times: int, rows: int) -> None:
    """Press all keys and print the table."""
    try:
        screen.settle()
        print(f"| {'key to screen, ms':44} | sign | worst | answer | below {TARGET_MS:.0f} |")
        print("| --- | ---: | ---: | ---: | --- |")
        for part in (scrolling, partial(filtering, rows=rows), sorting, commanding):
            for one in part(screen, times=times):
                print(one.line(), flush=True)
    finally:
        screen.end(signal.SIGTERM)


def main() -> None:
    """Fill a queue, open the screen on it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--home", type=Path, help="a folder with a queue that was filled before, or that is kept")
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="tui-dl-answers-"))
    home = asked.home or work / "home"
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TUI_DL_HOME": str(home)}
    with silent_server(*_port_of(home)) as port:
        try:
            if not home.exists():
                asyncio.run(fill(home, asked.rows, port))
            options = ["--foreground", "-j1", "--timeout", "86400", "-d", str(work / "out")]
            show(Watched([sys.executable, "-m", "tui_dl", *options], environment), asked.times, asked.rows)
        finally:
            shutil.rmtree(work)


if __name__ == "__main__":
    main()
