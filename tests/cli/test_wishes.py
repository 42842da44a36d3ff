"""What `get` is to write down is checked before anything begins."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tui_dl.cli.exits import WRONG_USAGE
from tui_dl.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:9/a"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Type commands in a folder that holds a list."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "list.csv").write_text(f"url\n{URL}\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--manifest", "m.txt"), ".csv, .jsonl or .parquet"),
        (("--manifest", "list.csv"), "that is the list that is read"),
        (("--manifest", "nowhere/m.csv"), "--manifest: cannot write"),
        (("--manifest", ""), "--manifest is empty"),
        (("--failed-list", "."), "is a folder"),
        (("--failed-list", ""), "--failed-list is empty"),
        (("--manifest", "m.csv", "--failed-list", "./m.csv"), "the same file"),
        (("--max-failed", "some"), "--max-failed: write a number"),
    ],
)
def test_what_cannot_be_is_refused(
    here: Path, options: tuple[str, ...], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 with the reason, nothing asked of any server, no file left."""
    assert run(["get", "-i", "list.csv", *options]) == WRONG_USAGE
    assert said in capfd.readouterr().err
    assert [one.name for one in here.iterdir()] == ["list.csv"]


@pytest.mark.parametrize("option", ["--manifest", "--failed-list", "--max-failed"])
def test_standard_output_has_no_account(option: str, capfd: pytest.CaptureFixture[str]) -> None:
    """It is one file, whose outcome is the exit code."""
    assert run(["get", URL, "-o", "-", option, "1.csv"]) == WRONG_USAGE
    assert f"{option} has no meaning" in capfd.readouterr().err


def test_parquet_without_its_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Known before the first download, not after the last."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert run(["get", URL, "--manifest", "m.parquet"]) == WRONG_USAGE
    assert "tui-dl[parquet]" in capfd.readouterr().err


@pytest.mark.parametrize("option", ["--manifest", "--plain", "--failed-list", "--max-failed"])
def test_the_screen_says_where_such_options_belong(option: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A batch on the screen has no end to account for."""
    assert run([URL, option, "m.csv"]) == WRONG_USAGE
    assert "option of `tui-dl get`" in capfd.readouterr().err
