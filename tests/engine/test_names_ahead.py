"""Names are looked up ahead of their tasks, each once, where it is our matter at all."""

from __future__ import annotations

import asyncio
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from tests.engine.stage import until
from tui_dl.core.addresses import host_of
from tui_dl.core.proxies import proxy_rules
from tui_dl.core.task import DownloadTask
from tui_dl.engine.client_options import ClientOptions
from tui_dl.engine.names_ahead import HOLD_S, MOST_AT_ONCE, MOST_EXPECTED, NamesAhead


class Slow(AbstractResolver):
    """Answers nothing until the gate opens, and then that no name is there."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.gate = asyncio.Event()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Wait."""
        self.asked.append((host, port))
        await self.gate.wait()
        raise OSError(family, "not there")

    async def close(self) -> None:
        """Do nothing."""


def tasks_of(*urls: str) -> list[DownloadTask]:
    """Return rows of addresses."""
    return [DownloadTask(number, url, "/d", "f", host=host_of(url)) for number, url in enumerate(urls)]


async def test_only_names_that_we_look_up_are_looked_up() -> None:
    """No address, no name that a proxy looks up, no other scheme; each once, with its port."""
    slow = Slow()
    proxies = proxy_rules("", "", {"https_proxy": "http://proxy.test:1"})
    ahead = NamesAhead(slow, ClientOptions(proxies=proxies), lambda: 0.0, lambda: None)
    ahead.expect(
        tasks_of(
            *("http://a.test/1", "http://A.test/2", "http://a.test:81/3", "http://127.0.0.1/4", "http://[::1]:80/5"),
            *("https://b.test/6", "ftp://c.test/7", "http://d.test:80/8"),
        )
    )
    await asyncio.sleep(0)
    assert slow.asked == [("a.test", 80), ("a.test", 81), ("d.test", 80)]
    await ahead.aclose()
    assert not ahead.is_busy


async def test_a_host_is_held_until_its_name_is_known_or_it_takes_too_long() -> None:
    """Whoever fills the slots is told when that changes."""
    slow, told, now = Slow(), list[str](), [0.0]
    ahead = NamesAhead(slow, ClientOptions(), lambda: now[0], lambda: told.append("answered"))
    ahead.expect(tasks_of("http://a.test/1"))
    await asyncio.sleep(0)
    held = [ahead.is_held("a.test"), ahead.is_held("other.test")]
    now[0] = HOLD_S
    held.append(ahead.is_held("a.test"))
    now[0] = 0.0
    slow.gate.set()
    await until(lambda: bool(told))
    assert [*held, ahead.is_held("a.test")] == [True, False, False, False]
    await ahead.aclose()


async def test_look_ups_ahead_are_bounded() -> None:
    """So many at once, so many expected; the rest is left to the tasks."""
    slow = Slow()
    ahead = NamesAhead(slow, ClientOptions(), lambda: 0.0, lambda: None)
    ahead.expect(tasks_of(*(f"http://h{number}.test/" for number in range(2 * MOST_EXPECTED))))
    await asyncio.sleep(0)
    assert len(slow.asked) == MOST_AT_ONCE
    assert ahead.is_held(f"h{MOST_EXPECTED - 1}.test")
    assert not ahead.is_held(f"h{MOST_EXPECTED}.test")
    slow.gate.set()
    await until(lambda: not ahead.is_busy)
    assert len(slow.asked) == MOST_EXPECTED
    await ahead.aclose()
