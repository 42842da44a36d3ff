"""`get --shards` as a person meets it: what is refused with it, and what a run leaves and says."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.marathon.rig import Server
from tui_dl.cli.exits import WRONG_USAGE
from tui_dl.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:9/a"
Output = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("get --shards many", "expected a whole number"),
        ("get --shards 1000001", "out of bounds"),
        ("get --shards 10 --shard-name a.tar", "no name with one number"),
        ("get --shards 10 --shard-name ../{}.tar", "give the folder with --dir"),
        ("get --shard-name {}.tar", "give both or neither"),
        ("get --shards 10 -o name", "--output names one file"),
        ("get --shards 10 -o -", "--output names one file"),
        ("get --shards 10 --overwrite", "--overwrite replaces"),
        ("get --shards 10 --skip-existing", "--skip-existing looks for"),
        ("get --shards 10 --if-modified", "--if-modified asks again"),
        ("get --shards 10 --rename", "--rename names"),
        ("get --shards 10 -C", "--continue takes over"),
        ("get --shards 10 --origin-attributes", "--origin-attributes is noted"),
        ("--shards 10", "an option of `tui-dl get`"),
    ],
)
def test_what_has_no_meaning_for_shards_is_refused(capsys: Output, typed: str, words: str) -> None:
    """Exit 2 before anything is asked or made, with the reason."""
    assert run([*typed.split(), URL]) == WRONG_USAGE
    assert words in " ".join(capsys.readouterr().err.split())


def test_shards_of_the_settings_can_be_left_out(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing was typed the message names the setting and the way out, and `--shards 0` is the way."""
    monkeypatch.setenv("TUI_DL_SHARDS", "10")
    assert run(["get", "-o", "name", URL]) == WRONG_USAGE
    assert "TUI_DL_SHARDS" in (told := capsys.readouterr().err)
    assert "--shards 0" in told
    assert run(["get", "-o", "name", "--shards", "0", "--max-retries", "0", "-q", URL]) != WRONG_USAGE


def test_a_run_leaves_shards_alone_and_says_how_they_are_called(tmp_path: Path) -> None:
    """Programs hear of each file with its shard and its member, people how to name all shards at once."""
    with Server(tmp_path, small=5, small_bytes=100) as server:
        words = [sys.executable, "-m", "tui_dl", "get", "--json", "--shards", "2", "--shard-name", "train-{}.tar"]
        done = subprocess.run([*words, "-d", str(tmp_path / "out"), *server.urls], capture_output=True, check=True)
    assert b"3 shards in" in done.stderr
    assert b"train-{0..2}.tar" in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    told = {(line["path"], line["member"]) for line in lines if line["event"] == "completed"}
    held = set()
    for path in (tmp_path / "out").iterdir():
        with tarfile.open(path) as archive:
            held |= {(str(path), name) for name in archive.getnames()[::2]}
    assert told == held
    assert len(held) == 5
