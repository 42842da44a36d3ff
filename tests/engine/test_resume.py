"""A second attempt with bytes at hand: proven and continued, or begun anew; never a mixture of two versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import LARGE_BYTES, MIB, ended, fetch, half_done, is_whole, log_of
from tests.faults import Resource, all_of, first, lies, tempers, when
from tests.faults.script import has_if_range, has_range
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.core.task import Flag

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tests.faults.script import Fault
    from tui_dl.core.task import DownloadTask

OLD = Resource(LARGE_BYTES, seed=1)
NEW = Resource(LARGE_BYTES, seed=2, etag='"v2"', last_modified_at=1_700_100_000.0)
NEW_SAME_DATE = Resource(LARGE_BYTES, seed=2, etag='"v2"')
HELD_BYTES = MIB + MIB // 2
KEPT_BYTES = HELD_BYTES - 4 * 1024
"""Bytes that a continued attempt need not fetch again; the last 64 KiB are compared."""


def part_of(task: DownloadTask) -> Path:
    """Return the path of a task's part file."""
    return Path(task.part_path)


def part_bytes(task: DownloadTask) -> int:
    """Return the length of a task's part file."""
    return part_of(task).stat().st_size


async def go_on(engines: Engines, task: DownloadTask, **settings: Any) -> DownloadTask:
    """Start again on the same journal and wait for the end."""
    engine = await engines(journal=engines.journal, **settings)
    return await ended(engine, task)


def sent_later(server: FaultServer, before_bytes: int) -> int:
    """Return the body bytes sent for the second attempt."""
    return server.bytes_sent("/f.bin") - before_bytes


@pytest.mark.parametrize(
    ("etag", "modified_at", "condition"),
    [
        ('"v1"', None, '"v1"'),
        ('"v1"', 1_700_000_000.0, '"v1"'),
        (None, 1_700_000_000.0, "Tue, 14 Nov 2023 22:13:20 GMT"),
        ('W/"v1"', 1_700_000_000.0, "Tue, 14 Nov 2023 22:13:20 GMT"),
        ('W/"v1"', None, None),
    ],
    ids=["etag", "both", "date", "weak and date", "weak"],
)
async def test_an_unchanged_file_goes_on_where_it_stopped(
    engines: Engines, fault_server: FaultServer, etag: str | None, modified_at: float | None, condition: str | None
) -> None:
    """The condition is the best validator there is; only the compared tail is fetched twice."""
    resource = Resource(LARGE_BYTES, etag=etag, last_modified_at=modified_at)
    _, task = await half_done(engines, fault_server, "/f.bin", resource)
    before = fault_server.bytes_sent("/f.bin")
    done = await go_on(engines, task)
    assert is_whole(done, resource)
    assert done.flags == frozenset()
    assert fault_server.requests[1].headers.get("if-range") == condition
    assert sent_later(fault_server, before) <= LARGE_BYTES - HELD_BYTES + 64 * 1024


async def test_a_small_rest_needs_no_more_than_its_bytes(engines: Engines, fault_server: FaultServer) -> None:
    """The first request of a second attempt begins a glance (4 KiB) before the first missing byte."""
    _, task = await half_done(engines, fault_server, "/f.bin", OLD)
    await go_on(engines, task)
    assert fault_server.requests[1].range_asked == f"bytes={KEPT_BYTES}-"


async def test_without_validator_a_small_beginning_is_dropped(engines: Engines, fault_server: FaultServer) -> None:
    """Nothing proves the version, and little is lost: it starts over, and the log says why."""
    resource = Resource(LARGE_BYTES, etag=None, last_modified_at=None)
    _, task = await half_done(engines, fault_server, "/f.bin", resource)
    engine = await engines(journal=engines.journal)
    done = await ended(engine, task)
    assert is_whole(done, resource)
    assert done.flags == frozenset()
    assert fault_server.requests[1].range_asked == "bytes=0-"
    assert "nothing proves" in await log_of(engine, task)


