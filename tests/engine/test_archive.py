"""What the archive has is not fetched again, in any folder."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from tests.engine.stage import ended
from tests.faults import FaultServer, Resource
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tui_dl.core.task import DownloadTask

BODY = b"once and for all"
HEX = hashlib.sha256(BODY).hexdigest()
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()


async def _get(engines: Engines, url: str, folder: str = "", **words: Any) -> DownloadTask:
    """Ask for an address as a run of its own does."""
    words = {"archive": True, **words}
    options = TaskOptions(checksum=words.pop("checksum", ""))
    engine = await engines(journal=engines.journal, **words)
    task = await ended(engine, await engine.add(url, dir=engines.dir / folder, options=options))
    await engines.close(engine)
    return task


async def test_an_address_that_is_done_is_not_done_elsewhere(engines: Engines, fault_server: FaultServer) -> None:
    """No request, no file, and the row says why."""
    url = fault_server.add("/a.bin", Resource(body=BODY))
    assert (await _get(engines, url)).status is Status.COMPLETED
    again = await _get(engines, url, "elsewhere")
    assert (again.status, again.reason) == (Status.SKIPPED, Reason.ARCHIVED)
    assert len(fault_server.requests) == 1
    assert not (engines.dir / "elsewhere").exists()


async def test_a_digest_that_is_done_is_not_done_again(engines: Engines, fault_server: FaultServer) -> None:
    """Whatever the address, and whichever digest was given."""
    first = fault_server.add("/a.bin", Resource(body=BODY))
    second = fault_server.add("/b.bin", Resource(body=BODY))
    assert (await _get(engines, first, checksum=f"md5={MD5}", sha256=True)).status is Status.COMPLETED
    for checksum in (f"md5={MD5}", f"sha256={HEX}"):
        assert (await _get(engines, second, checksum=checksum)).reason is Reason.ARCHIVED
    assert len(fault_server.requests) == 1


async def test_a_digest_that_the_server_names_ends_it_before_the_body(
    engines: Engines, fault_server: FaultServer
) -> None:
    """The answer says that the bytes are known."""
    value = base64.b64encode(bytes.fromhex(HEX)).decode()
    await _get(engines, fault_server.add("/a.bin", Resource(body=BODY)), sha256=True)
    named = fault_server.add("/b.bin", Resource(body=BODY, headers=(("Digest", f"sha-256={value}"),)))
    assert (await _get(engines, named)).reason is Reason.ARCHIVED
    assert engines.names() == ["a.bin"]


async def test_a_removed_file_stays_removed(engines: Engines, fault_server: FaultServer) -> None:
    """It was done: that its file is gone is somebody's decision."""
    url = fault_server.add("/a.bin", Resource(body=BODY))
    await _get(engines, url)
    engines.path("a.bin").unlink()
    assert (await _get(engines, url)).status is Status.COMPLETED
    assert len(fault_server.requests) == 1


async def test_what_is_forgotten_is_done_again(engines: Engines, fault_server: FaultServer) -> None:
    """Forgetting takes out the address."""
    url = fault_server.add("/a.bin", Resource(body=BODY))
    await _get(engines, url)
    engine = await engines(journal=engines.journal)
    remembered = engine.context.journal.remembered
    assert [(one.kind, one.key) for one in await remembered.archive_entries(("", ""), 10)] == [("url", url)]
    assert await remembered.forget_archived([url, "http://nowhere.example/"]) == 1
    await engines.close(engine)
    assert (await _get(engines, url, "elsewhere")).status is Status.COMPLETED


async def test_without_it_nothing_is_remembered(engines: Engines, fault_server: FaultServer) -> None:
    """Whoever does not ask for an archive has none, and what is in one does not count."""
    url = fault_server.add("/a.bin", Resource(body=BODY))
    await _get(engines, url, archive=False)
    assert (await _get(engines, url, "b")).status is Status.COMPLETED
    assert (await _get(engines, url, "c", archive=False)).status is Status.COMPLETED


async def test_the_same_address_twice_at_once_is_done_once(engines: Engines, fault_server: FaultServer) -> None:
    """Both wait when they are added; whoever comes second finds it done."""
    url = fault_server.add("/a.bin", Resource(body=BODY))
    engine = await engines(archive=True, concurrent_downloads=1)
    tasks = [await engine.add(url, dir=engines.dir / folder) for folder in ("a", "b")]
    ends = {(await ended(engine, task)).status for task in tasks}
    assert ends == {Status.COMPLETED, Status.SKIPPED}


async def test_the_same_digest_twice_at_once_is_done_once(engines: Engines, fault_server: FaultServer) -> None:
    """Two addresses of one file: whoever comes second asks nobody for it."""
    urls = [fault_server.add(path, Resource(body=BODY)) for path in ("/a.bin", "/b.bin")]
    engine = await engines(archive=True)
    options = TaskOptions(checksum=f"md5={MD5}")
    tasks = [await engine.add(url, options=options) for url in urls]
    ends = {(await ended(engine, task)).status for task in tasks}
    assert ends == {Status.COMPLETED, Status.SKIPPED}
    assert len(fault_server.requests) == 1


async def test_a_retry_does_not_go_round_it(engines: Engines, fault_server: FaultServer) -> None:
    """A retry of many rows fetches nothing that is done."""
    url = fault_server.add("/a.bin", Resource(body=BODY))
    await _get(engines, url)
    engine = await engines(journal=engines.journal, archive=True)
    task = await engine.add(url, dir=engines.dir / "b")
    await engine.execute(Command(CommandName.RETRY, ids=(task.id,)))
    assert (await ended(engine, task)).reason is Reason.ARCHIVED
