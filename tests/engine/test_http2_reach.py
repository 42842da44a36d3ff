"""How HTTP/2 reaches its hosts: through proxies, by names given by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("curl_cffi", reason="the extra `http2` is not installed")

from tests.engine.over_http2 import server, settings
from tests.engine.stage import fetch, is_whole, log_of
from tests.faults import Resource
from tests.faults.certificates import server_context
from tests.faults.guards import DigestGuard
from tests.faults.proxies import HttpProxy, SocksProxy
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status

if TYPE_CHECKING:
    import trustme

    from tests.engine.stage import Engines
    from tests.faults.http2_front import Http2FaultServer

__all__ = ["server", "settings"]

SMALL = Resource(20_000)
SECRET = "c4nary"


async def test_an_http_proxy_makes_a_tunnel(
    engines: Engines, server: Http2FaultServer, settings: dict[str, Any]
) -> None:
    """It learns the host alone; the host learns nothing of the credentials; all streams share the tunnel."""
    async with HttpProxy("me", SECRET) as proxy:
        engine = await engines(proxy=f"http://me:{SECRET}@{proxy.authority}", concurrent_downloads=1, **settings)
        for number in range(3):
            task = await fetch(engine, server.add(f"/{number}.bin", SMALL))
            assert is_whole(task, SMALL)
            assert SECRET not in await log_of(engine, task)
        assert all(head.startswith(b"CONNECT 127.0.0.1:") for head in proxy.heads)
        assert "roxy" not in str([request.headers for request in server.requests])
        assert server.front.connections == 1


async def test_a_proxy_is_answered_in_digest(
    engines: Engines, server: Http2FaultServer, settings: dict[str, Any]
) -> None:
    """The password is not sent where Digest is asked for."""
    guard = DigestGuard(password=SECRET)
    async with HttpProxy(guard=guard) as proxy:
        engine = await engines(proxy=f"http://me:{SECRET}@{proxy.authority}", **settings)
        assert is_whole(await fetch(engine, server.add("/f.bin", SMALL)), SMALL)
        assert guard.in_clear == []


@pytest.mark.parametrize(("user", "words"), [("", "wants credentials"), ("me:wrong@", "does not take these")])
async def test_a_proxy_that_wants_credentials_is_named(
    engines: Engines, server: Http2FaultServer, settings: dict[str, Any], user: str, words: str
) -> None:
    """Its refusal is not taken for the host's."""
    async with HttpProxy("me", SECRET) as proxy:
        engine = await engines(proxy=f"http://{user}{proxy.authority}", **settings)
        task = await fetch(engine, server.add("/f.bin", SMALL))
        assert f"{proxy.authority} {words}" in task.reason_text
    assert (task.status, task.reason) == (Status.FAILED, Reason.PROXY_FAILED)
    assert server.requests == []


async def test_a_proxy_that_is_not_there_is_named(
    engines: Engines, server: Http2FaultServer, settings: dict[str, Any]
) -> None:
    """The host is not blamed."""
    task = await fetch(
        await engines(proxy="http://127.0.0.1:1", max_retries=0, **settings), server.add("/f.bin", SMALL)
    )
    assert (task.status, task.reason) == (Status.FAILED, Reason.PROXY_FAILED)


async def test_a_proxy_reached_over_tls(
    engines: Engines, server: Http2FaultServer, settings: dict[str, Any], tls_authority: trustme.CA
) -> None:
    """Its certificate is checked by the same authorities."""
    context = server_context(tls_authority)
    async with HttpProxy("me", SECRET, tls=context) as proxy:
        engine = await engines(proxy=f"https://me:{SECRET}@{proxy.authority}", **settings)
        assert is_whole(await fetch(engine, server.add("/f.bin", SMALL)), SMALL)
        assert len(proxy.asked) == 1


@pytest.mark.parametrize("version", [4, 5])
async def test_socks(engines: Engines, server: Http2FaultServer, settings: dict[str, Any], version: int) -> None:
    """The proxy looks the names up."""
    scheme = "socks4a" if version == 4 else "socks5"
    user = "" if version == 4 else f"me:{SECRET}@"
    async with SocksProxy("" if version == 4 else "me", "" if version == 4 else SECRET, version=version) as proxy:
        engine = await engines(proxy=f"{scheme}://{user}{proxy.authority}", **settings)
        url = server.add("/f.bin", SMALL).replace("127.0.0.1", "localhost")
        assert is_whole(await fetch(engine, url), SMALL)
        assert {asked.partition(":")[0] for asked in proxy.asked} == {"localhost"}
    assert server.front.connections == 1


async def test_the_environment_is_heard_by_our_rules_alone(
    engines: Engines, server: Http2FaultServer, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Curl does not hear variables of its own accord."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    engine = await engines(use_environment_proxy=False, **settings)
    assert is_whole(await fetch(engine, server.add("/f.bin", SMALL)), SMALL)


async def test_a_name_given_by_hand(engines: Engines, server: Http2FaultServer, settings: dict[str, Any]) -> None:
    """The request and the certificate keep the name of the address."""
    url = server.add("/f.bin", SMALL).replace("127.0.0.1", "localhost")
    engine = await engines(resolve=f"localhost:{server.front.port}:127.0.0.1", ip_version="ipv4", **settings)
    assert is_whole(await fetch(engine, url), SMALL)
    assert server.requests[0].headers["host"].startswith("localhost:")
