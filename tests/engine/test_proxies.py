"""Downloads through proxies on loopback: what goes where, who learns which secret, whose fault is named."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import fetch, is_whole, log_of
from tests.faults import Resource, lies
from tests.faults.proxies import HttpProxy, SocksProxy
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from pathlib import Path

    import trustme

    from tests.engine.stage import Engines
    from tests.faults import FaultServer

SMALL = Resource(20_000)
LARGE = Resource(3 << 20)
CANARY = "c4nary"


def has_secret(text: str) -> bool:
    """Whether a text holds the password, plain or as `me:` and it are sent."""
    return CANARY in text or b64encode(f"me:{CANARY}".encode()).decode() in text


@pytest.fixture
def authority_file(tls_authority: trustme.CA, tmp_path: Path) -> str:
    """Return a file that holds the authority of this run."""
    file = tmp_path / "authority.pem"
    tls_authority.cert_pem.write_to_path(str(file))
    return str(file)


async def test_http_goes_through_the_proxy(engines: Engines, fault_server: FaultServer) -> None:
    """In absolute form; the proxy's credentials end there."""
    async with HttpProxy("me", CANARY) as proxy:
        engine = await engines(proxy=f"http://me:{CANARY}@{proxy.authority}")
        task = await fetch(engine, fault_server.add("/f.bin", LARGE))
        assert is_whole(task, LARGE)
        assert set(proxy.asked) == {fault_server.origin.removeprefix("http://")}
        assert not has_secret(str([request.headers for request in fault_server.requests]))
        assert not has_secret(await log_of(engine, task) + repr(engine.settings) + repr(task))


async def test_https_goes_through_a_tunnel(
    engines: Engines, tls_fault_server: FaultServer, authority_file: str
) -> None:
    """The proxy learns the host alone: neither path nor our headers."""
    async with HttpProxy("me", CANARY) as proxy:
        engine = await engines(proxy=f"http://me:{CANARY}@{proxy.authority}", ca_certificate=authority_file)
        options = TaskOptions(headers=(("Authorization", "Bearer s3cret"),))
        task = await fetch(engine, tls_fault_server.add("/f.bin", LARGE), options=options)
        assert is_whole(task, LARGE)
        assert all(head.startswith(b"CONNECT 127.0.0.1:") for head in proxy.heads)
        assert b"s3cret" not in b"".join(proxy.heads)
        assert b"f.bin" not in b"".join(proxy.heads)
        assert not has_secret(str([request.headers for request in tls_fault_server.requests]))


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
        assert not has_secret(await log_of(engine, task))


@pytest.mark.parametrize(("user", "words"), [("", "wants credentials"), ("me:wrong@", "does not take these")])
@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
async def test_a_proxy_that_wants_credentials_is_named(
    engines: Engines,
    fault_server: FaultServer,
    tls_fault_server: FaultServer,
    user: str,
    words: str,
    *,
    is_secure: bool,
) -> None:
    """Credentials are told once it asked, and once; the origin never hears of it."""
    server = tls_fault_server if is_secure else fault_server
    async with HttpProxy("me", CANARY) as proxy:
        engine = await engines(proxy=f"http://{user}{proxy.authority}")
        task = await fetch(engine, server.add("/f.bin", SMALL))
        assert (task.status, task.reason, task.retry_count) == (Status.FAILED, Reason.PROXY_FAILED, 1)
        assert f"{proxy.authority} {words}" in task.reason_text
        assert server.requests == []
        assert len(proxy.heads) == (2 if user else 1)


async def test_a_socks_proxy_that_refuses_us_is_named(engines: Engines, fault_server: FaultServer) -> None:
    """Wrong credentials are not tried again."""
    async with SocksProxy("me", CANARY) as proxy:
        engine = await engines(proxy=f"socks5://me:wrong@{proxy.authority}")
        task = await fetch(engine, fault_server.add("/f.bin", SMALL))
        assert (task.status, task.reason, task.retry_count) == (Status.FAILED, Reason.PROXY_FAILED, 1)
        assert proxy.authority in task.reason_text
        assert "wrong" not in task.reason_text


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_proxy_that_is_down_is_named(engines: Engines, fault_server: FaultServer, scheme: str) -> None:
    """It may come back: it is tried again, then failed with its own reason."""
    async with HttpProxy() as proxy:
        gone = proxy.authority
    engine = await engines(proxy=f"{scheme}://{gone}", max_retries=1)
    task = await fetch(engine, fault_server.add("/f.bin", SMALL))
    assert (task.status, task.reason, task.retry_count) == (Status.FAILED, Reason.PROXY_FAILED, 2)
    assert f"the proxy {gone} cannot be reached" in task.reason_text


async def test_a_tunnel_that_is_refused_is_named(engines: Engines, tls_fault_server: FaultServer) -> None:
    """A 403 of the proxy is no 403 of the server."""
    async with HttpProxy(refuses=403) as proxy:
        task = await fetch(await engines(proxy=proxy.authority), tls_fault_server.add("/f.bin", SMALL))
        assert (task.reason, task.retry_count) == (Reason.PROXY_FAILED, 1)
        assert f"{proxy.authority} does not lead to 127.0.0.1: 403" in task.reason_text


async def test_a_refusal_beyond_a_socks_proxy_is_tried_again(engines: Engines, fault_server: FaultServer) -> None:
    """The proxy could not reach the host, which may pass."""
    async with SocksProxy(reply=4) as proxy:
        engine = await engines(proxy=f"socks5://{proxy.authority}", max_retries=1)
        task = await fetch(engine, fault_server.add("/f.bin", SMALL))
        assert (task.reason, task.retry_count) == (Reason.PROXY_FAILED, 2)


async def test_exceptions_go_directly(engines: Engines, fault_server: FaultServer) -> None:
    """The proxy hears nothing of them."""
    async with HttpProxy() as proxy:
        engine = await engines(proxy=f"http://{proxy.authority}", no_proxy="127.0.0.0/8")
        assert is_whole(await fetch(engine, fault_server.add("/f.bin", SMALL)), SMALL)
        assert proxy.asked == []


async def test_the_way_is_chosen_again_after_a_redirect(engines: Engines, fault_server: FaultServer) -> None:
    """An excepted host may lead to one that is not."""
    there = fault_server.add("/f.bin", SMALL).replace("127.0.0.1", "localhost")
    async with HttpProxy() as proxy:
        engine = await engines(proxy=f"http://{proxy.authority}", no_proxy="127.0.0.1")
        task = await fetch(engine, fault_server.add("/here.bin", SMALL, lies.redirect(there)))
        assert is_whole(task, SMALL)
        assert [asked.partition(":")[0] for asked in proxy.asked] == ["localhost"]


async def test_the_environment_is_not_heard_of_this_machine(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of the environment stands for the world outside."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert is_whole(await fetch(await engines(), fault_server.add("/f.bin", SMALL)), SMALL)


async def test_a_proxy_that_cannot_be_used_stops_the_start(engines: Engines) -> None:
    """Nothing goes directly that was meant for a proxy, and the message hides the password."""
    with pytest.raises(UsageError, match=r"^--proxy: ") as caught:
        await engines(proxy=f"ftp://me:{CANARY}@proxy:1")
    assert CANARY not in str(caught.value)
