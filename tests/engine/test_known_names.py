"""Names are looked up once, in threads of their own, and what is remembered of them is bounded."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.engine.stage import fetch, until
from tests.engine.virtual_time import let_pass, run_virtually
from tests.faults import Resource
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.engine import known_names, name_threads, watching
from tui_dl.engine.known_names import FOUND_S, NOT_FOUND_S, KnownNames
from tui_dl.engine.name_threads import NameThreads

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer


class Rest(AbstractResolver):
    """Answers with an address, or an error; counts."""

    def __init__(self, error: OSError | None = None) -> None:
        self.error = error
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Answer."""
        self.asked.append(host)
        if self.error is not None:
            raise self.error
        return [ResolveResult(hostname=host, host="127.0.0.9", port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Do nothing."""


def test_who_asks_meanwhile_gets_the_same_answer() -> None:
    """One question is on its way, and it goes on though the first who asked gives up."""

    async def work() -> None:
        rest = Rest()
        names = KnownNames(rest)
        first, second = (asyncio.ensure_future(names.resolve("a.example", 80)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second)[0]["host"] == "127.0.0.9"
        assert rest.asked == ["a.example"]
        await names.close()

    run_virtually(work())


def test_a_name_is_asked_for_once_in_a_while() -> None:
    """Whatever its case; another port is another question."""

    async def work() -> None:
        rest = Rest()
        names = KnownNames(rest)
        first = await names.resolve("a.example", 80)
        first[0]["host"] = "changed by its caller"
        assert (await names.resolve("A.example", 80))[0]["host"] == "127.0.0.9"
        assert len(rest.asked) == 1
        await names.resolve("a.example", 443)
        assert len(rest.asked) == 2
        await let_pass(FOUND_S + 1)
        await names.resolve("a.example", 80)
        assert len(rest.asked) == 3

    run_virtually(work())


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (socket.gaierror(socket.EAI_NONAME, "not known"), 1),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), 3),
        (OSError(None, "no idea"), 3),
    ],
)
def test_a_name_that_is_not_there_is_remembered(error: OSError, asked: int) -> None:
    """But not one that nobody could tell of: the network may be back at once."""

    async def work() -> None:
        rest = Rest(error)
        names = KnownNames(rest)
        for _ in range(3):
            with pytest.raises(type(error)) as raised:
                await names.resolve("a.example", 80)
            assert raised.value.errno == error.errno
        assert len(rest.asked) == asked
        await let_pass(NOT_FOUND_S + 1)
        rest.error = None
        assert await names.resolve("a.example", 80)

    run_virtually(work())


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name that was not asked for the longest goes first."""
    monkeypatch.setattr(known_names, "MOST_NAMES", 10)

    async def work() -> None:
        rest = Rest()
        names = KnownNames(rest)
        for number in range(50):
            await names.resolve("kept.example")
            await names.resolve(f"h{number}.example")
        assert len(names._known) == 10
        assert rest.asked.count("kept.example") == 1

    run_virtually(work())


async def test_look_ups_never_hold_up_what_reads_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    """All threads hang in dead names, and the loop's own pool is free."""
    hang, here = threading.Event(), threading.Semaphore(0)

    def hanging(*_words: object, **_more: object) -> list[object]:
        here.release()
        hang.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    threads = NameThreads(4)
    waiting = [asyncio.ensure_future(threads.getaddrinfo(f"h{number}", 80)) for number in range(100)]
    await until(lambda: here._value == 4)
    assert threads.count == 4
    assert await asyncio.to_thread(lambda: "read") == "read"
    for one in waiting[4:]:
        one.cancel()
    hang.set()
    await asyncio.gather(*waiting[:4])
    assert await threads.getaddrinfo("last", 80) == []
    # Whoever gave up was not looked up for any more.
    assert here._value == 5


async def test_idle_threads_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is kept for names that nobody asks for."""
    monkeypatch.setattr(name_threads, "IDLE_S", 0.01)
    threads = NameThreads()
    await asyncio.gather(*(threads.getaddrinfo("127.0.0.1", 80) for _ in range(5)))
    assert threads.count >= 1
    await until(lambda: threads.count == 0)
    assert await threads.getaddrinfo("127.0.0.1", 80)


async def test_a_name_that_cannot_be_written_is_an_answer() -> None:
    """The thread lives on."""
    threads = NameThreads(1)
    with pytest.raises(UnicodeError):
        await threads.getaddrinfo("a" * 70, 80)
    assert await threads.getaddrinfo("127.0.0.1", 80)


async def test_an_attempt_connects_once(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that refuses the connection sees one attempt for each of ours."""
    attempts: list[object] = []
    really = watching.WatchingConnector._create_connection

    async def counted(self: Any, *words: Any) -> Any:
        attempts.append(words)
        return await really(self, *words)

    monkeypatch.setattr(watching.WatchingConnector, "_create_connection", counted)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    task = await fetch(await engines(max_retries=2), f"http://127.0.0.1:{port}/f.bin")
    assert task.reason is Reason.CONNECT_REFUSED
    assert len(attempts) == 3


async def test_tasks_of_a_dead_name_ask_once(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All their attempts within a while are answered from memory, and the living go on."""
    asked: list[str] = []
    really = socket.getaddrinfo

    def getaddrinfo(host: str, *words: Any, **more: Any) -> Any:
        asked.append(host)
        if host.startswith("dead"):
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return really("127.0.0.1", *words, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    engine = await engines(max_retries=2)
    dead = [await engine.add(f"http://dead.example/{number}") for number in range(4)]
    port = fault_server.origin.rpartition(":")[2]
    fault_server.add("/f", Resource(100))
    alive = await fetch(engine, f"http://alive.example:{port}/f")
    await engine.wait(dead)
    assert alive.status is Status.COMPLETED
    assert {task.reason for task in await engine.rows([one.id for one in dead])} == {Reason.DNS_FAILED}
    assert asked.count("dead.example") == 1
