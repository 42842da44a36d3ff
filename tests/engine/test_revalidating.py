"""What is asked for again with `if-modified` is fetched only where it changed, on the server or here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import LARGE_BYTES, ended, half_done, is_whole
from tests.faults import FaultServer, Resource, lies, rfc9110
from tests.faults.script import all_of, first
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.status import Status
from tui_dl.core.task import OnExists, TaskOptions

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults.script import Exchange, Reply
    from tui_dl.core.task import DownloadTask

OLD = Resource(1000, seed=1)
NEW = Resource(1200, seed=2, etag='"v2"', last_modified_at=1_700_100_000.0)


def _ignores_conditions(exchange: Exchange, _reply: Reply) -> Reply:
    """Answer as a server does that knows no conditions."""
    request = exchange.request.without("if-none-match", "if-modified-since")
    return rfc9110.answer(exchange.resource, request, exchange.now_at)


async def _get(engines: Engines, url: str, **settings: Any) -> DownloadTask:
    """Ask for an address as a run of its own does."""
    engine = await engines(journal=engines.journal, on_exists="if-modified", **settings)
    task = await ended(engine, await engine.add(url, options=TaskOptions(on_exists=OnExists.IF_MODIFIED)))
    await engines.close(engine)
    return task


async def _retried(engines: Engines, url: str) -> DownloadTask:
    """Ask as a run does for an address that an earlier one did not fetch."""
    engine = await engines(journal=engines.journal, on_exists="if-modified")
    task = await engine.add(url, options=TaskOptions(on_exists=OnExists.IF_MODIFIED))
    await engine.execute(Command(CommandName.RETRY, ids=(task.id,)))
    task = await ended(engine, task)
    await engines.close(engine)
    return task


@pytest.fixture
async def url(engines: Engines, fault_server: FaultServer) -> str:
    """Return the address of a file that was downloaded a moment ago."""
    url = fault_server.add("/a.bin", OLD)
    assert (await _get(engines, url)).status is Status.COMPLETED
    return url


async def test_what_is_the_same_is_not_fetched_again(engines: Engines, fault_server: FaultServer, url: str) -> None:
    """The version is named, the server has no other, and the row is skipped; a third time, too."""
    for _ in range(2):
        task = await _get(engines, url)
        assert (task.status, task.path) == (Status.SKIPPED, str(engines.path("a.bin")))
        assert "not changed" in task.reason_text
        assert fault_server.requests[-1].headers["if-none-match"] == '"v1"'
        assert "if-modified-since" in fault_server.requests[-1].headers
    assert fault_server.bytes_sent("/a.bin") < 2 * OLD.size_bytes + 1000
    assert engines.names() == ["a.bin"]


async def test_a_new_version_replaces_the_old_one(engines: Engines, fault_server: FaultServer, url: str) -> None:
    """No second file beside it."""
    fault_server.replace("/a.bin", NEW)
    task = await _get(engines, url)
    assert (task.status, task.path) == (Status.COMPLETED, str(engines.path("a.bin")))
    assert engines.names() == ["a.bin"]
    assert engines.path("a.bin").stat().st_size == NEW.size_bytes
    assert (await _get(engines, url)).status is Status.SKIPPED


async def test_a_large_new_version_replaces_the_old_one(engines: Engines, fault_server: FaultServer) -> None:
    """It comes into a part file first; the old one stays until it is whole."""
    url = fault_server.add("/a.bin", Resource(LARGE_BYTES, seed=1))
    await _get(engines, url)
    fault_server.replace("/a.bin", Resource(LARGE_BYTES, seed=2, etag='"v2"'))
    assert (await _get(engines, url)).status is Status.COMPLETED
    assert engines.names() == ["a.bin"]
    assert (await _get(engines, url)).status is Status.SKIPPED


@pytest.mark.parametrize("damage", ["written", "cut", "removed", "replaced by a link"])
async def test_what_was_changed_here_is_fetched_again(
    engines: Engines, fault_server: FaultServer, url: str, damage: str
) -> None:
    """Afterwards it is as the server has it."""
    path = engines.path("a.bin")
    good = path.read_bytes()
    if damage == "written":
        path.write_bytes(b"x" * len(good))
        os.utime(path, (2_000_000_000, 2_000_000_000))
    elif damage == "cut":
        os.truncate(path, 10)
    else:
        path.unlink()
    if damage == "replaced by a link":
        path.symlink_to("/dev/null")
    task = await _get(engines, url)
    assert "if-none-match" not in fault_server.requests[-1].headers
    if damage == "replaced by a link":
        assert task.status is Status.FAILED  # nobody asked for what the link leads to
        return
    assert task.status is Status.COMPLETED
    assert engines.names() == ["a.bin"]
    assert path.read_bytes() == good


async def test_what_goes_between_two_attempts_is_fetched(engines: Engines, fault_server: FaultServer, url: str) -> None:
    """A version that is not here any more is not asked about."""

    def removes(_exchange: Exchange, reply: Reply) -> Reply:
        engines.path("a.bin").unlink()
        return reply

    fault_server.script("/a.bin", first(1, all_of(removes, lies.status(503))))
    assert (await _get(engines, url, retry_delay=0.01)).status is Status.COMPLETED
    assert engines.names() == ["a.bin"]


async def test_a_server_without_conditions_sends_it_in_vain(
    engines: Engines, fault_server: FaultServer, url: str
) -> None:
    """Its answer names the version that is here: the body is not waited for."""
    fault_server.script("/a.bin", _ignores_conditions)
    assert (await _get(engines, url)).status is Status.SKIPPED


async def test_a_file_that_nobody_remembers_is_not_replaced(engines: Engines, fault_server: FaultServer) -> None:
    """It was not made by us: what is wanted is saved beside, and that one is known from then on."""
    engines.dir.mkdir()
    engines.path("a.bin").write_bytes(b"mine")
    url = fault_server.add("/a.bin", OLD)
    assert (await _get(engines, url)).path == str(engines.path("a (1).bin"))
    fault_server.replace("/a.bin", NEW)
    assert (await _get(engines, url)).path == str(engines.path("a (1).bin"))
    assert engines.path("a.bin").read_bytes() == b"mine"
    assert engines.names() == ["a (1).bin", "a.bin"]


@pytest.mark.parametrize("size_bytes", [1000, LARGE_BYTES])
async def test_a_file_that_was_skipped_for_is_not_replaced_later(
    engines: Engines, fault_server: FaultServer, size_bytes: int
) -> None:
    """The row of what was skipped knows the path of what stood there, which is another's."""
    engines.dir.mkdir()
    engines.path("a.bin").write_bytes(b"mine")
    url = fault_server.add("/a.bin", Resource(size_bytes, seed=3))
    engine = await engines(journal=engines.journal)
    skipped = await ended(engine, await engine.add(url, options=TaskOptions(on_exists=OnExists.SKIP)))
    await engines.close(engine)
    assert skipped.path == str(engines.path("a.bin"))
    assert (await _retried(engines, url)).path == str(engines.path("a (1).bin"))
    assert engines.path("a.bin").read_bytes() == b"mine"


