"""Another address for a task: what it holds is shown to fit and kept, or refused and kept; never mixed, never lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import LARGE_BYTES, MIB, ended, half_done, is_whole, log_of, received, row, until
from tests.faults import Resource, lies, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status
from tui_dl.core.task import Flag, TaskOptions

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

HELD_BYTES = MIB + MIB // 2
FILE = Resource(LARGE_BYTES)
ELSEWHERE = Resource(LARGE_BYTES, etag='"elsewhere"', last_modified_at=1_700_100_000.0)
NAMELESS = Resource(LARGE_BYTES, etag=None, last_modified_at=None)
OTHER = Resource(LARGE_BYTES, seed=2, etag='"v2"')
OTHER_OF_SAME_NAME = Resource(LARGE_BYTES, seed=2)
LONGER = Resource(LARGE_BYTES + 1, seed=1)


async def expired(
    engines: Engines, server: FaultServer, options: TaskOptions | None = None, **settings: Any
) -> tuple[AsyncDownloadEngine, DownloadTask]:
    """Return an engine with a task that failed half-way because its link expired."""
    _, task = await half_done(engines, server, "/old.bin", FILE, options=options)
    server.script("/old.bin", lies.status(403))
    engine = await engines(journal=engines.journal, **settings)
    failed = await ended(engine, task)
    assert (failed.status, failed.reason) == (Status.FAILED, Reason.FORBIDDEN)
    return engine, failed


def part_of(task: DownloadTask) -> bytes:
    """Return what a task's part file holds."""
    return Path(task.part_path).read_bytes()


def fetched_bytes(server: FaultServer, path: str = "/new.bin") -> int:
    """Return the body bytes that an address gave."""
    return server.bytes_sent(path)