@pytest.fixture
def much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take what these tests hold for more than is dropped without asking."""
    monkeypatch.setattr("tui_dl.core.resume.RESTART_BELOW_BYTES", MIB)


NAMELESS = Resource(LARGE_BYTES, etag=None, last_modified_at=None)


async def test_without_validator_much_is_not_dropped_unasked(
    engines: Engines, fault_server: FaultServer, much: None
) -> None:
    """The task fails with the question; the part file is kept."""
    _, task = await half_done(engines, fault_server, "/f.bin", NAMELESS)
    done = await go_on(engines, task)
    assert (done.status, done.reason) == (Status.FAILED, Reason.UNVERIFIABLE_RESUME)
    assert part_bytes(done) >= HELD_BYTES


async def test_the_answer_to_the_question_is_to_start_over(
    engines: Engines, fault_server: FaultServer, much: None
) -> None:
    """Retry after "cannot prove it" drops what is held, once."""
    _, task = await half_done(engines, fault_server, "/f.bin", NAMELESS)
    engine = await engines(journal=engines.journal)
    await ended(engine, task)
    await engine.execute(Command(CommandName.RETRY, (task.id,)))
    done = await ended(engine, task)
    assert is_whole(done, NAMELESS)
    assert not done.options.restarts
    assert engines.names() == ["f.bin"]


async def test_without_validator_samples_prove_it_where_allowed(
    engines: Engines, fault_server: FaultServer, much: None
) -> None:
    """`resume_unverified = yes` compares and goes on; the row says that the version is unverified."""
    _, task = await half_done(engines, fault_server, "/f.bin", NAMELESS)
    before = fault_server.bytes_sent("/f.bin")
    done = await go_on(engines, task, resume_unverified="yes")
    assert is_whole(done, NAMELESS)
    assert done.flags == {Flag.VERSION_UNVERIFIED}
    assert sent_later(fault_server, before) < LARGE_BYTES


async def test_samples_that_differ_start_over(engines: Engines, fault_server: FaultServer, much: None) -> None:
    """A changed file without validators is found out by its bytes."""
    _, task = await half_done(engines, fault_server, "/f.bin", NAMELESS)
    changed = Resource(LARGE_BYTES, seed=2, etag=None, last_modified_at=None)
    fault_server.replace("/f.bin", changed)
    done = await go_on(engines, task, resume_unverified="yes")
    assert is_whole(done, changed)
    assert Flag.VERSION_UNVERIFIED not in done.flags


async def test_restart_drops_much_without_asking(engines: Engines, fault_server: FaultServer, much: None) -> None:
    """`resume_unverified = restart` needs no person."""
    _, task = await half_done(engines, fault_server, "/f.bin", NAMELESS)
    done = await go_on(engines, task, resume_unverified="restart")
    assert is_whole(done, NAMELESS)


VERSIONS = pytest.mark.parametrize(
    ("old", "new"),
    [
        (OLD, NEW),
        (OLD, NEW_SAME_DATE),
        (OLD, Resource(LARGE_BYTES + 5, seed=2, etag='"v2"')),
        (OLD, Resource(LARGE_BYTES - 5, seed=2, etag='"v2"')),
        (OLD, Resource(1000, seed=2, etag='"v2"')),
        (Resource(LARGE_BYTES, etag=None), Resource(LARGE_BYTES, seed=2, etag=None, last_modified_at=1_700_100_000.0)),
        (Resource(LARGE_BYTES, etag='W/"1"'), Resource(LARGE_BYTES, seed=2, etag='W/"2"', last_modified_at=1.7001e9)),
        (NAMELESS, Resource(LARGE_BYTES, seed=2, etag=None, last_modified_at=None)),
        (
            Resource(LARGE_BYTES, etag='W/"1"', last_modified_at=None),
            Resource(LARGE_BYTES, seed=2, etag='W/"1"', last_modified_at=None),
        ),
    ],
    ids=["etag", "same date", "longer", "shorter", "tiny", "date", "weak", "none", "weak lie"],
)


@VERSIONS
@pytest.mark.parametrize(
    "fault",
    [
        all_of(),
        lies.ignores_if_range,
        lies.never_meets_if_range,
        lies.ignores_range,
        when(has_if_range, lies.status(412)),
        lies.refuses_range(416),
    ],
    ids=["right", "ignores If-Range", "200 to If-Range", "200", "412", "416"],
)
async def test_a_changed_file_is_never_mixed(
    engines: Engines, fault_server: FaultServer, old: Resource, new: Resource, fault: Fault
) -> None:
    """Whatever the server does with the condition, the file is the new version alone."""
    _, task = await half_done(engines, fault_server, "/f.bin", old)
    fault_server.replace("/f.bin", new)
    fault_server.script("/f.bin", fault)
    done = await go_on(engines, task)
    assert is_whole(done, new)
    assert engines.names() == ["f.bin"]


async def test_a_changed_file_is_told(engines: Engines, fault_server: FaultServer) -> None:
    """Row and log say that it started over, and why."""
    _, task = await half_done(engines, fault_server, "/f.bin", OLD)
    fault_server.replace("/f.bin", NEW)
    engine = await engines(journal=engines.journal)
    done = await ended(engine, task)
    assert Flag.RESTARTED in done.flags
    assert "changed on the server" in await log_of(engine, task)


@pytest.mark.parametrize("old_etag", ['"v1"', None], ids=["etag", "date"])
async def test_a_cdn_that_answers_200_to_if_range_costs_nothing(
    engines: Engines, fault_server: FaultServer, old_etag: str | None
) -> None:
    """Unchanged size and validator: asked again without the condition, compared, continued."""
    resource = Resource(LARGE_BYTES, etag=old_etag)
    _, task = await half_done(engines, fault_server, "/f.bin", resource)
    fault_server.script("/f.bin", lies.never_meets_if_range)
    engine = await engines(journal=engines.journal)
    done = await ended(engine, task)
    assert is_whole(done, resource)
    assert "asks without" in await log_of(engine, task)
    assert fault_server.requests[-1].status == 206
    assert fault_server.requests[-1].sent_bytes <= LARGE_BYTES - HELD_BYTES + 64 * 1024


async def test_an_unchanged_file_from_a_server_that_ignores_ranges_is_read_whole(
    engines: Engines, fault_server: FaultServer
) -> None:
    """The same version from byte 0 replaces what is held, and is not called a change."""
    _, task = await half_done(engines, fault_server, "/f.bin", OLD)
    fault_server.script("/f.bin", lies.ignores_range)
    done = await go_on(engines, task)
    assert is_whole(done, OLD)
    assert Flag.RESTARTED not in done.flags


async def test_a_rotating_etag_ends_with_one_version(engines: Engines, fault_server: FaultServer) -> None:
    """A tag that is new in each answer proves nothing: it starts over, and does so once."""
    _, task = await half_done(engines, fault_server, "/f.bin", OLD)
    fault_server.script("/f.bin", lies.rotates_etag)
    done = await go_on(engines, task)
    assert is_whole(done, OLD)
    assert len(fault_server.requests) <= 3


@pytest.mark.parametrize("etag", ['"v1"', None], ids=["etag", "date"])
async def test_a_login_page_is_refused_and_the_part_kept(
    engines: Engines, fault_server: FaultServer, etag: str | None
) -> None:
    """A page where a file was in progress is neither appended nor a new version."""
    _, task = await half_done(engines, fault_server, "/f.bin", Resource(LARGE_BYTES, etag=etag))
    fault_server.script("/f.bin", lies.login_page)
    done = await go_on(engines, task)
    assert (done.status, done.reason) == (Status.FAILED, Reason.WEB_PAGE)
    assert part_bytes(done) >= HELD_BYTES
    assert "f.bin" not in engines.names()


async def test_after_the_login_page_it_goes_on(engines: Engines, fault_server: FaultServer) -> None:
    """Once the page is gone, a retry uses what was kept."""
    _, task = await half_done(engines, fault_server, "/f.bin", OLD)
    fault_server.script("/f.bin", first(1, lies.login_page))
    engine = await engines(journal=engines.journal)
    await ended(engine, task)
    await engine.execute(Command(CommandName.RETRY, (task.id,)))
    assert is_whole(await ended(engine, task), OLD)
    assert fault_server.requests[-1].range_asked == f"bytes={KEPT_BYTES}-"


async def test_416_though_incomplete_never_completes_it(engines: Engines, fault_server: FaultServer) -> None:
    """A refused rest is asked for without Range, never taken for the end."""
    _, task = await half_done(engines, fault_server, "/f.bin", OLD)
    fault_server.script("/f.bin", lies.unsatisfiable_though_incomplete)
    assert is_whole(await go_on(engines, task), OLD)


async def test_a_page_that_was_asked_for_may_be_replaced_by_a_page(engines: Engines, fault_server: FaultServer) -> None:
    """A long HTML file that changed is no login page."""
    old = Resource(LARGE_BYTES, etag=None, content_type="text/html")
    new = Resource(LARGE_BYTES, seed=2, etag=None, content_type="text/html", last_modified_at=1_700_100_000.0)
    _, task = await half_done(engines, fault_server, "/f.html", old)
    fault_server.replace("/f.html", new)
    fault_server.script("/f.html", lies.ignores_range)
    assert is_whole(await go_on(engines, task), new)


@VERSIONS
async def test_on_change_fail_keeps_the_old_part(
    engines: Engines, fault_server: FaultServer, old: Resource, new: Resource
) -> None:
    """A proven change fails the task and keeps what was fetched; what is merely unproven starts over."""
    _, task = await half_done(engines, fault_server, "/f.bin", old)
    fault_server.replace("/f.bin", new)
    done = await go_on(engines, task, on_change="fail")
    if old is NAMELESS:
        assert is_whole(done, new)
        return
    assert (done.status, done.reason) == (Status.FAILED, Reason.CHANGED)
    assert part_bytes(done) >= HELD_BYTES


async def test_retry_after_on_change_fail_fetches_the_new_version(engines: Engines, fault_server: FaultServer) -> None:
    """A person who saw that it changed starts over with `r`."""
    _, task = await half_done(engines, fault_server, "/f.bin", OLD)
    fault_server.replace("/f.bin", NEW)
    engine = await engines(journal=engines.journal, on_change="fail")
    await ended(engine, task)
    await engine.execute(Command(CommandName.RETRY, (task.id,)))
    assert is_whole(await ended(engine, task), NEW)


async def test_on_change_keep_both_leaves_the_old_part(engines: Engines, fault_server: FaultServer) -> None:
    """The new version is fetched beside the old part file, and the log names that."""
    _, task = await half_done(engines, fault_server, "/f.bin", OLD)
    fault_server.replace("/f.bin", NEW)
    engine = await engines(journal=engines.journal, on_change="keep-both")
    done = await ended(engine, task)
    assert is_whole(done, NEW)
    assert engines.names() == ["f.bin", "f.bin.tui-dl.part"]
    assert "the old version is kept" in await log_of(engine, task)


@pytest.mark.parametrize("new", [OLD, NEW], ids=["unchanged", "changed"])
async def test_a_file_of_unknown_length_goes_on_or_starts_over(
    engines: Engines, fault_server: FaultServer, new: Resource
) -> None:
    """Without a length the beginning counts only under the same validator."""
    _, task = await half_done(engines, fault_server, "/f.bin", OLD, lies.ignores_range, tempers.chunked)
    fault_server.replace("/f.bin", new)
    fault_server.script("/f.bin", tempers.chunked)
    assert is_whole(await go_on(engines, task), new)


async def test_a_file_of_unknown_length_that_changed_without_a_tag_starts_over(
    engines: Engines, fault_server: FaultServer
) -> None:
    """Neither length nor validator: the beginning is dropped."""
    _, task = await half_done(engines, fault_server, "/f.bin", NAMELESS, lies.ignores_range, tempers.chunked)
    changed = Resource(LARGE_BYTES, seed=2, etag=None, last_modified_at=None)
    fault_server.replace("/f.bin", changed)
    assert is_whole(await go_on(engines, task), changed)


@pytest.mark.parametrize("fault", [tempers.garbage(), lies.status(500), tempers.closes_at_once()])
async def test_a_failed_second_attempt_keeps_the_part(
    engines: Engines, fault_server: FaultServer, fault: Fault
) -> None:
    """A failed task keeps its part file for another try."""
    _, task = await half_done(engines, fault_server, "/f.bin", OLD)
    fault_server.script("/f.bin", fault)
    done = await go_on(engines, task, max_retries=1)
    assert done.status is Status.FAILED
    assert part_bytes(done) >= HELD_BYTES


@pytest.mark.parametrize("fault", [lies.serves_shifted_bytes(1000), when(has_range, lies.claims_shifted_range(7))])
async def test_a_lying_rest_never_makes_a_wrong_file(engines: Engines, fault_server: FaultServer, fault: Fault) -> None:
    """Shifted bytes are found out by the compared tail, shifted ranges by their header."""
    _, task = await half_done(engines, fault_server, "/f.bin", OLD)
    fault_server.script("/f.bin", first(1, fault))
    assert is_whole(await go_on(engines, task), OLD)


async def test_a_dropped_connection_goes_on_within_the_run(engines: Engines, fault_server: FaultServer) -> None:
    """A cut costs one more request, conditional on the same version."""
    task = await fetch(await engines(), fault_server.add("/f.bin", OLD, first(1, tempers.drop_after(MIB))))
    assert is_whole(task, OLD)
    assert fault_server.requests[1].headers["if-range"] == '"v1"'
    assert fault_server.bytes_sent("/f.bin") <= LARGE_BYTES + 64 * 1024


async def test_a_change_between_two_requests_of_one_run_starts_over(
    engines: Engines, fault_server: FaultServer
) -> None:
    """The second request sees another version: only that one is kept."""
    url = fault_server.add("/f.bin", OLD, tempers.stall_after(MIB))
    engine = await engines(timeout=0.2)
    task = await engine.add(url)
    await fault_server.wait_for(lambda: fault_server.stalled("/f.bin"))
    fault_server.replace("/f.bin", NEW)
    fault_server.script("/f.bin")
    done = await ended(engine, task)
    assert is_whole(done, NEW)
    assert Flag.RESTARTED in done.flags
