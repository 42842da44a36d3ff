"""What the same version finished before is copied from where it lies, if it is still what it was."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import LARGE_BYTES, ended, is_whole
from tests.faults import FaultServer, Resource, oracle
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tui_dl.core.task import DownloadTask

SMALL = Resource(5000, seed=1)
LARGE = Resource(LARGE_BYTES, seed=1)


@pytest.fixture(params=[SMALL, LARGE], ids=["small", "large"])
def resource(request: pytest.FixtureRequest) -> Resource:
    """Return a file that is committed in a group, or one that has a part file."""
    assert isinstance(request.param, Resource)
    return request.param


async def _get(engines: Engines, url: str, folder: str, checksum: str = "", **settings: Any) -> DownloadTask:
    """Ask for an address as a run of its own does."""
    engine = await engines(journal=engines.journal, **{"cache": "on", **settings})
    task = await engine.add(url, dir=engines.dir / folder, options=TaskOptions(checksum=checksum))
    task = await ended(engine, task)
    await engines.close(engine)
    return task


async def test_the_same_version_is_copied(engines: Engines, fault_server: FaultServer, resource: Resource) -> None:
    """The server is asked whether it has another one, and sends no body."""
    url = fault_server.add("/a.bin", resource)
    await _get(engines, url, "first")
    sent = fault_server.bytes_sent("/a.bin")
    task = await _get(engines, url, "second")
    assert task.path == str(engines.dir / "second" / "a.bin")
    assert is_whole(task, resource)
    assert fault_server.requests[-1].headers["if-none-match"] == '"v1"'
    assert fault_server.bytes_sent("/a.bin") == sent
    assert not (engines.dir / "first" / "a.bin").samefile(task.path)


async def test_another_version_is_fetched(engines: Engines, fault_server: FaultServer, resource: Resource) -> None:
    """What lies elsewhere is older."""
    url = fault_server.add("/a.bin", resource)
    await _get(engines, url, "first")
    newer = Resource(resource.size_bytes, seed=2, etag='"v2"')
    fault_server.replace("/a.bin", newer)
    assert is_whole(await _get(engines, url, "second"), newer)


async def test_a_given_digest_needs_no_request(engines: Engines, fault_server: FaultServer, resource: Resource) -> None:
    """Whatever address it came from."""
    digest = hashlib.sha256(oracle.content(resource.seed, 0, resource.size_bytes)).hexdigest()
    await _get(engines, fault_server.add("/a.bin", resource), "first")
    asked = len(fault_server.requests)
    task = await _get(engines, fault_server.url("/elsewhere.bin"), "second", f"sha256={digest}")
    assert is_whole(task, resource)
    assert len(fault_server.requests) == asked
    assert task.path.endswith("/second/elsewhere.bin")


@pytest.mark.parametrize("damage", ["written", "in secret", "removed"])
async def test_what_is_not_as_it_was_is_not_copied(
    engines: Engines, fault_server: FaultServer, resource: Resource, damage: str
) -> None:
    """It is fetched; also where only its digest tells that somebody wrote to it."""
    url = fault_server.add("/a.bin", resource)
    first = await _get(engines, url, "first")
    path = engines.dir / "first" / "a.bin"
    if damage == "removed":
        path.unlink()
    else:
        before = path.stat()
        with path.open("r+b") as file:
            file.write(b"mine")
        if damage == "in secret":
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        else:
            os.utime(path, (2_000_000_000, 2_000_000_000))
    second = await _get(engines, url, "second")
    assert is_whole(second, resource)
    assert first.path != second.path


async def test_what_no_digest_proves_is_not_copied(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """A run with `if-modified` remembers the version, and nothing that would show what was written in secret."""
    url = fault_server.add("/a.bin", resource)
    await _get(engines, url, "first", cache="off", on_exists="if-modified")
    path = engines.dir / "first" / "a.bin"
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"mine")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert is_whole(await _get(engines, url, "second"), resource)


async def test_a_weak_version_is_not_copied(engines: Engines, fault_server: FaultServer) -> None:
    """It says that the file looks the same, not that it has the same bytes."""
    url = fault_server.add("/a.bin", Resource(5000, etag='W/"v1"', last_modified_at=None))
    for folder in ("first", "second"):
        assert (await _get(engines, url, folder)).status is Status.COMPLETED
        assert "if-none-match" not in fault_server.requests[-1].headers


async def test_without_it_everything_is_fetched(engines: Engines, fault_server: FaultServer) -> None:
    """Nothing is remembered, nothing is asked."""
    url = fault_server.add("/a.bin", SMALL)
    for folder in ("first", "second"):
        await _get(engines, url, folder, cache="off")
        assert "if-none-match" not in fault_server.requests[-1].headers


async def test_a_folder_keeps_copies(engines: Engines, fault_server: FaultServer, resource: Resource) -> None:
    """What was moved away from where it was put can still be had."""
    url = fault_server.add("/a.bin", resource)
    copies = str(engines.dir.parent / "copies")
    await _get(engines, url, "first", cache=copies)
    (engines.dir / "first" / "a.bin").unlink()
    sent = fault_server.bytes_sent("/a.bin")
    task = await _get(engines, url, "second", cache=copies)
    assert is_whole(task, resource)
    assert task.path.endswith("/second/a.bin")
    assert fault_server.bytes_sent("/a.bin") == sent


async def test_a_name_that_the_server_gave_stays(engines: Engines, fault_server: FaultServer) -> None:
    """Nobody is told it again by an answer without a body."""
    url = fault_server.add("/download", Resource(5000, content_disposition='attachment; filename="report.pdf"'))
    for folder in ("first", "second"):
        assert (await _get(engines, url, folder)).path.endswith(f"/{folder}/report.pdf")