@pytest.mark.parametrize("resource", [FILE, ELSEWHERE, NAMELESS], ids=["same names", "other names", "no names"])
async def test_an_expired_link_goes_on_at_a_fresh_one(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """What was held is compared with the new address and kept, whatever that one calls the version."""
    engine, task = await expired(engines, fault_server)
    outcome = await engine.refresh(task.id, fault_server.add("/new.bin", resource))
    assert (outcome.changed, outcome.is_refused) == (1, False)
    done = await ended(engine, task)
    assert is_whole(done, FILE)
    assert done.filename == "old.bin"
    assert done.url.endswith("/new.bin")
    assert not done.options.has_new_address


async def test_a_link_of_the_same_version_costs_only_what_is_missing(
    engines: Engines, fault_server: FaultServer
) -> None:
    """Same validator, same length, same 64 KiB: nothing more is asked, and nothing is in doubt."""
    engine, task = await expired(engines, fault_server)
    await engine.refresh(task.id, fault_server.add("/new.bin", FILE))
    done = await ended(engine, task)
    assert done.flags == frozenset()
    assert fetched_bytes(fault_server) <= LARGE_BYTES - HELD_BYTES + 128 * 1024


async def test_a_link_with_another_validator_is_compared_by_samples(
    engines: Engines, fault_server: FaultServer
) -> None:
    """The row says that it was compared, not proven; further requests carry the new validator."""
    engine, task = await expired(engines, fault_server)
    await engine.refresh(task.id, fault_server.add("/new.bin", ELSEWHERE))
    done = await ended(engine, task)
    assert done.flags == {Flag.VERSION_UNVERIFIED}
    assert done.validator.etag == ELSEWHERE.etag
    asked = [one for one in fault_server.requests if one.path == "/new.bin"]
    assert asked[-1].headers.get("if-range") == ELSEWHERE.etag


@pytest.mark.parametrize("seed", [1, 2], ids=["same file", "another file"])
async def test_what_several_connections_left_is_compared_and_kept(
    engines: Engines, fault_server: FaultServer, seed: int
) -> None:
    """Holes between the pieces held are filled from the new address, or nothing is touched."""
    size_bytes = 24 * MIB
    url = fault_server.add("/old.bin", Resource(size_bytes), tempers.pace(4 * MIB))
    engine = await engines(connections=4)
    task = await engine.add(url)
    await until(lambda: received(engine, task) >= 6 * MIB)
    await engine.execute(Command(CommandName.PAUSE, ids=(task.id,)))
    details = await engine.details(task.id)
    assert details is not None
    assert len(details.held) > 1
    new = Resource(size_bytes, seed=seed, etag='"elsewhere"')
    await engine.refresh(task.id, fault_server.add("/new.bin", new, tempers.pace(16 * MIB)))
    await engine.execute(Command(CommandName.RESUME, ids=(task.id,)))
    done = await ended(engine, task)
    if seed == 1:
        assert is_whole(done, new)
        # Each range that is split or ends loses what its connection was already sent.
        assert fetched_bytes(fault_server) < size_bytes - 3 * MIB
    else:
        assert (done.status, done.reason) == (Status.FAILED, Reason.CHANGED)
        after = await engine.details(task.id)
        assert after is not None
        assert after.held == details.held


@pytest.mark.parametrize(
    "resource", [OTHER, OTHER_OF_SAME_NAME, LONGER], ids=["other version", "same names, other bytes", "other length"]
)
@pytest.mark.parametrize("on_change", ["restart", "keep-both"])
async def test_another_file_is_refused_and_costs_nothing(
    engines: Engines, fault_server: FaultServer, resource: Resource, on_change: str
) -> None:
    """A wrong link must not cost what has arrived, whatever `on_change` says of files that change by themselves."""
    engine, task = await expired(engines, fault_server, on_change=on_change)
    held = part_of(task)
    await engine.refresh(task.id, fault_server.add("/new.bin", resource))
    failed = await ended(engine, task)
    assert (failed.status, failed.reason) == (Status.FAILED, Reason.CHANGED)
    assert "another file" in failed.reason_text
    assert part_of(failed) == held


async def test_after_a_wrong_link_the_right_one_still_goes_on(engines: Engines, fault_server: FaultServer) -> None:
    """What was refused was refused for nothing but itself."""
    engine, task = await expired(engines, fault_server)
    await engine.refresh(task.id, fault_server.add("/wrong.bin", OTHER))
    await ended(engine, task)
    await engine.refresh(task.id, fault_server.add("/new.bin", FILE))
    assert is_whole(await ended(engine, task), FILE)
    assert fetched_bytes(fault_server) <= LARGE_BYTES - HELD_BYTES + 128 * 1024


async def test_after_a_wrong_link_a_retry_takes_it_from_the_start(engines: Engines, fault_server: FaultServer) -> None:
    """Whoever tries again after the warning means that file."""
    engine, task = await expired(engines, fault_server)
    await engine.refresh(task.id, fault_server.add("/new.bin", OTHER))
    await ended(engine, task)
    await engine.execute(Command(CommandName.RETRY, ids=(task.id,)))
    assert is_whole(await ended(engine, task), OTHER)


async def test_a_web_page_is_refused_and_costs_nothing(engines: Engines, fault_server: FaultServer) -> None:
    """A login page is what a link copied from the wrong place gives."""
    engine, task = await expired(engines, fault_server)
    page = Resource(body=b"<html>log in</html>", content_type="text/html", etag=None, last_modified_at=None)
    held = part_of(task)
    await engine.refresh(task.id, fault_server.add("/new.bin", page, lies.ignores_range))
    failed = await ended(engine, task)
    assert (failed.status, failed.reason) == (Status.FAILED, Reason.WEB_PAGE)
    assert part_of(failed) == held


@pytest.mark.parametrize(("resource", "is_known"), [(FILE, True), (NAMELESS, False)], ids=["same names", "no names"])
async def test_an_address_without_ranges(
    engines: Engines, fault_server: FaultServer, resource: Resource, *, is_known: bool
) -> None:
    """With the same version the whole file runs over what is held; otherwise nothing can be compared."""
    engine, task = await expired(engines, fault_server)
    await engine.refresh(task.id, fault_server.add("/new.bin", resource, lies.ignores_range))
    done = await ended(engine, task)
    if is_known:
        assert is_whole(done, FILE)
    else:
        assert (done.status, done.reason) == (Status.FAILED, Reason.UNVERIFIABLE_RESUME)
        assert part_of(done)


async def test_a_running_task_is_stopped_and_goes_on(engines: Engines, fault_server: FaultServer) -> None:
    """The connection to the old address ends, and what it gave is kept."""
    engine = await engines()
    task = await engine.add(fault_server.add("/old.bin", FILE, tempers.stall_after(HELD_BYTES)))
    await until(lambda: received(engine, task) >= HELD_BYTES)
    await engine.refresh(task.id, fault_server.add("/new.bin", FILE))
    assert is_whole(await ended(engine, task), FILE)
    assert fetched_bytes(fault_server) <= LARGE_BYTES - HELD_BYTES + 128 * 1024


async def test_a_paused_task_stays_paused(engines: Engines, fault_server: FaultServer) -> None:
    """Only a person pauses and resumes; the message says so."""
    engine = await engines()
    task = await engine.add(fault_server.add("/old.bin", FILE, tempers.stall_after(HELD_BYTES)))
    await until(lambda: received(engine, task) >= HELD_BYTES)
    await engine.execute(Command(CommandName.PAUSE, ids=(task.id,)))
    outcome = await engine.refresh(task.id, fault_server.add("/new.bin", FILE))
    assert "still paused" in outcome.message
    assert (await row(engine, task)).status is Status.PAUSED
    await engine.execute(Command(CommandName.RESUME, ids=(task.id,)))
    assert is_whole(await ended(engine, task), FILE)


async def test_a_waiting_task_does_not_wait_any_longer(engines: Engines, fault_server: FaultServer) -> None:
    """What it waited for was the old address's."""
    engine = await engines(retry_delay=3600.0)
    task = await engine.add(fault_server.add("/old.bin", FILE, lies.status(503)))
    await until(lambda: engine.progress(task.id) and engine.snapshot().live[task.id].task.status is Status.WAITING)
    other = fault_server.add("/new.bin", FILE).replace("127.0.0.1", "localhost")
    await engine.refresh(task.id, other)
    done = await ended(engine, task)
    assert is_whole(done, FILE)
    assert done.filename == "new.bin"


async def test_the_new_address_is_the_rows_identity(engines: Engines, fault_server: FaultServer) -> None:
    """Added again it is known; the old one is free again."""
    engine, task = await expired(engines, fault_server)
    url = fault_server.add("/new.bin", FILE)
    await engine.refresh(task.id, url)
    await ended(engine, task)
    assert (await engine.add(url)).id == task.id
    assert (await engine.add(task.url)).id != task.id


async def test_an_address_that_another_row_has_is_refused(engines: Engines, fault_server: FaultServer) -> None:
    """Two rows would fetch into two files what is one; the message names the other."""
    engine, task = await expired(engines, fault_server)
    url = fault_server.add("/new.bin", FILE)
    other = await engine.add(url)
    outcome = await engine.refresh(task.id, url)
    assert outcome.is_refused
    assert "in the queue already: new.bin" in outcome.message
    assert (await row(engine, task)).url == task.url
    await ended(engine, other)


async def test_a_finished_task_is_left_alone(engines: Engines, fault_server: FaultServer) -> None:
    """It has its file; so does one that is gone."""
    engine = await engines()
    task = await ended(engine, await engine.add(fault_server.add("/old.bin", FILE)))
    outcome = await engine.refresh(task.id, fault_server.add("/new.bin", FILE))
    assert outcome.is_refused
    assert "completed" in outcome.message
    assert (await engine.refresh(4711, "https://h.example/")).is_refused


async def test_several_at_once_are_refused(engines: Engines) -> None:
    """One address is of one file."""
    engine = await engines()
    with pytest.raises(UsageError, match="one download"):
        await engine.execute(Command(CommandName.REFRESH, ids=(1, 2), arguments={"url": "https://h.example/"}))
    with pytest.raises(UsageError, match="http"):
        await engine.refresh(1, "nonsense")


SECRETS = TaskOptions(headers=(("Cookie", "sid=1"), ("Accept-Language", "de")))


async def test_cookies_do_not_follow_to_another_host(engines: Engines, fault_server: FaultServer) -> None:
    """They belong to the origin that they were given for; what tells nothing of the person stays."""
    engine, task = await expired(engines, fault_server, options=SECRETS)
    url = fault_server.add("/new.bin", FILE).replace("127.0.0.1", "localhost")
    outcome = await engine.refresh(task.id, url)
    assert "1 header of the other host left out" in outcome.message
    assert is_whole(await ended(engine, task), FILE)
    assert "cookie" not in fault_server.requests[-1].headers
    assert fault_server.requests[-1].headers["accept-language"] == "de"


async def test_cookies_stay_with_their_host(engines: Engines, fault_server: FaultServer) -> None:
    """A fresh link of the same host wants them still."""
    engine, task = await expired(engines, fault_server, options=SECRETS)
    await engine.refresh(task.id, fault_server.add("/new.bin", FILE))
    await ended(engine, task)
    assert fault_server.requests[-1].headers["cookie"] == "sid=1"


async def test_headers_that_are_given_replace_the_old_ones(engines: Engines, fault_server: FaultServer) -> None:
    """As a pasted curl command has all of them."""
    engine, task = await expired(engines, fault_server, options=SECRETS)
    await engine.refresh(task.id, fault_server.add("/new.bin", FILE), [("Cookie", "sid=2")])
    await ended(engine, task)
    assert fault_server.requests[-1].headers["cookie"] == "sid=2"
    assert "accept-language" not in fault_server.requests[-1].headers


async def test_a_refreshed_link_survives_a_restart(engines: Engines, fault_server: FaultServer) -> None:
    """The address, what is held, and that both must be compared, are in the journal."""
    _, task = await half_done(engines, fault_server, "/old.bin", FILE)
    engine = await engines(journal=engines.journal, concurrent_downloads=1)
    await engine.execute(Command(CommandName.PAUSE, ids=(task.id,)))
    await engine.refresh(task.id, fault_server.add("/new.bin", OTHER))
    await engines.close(engine)
    engine = await engines(journal=engines.journal)
    (task_id,) = await engine.view(TaskQuery())
    await engine.execute(Command(CommandName.RESUME, ids=(task_id,)))
    failed = await ended(engine, task)
    assert (failed.status, failed.reason) == (Status.FAILED, Reason.CHANGED)


async def test_the_log_tells_of_the_new_address(engines: Engines, fault_server: FaultServer) -> None:
    """Whoever wonders later why it went on sees it."""
    engine, task = await expired(engines, fault_server)
    await engine.refresh(task.id, fault_server.add("/new.bin?token=hunter2", FILE))
    await ended(engine, task)
    log = await log_of(engine, task)
    assert "another address" in log
    assert "hunter2" not in log


async def test_a_link_that_works_once_is_used_for_the_file(engines: Engines, fault_server: FaultServer) -> None:
    """Where the validator is the same, the first request goes on; no other one is spent on a comparison."""
    engine, task = await expired(engines, fault_server)
    await engine.refresh(task.id, fault_server.add("/new.bin", FILE, lies.once_only()))
    assert is_whole(await ended(engine, task), FILE)


async def test_a_link_that_works_once_and_names_another_version_is_not_believed(
    engines: Engines, fault_server: FaultServer
) -> None:
    """The samples cannot be had, so nothing is added to what is held."""
    engine, task = await expired(engines, fault_server)
    held = part_of(task)
    await engine.refresh(task.id, fault_server.add("/new.bin", ELSEWHERE, lies.once_only()))
    failed = await ended(engine, task)
    assert (failed.status, failed.reason) == (Status.FAILED, Reason.UNVERIFIABLE_RESUME)
    assert "once only" in failed.reason_text
    assert part_of(failed) == held


async def test_a_mirror_goes_on_where_the_new_link_is_wrong(engines: Engines, fault_server: FaultServer) -> None:
    """One wrong link among several sources costs that source alone."""
    mirror = fault_server.add("/mirror.bin", FILE, lies.status(403))
    options = TaskOptions(mirrors=(mirror,))
    engine, task = await expired(engines, fault_server, options=options, max_retries=0)
    fault_server.script("/mirror.bin")
    await engine.refresh(task.id, fault_server.add("/new.bin", OTHER))
    assert is_whole(await ended(engine, task), FILE)
