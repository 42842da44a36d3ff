"""Downloads through proxies on loopback: what goes where, who learns which secret, whose fault is named."""

from __future__ import annotations

import asyncio
import inspect
from asyncio.sslproto import SSLProtocol
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.engine.stage import Engines, fetch, is_whole, log_of
from tests.faults import FaultServer, Resource, lies
from tests.faults.certificates import server_context
from tests.faults.guards import DigestGuard
from tests.faults.proxies import HttpProxy, SocksProxy
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from tui_dl.core.task import DownloadTask

SMALL = Resource(20_000)
LARGE = Resource(3 << 20)
CANARY = "c4nary"


def has_secret(text: str) -> bool:
    """Whether a text holds the password, plain or as `me:` and it are sent."""
    return CANARY in text or b64encode(f"me:{CANARY}".encode()).decode() in text


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


@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
async def test_a_proxy_is_answered_in_digest(
    engines: Engines, fault_server: FaultServer, tls_fault_server: FaultServer, authority_file: str, *, is_secure: bool
) -> None:
    """Asked for once; the password is never sent, and the origin hears nothing of it."""
    server = tls_fault_server if is_secure else fault_server
    guard = DigestGuard(password=CANARY, algorithm="SHA-256")
    async with HttpProxy(guard=guard) as proxy:
        engine = await engines(proxy=f"http://me:{CANARY}@{proxy.authority}", ca_certificate=authority_file)
        for name in ("one", "two"):
            assert is_whole(await fetch(engine, server.add(f"/{name}%2F.bin", LARGE) + "?x=[1]%2F"), LARGE)
        assert guard.challenged == 1
        assert guard.in_clear == []
        assert "Digest" not in str([request.headers for request in server.requests])


async def test_digest_tunnels_are_used_again(
    engines: Engines, tls_fault_server: FaultServer, authority_file: str
) -> None:
    """Each answer differs, the way stays the same."""
    async with HttpProxy(guard=DigestGuard(password=CANARY)) as proxy:
        engine = await engines(
            proxy=f"http://me:{CANARY}@{proxy.authority}", ca_certificate=authority_file, concurrent_downloads=1
        )
        for number in range(4):
            assert is_whole(await fetch(engine, tls_fault_server.add(f"/{number}.bin", SMALL)), SMALL)
        assert len(proxy.asked) == 1


@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
async def test_a_wrong_password_in_digest_is_named(
    engines: Engines, fault_server: FaultServer, tls_fault_server: FaultServer, *, is_secure: bool
) -> None:
    """Tried once."""
    server = tls_fault_server if is_secure else fault_server
    async with HttpProxy(guard=DigestGuard()) as proxy:
        task = await fetch(await engines(proxy=f"http://me:wrong@{proxy.authority}"), server.add("/f.bin", SMALL))
        assert (task.reason, task.retry_count, len(proxy.heads)) == (Reason.PROXY_FAILED, 1, 2)
        assert f"the proxy {proxy.authority} does not take these credentials (407)" in task.reason_text


async def test_a_proxy_that_speaks_another_tongue_is_named(engines: Engines, fault_server: FaultServer) -> None:
    """Basic is no answer to NTLM."""
    async with HttpProxy("me", CANARY, challenges=("NTLM", "Negotiate")) as proxy:
        task = await fetch(await engines(proxy=f"http://me:{CANARY}@{proxy.authority}"), fault_server.add("/f", SMALL))
        assert f"the proxy {proxy.authority} wants negotiate or ntlm, which tui-dl does not speak" in task.reason_text
        assert not has_secret(str(proxy.heads))


# -- proxies reached over TLS ------------------------------------------------------------------------------------------


@pytest.fixture
def proxy_tls(tls_authority: trustme.CA) -> ssl.SSLContext:
    """Return what a proxy with a certificate of this run's authority shows."""
    return server_context(tls_authority)


@pytest.mark.parametrize("way", ["open", "basic", "digest"])
@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
async def test_a_proxy_over_tls_carries_both(
    engines: Engines,
    fault_server: FaultServer,
    tls_fault_server: FaultServer,
    authority_file: str,
    proxy_tls: ssl.SSLContext,
    way: str,
    *,
    is_secure: bool,
) -> None:
    """TLS in TLS for https; Basic goes at once, since nobody on the way reads it."""
    server = tls_fault_server if is_secure else fault_server
    kinds: dict[str, dict[str, Any]] = {
        "open": {},
        "basic": {"user": "me", "password": CANARY},
        "digest": {"guard": DigestGuard(password=CANARY)},
    }
    async with HttpProxy(**kinds[way], tls=proxy_tls) as proxy:
        userinfo = "" if way == "open" else f"me:{CANARY}@"
        engine = await engines(proxy=f"https://{userinfo}{proxy.authority}", ca_certificate=authority_file)
        task = await fetch(engine, server.add("/f.bin", LARGE))
        assert is_whole(task, LARGE)
        assert set(proxy.asked) == {server.origin.partition("//")[2]}
        assert not has_secret(await log_of(engine, task) + str([request.headers for request in server.requests]))
        assert (b"Proxy-Authorization: Basic" in proxy.heads[0]) is (way != "open")


