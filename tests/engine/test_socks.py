"""Downloads through SOCKS proxies on loopback: who looks names up, who learns which secret, whose fault is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import fetch, is_whole, log_of
from tests.faults import Resource
from tests.faults.proxies import SocksProxy
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer

SMALL = Resource(20_000)
LARGE = Resource(3 << 20)
CANARY = "c4nary"


@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
async def test_socks_carries_both(
    engines: Engines, fault_server: FaultServer, tls_fault_server: FaultServer, authority_file: str, *, is_secure: bool
) -> None:
    """With credentials; the proxy looks the names up."""
    server = tls_fault_server if is_secure else fault_server
    async with SocksProxy("me", CANARY) as proxy:
        engine = await engines(proxy=f"socks5://me:{CANARY}@{proxy.authority}", ca_certificate=authority_file)
        url = server.add("/f.bin", LARGE).replace("127.0.0.1", "localhost")
        task = await fetch(engine, url)
        assert is_whole(task, LARGE)
        assert {asked.partition(":")[0] for asked in proxy.asked} == {"localhost"}
        assert CANARY not in await log_of(engine, task)


@pytest.mark.parametrize(
    ("scheme", "version", "kind"),
    [("socks4", 4, "address"), ("socks4a", 4, "name"), ("socks5", 5, "name"), ("socks5h", 5, "name")],
)
@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
async def test_who_looks_the_name_up(
    engines: Engines,
    fault_server: FaultServer,
    tls_fault_server: FaultServer,
    authority_file: str,
    scheme: str,
    version: int,
    kind: str,
    *,
    is_secure: bool,
) -> None:
    """We do where the proxy takes addresses alone, else the proxy does; the certificate is that of the name."""
    server = tls_fault_server if is_secure else fault_server
    async with SocksProxy("me" if version == 4 else "", version=version) as proxy:
        user = "me@" if version == 4 else ""
        engine = await engines(proxy=f"{scheme}://{user}{proxy.authority}", ca_certificate=authority_file)
        task = await fetch(engine, server.add("/f.bin", LARGE).replace("127.0.0.1", "localhost"))
        assert is_whole(task, LARGE)
        assert set(proxy.kinds) == {kind}


@pytest.mark.parametrize(
    ("scheme", "user", "words"),
    [
        ("socks5", "me:wrong@", "refused: "),
        ("socks5", "", "refused: "),
        ("socks4", "you@", "does not lead to 127.0.0.1: request rejected because the client program and identd"),
    ],
)
async def test_a_socks_proxy_that_refuses_us_is_named(
    engines: Engines, fault_server: FaultServer, scheme: str, user: str, words: str
) -> None:
    """Wrong credentials are not tried again."""
    async with SocksProxy("me", CANARY, version=int(scheme[5])) as proxy:
        engine = await engines(proxy=f"{scheme}://{user}{proxy.authority}")
        task = await fetch(engine, fault_server.add("/f.bin", SMALL))
        assert (task.status, task.reason, task.retry_count) == (Status.FAILED, Reason.PROXY_FAILED, 1)
        assert f"the proxy {proxy.authority} {words}" in task.reason_text
        assert "wrong" not in task.reason_text


@pytest.mark.parametrize(
    ("reply", "words", "attempts"),
    [
        (1, "general socks server failure", 2),
        (2, "connection not allowed by ruleset", 1),
        (3, "network unreachable", 2),
        (4, "host unreachable", 2),
        (5, "connection refused by destination host", 2),
        (6, "ttl expired", 2),
        (7, "command not supported or protocol error", 1),
        (8, "address type not supported", 1),
    ],
)
async def test_each_refusal_of_a_socks_proxy_has_its_words(
    engines: Engines, fault_server: FaultServer, reply: int, words: str, attempts: int
) -> None:
    """What may pass is tried again; the message names proxy and host."""
    async with SocksProxy(reply=reply) as proxy:
        engine = await engines(proxy=f"socks5://{proxy.authority}", max_retries=1)
        task = await fetch(engine, fault_server.add("/f.bin", SMALL))
        assert (task.reason, task.retry_count) == (Reason.PROXY_FAILED, attempts)
        assert f"the proxy {proxy.authority} does not lead to 127.0.0.1: {words}" in task.reason_text