async def test_half_a_file_does_not_replace_what_it_was_skipped_for(
    engines: Engines, fault_server: FaultServer
) -> None:
    """What is taken up from a part file goes beside that, too."""
    _, task = await half_done(engines, fault_server, "/a.bin", Resource(LARGE_BYTES))
    fault_server.script("/a.bin", lies.status(403))
    engine = await engines(journal=engines.journal)
    failed = await ended(engine, task)
    await engines.close(engine)
    assert (failed.status, bool(failed.part_path)) == (Status.FAILED, True)
    fault_server.script("/a.bin")
    engines.path("a.bin").write_bytes(b"mine")
    engine = await engines(journal=engines.journal)
    skipped = await ended(engine, await engine.add(task.url, options=TaskOptions(on_exists=OnExists.SKIP)))
    await engines.close(engine)
    assert (skipped.status, skipped.path) == (Status.SKIPPED, str(engines.path("a.bin")))
    assert (await _retried(engines, task.url)).path == str(engines.path("a (1).bin"))
    assert engines.path("a.bin").read_bytes() == b"mine"


async def test_a_file_of_another_address_is_not_replaced(engines: Engines, fault_server: FaultServer, url: str) -> None:
    """It was saved where the one fetched before was removed, by a run that remembers nothing."""
    engines.path("a.bin").unlink()
    other = fault_server.add("/other/a.bin", NEW)
    engine = await engines(journal=engines.journal)
    there = await ended(engine, await engine.add(other))
    assert there.path == str(engines.path("a.bin"))
    await engines.close(engine)
    assert (await _get(engines, url)).path == str(engines.path("a (1).bin"))
    assert is_whole(there, NEW)


async def test_it_is_remembered_longer_than_the_history(engines: Engines, fault_server: FaultServer, url: str) -> None:
    """Mirrors are brought up to date once in a while, rows are forgotten after a month."""
    engine = await engines(journal=engines.journal)
    await engine.context.journal.clear_finished()
    await engines.close(engine)
    assert (await _get(engines, url)).status is Status.SKIPPED


async def test_a_run_without_it_is_remembered_too(engines: Engines, fault_server: FaultServer) -> None:
    """The row of an ordinary download tells its version."""
    url = fault_server.add("/a.bin", OLD)
    engine = await engines(journal=engines.journal)
    await ended(engine, await engine.add(url))
    await engines.close(engine)
    assert (await _get(engines, url)).status is Status.SKIPPED
