"""Names that a person resolves by hand, or has other servers asked for: the address and its TLS name stay."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.engine.stage import fetch, is_whole
from tests.faults import FaultServer, Resource, lies
from tests.faults.certificates import server_context
from tests.faults.proxies import HttpProxy, SocksProxy
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import trustme

    from tests.engine.stage import Engines

SMALL = Resource(20_000)


class NameServer(asyncio.DatagramProtocol):
    """Answers every question for an A record with 127.0.0.1, but knows no name that begins with `no`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """Names in the order of their questions."""
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Answer one question (RFC 1035 §4)."""
        labels, position = [], 12
        while length := data[position]:
            labels.append(data[position + 1 : position + 1 + length].decode())
            position += length + 1
        question, kind = data[12 : position + 5], int.from_bytes(data[position + 1 : position + 3])
        self.asked.append(".".join(labels))
        is_known = not labels[0].startswith("no")
        has_answer = is_known and kind == 1
        record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01" if has_answer else b""
        flags = b"\x81\x80" if is_known else b"\x81\x83"
        head = data[:2] + flags + b"\x00\x01" + (b"\x00\x01" if has_answer else b"\x00\x00") + bytes(4)
        self._transport.sendto(head + question + record, addr)


@asynccontextmanager
async def name_server() -> AsyncIterator[tuple[NameServer, str]]:
    """Yield a name server on loopback and its address."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, ("127.0.0.1", 0))
    try:
        host, port = transport.get_extra_info("sockname")
        yield server, f"{host}:{port}"
    finally:
        transport.close()


def named(url: str, host: str = "files.example") -> str:
    """Return an address of this machine under another name."""
    return url.replace("127.0.0.1", host)


def port_of(server: FaultServer) -> str:
    """Return the port of a server."""
    return server.origin.rpartition(":")[2]


async def test_a_name_given_by_hand_leads_there(engines: Engines, fault_server: FaultServer) -> None:
    """The server is asked for the name of the address."""
    port = port_of(fault_server)
    engine = await engines(resolve=f"files.example:{port}:127.0.0.1")
    task = await fetch(engine, named(fault_server.add("/f.bin", SMALL)))
    assert is_whole(task, SMALL)
    assert fault_server.requests[0].headers["host"] == f"files.example:{port}"


async def test_an_address_of_the_other_family_does_not_do(engines: Engines, fault_server: FaultServer) -> None:
    """It is not said that there is no such name, but which addresses are looked for."""
    engine = await engines(resolve=f"files.example:{port_of(fault_server)}:127.0.0.1", ip_version="ipv6", max_retries=0)
    task = await fetch(engine, named(fault_server.add("/f.bin", SMALL)))
    assert (task.status, task.reason) == (Status.FAILED, Reason.DNS_FAILED)
    said = "no IPv6 address of files.example was found, and no others are to be used"
    assert said in task.reason_text
    engine = await engines(proxy="files.example:3128", resolve="*:3128:127.0.0.1", ip_version="ipv6", max_retries=0)
    task = await fetch(engine, fault_server.url("/f.bin"), name="other.bin")
    assert (task.status, task.reason) == (Status.FAILED, Reason.PROXY_FAILED)
    assert f"the proxy files.example:3128 cannot be reached: {said}" in task.reason_text


async def test_a_star_stands_for_every_name(engines: Engines, fault_server: FaultServer) -> None:
    """A redirect's target too; the first address that answers is taken."""
    port = port_of(fault_server)
    there = named(fault_server.add("/f.bin", SMALL), "other.example")
    engine = await engines(resolve=f"*:{port}:127.0.0.1", ip_version="ipv4")
    task = await fetch(engine, named(fault_server.add("/here", SMALL, lies.redirect(there))))
    assert is_whole(task, SMALL)


