"""Whom the engine believes over TLS, against real servers with certificates of a run's own authority."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
import trustme

from tests.engine.stage import fetch, is_whole
from tests.faults import FaultServer, Resource, lies
from tests.faults.certificates import server_context
from tests.faults.tls_door import tls_door
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.status import Status
from tui_dl.core.task import Flag
from tui_dl.engine.trust import tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.engine.stage import Engines

SMALL = Resource(20_000)


def asking_context(authority: trustme.CA) -> ssl.SSLContext:
    """Return what serves only who shows a certificate of the authority."""
    context = server_context(authority)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest_asyncio.fixture
async def asking_server(tls_authority: trustme.CA) -> AsyncIterator[FaultServer]:
    """Yield a server that serves only who shows a certificate of the authority."""
    async with FaultServer(tls=asking_context(tls_authority)) as server:
        yield server


async def test_an_authority_of_ones_own_is_trusted(
    engines: Engines, tls_fault_server: FaultServer, authority_file: str
) -> None:
    """Its servers are served as any others, and nothing is flagged."""
    task = await fetch(await engines(ca_certificate=authority_file), tls_fault_server.add("/f.bin", SMALL))
    assert is_whole(task, SMALL)
    assert task.flags == frozenset()


async def test_the_systems_authorities_stay_trusted(authority_file: str) -> None:
    """One's own are added to them."""
    plain = await asyncio.to_thread(tls_context, ca_certificate="", certificate="", insecure=False)
    with_own = await asyncio.to_thread(tls_context, ca_certificate=authority_file, certificate="", insecure=False)
    assert with_own.cert_store_stats()["x509_ca"] == plain.cert_store_stats()["x509_ca"] + 1


async def test_insecure_takes_any_certificate_and_says_so(engines: Engines, tls_fault_server: FaultServer) -> None:
    """The row carries the flag for good."""
    task = await fetch(await engines(insecure=True), tls_fault_server.add("/f.bin", SMALL))
    assert is_whole(task, SMALL)
    assert task.flags == {Flag.INSECURE}


async def test_insecure_does_not_flag_plain_http(engines: Engines, fault_server: FaultServer) -> None:
    """There was no certificate to check."""
    task = await fetch(await engines(insecure=True), fault_server.add("/f.bin", SMALL))
    assert task.flags == frozenset()


async def test_a_client_certificate_opens_the_door(
    engines: Engines, asking_server: FaultServer, tls_authority: trustme.CA, authority_file: str, tmp_path: Path
) -> None:
    """Certificate and key from two files."""
    mine = tls_authority.issue_cert("me@example.org")
    certificate, key = tmp_path / "me.pem", tmp_path / "me.key"
    mine.cert_chain_pems[0].write_to_path(str(certificate))
    mine.private_key_pem.write_to_path(str(key))
    engine = await engines(ca_certificate=authority_file, certificate=f"{certificate},{key}")
    assert is_whole(await fetch(engine, asking_server.add("/f.bin", SMALL)), SMALL)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_without_a_client_certificate_nothing_is_served(
    engines: Engines, tls_authority: trustme.CA, authority_file: str, version: ssl.TLSVersion
) -> None:
    """The server says what it wants in the handshake (TLS 1.2) or after it (1.3): named, and not tried again."""
    context = asking_context(tls_authority)
    context.minimum_version = context.maximum_version = version
    with tls_door(context) as origin:
        task = await fetch(await engines(ca_certificate=authority_file), f"{origin}/f.bin")
        assert (task.status, task.reason, task.retry_count) == (Status.FAILED, Reason.TLS_FAILED, 1)
        assert "127.0.0.1 wants a client certificate" in task.reason_text
        assert "--certificate FILE" in task.reason_text


async def test_a_client_certificate_of_another_authority_is_refused(
    engines: Engines, tls_authority: trustme.CA, authority_file: str, tmp_path: Path
) -> None:
    """The server's word for it is passed on."""
    trustme.CA().issue_cert("me@example.org").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "me.pem"))
    engine = await engines(ca_certificate=authority_file, certificate=str(tmp_path / "me.pem"))
    with tls_door(asking_context(tls_authority)) as origin:
        task = await fetch(engine, f"{origin}/f.bin")
    assert (task.reason, task.retry_count) == (Reason.TLS_FAILED, 1)
    assert "127.0.0.1 does not take our client certificate: tlsv1 alert unknown ca" in task.reason_text


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_certificate_that_has_expired_is_refused(
    engines: Engines, tls_authority: trustme.CA, authority_file: str, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """In the handshake (TLS 1.2) or after it (1.3); the way out is named."""
    mine = tls_authority.issue_cert("me@example.org", not_after=datetime.now(UTC) - timedelta(days=1))
    mine.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "me.pem"))
    engine = await engines(ca_certificate=authority_file, certificate=str(tmp_path / "me.pem"))
    context = asking_context(tls_authority)
    context.minimum_version = context.maximum_version = version
    with tls_door(context) as origin:
        task = await fetch(engine, f"{origin}/f.bin")
    assert (task.status, task.reason, task.retry_count) == (Status.FAILED, Reason.TLS_FAILED, 1)
    assert "does not take our client certificate: sslv3 alert certificate expired" in task.reason_text
    assert "--certificate FILE gives another" in task.reason_text


