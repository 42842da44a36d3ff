"""A known digest is checked before a file gets its name (P13)."""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import LARGE_BYTES, MIB, ended, fetch, half_done, is_whole, log_of, received, until
from tests.faults import Resource, first, lies, oracle, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions
from tui_dl.disk.part_file import PartFile
from tui_dl.engine import hashing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tests.faults.script import Exchange, Fault, Reply

SMALL = Resource(20_000)
LARGE = Resource(LARGE_BYTES)
SIZES = pytest.mark.parametrize("resource", [SMALL, LARGE], ids=["small", "large"])


def value_of(resource: Resource, algorithm: str = "sha256") -> str:
    """Return the digest of a resource's content."""
    body = oracle.content(resource.seed, 0, resource.size_bytes) if resource.body is None else resource.body
    return hashlib.new(algorithm, body).hexdigest()


def wanted(resource: Resource, algorithm: str = "sha256") -> TaskOptions:
    """Return options that ask for a resource's digest."""
    return TaskOptions(checksum=f"{algorithm}={value_of(resource, algorithm)}")


def spoiled(_exchange: Exchange, reply: Reply) -> Reply:
    """Carry other bytes of the same length under the same validator."""
    return replace(reply, body=replace(reply.body, seed=99))


def announces(resource: Resource, header: str = "Repr-Digest") -> Fault:
    """Name a resource's digest in a header."""
    encoded = base64.b64encode(bytes.fromhex(value_of(resource))).decode()
    return lies.with_header(header, f"sha-256=:{encoded}:")


@SIZES
@pytest.mark.parametrize("algorithm", ["sha256", "md5", "blake2b"])
async def test_a_file_with_the_given_digest_completes(
    engines: Engines, fault_server: FaultServer, resource: Resource, algorithm: str
) -> None:
    """One request; a SHA-256 that was computed is in the row."""
    url = fault_server.add("/f.bin", resource)
    task = await fetch(await engines(), url, options=wanted(resource, algorithm))
    assert is_whole(task, resource)
    assert task.sha256 == (value_of(resource) if algorithm == "sha256" else "")


