"""What is there already is found by one listing of the folder, however long the list of addresses."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from tests.engine.stage import ended, until
from tests.faults import FaultServer, Resource, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.events import EventKind
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask, OnExists, TaskOptions
from tui_dl.engine.existing import FEW_LOOKS
from tui_dl.engine.wishes import checked_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from tests.engine.stage import Engines
    from tui_dl.engine.engine import AsyncDownloadEngine
    from tui_dl.journal.outcomes import AddOutcome

COUNT = 4 * FEW_LOOKS
SMALL = Resource(1000)
SKIP = TaskOptions(on_exists=OnExists.SKIP)


def _wish(engines: Engines, url: str, folder: str = "") -> NewTask:
    return checked_task(url, str(engines.dir / folder), "", SKIP)


async def _add(engine: AsyncDownloadEngine, news: Sequence[NewTask]) -> list[AddOutcome]:
    """Add a list, all of it a batch of one name."""
    return await engine.add_checked(news, batch="list.txt")


async def _ends(engine: AsyncDownloadEngine, outcomes: Sequence[AddOutcome]) -> Counter[Status]:
    ids = [outcome.task.id for outcome in outcomes]
    await engine.wait(ids)
    return Counter(task.status for task in await engine.rows(ids))


async def _fetch_all(engines: Engines, server: FaultServer) -> Counter[Status]:
    engine = await engines(concurrent_downloads=4)
    urls = [server.add(f"/{number}.bin", SMALL) for number in range(COUNT)]
    return await _ends(engine, await _add(engine, [_wish(engines, url) for url in urls]))


async def test_every_second_one_that_is_there_is_left_alone(engines: Engines, fault_server: FaultServer) -> None:
    """Those that are there cost no request and stay as they are."""
    engines.dir.mkdir()
    for number in range(0, COUNT, 2):
        engines.path(f"{number}.bin").write_bytes(b"mine")
    ends = await _fetch_all(engines, fault_server)
    assert ends == {Status.SKIPPED: COUNT // 2, Status.COMPLETED: COUNT // 2}
    assert len(fault_server.requests) == COUNT // 2
    assert all(engines.path(f"{number}.bin").read_bytes() == b"mine" for number in range(0, COUNT, 2))


async def test_what_is_there_starts_no_transfer(engines: Engines) -> None:
    """It is added and skipped in one step, and told so."""
    engines.dir.mkdir()
    engines.path("a.bin").touch()
    engine = await engines()
    (outcome,) = await _add(engine, [_wish(engines, "http://127.0.0.1:9/a.bin")])
    assert (outcome.task.status, outcome.task.path) == (Status.SKIPPED, str(engines.path("a.bin")))
    assert [event.kind for event in engines.events] == [EventKind.ADDED, EventKind.SKIPPED]


async def test_what_the_batch_itself_makes_is_not_taken_for_older(engines: Engines, fault_server: FaultServer) -> None:
    """Addresses of one name that come in later pieces of the list are saved beside, never skipped."""
    engine = await engines(concurrent_downloads=4)
    ends: Counter[Status] = Counter()
    for number in range(3):
        url = fault_server.add(f"/{number}/image.jpg", Resource(1000, number))
        ends += await _ends(engine, await _add(engine, [_wish(engines, url)]))
    assert ends == {Status.COMPLETED: 3}
    assert engines.names() == ["image (1).jpg", "image (2).jpg", "image.jpg"]


async def test_a_long_list_is_not_looked_at_one_by_one(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each folder is listed, and no address is looked for."""
    looked: list[str] = []
    listed: list[str] = []
    real_look, real_list = os.path.lexists, os.scandir

    def lexists(path: str) -> bool:
        looked.append(str(path))
        return real_look(path)

    def scandir(path: str) -> os._ScandirIterator[str]:
        listed.append(str(path))
        return real_list(path)

    monkeypatch.setattr("os.path.lexists", lexists)
    monkeypatch.setattr("os.scandir", scandir)
    engine = await engines(concurrent_downloads=4)
    urls = [fault_server.add(f"/{number}.bin", SMALL) for number in range(COUNT)]
    news = [_wish(engines, url, f"{number % 2}") for number, url in enumerate(urls)]
    for start in range(0, COUNT, COUNT // 2):
        assert await _ends(engine, await _add(engine, news[start : start + COUNT // 2])) == {
            Status.COMPLETED: COUNT // 2
        }
    assert not [path for path in looked if path.startswith(str(engines.dir)) and path.endswith(".bin")]
    listings = Counter(path for path in listed if path.startswith(str(engines.dir)))
    assert set(listings) == {str(engines.dir / "0"), str(engines.dir / "1")}
    # Once for what was there before, and once by who gives names.
    assert max(listings.values()) <= 2


async def test_a_second_run_skips_what_each_address_has(engines: Engines, fault_server: FaultServer) -> None:
    """Many of one name: every address knows its own file, so that nothing is asked for again."""
    urls = [fault_server.add(f"/{number}/image.jpg", Resource(1000, number)) for number in range(5)]
    news = [_wish(engines, url) for url in urls]
    for _ in range(2):
        engine = await engines(journal=engines.journal)
        assert await _ends(engine, await _add(engine, news)) == {Status.COMPLETED: 5}
        await engine.end_batch("list.txt")
        await engines.close(engine)
    assert len(fault_server.requests) == 5
    assert len(engines.names()) == 5


async def test_one_whose_file_is_gone_is_fetched_again(engines: Engines, fault_server: FaultServer) -> None:
    """Of many that are done only that one is asked for again."""
    news = [_wish(engines, fault_server.add(f"/{number}.bin", SMALL)) for number in range(COUNT)]
    engine = await engines()
    await _ends(engine, await _add(engine, news))
    engines.path("7.bin").unlink()
    await _ends(engine, await _add(engine, news))
    assert len(fault_server.requests) == COUNT + 1
    assert len(engines.names()) == COUNT


# -- a run that was killed ---------------------------------------------------------------------------------------------


async def _killed_run(engines: Engines, server: FaultServer) -> list[NewTask]:
    """Complete the first of two addresses of one name, then lose the process; returns the list with a third one."""
    urls = [server.add(f"/{number}/image.jpg", Resource(1000, number)) for number in range(3)]
    server.script("/1/image.jpg", tempers.stall_after(10))
    news = [_wish(engines, url) for url in urls]
    engine = await engines(journal=engines.journal, concurrent_downloads=1)
    first, _ = await _add(engine, news[:2])
    assert (await ended(engine, first.task)).status is Status.COMPLETED
    await engines.close(engine)
    server.script("/1/image.jpg")
    return news


async def test_what_a_killed_run_made_is_not_from_before(engines: Engines, fault_server: FaultServer) -> None:
    """Neither an address that waited nor one of a line that had not been read is skipped for another's file."""
    news = await _killed_run(engines, fault_server)
    engine = await engines(journal=engines.journal)
    assert await _ends(engine, await _add(engine, news)) == {Status.COMPLETED: 3}
    assert engines.names() == ["image (1).jpg", "image (2).jpg", "image.jpg"]


async def test_what_a_finished_run_made_is_from_before(engines: Engines, fault_server: FaultServer) -> None:
    """Once a batch came to its end, a new address in the list of that name leaves alone what is there."""
    news = await _killed_run(engines, fault_server)
    engine = await engines(journal=engines.journal)
    assert await _ends(engine, await _add(engine, news[:2])) == {Status.COMPLETED: 2}
    await engine.end_batch("list.txt")
    assert await _ends(engine, await _add(engine, news)) == {Status.COMPLETED: 2, Status.SKIPPED: 1}


async def test_a_file_named_but_not_recorded_is_not_from_before(engines: Engines, fault_server: FaultServer) -> None:
    """The process died between the name and the record: its row waits still, and claims the name."""
    news = await _killed_run(engines, fault_server)
    engines.path("image.jpg").rename(engines.path("other.jpg"))
    engines.path("image.jpg").write_bytes(b"of the second address")
    engine = await engines(journal=engines.journal)
    outcomes = await _add(engine, news)
    assert await _ends(engine, outcomes[1:]) == {Status.COMPLETED: 2}
    assert engines.path("image.jpg").read_bytes() == b"of the second address"


async def test_a_failed_one_is_not_skipped_for_anothers_file(engines: Engines, fault_server: FaultServer) -> None:
    """It is tried again after a whole run, and saved beside what another address of the list has taken."""
    urls = [fault_server.add("/0/image.jpg", SMALL), fault_server.url("/1/image.jpg")]
    news = [_wish(engines, url) for url in urls]
    engine = await engines(journal=engines.journal)
    assert await _ends(engine, await _add(engine, news)) == {Status.COMPLETED: 1, Status.FAILED: 1}
    await engine.end_batch("list.txt")
    fault_server.add("/1/image.jpg", Resource(1000, 1))
    known = await _add(engine, news)
    assert not known[1].is_left
    await engine.execute(Command(CommandName.RETRY, ids=(known[1].task.id,)))
    assert await _ends(engine, known) == {Status.COMPLETED: 2}
    assert engines.names() == ["image (1).jpg", "image.jpg"]


async def test_a_skipped_one_that_is_tried_again_is_skipped_again(engines: Engines) -> None:
    """A retry of all rows fetches nothing that is there."""
    engines.dir.mkdir()
    engines.path("a.bin").touch()
    engine = await engines()
    (outcome,) = await _add(engine, [_wish(engines, "http://127.0.0.1:9/a.bin")])
    await engine.execute(Command(CommandName.RETRY, ids=(outcome.task.id,)))
    await until(lambda: [event.kind for event in engines.events].count(EventKind.SKIPPED) == 2)
    assert (await ended(engine, outcome.task)).status is Status.SKIPPED


async def test_a_name_that_the_server_gives_is_looked_for(engines: Engines, fault_server: FaultServer) -> None:
    """What stood there before the batch stays alone; what the batch made a moment ago does not count."""
    engines.dir.mkdir()
    engines.path("there.bin").write_bytes(b"mine")
    named = {"there": "there.bin", "one": "new.bin", "two": "new.bin"}
    news = []
    for path, name in named.items():
        resource = Resource(1000, len(path), content_disposition=f'attachment; filename="{name}"')
        news.append(_wish(engines, fault_server.add(f"/{path}", resource)))
    engine = await engines(concurrent_downloads=1)
    assert await _ends(engine, await _add(engine, news)) == {Status.SKIPPED: 1, Status.COMPLETED: 2}
    assert engines.names() == ["new (1).bin", "new.bin", "there.bin"]
    assert engines.path("there.bin").read_bytes() == b"mine"