NGINX_PAGE = "<html>\r\n<head><title>400 {0}</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n"


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("The SSL certificate error", "127.0.0.1 does not take our client certificate: expired, revoked"),
        ("No required SSL certificate was sent", "127.0.0.1 wants a client certificate; --certificate FILE"),
    ],
)
async def test_a_certificate_refused_in_an_answer_is_named(
    engines: Engines, tls_fault_server: FaultServer, authority_file: str, title: str, words: str
) -> None:
    """As nginx does, which takes every handshake and answers 400: no other request would go better."""
    page = lies.status(400, body=NGINX_PAGE.format(title).encode())
    task = await fetch(await engines(ca_certificate=authority_file), tls_fault_server.add("/f.bin", SMALL, page))
    assert (task.status, task.reason, task.retry_count) == (Status.FAILED, Reason.TLS_FAILED, 1)
    assert words in task.reason_text
    assert len(tls_fault_server.requests) == 1


async def test_such_a_page_without_tls_is_any_other_refusal(engines: Engines, fault_server: FaultServer) -> None:
    """Nobody asked for a certificate there."""
    page = lies.status(400, body=NGINX_PAGE.format("The SSL certificate error").encode())
    task = await fetch(await engines(), fault_server.add("/f.bin", SMALL, page))
    assert task.reason is Reason.HTTP_STATUS


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        ("authority", "is of no authority we trust; --ca-certificate FILE adds one"),
        ("self-signed", "is of no authority we trust"),
        ("expired", "has expired; is the clock of this machine right?"),
        ("not yet", "is not valid yet; is the clock of this machine right?"),
        ("name", "is for another name"),
    ],
)
async def test_each_flaw_of_a_certificate_has_its_words(
    engines: Engines, tls_authority: trustme.CA, authority_file: str, flaw: str, words: str
) -> None:
    """The host is named, nothing is sent to it, and no retry would make it better."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    now = datetime.now(UTC)
    certificate = {
        "authority": lambda: trustme.CA().issue_cert("127.0.0.1"),
        "self-signed": lambda: trustme.CA().issue_cert("127.0.0.1"),
        "expired": lambda: tls_authority.issue_cert("127.0.0.1", not_after=now - timedelta(days=1)),
        "not yet": lambda: tls_authority.issue_cert("127.0.0.1", not_before=now + timedelta(days=1)),
        "name": lambda: tls_authority.issue_cert("other.example"),
    }[flaw]()
    certificate.configure_cert(context)
    async with FaultServer(tls=context) as server:
        engine = await engines(ca_certificate=authority_file, user="me:c4nary")
        task = await fetch(engine, server.add("/f.bin", SMALL))
        assert (task.status, task.reason, task.retry_count) == (Status.FAILED, Reason.TLS_FAILED, 1)
        assert f"the certificate of 127.0.0.1 {words}" in task.reason_text
        assert server.requests == []


@pytest.mark.parametrize("insecure", [False, True])
async def test_old_protocols_are_refused(*, insecure: bool) -> None:
    """TLS 1.2 at least, also where no certificate is checked."""
    context = await asyncio.to_thread(tls_context, ca_certificate="", certificate="", insecure=insecure)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ca_certificate": "{}/none.pem"}, "--ca-certificate .*none.pem: cannot be read: No such file"),
        ({"ca_certificate": "{}/junk.pem"}, "junk.pem: holds no certificates"),
        ({"certificate": "{}/none.pem"}, "--certificate .*none.pem: cannot be read: No such file"),
        ({"certificate": "{}/junk.pem"}, "junk.pem: does not hold the certificate and its key"),
        ({"certificate": "{}/locked.pem"}, "the key is encrypted"),
    ],
)
async def test_a_file_that_cannot_be_used_stops_the_start(
    engines: Engines, tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    """Named with its option, before anything is fetched or asked on the terminal."""
    (tmp_path / "junk.pem").write_text("nothing\n")
    (tmp_path / "locked.pem").write_text(_locked_pem())
    with pytest.raises(UsageError, match=words):
        await engines(**{name: value.format(tmp_path) for name, value in settings.items()})


def _locked_pem() -> str:
    """Return a certificate with a key that wants a passphrase."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415  # trustme's own dependency
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    mine = trustme.CA().issue_cert("me@example.org")
    key = load_pem_private_key(mine.private_key_pem.bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    return (mine.cert_chain_pems[0].bytes() + locked).decode()
