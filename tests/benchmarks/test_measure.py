"""A run is measured as it was, its failures are shown, and tables say what their figures say."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks import measure
from tests.benchmarks.measure import (
    MANY_FILES,
    Contender,
    Figures,
    Outcome,
    Setting,
    clear,
    compete,
    median,
    reaping,
    run_once,
)
from tests.benchmarks.payload import Payload, make_large, make_small
from tests.benchmarks.profiling import count_stacks
from tests.benchmarks.table import Line, Side, Table, Verdict, as_json, as_markdown, make_lines, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEASURING = """
import sys
from pathlib import Path
from tests.benchmarks.measure import Contender, Outcome, Setting, reaping, run_once
ballast = b"x" * (100 << 20)
setting = Setting(Path(sys.argv[1]), lambda out: Outcome(1, 1), 1, is_synced=False)
with reaping():
    print(run_once(Contender("small", lambda out: ("true",)), setting).rss_bytes)
"""


@pytest.fixture
def reaper() -> Iterator[None]:
    """Adopt grandchildren for one test alone: other tests have processes that nobody should adopt."""
    with reaping():
        yield


def everything_right(_folder: Path) -> Outcome:
    """Find nothing to complain of."""
    return Outcome(1, 1000)


def shell(line: str) -> Contender:
    """Return a contender that runs a line of shell."""
    return Contender(line, lambda out: ("sh", "-c", line, "sh", str(out)))


def test_the_memory_of_the_one_who_measures_is_not_counted(tmp_path: Path) -> None:
    """A tiny program started from a process of 100 MiB is seen as tiny."""
    command = [sys.executable, "-c", MEASURING, str(tmp_path / "run")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(said) < 30 << 20


@pytest.mark.usefixtures("reaper")
def test_wall_and_cpu_of_a_program_are_its_own(tmp_path: Path) -> None:
    """A program that waits costs wall and no CPU."""
    figures = run_once(shell("sleep 0.1"), Setting(tmp_path / "run", everything_right, 1, is_synced=False))
    assert figures.wall_s >= 0.1
    assert figures.cpu_s < 0.05
    assert figures.outcome.problem == ""


@pytest.mark.usefixtures("reaper")
def test_a_program_that_fails_is_shown_with_its_last_words(tmp_path: Path) -> None:
    """The exit code and the last line of standard error go into the table."""
    figures = run_once(
        shell("echo no; echo first >&2; echo last >&2; exit 3"),
        Setting(tmp_path / "run", everything_right, 1, is_synced=False),
    )
    assert figures.outcome.problem == "exit 3: last"


@pytest.mark.usefixtures("reaper")
def test_a_program_that_never_ends_is_ended(tmp_path: Path) -> None:
    """At the limit it is killed and counted as not done."""
    setting = Setting(tmp_path / "run", everything_right, 1, limit_s=0.1, is_synced=False)
    figures = run_once(Contender("endless", lambda out: ("sleep", "60")), setting)
    assert "not done within" in figures.outcome.problem
    assert figures.wall_s < 10


@pytest.mark.usefixtures("reaper")
def test_who_is_absent_has_a_line_with_the_reason(tmp_path: Path) -> None:
    """A peer that cannot run is never dropped from the table."""
    contenders = [shell("true"), Contender("axel", lambda out: (), absent="not installed")]
    lines = make_lines(contenders, compete(contenders, Setting(tmp_path / "run", everything_right, 2, is_synced=False)))
    text = as_markdown(Table("row", "title", 2, 1, lines))
    assert [line.program for line in lines] == ["true", "axel"]
    assert "- axel: not installed" in text


@pytest.mark.parametrize(
    ("count", "least_free", "is_kept"),
    [(MANY_FILES, 0, True), (MANY_FILES - 1, 0, False), (MANY_FILES, 1 << 62, False)],
    ids=["many", "few", "no room"],
)
def test_nobody_pays_for_the_removal_of_many_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, count: int, least_free: int, is_kept: bool
) -> None:
    """They are moved aside and removed at the end; few files, and those that the disk has no room for, at once."""
    monkeypatch.setattr(measure, "LEAST_FREE_BYTES", least_free)
    folder = tmp_path / "run"
    (folder / "out").mkdir(parents=True)
    for number in range(count):
        (folder / "out" / str(number)).touch()
    clear(folder)
    assert not folder.exists()
    assert sum(1 for one in tmp_path.rglob("*") if one.is_file()) == (count if is_kept else 0)


def test_medians_keep_the_worst_outcome() -> None:
    """Figures are medians, but a single failed round stays visible."""
    runs = [
        Figures(1.0, 0.1, 10, Outcome(5, 50)),
        Figures(9.0, 0.3, 30, Outcome(4, 40, "4 of 5 files right")),
        Figures(2.0, 0.2, 20, Outcome(5, 50)),
    ]
    assert median(runs) == Figures(2.0, 0.2, 20, Outcome(4, 40, "4 of 5 files right"))


def test_ratios_take_no_credit_from_failures() -> None:
    """Nothing is won against a program that failed, and everything is lost by failing."""
    good, bad = Line("good", wall_s=2.0), Line("bad", wall_s=1.0, note="exit 1")
    assert ratio(good, Line("its", wall_s=4.0)) == 0.5
    assert ratio(good, bad) is None
    assert ratio(bad, good) == math.inf


def test_a_table_is_markdown_and_json() -> None:
    """Columns line up, verdicts say whether they are met, and JSON carries the same."""
    lines = [Line("ours", 2.0, 1.9, 2.1, 1.0, 1 << 20, 10, 4_000_000), Line("theirs", 4.0, 3.0, 5.0, 4.0, 1 << 20, 9)]
    verdicts = (Verdict("wall", 0.5, Side.AT_MOST, 1.0), Verdict("files", 0.5, Side.AT_LEAST, 1.0))
    table = Table("row", "ten files", 3, 10, lines, verdicts)
    text = as_markdown(table).splitlines()
    rows = [line for line in text if line.startswith("|")]
    assert len({len(row) for row in rows}) == 1
    assert [cell.strip() for cell in rows[2].split("|")[1:-1]] == [
        *("ours", "2.00", "1.90-2.10", "1.00", "1", "5", "2.0", "all", "1.00", "1.00")
    ]
    assert "90.0%" in rows[3]
    assert "- met: wall: 0.5 (at most 1)" in text
    assert "- NOT MET: files: 0.5 (at least 1)" in text
    document = json.loads(as_json([table]))
    assert document[0]["lines"][0]["files_per_s"] == 5.0
    assert [verdict["is_met"] for verdict in document[0]["verdicts"]] == [True, False]


def test_payloads_are_judged_by_their_digests(tmp_path: Path) -> None:
    """A missing file, a changed one and one too many are each noticed."""
    payload: Payload = make_small(tmp_path, "small", 3)
    folder = tmp_path / "small"
    assert payload.check(folder) == Outcome(3, payload.total_bytes)
    (folder / "extra").touch()
    assert payload.check(folder).problem == "1 files too many"
    (folder / "00001.png").write_bytes(b"wrong")
    assert payload.check(folder).problem == "2 of 3 files right"
    assert make_large(tmp_path, "large.bin", 2 << 20).total_bytes == (tmp_path / "large.bin").stat().st_size


def test_stacks_become_own_and_whole_shares() -> None:
    """A function's own share is what ended in it, its whole share what passed through it, recursion counted once."""
    text = count_stacks(
        "main (a.py:1);work (b/c.py:5) 3\nmain (a.py:2);work (b/c.py:9);work (b/c.py:5) 1\nmain (a.py:1) 6\n"
    )
    assert [line.split() for line in text.splitlines()[1:]] == [
        ["60.0%", "100.0%", "main", "(a.py)"],
        ["40.0%", "40.0%", "work", "(b/c.py)"],
    ]