@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
async def test_a_proxy_whose_certificate_is_not_trusted_is_named(
    engines: Engines,
    fault_server: FaultServer,
    tls_fault_server: FaultServer,
    proxy_tls: ssl.SSLContext,
    *,
    is_secure: bool,
) -> None:
    """Nothing is told to it, and the message speaks of the proxy, not of the host."""
    server = tls_fault_server if is_secure else fault_server
    async with HttpProxy("me", CANARY, tls=proxy_tls) as proxy:
        engine = await engines(proxy=f"https://me:{CANARY}@{proxy.authority}")
        task = await fetch(engine, server.add("/f.bin", SMALL))
        assert (task.reason, task.retry_count) == (Reason.PROXY_FAILED, 1)
        assert f"the certificate of the proxy {proxy.authority} is of no authority we trust" in task.reason_text
        assert proxy.heads == []


HAS_TLS_IN_TLS_FAULT = len(inspect.signature(SSLProtocol._abort).parameters) == 1  # gh-113214
"""Whether this Python's asyncio loses the reason of a handshake within TLS that failed; uvloop does not."""


@pytest.mark.parametrize(
    "loop",
    [
        pytest.param("asyncio", marks=pytest.mark.skipif(HAS_TLS_IN_TLS_FAULT, reason="CPython's gh-113214")),
        "uvloop",
    ],
)
def test_a_host_whose_certificate_is_not_trusted_is_told_apart(
    proxy_tls: ssl.SSLContext, authority_file: str, tmp_path: Path, loop: str
) -> None:
    """The proxy is, the host behind it is not."""
    context = server_context(trustme.CA())

    async def attempt() -> DownloadTask:
        async with FaultServer(tls=context) as server, HttpProxy(tls=proxy_tls) as proxy:
            opened = Engines(tmp_path)
            engine = await opened(proxy=f"https://{proxy.authority}", ca_certificate=authority_file)
            task = await fetch(engine, server.add("/f.bin", SMALL))
            await opened.aclose()
            return task

    factory = pytest.importorskip("uvloop").new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        task = runner.run(attempt())
    assert task.reason is Reason.TLS_FAILED
    assert "the certificate of 127.0.0.1 is of no authority we trust" in task.reason_text


def test_tls_in_tls_under_uvloop(
    proxy_tls: ssl.SSLContext, tls_authority: trustme.CA, authority_file: str, tmp_path: Path
) -> None:
    """The loop that the program runs on."""
    context = server_context(tls_authority)

    async def attempt() -> DownloadTask:
        async with FaultServer(tls=context) as server, HttpProxy("me", CANARY, tls=proxy_tls) as proxy:
            opened = Engines(tmp_path)
            engine = await opened(proxy=f"https://me:{CANARY}@{proxy.authority}", ca_certificate=authority_file)
            task = await fetch(engine, server.add("/f.bin", LARGE))
            await opened.aclose()
            return task

    with asyncio.Runner(loop_factory=pytest.importorskip("uvloop").new_event_loop) as runner:
        assert is_whole(runner.run(attempt()), LARGE)


async def test_a_proxy_without_tls_where_tls_was_named(engines: Engines, fault_server: FaultServer) -> None:
    """Words instead of a traceback."""
    async with HttpProxy() as proxy:
        engine = await engines(proxy=f"https://{proxy.authority}", max_retries=0, connect_timeout=0.3)
        task = await fetch(engine, fault_server.add("/f.bin", SMALL))
        assert task.reason is Reason.PROXY_FAILED
        assert f"the proxy {proxy.authority} did not finish the secure handshake in time" in task.reason_text


async def test_a_proxy_of_another_kind_is_named(engines: Engines, fault_server: FaultServer) -> None:
    """An HTTP proxy where SOCKS was named, and the other way round."""
    async with HttpProxy() as http, SocksProxy() as socks:
        for proxy in (f"socks5://{http.authority}", f"http://{socks.authority}"):
            engine = await engines(proxy=proxy, max_retries=0, timeout=0.3, connect_timeout=0.3)
            task = await fetch(engine, fault_server.add("/f.bin", SMALL), name=proxy.partition(":")[0])
            assert task.status is Status.FAILED
            assert task.reason in {Reason.PROXY_FAILED, Reason.PROTOCOL_ERROR, Reason.CONNECTION_RESET}


@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks5"])
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
