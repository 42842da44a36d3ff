"""Control commands: what they do to a session's queue, in which words, with which exit code; and without a session."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from tests.cli.session_stage import Stage
from tui_dl.cli.main import run
from tui_dl.cli.wait import _wait
from tui_dl.core.acceptance import was_left_out
from tui_dl.core.errors import UsageError
from tui_dl.core.status import Status
from tui_dl.core.target_words import targets_of
from tui_dl.core.task import NewTask
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Result = TypeVar("Result")
Output = pytest.CaptureFixture[str]


async def test_a_download_is_steered_from_a_shell(home: Path, tmp_path: Path, capsys: Output) -> None:
    """Added, paused, resumed, limited, moved, given a priority, cancelled with its part file, tried again."""
    async with Stage(home) as stage:
        url, other = stage.held_file(), stage.held_file("/other.bin")
        assert await stage.type("add", "-d", str(tmp_path), "-x", "2", "--priority", "low", "--paused", url, other) == 0
        assert "2 added (id 1, 2)" in capsys.readouterr().err
        first, second = await stage.tasks()
        assert (first.dir, first.options.connections, first.priority) == (str(tmp_path), 2, -1)
        assert {first.status, second.status} == {Status.PAUSED}
        for words, said in (
            ("resume 1", "1 resumed"),
            ("pause 1 2", "1 paused, 1 already so"),
            ("move bottom 1", "1 moved"),
            ("priority high name:held.bin", "1 changed"),
            ("limit 100K 1", "done"),
            ("limit 1M --host 127.0.0.1", ""),
            ("limit 5M", ""),
            ("limit", "5.00 MiB/s at most"),
            ("cancel --delete 1", "1 cancelled"),
            ("retry status:cancelled", "1 tried again"),
            ("pause --all", "1 paused"),
        ):
            assert await stage.type(*words.split()) == 0, words
            out, err = capsys.readouterr()
            assert said in out + err, words
        second, first = await stage.tasks()
        assert (first.id, first.priority, first.options.limit_rate_bps) == (1, 1, 100 * 1024)
        assert stage.engine.snapshot().limit_rate_bps == 5 * 1024 * 1024


async def test_what_cannot_be_meant_is_said(home: Path, capsys: Output) -> None:
    """An id that is not there: 2; nothing that matches, or cannot be done: 1."""
    async with Stage(home) as stage:
        await stage.type("add", stage.file())
        assert await stage.type("wait", "1") == 0
        for words, code, said in (
            ("pause 99", 2, "no download has the id 99"),
            ("pause host:nowhere", 1, "nothing to be paused"),
            ("pause 1", 1, "0 paused, 1 cannot be (done)"),
            ("pause", 2, "say which"),
            ("pause --all 1", 2, "--all means every download"),
            ("pause 1 status:failed", 2, "do not go together"),
            ("retry state:odd", 2, "there is no status"),
            ("move sideways 1", 2, "is no place"),
            ("limit 1M 1 --host h", 2, "--host is for all"),
            ("limit --host h", 2, "say how fast"),
        ):
            capsys.readouterr()
            assert await stage.type(*words.split()) == code, words
            assert said in capsys.readouterr().err, words
        assert await stage.type("cancel", "--json", "1") == 1
        assert json.loads(capsys.readouterr().out)["changed"] == 0


def _telling(work: Callable[..., Result], is_called: asyncio.Event) -> Callable[..., Result]:
    """Return what tells this loop, from another thread, that it is called."""
    loop = asyncio.get_running_loop()

    def work_and_tell(*words: Any) -> Result:
        loop.call_soon_threadsafe(is_called.set)
        return work(*words)

    return work_and_tell


async def test_waiting_tells_how_they_ended(home: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """Done: 0; failed, or not done in time: 1; nothing to wait for: 0."""
    async with Stage(home) as stage:
        good, bad, held = stage.file(), f"{stage.file()}-gone", stage.held_file()
        assert await stage.type("wait", "--all") == 0
        await stage.type("add", good, bad)
        capsys.readouterr()
        assert await stage.type("wait", "1", "2", "--json") == 1
        told = json.loads(capsys.readouterr().out)
        assert told == {"event": "waited", "is_done": True, "counts": {"completed": 1, "failed": 1}}
        await stage.type("add", held)
        assert await stage.type("wait", "--all", "--timeout", "0.1") == 1
        has_looked = asyncio.Event()
        monkeypatch.setattr("tui_dl.cli.wait._wait", _telling(_wait, has_looked))
        waiting = asyncio.create_task(stage.type("wait", "host:127.0.0.1"))
        await has_looked.wait()
        while "3" not in {str(one.id) for one in await stage.tasks() if one.status is Status.PAUSED}:
            await stage.type("pause", "3")
        assert await waiting == 1


async def test_what_had_failed_is_tried_again_when_it_is_added_again(home: Path, capsys: Output) -> None:
    """It is there already, and goes on."""
    async with Stage(home) as stage:
        url = stage.files.url("/late.bin")
        await stage.type("add", url)
        await stage.type("wait", "1")
        stage.file("/late.bin")
        capsys.readouterr()
        assert await stage.type("add", url) == 0
        assert "0 added, 1 already there (id 1)" in capsys.readouterr().err
        assert await stage.type("wait", "1") == 0


async def test_what_was_left_out_is_taken_when_it_is_added_again_without_that_wish(home: Path, capsys: Output) -> None:
    """The later wish counts, by type, smallest and largest size alike; a retry alone keeps the one before."""
    async with Stage(home) as stage:
        wishes = ("--accept=image/*", "--min-size=1G", "--max-size=10")
        for number, wish in enumerate(wishes, 1):
            url = stage.file(f"/{number}.bin")
            assert await stage.type("add", wish, url) == 0
            await stage.type("wait", str(number))
            assert await stage.type("retry", str(number)) == 0
            await stage.type("wait", str(number))
            (task,) = [one for one in await stage.tasks() if one.id == number]
            assert was_left_out(task.status, task.reason), wish
            assert await stage.type("add", url) == 0
            assert await stage.type("wait", str(number)) == 0, wish
            (task,) = [one for one in await stage.tasks() if one.id == number]
            assert task.status is Status.COMPLETED, wish
        assert "0 added, 1 already there (id 3)" in capsys.readouterr().err


async def test_another_proxy_is_refused_rather_than_ignored(
    home: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session hears its own environment; what would go another way is not added."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with Stage(home) as stage:
        assert await stage.type("add", stage.file()) == 2
        assert "another http_proxy" in capsys.readouterr().err
        assert await stage.type("pause", "--all") == 1


async def test_a_fresh_link_is_told_to_the_session(home: Path, capsys: Output) -> None:
    """By id or by the address as it is; what is not there, or unclear, is said."""
    async with Stage(home) as stage:
        old, new = stage.files.url("/old.bin"), stage.file("/new.bin")
        await stage.type("add", "--paused", "-o", "x", old)
        await stage.type("add", "--paused", "-o", "y", old)
        assert await stage.type("refresh", old, new) == 2
        assert "several downloads have this address" in capsys.readouterr().err
        assert await stage.type("refresh", "1", new) == 0
        assert await stage.type("refresh", old, f"{new}?again") == 0
        assert [task.url for task in await stage.tasks()] == [new, f"{new}?again"]
        assert await stage.type("refresh", "http://h/nowhere", new) == 2
        assert "no download in the queue has" in capsys.readouterr().err


async def test_a_list_is_added_as_it_is_read(home: Path, tmp_path: Path, capsys: Output) -> None:
    """With its batch, its own options, and its bad lines by number; patterns stand for many."""
    listed = tmp_path / "night.txt"
    lines = [f"http://127.0.0.1:9/{number}" for number in range(1200)]
    await asyncio.to_thread(listed.write_text, "\n".join([*lines, "no address", lines[0]]))
    async with Stage(home) as stage:
        assert await stage.type("add", "--paused", "--json", "-i", str(listed), "http://127.0.0.1:9/[a-c]") == 1
        told = json.loads(capsys.readouterr().out)
        assert (told["added"], told["known"], told["bad_lines"], len(told["ids"])) == (1203, 1, 1, 1000)
        assert {one.name for one in await stage.engine.batches()} == {"night.txt", "http://127.0.0.1:9/[a-c]"}
        assert {task.options.on_exists for task in await stage.tasks()} == {"skip"}
        assert await stage.type("add", "-i", str(listed), "--strict") == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("add --proxy http://p:1 http://h/a", "--proxy is a setting of the session"),
        ("add -j 3 http://h/a", "-j is a setting of the session"),
        ("add --ipv4-only http://h/a", "--ipv4-only is a setting of the session"),
        ("add --json-lines http://h/a", "No such option"),
        ("add -o - http://h/a", "get -o -"),
        ("add --to host http://h/a", "write it ssh://HOST"),
        ("add --to ssh://-oProxyCommand=x http://h/a", "write it ssh://HOST"),
        ("add --to ssh://h/folder http://h/a", "a folder goes with --dir"),
        ("add --limit-rate much http://h/a", "much"),
        ("limit 1M", "no session is running"),
    ],
)
def test_wrong_usage_is_refused(words: str, said: str, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """With exit code 2 and the way out, before anything is started."""
    monkeypatch.setattr("tui_dl.cli.add.is_piped", lambda: False)
    assert run(words.split()) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "ids"), [(["7"], (7,)), (["7", "3", "7"], (7, 3)), (["000000000000001f"], (31,)), (["name:7"], ())]
)
def test_ids_are_decimal_or_as_aria2_writes_them(words: list[str], ids: tuple[int, ...]) -> None:
    """Anything else is a filter."""
    assert targets_of(words, is_all=False).ids == ids


def test_words_and_all_exclude_each_other() -> None:
    """Nobody means both."""
    with pytest.raises(UsageError):
        targets_of(["7"], is_all=True)


def test_without_a_session_the_queue_itself_is_changed(home: Path, capsys: Output) -> None:
    """Paused, cancelled, moved and given a priority without anything being started."""
    assert run(["pause", "--all"]) == 1
    asyncio.run(a_queue(home))
    for words, code, said in (
        ("pause 1", 0, "1 paused"),
        ("pause --all", 0, "2 paused"),
        ("pause 1", 0, "already so"),
        ("cancel name:b", 0, "1 cancelled"),
        ("pause 2", 1, "0 paused, 1 cannot be"),
        ("priority high 3", 0, "1 changed"),
        ("move top 3", 0, "1 moved"),
        ("move down 3", 1, "nothing moved"),
        ("cancel 9", 2, "no download has the id 9"),
    ):
        assert run(words.split()) == code, words
        assert said in capsys.readouterr().err, words
    assert run(["wait", "2"]) == 1
    assert run(["wait", "--all"]) == 0
    assert run(["wait", "9"]) == 2
    rows = asyncio.run(rows_of(home))
    assert [(row.id, row.status, row.priority) for row in rows] == [
        (1, Status.PAUSED, 0),
        (2, Status.CANCELLED, 0),
        (3, Status.PAUSED, 1),
    ]


async def a_queue(home: Path) -> None:
    """Make a queue of three that nobody runs."""
    async with await Journal.open(home / "data" / "journal.sqlite3") as journal:
        await journal.add([NewTask(f"http://h/{name}", "/d") for name in "abc"], batch="", at=1.0)


async def rows_of(home: Path) -> list[Any]:
    """Return its rows by id."""
    async with await Journal.open(home / "data" / "journal.sqlite3") as journal:
        return await journal.rows([1, 2, 3])