@SIZES
async def test_a_file_that_differs_once_is_fetched_again(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """The log says so with both values; no other file is left."""
    url = fault_server.add("/f.bin", resource, first(1, spoiled))
    engine = await engines(connections=1)
    task = await fetch(engine, url, options=wanted(resource))
    assert is_whole(task, resource)
    assert engines.names() == ["f.bin"]
    log = await log_of(engine, task)
    assert value_of(resource) in log
    assert "fetched once more" in log


@SIZES
async def test_a_file_that_differs_twice_never_gets_its_name(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """It fails with both values, without further retries; what a part file holds is kept."""
    url = fault_server.add("/f.bin", resource, spoiled)
    task = await fetch(await engines(connections=1), url, options=wanted(resource))
    assert (task.status, task.reason) == (Status.FAILED, Reason.DIGEST_MISMATCH)
    assert value_of(resource) in task.reason_text
    assert value_of(replace(resource, seed=99)) in task.reason_text
    assert engines.names() == ([Path(task.part_path).name] if resource is LARGE else [])
    assert len(fault_server.requests) == 2


async def test_a_retry_starts_over(engines: Engines, fault_server: FaultServer) -> None:
    """`r` drops the bytes that differed."""
    url = fault_server.add("/f.bin", LARGE, spoiled)
    engine = await engines(connections=1)
    task = await fetch(engine, url, options=wanted(LARGE))
    fault_server.script("/f.bin")
    await engine.execute(Command(CommandName.RETRY, ids=(task.id,)))
    assert is_whole(await ended(engine, task), LARGE)
    assert engines.names() == ["f.bin"]


@SIZES
@pytest.mark.parametrize("header", ["Repr-Digest", "Content-Digest"])
async def test_a_digest_that_the_server_names_is_checked(
    engines: Engines, fault_server: FaultServer, resource: Resource, header: str
) -> None:
    """Nobody needs to ask for it."""
    url = fault_server.add("/f.bin", resource, announces(resource, header))
    task = await fetch(await engines(), url)
    assert is_whole(task, resource)
    assert task.sha256 == value_of(resource)


@SIZES
async def test_a_header_that_lies_fails_the_task(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """The reason says that the server named it."""
    url = fault_server.add("/f.bin", resource, announces(replace(resource, seed=7)))
    task = await fetch(await engines(), url)
    assert (task.status, task.reason) == (Status.FAILED, Reason.DIGEST_MISMATCH)
    assert "named by the server" in task.reason_text


async def test_what_a_person_gave_counts_alone(engines: Engines, fault_server: FaultServer) -> None:
    """A file that is what was asked for does not fail for a header."""
    url = fault_server.add("/f.bin", SMALL, announces(replace(SMALL, seed=7)))
    assert is_whole(await fetch(await engines(), url, options=wanted(SMALL)), SMALL)


async def test_a_malformed_header_is_noted_only(engines: Engines, fault_server: FaultServer) -> None:
    """It proves nothing."""
    url = fault_server.add("/f.bin", SMALL, lies.with_header("Repr-Digest", "sha-256=nonsense"))
    engine = await engines()
    task = await fetch(engine, url)
    assert is_whole(task, SMALL)
    assert "Repr-Digest" in await log_of(engine, task)


async def test_a_digest_of_coded_bytes_is_not_one_of_the_file(engines: Engines, fault_server: FaultServer) -> None:
    """RFC 9530 §3: the representation is what is sent with its coding; the given digest is of the file."""
    resource = Resource(body=b"text " * 1000)
    coded = Resource(body=gzip.compress(b"text " * 1000))
    url = fault_server.add("/f.txt", resource, tempers.gzip_encoded(), announces(coded))
    engine = await engines()
    assert is_whole(await fetch(engine, url), resource)
    other = fault_server.add("/g.txt", resource, tempers.gzip_encoded())
    task = await fetch(engine, other, options=wanted(resource))
    assert is_whole(task, resource)
    assert task.sha256 == value_of(resource)


@pytest.mark.parametrize("is_given", [True, False], ids=["given", "named"])
async def test_a_resumed_file_is_checked_whole(engines: Engines, fault_server: FaultServer, *, is_given: bool) -> None:
    """The digest outlives the process; the second answer names none."""
    faults = () if is_given else (announces(replace(LARGE, seed=7)),)
    options = wanted(replace(LARGE, seed=7)) if is_given else None
    _, task = await half_done(engines, fault_server, "/f.bin", LARGE, *faults, options=options, connections=1)
    engine = await engines(journal=engines.journal, connections=1)
    task = await ended(engine, task)
    log = await log_of(engine, task)
    assert value_of(replace(LARGE, seed=7)) in log
    if is_given:
        assert (task.status, task.reason) == (Status.FAILED, Reason.DIGEST_MISMATCH)
    else:
        # Fetched once more, the server names no digest any longer: there is none to check.
        assert is_whole(task, LARGE)


async def test_a_resumed_file_with_its_digest_completes(engines: Engines, fault_server: FaultServer) -> None:
    """What was held before counts too, and is not fetched again."""
    _, task = await half_done(engines, fault_server, "/f.bin", LARGE, options=wanted(LARGE))
    before = fault_server.bytes_sent("/f.bin")
    task = await ended(await engines(journal=engines.journal), task)
    assert is_whole(task, LARGE)
    assert task.sha256 == value_of(LARGE)
    assert fault_server.bytes_sent("/f.bin") - before < LARGE_BYTES - MIB


async def test_a_senseless_digest_is_refused_at_once(engines: Engines, fault_server: FaultServer) -> None:
    """Not when the file is there."""
    engine = await engines()
    with pytest.raises(UsageError, match="64 hexadecimal digits"):
        await engine.add(fault_server.add("/f.bin", SMALL), options=TaskOptions(checksum="sha256=00"))


async def test_asked_again_without_a_digest_it_keeps_the_one_given(engines: Engines, fault_server: FaultServer) -> None:
    """A command that is repeated in short form does not take away what was promised."""
    url = fault_server.add("/f.bin", SMALL, first(1, tempers.never_answers()))
    engine = await engines()
    task = await engine.add(url, options=wanted(replace(SMALL, seed=7)))
    await until(lambda: fault_server.requests)
    await engine.execute(Command(CommandName.PAUSE, ids=(task.id,)))
    assert (await engine.add(url)).id == task.id
    await engine.execute(Command(CommandName.RESUME, ids=(task.id,)))
    task = await ended(engine, task)
    assert (task.status, task.reason) == (Status.FAILED, Reason.DIGEST_MISMATCH)


async def test_a_running_file_takes_a_digest_that_comes_later(engines: Engines, fault_server: FaultServer) -> None:
    """It is checked in the end, as if it had been given at once."""
    url = fault_server.add("/f.bin", LARGE, first(1, tempers.pace(4 * MIB)))
    engine = await engines(connections=1)
    task = await engine.add(url)
    await until(lambda: received(engine, task) > MIB // 4)
    assert (await engine.add(url, options=wanted(replace(LARGE, seed=7)))).id == task.id
    task = await ended(engine, task)
    assert (task.status, task.reason) == (Status.FAILED, Reason.DIGEST_MISMATCH)


@SIZES
@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
async def test_a_file_that_is_there_is_checked_by_a_new_digest(
    engines: Engines, fault_server: FaultServer, resource: Resource, algorithm: str
) -> None:
    """It has it: nothing is fetched."""
    url = fault_server.add("/f.bin", resource)
    engine = await engines()
    task = await fetch(engine, url)
    before = len(fault_server.requests)
    again = await fetch(engine, url, options=wanted(resource, algorithm))
    assert (again.id, again.status) == (task.id, Status.COMPLETED)
    assert len(fault_server.requests) == before


async def test_a_file_that_is_there_and_is_another_is_not_taken_for_it(
    engines: Engines, fault_server: FaultServer
) -> None:
    """The one that is wanted comes beside it; nothing is replaced."""
    url = fault_server.add("/f.bin", SMALL)
    engine = await engines()
    task = await fetch(engine, url)
    newer = replace(SMALL, seed=7)
    fault_server.replace("/f.bin", newer)
    again = await fetch(engine, url, options=wanted(newer))
    assert is_whole(again, newer)
    assert again.id != task.id
    assert engines.names() == ["f (1).bin", "f.bin"]
    failed = await fetch(engine, url, options=wanted(replace(SMALL, seed=9)))
    assert failed.reason is Reason.DIGEST_MISMATCH
    assert engines.names() == ["f (1).bin", "f.bin"]


@pytest.mark.parametrize("origin", ["given", "named", "listed"])
async def test_the_digest_is_computed_while_the_bytes_arrive(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    """When the last byte is here, most of the file was read; each byte is read once."""
    monkeypatch.setattr(hashing, "STEP_BYTES", 64 * 1024)
    monkeypatch.setattr(hashing, "LOOK_EVERY_S", 0.01)
    read: list[tuple[int, int]] = []
    through = PartFile.read_through

    async def watched(self: PartFile, take: Callable[[bytes], object], start: int = 0, end: int | None = None) -> int:
        reached = await through(self, take, start, end)
        read.append((start, reached))
        return reached

    monkeypatch.setattr(PartFile, "read_through", watched)
    faults = (tempers.pace(16 * MIB), *((announces(LARGE),) if origin == "named" else ()))
    url = fault_server.add("/d/f.bin", LARGE, *faults)
    if origin == "listed":
        fault_server.add("/d/SHA256SUMS", Resource(body=f"{value_of(LARGE)}  f.bin\n".encode()))
    engine = await engines(connections=1, verify="off" if origin == "given" else "auto")
    task = await fetch(engine, url, options=wanted(LARGE) if origin == "given" else None)
    assert task.sha256 == value_of(LARGE)
    assert sum(reached - start for start, reached in read) == LARGE_BYTES
    assert read[-1][0] > LARGE_BYTES // 2
