"""`add --to ssh://host`: what ssh is told, what it is sent, and that the far side adds just that."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cli.session_stage import Stage
from tui_dl.cli.json_wishes import blocks_of
from tui_dl.cli.main import run
from tui_dl.cli.remote import host_of
from tui_dl.core.errors import UsageError

EVIL: Final = "$(touch x)'\"; rm -rf ~"
SSH: Final = """#!/bin/sh
printf '%s\\n' "$@" > "$0.args"
cat > "$0.stdin"
exit "$(cat "$0.code" 2>/dev/null || echo 0)"
"""


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program in the place of ssh that notes what it is told and sent."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(SSH)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return program


def test_nothing_of_the_order_is_on_the_command_line(ssh: Path, tmp_path: Path) -> None:
    """Address, folder, batch and secrets go in as data; the folder is the other machine's."""
    listed = tmp_path / "list.txt"
    listed.write_text("https://h/2\n")
    words = [
        "add",
        "--to",
        "ssh://me@box.example:2222",
        "-d",
        f"iso/{EVIL}",
        "--batch",
        EVIL,
        "--user",
        "a:b",
        "--paused",
    ]
    assert run([*words, "-x", "3", "https://h/1?q=$(x)", "-i", str(listed)]) == 0
    told = ssh.with_suffix(".args").read_text().splitlines()
    assert told == ["-T", "-p", "2222", "-l", "me", "--", "box.example", "tui-dl add --from-json - --paused"]
    first, *lines = [json.loads(line) for line in ssh.with_suffix(".stdin").read_text().splitlines()]
    assert first == {"tui_dl": 1}
    assert [(line["url"], line["dir"], line["batch"]) for line in lines] == [
        ("https://h/1?q=$(x)", f"iso/{EVIL}", EVIL),
        ("https://h/2", f"iso/{EVIL}", EVIL),
    ]
    media = {"as_kind": "found", "has_config": True, "has_own_dir": True}
    assert lines[0]["options"] == {"connections": 3, "headers": [["Authorization", "Basic YTpi"]], **media}


def test_settings_of_this_machine_stay_here(ssh: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the settings file nor the environment travels; without --dir the other machine's folder is meant."""
    home.joinpath("config").mkdir(parents=True)
    home.joinpath("config", "config.toml").write_text('dir = "/here"\nconnections = 3\n')
    monkeypatch.setenv("TUI_DL_ON_EXISTS", "overwrite")
    assert run(["add", "--to", "ssh://box", "https://h/1.iso"]) == 0
    assert json.loads(ssh.with_suffix(".stdin").read_text().splitlines()[1]) == {"url": "https://h/1.iso", "dir": ""}


@pytest.mark.parametrize(
    ("code", "ours", "said"), [("255", 3, "was not reached"), ("127", 3, "has no tui-dl"), ("1", 1, "")]
)
def test_how_it_ended_there_is_told(
    ssh: Path, code: str, ours: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is that of the other tui-dl, where it ran."""
    ssh.with_suffix(".code").write_text(code)
    assert run(["add", "--to", "ssh://Box", "https://h/1"]) == ours
    assert said in capsys.readouterr().err
    assert ssh.with_suffix(".args").read_text().splitlines()[-2] == "Box"


@pytest.mark.parametrize(
    "text",
    ["ssh://", "ssh://-x", "ssh://h;x", "ssh://-l@h", "ssh://u:p@h", "ssh://h:99999", "ssh://h?x", "http://h", "h"],
)
def test_no_host_is_taken_for_an_option_or_a_command(text: str) -> None:
    """Only what a host and a user can be called."""
    with pytest.raises(UsageError):
        host_of(text)


def test_a_name_that_ssh_knows_keeps_its_case() -> None:
    """An address in brackets is one, too."""
    assert host_of("ssh://Build-Box").name == "Build-Box"
    assert host_of("ssh://[fe80::1]:22").words()[-2] == "fe80::1"


async def test_the_far_side_adds_just_that(ssh: Path, home: Path, tmp_path: Path, capsys: Any) -> None:
    """What was sent is added with its options, below the folder of the far side; a second time it is there."""
    await asyncio.to_thread(
        run, ["add", "--to", "ssh://box", "-d", f"iso/{EVIL}", "--header", "X-A: 1", "http://127.0.0.1:9/1"]
    )
    async with Stage(home) as stage:
        for expected in ("1 added", "0 added, 1 already there"):
            capsys.readouterr()
            assert await stage.type("add", "--paused", "--from-json", str(ssh.with_suffix(".stdin"))) == 0
            assert expected in capsys.readouterr().err
        (task,) = await stage.tasks()
        folder = await asyncio.to_thread(Path.cwd)
    assert (task.url, task.dir) == ("http://127.0.0.1:9/1", f"{folder}/iso/{EVIL}")
    assert task.options.headers == (("X-A", "1"),)


@pytest.mark.parametrize("text", ["", "[]\n", '{"tui_dl": 2}\n', '{"tui_dl": 1}\nno object\n', '{"tui_dl": 1}\n3\n'])
def test_what_is_no_order_is_refused(text: str, tmp_path: Path) -> None:
    """Another version, or anything else."""
    file = tmp_path / "order"
    file.write_text(text)
    with pytest.raises(UsageError):
        list(blocks_of(str(file), folder=Path("/d"), home=Path("/h")))


def test_an_order_comes_batch_by_batch(tmp_path: Path) -> None:
    """Folders are completed, and no more is held than a block."""
    file = tmp_path / "order"
    lines: list[dict[str, Any]] = [{"tui_dl": 1}, {"url": "a", "dir": "x/../y"}, {"url": "b", "batch": "n"}]
    lines += [{"url": str(number), "batch": "n", "dir": "/abs"} for number in range(600)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    blocks = [*blocks_of(str(file), folder=Path("/d"), home=Path("/h"))]
    assert [(batch, len(wishes)) for batch, wishes in blocks] == [("", 1), ("n", 500), ("n", 101)]
    assert [blocks[0][1][0]["dir"], blocks[1][1][0]["dir"], blocks[2][1][0]["dir"]] == ["/h/y", "/d", "/abs"]
