"""What the doctor finds on systems of every kind."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tui_dl.cli import doctor as doctor_module
from tui_dl.cli.doctor import FLOORS, Surroundings, Verdict, findings, judge_version, version_numbers
from tui_dl.cli.main import run
from tui_dl.disk.locations import locations_under

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    """Describe a good system."""
    environment = {"TERM": "xterm-256color"}
    return Surroundings(locations_under(tmp_path / "home"), environment, tmp_path, is_terminal=True, encoding="utf-8")


def verdicts(around: Surroundings) -> dict[str, Verdict]:
    """Return the verdict on each subject."""
    return {finding.subject: finding.verdict for finding in findings(around)}


def test_a_good_system_is_good(around: Surroundings) -> None:
    """Nothing is broken, and nothing was made by looking."""
    assert Verdict.BROKEN not in verdicts(around).values()
    assert not around.locations.data.exists()


def test_what_is_wrong_has_a_way_out(around: Surroundings) -> None:
    """Whatever is not good says what to do."""
    poor = replace(around, environment={"TERM": "dumb", "TUI_DL_TIMOUT": "3"}, encoding="ascii")
    wrong = [finding for finding in findings(poor) if finding.verdict is not Verdict.GOOD]
    assert {finding.subject for finding in wrong} >= {"settings", "terminal", "text"}
    assert all(finding.way_out for finding in wrong)


@pytest.mark.parametrize(
    ("variables", "verdict", "words"),
    [
        ({}, Verdict.GOOD, "no proxy"),
        ({"http_proxy": "http://me:c4nary@p:3128", "no_proxy": "x"}, Verdict.GOOD, "through p:3128"),
        ({"https_proxy": "gopher://me:c4nary@p"}, Verdict.BROKEN, "environment variable https_proxy: "),
        ({"TUI_DL_CA_CERTIFICATE": "/nowhere.pem"}, Verdict.BROKEN, "--ca-certificate /nowhere.pem: cannot be read"),
        ({"TUI_DL_NETRC": "{}/netrc"}, Verdict.BROKEN, "others may read or own it; make it yours with chmod 600"),
    ],
)
def test_the_ways_out_are_looked_at(
    around: Surroundings, tmp_path: Path, variables: dict[str, str], verdict: Verdict, words: str
) -> None:
    """As a download would use them, without any; no password is shown."""
    (tmp_path / "netrc").write_text("machine h login me password c4nary\n")
    (tmp_path / "netrc").chmod(0o644)
    environment = {**around.environment, **{name: value.format(tmp_path) for name, value in variables.items()}}
    found = [one for one in findings(replace(around, environment=environment)) if one.subject == "ways"]
    assert [one.verdict for one in found] == [verdict]
    assert words in found[0].text
    assert "c4nary" not in found[0].text


@pytest.mark.parametrize(
    ("found", "verdict"),
    [("3.14.5", Verdict.GOOD), ("3.14.4", Verdict.BROKEN), ("4.0", Verdict.GOOD), ("", Verdict.BROKEN)],
)
def test_versions_have_a_floor(found: str, verdict: Verdict) -> None:
    """Aiohttp below 3.14.5 has advisories that matter."""
    assert judge_version("aiohttp", found, FLOORS["aiohttp"]).verdict is verdict


def test_a_version_is_read_as_far_as_it_is_numbers() -> None:
    """Pre-releases count as what they precede."""
    assert version_numbers("3.14.rc1") == (3, 14)


def test_a_journal_of_garbage_is_broken(around: Surroundings) -> None:
    """It is named and left as it is."""
    around.locations.data.mkdir(parents=True)
    around.locations.journal_file.write_bytes(b"garbage" * 1000)
    assert verdicts(around)["journal"] is Verdict.BROKEN
    assert around.locations.journal_file.read_bytes() == b"garbage" * 1000


def test_a_sound_journal_is_good(around: Surroundings) -> None:
    """A database that another program made counts as readable too."""
    around.locations.data.mkdir(parents=True)
    with closing(sqlite3.connect(around.locations.journal_file)) as journal:
        journal.execute("CREATE TABLE one (a)")
        journal.commit()
    assert verdicts(around)["journal"] is Verdict.GOOD


def test_a_folder_that_is_a_file_is_broken(around: Surroundings, tmp_path: Path) -> None:
    """Nothing can be written there."""
    (tmp_path / "home").touch()
    assert verdicts(around)["data folder"] is Verdict.BROKEN


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_rights_is_broken(around: Surroundings, tmp_path: Path) -> None:
    """Nothing can be written there."""
    (tmp_path / "home").mkdir(mode=0o500)
    assert verdicts(around)["data folder"] is Verdict.BROKEN


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"NO_COLOR": "1", "COLORTERM": "truecolor"}, "none"),
        ({"COLORTERM": "truecolor"}, "16 million"),
        ({"TERM": "screen-256color"}, "256"),
        ({"TERM": "linux"}, "16"),
    ],
)
def test_colours_are_what_the_terminal_claims(variables: dict[str, str], words: str) -> None:
    """NO_COLOR wins."""
    assert doctor_module.colours(variables).startswith(words)


def test_the_exit_code_tells_whether_something_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 or 1, every check on a line of its own."""
    assert run(["doctor"]) == 0
    monkeypatch.setenv("TUI_DL_TIMOUT", "3")
    assert run(["doctor"]) == 1
    assert "broken settings: environment variable TUI_DL_TIMOUT" in capsys.readouterr().out