async def test_the_certificate_is_asked_for_the_name(
    engines: Engines, tls_authority: trustme.CA, authority_file: str
) -> None:
    """Not for the address that it was resolved to."""
    context = server_context(tls_authority, "files.example")
    async with FaultServer(tls=context) as server:
        resolve = f"files.example:{port_of(server)}:127.0.0.1 wrong.example:{port_of(server)}:127.0.0.1"
        engine = await engines(resolve=resolve, ca_certificate=authority_file)
        url = server.add("/f.bin", SMALL)
        assert is_whole(await fetch(engine, named(url)), SMALL)
        task = await fetch(engine, named(url, "wrong.example"), name="other.bin")
        assert task.reason is Reason.TLS_FAILED
        assert "the certificate of wrong.example is for another name" in task.reason_text


@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
async def test_a_socks_proxy_is_told_the_address(
    engines: Engines, tls_authority: trustme.CA, authority_file: str, *, is_secure: bool
) -> None:
    """It is asked to look up only what nobody resolved; TLS goes by the name."""
    context = server_context(tls_authority, "files.example")
    async with FaultServer(tls=context if is_secure else None) as server, SocksProxy() as proxy:
        engine = await engines(
            proxy=f"socks5://{proxy.authority}",
            resolve=f"files.example:{port_of(server)}:127.0.0.1",
            ca_certificate=authority_file,
        )
        assert is_whole(await fetch(engine, named(server.add("/f.bin", SMALL))), SMALL)
        assert proxy.kinds == ["address"]


async def test_what_an_http_proxy_looks_up_is_refused(engines: Engines) -> None:
    """It would be ignored; with an exception it is not."""
    with pytest.raises(UsageError, match=r"^--resolve files.example:80: the proxy p:1 looks this name up"):
        await engines(proxy="http://p:1", resolve="files.example:80:127.0.0.1")
    await engines(proxy="http://p:1", no_proxy="example", resolve="files.example:80:127.0.0.1")


async def test_the_proxys_own_name_may_be_given(engines: Engines, fault_server: FaultServer) -> None:
    """It is us who look that one up."""
    async with HttpProxy() as proxy:
        port = proxy.authority.rpartition(":")[2]
        engine = await engines(proxy=f"http://proxy.example:{port}", resolve=f"proxy.example:{port}:127.0.0.1")
        assert is_whole(await fetch(engine, fault_server.add("/f.bin", SMALL)), SMALL)


async def test_a_family_without_an_address_is_a_reason(engines: Engines, fault_server: FaultServer) -> None:
    """Nobody else is asked for the name instead."""
    engine = await engines(resolve=f"files.example:{port_of(fault_server)}:127.0.0.1", ip_version="ipv6", max_retries=0)
    task = await fetch(engine, named(fault_server.add("/f.bin", SMALL)))
    assert (task.status, task.reason) == (Status.FAILED, Reason.DNS_FAILED)


# -- name servers ------------------------------------------------------------------------------------------------------


async def test_other_name_servers_are_asked(engines: Engines, fault_server: FaultServer) -> None:
    """Instead of the system's; what was resolved by hand is not asked for."""
    pytest.importorskip("aiodns")
    async with name_server() as (server, address):
        engine = await engines(
            dns_servers=address, resolve=f"mine.example:{port_of(fault_server)}:127.0.0.1", ip_version="ipv4"
        )
        url = fault_server.add("/f.bin", SMALL)
        assert is_whole(await fetch(engine, named(url)), SMALL)
        assert is_whole(await fetch(engine, named(url, "mine.example"), name="mine.bin"), SMALL)
        assert set(server.asked) == {"files.example"}


async def test_a_name_that_they_do_not_know_is_a_reason(engines: Engines) -> None:
    """The host is named."""
    pytest.importorskip("aiodns")
    async with name_server() as (_, address):
        task = await fetch(await engines(dns_servers=address, max_retries=0), "http://nobody.example/f.bin")
    assert (task.status, task.reason) == (Status.FAILED, Reason.DNS_FAILED)
    assert "the host name nobody.example was not found" in task.reason_text


async def test_without_aiodns_it_is_refused(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the way to get it."""
    monkeypatch.setitem(sys.modules, "aiodns", None)
    with pytest.raises(UsageError, match=r"pip install 'tui-dl\[dns\]'"):
        await engines(dns_servers="9.9.9.9")
