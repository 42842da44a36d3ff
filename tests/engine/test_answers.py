"""What a row keeps of its server's answer: status, media type, and the SHA-256 where it is asked for."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import LARGE_BYTES, ended, fetch, half_done
from tests.faults import Resource, lies, oracle
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer


def digest_of(resource: Resource, algorithm: str = "sha256") -> str:
    """Return the digest of a resource's content."""
    return hashlib.new(algorithm, oracle.content(resource.seed, 0, resource.size_bytes)).hexdigest()


async def test_a_completed_row_names_status_and_media_type(engines: Engines, fault_server: FaultServer) -> None:
    """Made harmless, as everything that a server says."""
    evil = lies.with_header("Content-Type", "image/png\x1b[31m; q=1")
    url = fault_server.add("/a.bin", Resource(100), evil)
    task = await fetch(await engines(), url)
    assert task.http_status in (200, 206)
    assert task.content_type.startswith("image/png")
    assert "\x1b" not in task.content_type


async def test_a_failed_row_names_the_status_that_it_failed_with(engines: Engines, fault_server: FaultServer) -> None:
    """A 503 is told apart from a 500, which have one reason."""
    url = fault_server.add("/a.bin", Resource(100), lies.status(503))
    task = await fetch(await engines(max_retries=0), url)
    assert (task.status, task.http_status) == (Status.FAILED, 503)


@pytest.mark.parametrize("size_bytes", [0, 20_000, 500_000, LARGE_BYTES])
async def test_the_sha256_is_of_the_bytes(engines: Engines, fault_server: FaultServer, size_bytes: int) -> None:
    """Of files in memory, hashed on the loop or in a thread, and of part files alike."""
    resource = Resource(size_bytes)
    task = await fetch(await engines(sha256=True), fault_server.add("/a.bin", resource))
    assert task.sha256 == digest_of(resource)


async def test_another_known_digest_does_not_stand_in_for_it(engines: Engines, fault_server: FaultServer) -> None:
    """The file is checked by the one and described by the other."""
    resource = Resource(LARGE_BYTES)
    options = TaskOptions(checksum=f"md5={digest_of(resource, 'md5')}")
    task = await fetch(await engines(sha256=True), fault_server.add("/a.bin", resource), options=options)
    assert task.sha256 == digest_of(resource)


async def test_it_is_not_computed_where_nobody_asks(engines: Engines, fault_server: FaultServer) -> None:
    """A batch that wants no manifest pays nothing."""
    task = await fetch(await engines(), fault_server.add("/a.bin", Resource(100)))
    assert task.sha256 == ""


async def test_a_resumed_file_has_the_sha256_of_the_whole(engines: Engines, fault_server: FaultServer) -> None:
    """What was held before is read, too."""
    resource = Resource(LARGE_BYTES)
    _, task = await half_done(engines, fault_server, "/a.bin", resource)
    engine = await engines(journal=engines.journal, sha256=True)
    assert (await ended(engine, task)).sha256 == digest_of(resource)
