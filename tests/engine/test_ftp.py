"""FTP behind the transport port, against a server on loopback: bytes, resuming, refusals, secrets."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
import uvloop

from tests.engine.stage import MIB, fetch, is_whole, log_of, received, row, until
from tests.faults import Resource, oracle
from tests.faults.certificates import server_context
from tests.faults.ftp import FtpFile, FtpServer, as_mdtm
from tests.faults.proxies import SocksProxy
from tui_dl.core.errors import Reason
from tui_dl.core.ports import TransportRequest
from tui_dl.core.settings import Settings
from tui_dl.core.status import Status
from tui_dl.engine import ftp
from tui_dl.engine.client_options import ClientOptions
from tui_dl.engine.ftp import FtpTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import trustme

    from tests.engine.stage import Engines

pytest.importorskip("aioftp", reason="the extra `ftp` is not installed")

BODY = Resource(3 * MIB)
OTHER = Resource(3 * MIB, seed=1)
SMALL = Resource(20_000)


def content(resource: Resource) -> bytes:
    """Return the bytes of a resource."""
    return oracle.content(resource.seed, 0, resource.size_bytes)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FtpServer]:
    """Yield a server that takes anonymous logins."""
    async with FtpServer() as one:
        yield one


@pytest.mark.parametrize("resource", [Resource(0), Resource(1), SMALL, BODY], ids=["empty", "one", "small", "large"])
async def test_a_file_arrives(engines: Engines, server: FtpServer, resource: Resource) -> None:
    """Any size gets its bytes, its name, its length and no flag."""
    task = await fetch(await engines(), server.add("pub/f.bin", content(resource)))
    assert is_whole(task, resource)
    assert (task.filename, task.total_bytes, task.flags) == ("f.bin", resource.size_bytes, frozenset())


async def test_sizes_are_judged_and_types_are_not(engines: Engines, server: FtpServer) -> None:
    """FTP names no types; what is too large is left out before its body, and the login serves the next."""
    engine = await engines(accept="image/*", max_size=30_000, concurrent_downloads=1)
    assert is_whole(await fetch(engine, server.add("a.bin", content(SMALL))), SMALL)
    task = await fetch(engine, server.add("b.bin", content(BODY)))
    assert (task.status, task.reason, task.retry_count) == (Status.SKIPPED, Reason.TOO_LARGE, 0)
    assert engines.names() == ["a.bin"]


async def test_a_large_file_comes_on_several_connections(engines: Engines, server: FtpServer) -> None:
    """REST is FTP's range: where the version is proven, a file is split as with HTTP."""
    resource, server.pace_bps = Resource(24 * MIB), 8 * MIB
    task = await fetch(await engines(), server.add("f.bin", content(resource)))
    assert is_whole(task, resource)
    assert any(command.startswith("REST ") and command != "REST 0" for command in server.commands)


async def test_one_login_serves_many_files(engines: Engines, server: FtpServer) -> None:
    """A login that is free is used again."""
    engine = await engines(concurrent_downloads=1)
    for number in range(5):
        assert is_whole(await fetch(engine, server.add(f"{number}.bin", content(SMALL))), SMALL)
    assert server.logins == 1


@pytest.mark.parametrize("last_word", ["", "421 Idle for too long"])
async def test_a_login_that_was_closed_meanwhile_costs_nothing(
    engines: Engines, server: FtpServer, last_word: str
) -> None:
    """A dead login is no failure: another one is made."""
    engine = await engines(max_retries=0)
    await fetch(engine, server.add("a.bin", content(SMALL)))
    server.hang_up(last_word)
    assert is_whole(await fetch(engine, server.add("b.bin", content(SMALL))), SMALL)


@pytest.mark.parametrize("modified", ["20200102030405", "new", ""], ids=["settled", "just changed", "untold"])
async def test_a_cut_transfer_goes_on(engines: Engines, server: FtpServer, modified: str) -> None:
    """A transfer that ends early is never taken for whole, whatever proves its version."""
    server.cut_after = [MIB]
    told = as_mdtm(time.time()) if modified == "new" else modified
    task = await fetch(await engines(resume_unverified="restart"), server.add("f.bin", content(BODY), told))
    assert is_whole(task, BODY)
    if modified:
        assert server.sent_bytes < BODY.size_bytes + MIB


async def test_a_transfer_goes_on_after_a_restart(engines: Engines, server: FtpServer) -> None:
    """What is held is not fetched again: size and time name the version."""
    server.stall_after = [2 * MIB]
    url = server.add("f.bin", content(BODY))
    engine = await engines(journal=engines.journal)
    task = await engine.add(url)
    await until(lambda: received(engine, task) >= 2 * MIB)
    await engines.close(engine)
    sent = server.sent_bytes
    task = await fetch(await engines(journal=engines.journal), url)
    assert is_whole(task, BODY)
    assert server.sent_bytes - sent <= MIB + 256 * 1024


@pytest.mark.parametrize("modified", ["20200102030405", "20210102030405"], ids=["same time", "other time"])
async def test_a_file_that_changed_is_never_mixed(engines: Engines, server: FtpServer, modified: str) -> None:
    """Another time or another size starts over."""
    server.stall_after = [2 * MIB]
    url = server.add("f.bin", content(BODY))
    engine = await engines(journal=engines.journal)
    task = await engine.add(url)
    await until(lambda: received(engine, task) >= 2 * MIB)
    await engines.close(engine)
    changed = OTHER if modified != "20200102030405" else Resource(3 * MIB + 1, seed=1)
    server.add("f.bin", content(changed), modified)
    task = await fetch(await engines(journal=engines.journal), url)
    assert is_whole(task, changed)


async def test_a_file_replaced_between_the_question_and_the_transfer_is_never_mixed(
    engines: Engines, server: FtpServer
) -> None:
    """Time and size are asked again before the last bytes of a part are given out."""
    server.cut_after = [2 * MIB]
    url = server.add("f.bin", content(BODY))
    parts = 0

    def replace(_path: str) -> None:
        nonlocal parts
        parts += 1
        if parts == 2:
            server.files["f.bin"] = FtpFile(content(OTHER), "20210102030405")

    server.before_transfer = replace
    task = await fetch(await engines(), url)
    assert is_whole(task, OTHER)


async def test_the_address_that_pasv_names_is_not_believed(engines: Engines, server: FtpServer) -> None:
    """Without EPSV the port of PASV is taken on the host that was asked."""
    server.unknown = {"EPSV"}
    assert is_whole(await fetch(await engines(), server.add("f.bin", content(SMALL))), SMALL)


@pytest.mark.parametrize("unknown", ["SIZE", "MDTM", "REST"])
async def test_a_poor_server_is_read_to_the_end(engines: Engines, server: FtpServer, unknown: str) -> None:
    """Whatever of the extensions is missing, a file arrives on one connection."""
    server.unknown = {unknown}
    task = await fetch(await engines(), server.add("f.bin", content(BODY)))
    assert is_whole(task, BODY)
    assert [command for command in server.commands if command.startswith("RETR")] == ["RETR f.bin"]


async def test_without_a_length_the_last_reply_proves_the_end(engines: Engines, server: FtpServer) -> None:
    """A transfer that was cut and says so is no success, though nothing told its length."""
    server.unknown = {"SIZE"}
    server.cut_after = [MIB] * 10
    task = await fetch(await engines(max_retries=1), server.add("f.bin", content(BODY)))
    assert (task.status, task.reason) == (Status.FAILED, Reason.TRUNCATED)


async def test_ipv6(engines: Engines) -> None:
    """EPSV carries no address, so that it works there, too."""
    async with FtpServer(host="::1") as server:
        assert is_whole(await fetch(await engines(), server.add("f.bin", content(SMALL))), SMALL)


@pytest.mark.parametrize("way", ["address", "option", "netrc"])
async def test_a_name_and_a_password(engines: Engines, server: FtpServer, tmp_path: Path, way: str) -> None:
    """They come from the address, from --user, or from the netrc file; percent-encoded bytes stay bytes."""
    server.users = {"me": "s3:cret%"}
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password s3:cret%\n")
    netrc.chmod(0o600)
    settings: dict[str, Any] = {"address": {}, "option": {"user": "me:s3:cret%"}, "netrc": {"netrc": str(netrc)}}[way]
    server.add("f.bin", content(SMALL))
    url = server.url("f.bin", user="me:s3%3Acret%25@" if way == "address" else "")
    engine = await engines(**settings)
    task = await fetch(engine, url)
    assert is_whole(task, SMALL)
    assert "s3" not in await log_of(engine, task) + task.url


async def test_nobody_is_let_in_with_a_wrong_password(engines: Engines, server: FtpServer) -> None:
    """A refused login ends the task at once, says whose reply it was, and shows no password."""
    server.users = {"me": "right"}
    server.add("f.bin", content(SMALL))
    task = await fetch(await engines(), server.url("f.bin", user="me:wr0ng@"))
    assert (task.status, task.reason) == (Status.FAILED, Reason.UNAUTHORIZED)
    assert "530" in (task.error or "")
    assert "wr0ng" not in (task.error or "")
    assert server.commands.count("PASS wr0ng") == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("550 No such file", Reason.NOT_FOUND),
        ("550 Permission denied", Reason.FORBIDDEN),
        ("504 \x1b[31mWhat", Reason.PROTOCOL_ERROR),
    ],
)
async def test_refusals_have_their_reason(engines: Engines, server: FtpServer, reply: str, reason: Reason) -> None:
    """What RETR is refused for becomes a reason code; nothing of the text acts on a terminal."""
    server.replies["RETR"] = reply
    task = await fetch(await engines(max_retries=1), server.add("f.bin", content(SMALL)))
    assert (task.status, task.reason) == (Status.FAILED, reason)
    assert "\x1b" not in (task.error or "")
    assert sum(command.startswith("RETR") for command in server.commands) == 1


@pytest.mark.parametrize("full_reply", ["421 Too many connections", "530 Sorry, the maximum number of clients"])
async def test_a_host_that_takes_few_connections_is_given_few(
    engines: Engines, server: FtpServer, full_reply: str
) -> None:
    """A refused connection never fails a task: its range goes back, and the budget shrinks."""
    server.most_logins, server.full_reply = 2, full_reply
    resource, server.pace_bps = Resource(24 * MIB), 8 * MIB
    task = await fetch(await engines(), server.add("f.bin", content(resource)))
    assert is_whole(task, resource)
    assert server.logins == server.most_logins


@pytest.mark.parametrize("path", ["a%0D%0ADELE%20b", "a%00b", "folder/", "", "f.bin;type=a"])
async def test_unusable_paths_never_reach_the_server(engines: Engines, server: FtpServer, path: str) -> None:
    """A line break would be another command; folders and text transfers are refused."""
    task = await fetch(await engines(), server.url(path))
    assert (task.status, task.reason) == (Status.FAILED, Reason.BAD_URL)
    assert server.commands == []


@pytest.mark.parametrize(
    ("path", "wanted"), [("a%20b%25.bin", "a b%.bin"), ("%2Fetc/f", "/etc/f"), ("%C3%A9?x=1", "Ã©?x=1")]
)
async def test_paths_are_decoded(engines: Engines, server: FtpServer, path: str, wanted: str) -> None:
    """Each encoded byte goes out as that byte; a question mark belongs to the path."""
    server.add(wanted, content(SMALL))
    task = await fetch(await engines(), server.url(path))
    assert is_whole(task, SMALL)


@pytest.mark.parametrize("scheme", ["ftps", "ftpes"])
async def test_tls(engines: Engines, tls_authority: trustme.CA, tmp_path: Path, scheme: str) -> None:
    """Name, password and file are protected from the first byte, or from AUTH TLS on."""
    context = server_context(tls_authority)
    authority = tmp_path / "authority.pem"
    tls_authority.cert_pem.write_to_path(str(authority))
    async with FtpServer() if scheme == "ftpes" else FtpServer(implicit_tls=context) as server:
        server.explicit_tls = context
        server.add("f.bin", content(BODY))
        url = server.url("f.bin", scheme=scheme)
        task = await fetch(await engines(ca_certificate=str(authority)), url)
        assert is_whole(task, BODY)
        assert "PROT P" in server.commands
        task = await fetch(await engines(), url)
        assert (task.status, task.reason) == (Status.FAILED, Reason.TLS_FAILED)


@pytest.mark.parametrize("scheme", ["ftp", "ftps", "ftpes"])
def test_the_loop_of_the_program(tls_authority: trustme.CA, scheme: str) -> None:
    """Uvloop takes neither all words of asyncio's loop nor every TLS context: a file comes there, too."""
    context = server_context(tls_authority)

    async def body() -> bytes:
        async with FtpServer(implicit_tls=context) if scheme == "ftps" else FtpServer(explicit_tls=context) as server:
            server.add("f.bin", content(SMALL))
            one = FtpTransport(
                connect_timeout_s=5, timeout_s=5, options=ClientOptions(), settings=Settings(insecure=True)
            )
            answer = await one.get(TransportRequest(server.url("f.bin", scheme=scheme), {}))
            got = b""
            while chunk := await answer.read(None):
                got += chunk
            answer.close()
            await one.aclose()
            return got

    assert uvloop.run(body()) == content(SMALL)


async def test_no_name_goes_out_in_the_clear_where_tls_was_asked_for(engines: Engines, server: FtpServer) -> None:
    """A server without AUTH TLS is left before a name is told."""
    server.add("f.bin", content(SMALL))
    task = await fetch(await engines(), server.url("f.bin", scheme="ftpes", user="me:secret@"))
    assert (task.status, task.reason) == (Status.FAILED, Reason.TLS_FAILED)
    assert server.commands == ["AUTH TLS"]


async def test_an_http_proxy_is_refused_with_the_way_out(engines: Engines, server: FtpServer) -> None:
    """It cannot carry FTP; nothing goes around it unasked."""
    task = await fetch(await engines(proxy="http://127.0.0.1:1"), server.add("f.bin", content(SMALL)))
    assert (task.status, task.reason) == (Status.FAILED, Reason.PROXY_FAILED)
    assert "--no-proxy" in (task.error or "")
    assert server.commands == []


async def test_socks_carries_both_connections(engines: Engines, server: FtpServer) -> None:
    """Commands and files go through the proxy, which looks the names up."""
    url = server.add("f.bin", content(BODY)).replace("127.0.0.1", "localhost")
    async with SocksProxy("me", "s3cret") as proxy:
        engine = await engines(proxy=f"socks5://me:s3cret@{proxy.authority}")
        assert is_whole(await fetch(engine, url), BODY)
        assert len(proxy.asked) >= 2
        assert {asked.partition(":")[0] for asked in proxy.asked} == {"localhost"}


async def test_a_name_given_by_hand(engines: Engines, server: FtpServer) -> None:
    """--resolve holds for FTP, too."""
    url = server.add("f.bin", content(SMALL)).replace("127.0.0.1", "nosuch.invalid")
    engine = await engines(resolve=f"nosuch.invalid:{server.port}:127.0.0.1")
    assert is_whole(await fetch(engine, url), SMALL)


async def test_a_silent_server_is_given_up(engines: Engines) -> None:
    """No greeting within the time-outs ends the attempt."""

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silence, "127.0.0.1", 0) as mute:
        port = mute.sockets[0].getsockname()[1]
        engine = await engines(timeout=0.1, connect_timeout=0.1, max_retries=1)
        task = await fetch(engine, f"ftp://127.0.0.1:{port}/f.bin")
        await engines.close(engine)
    assert (task.status, task.reason) == (Status.FAILED, Reason.STALLED)


async def test_a_reply_without_end_is_no_reply(engines: Engines) -> None:
    """A server that never stops greeting fills no memory."""

    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220-more\r\n" * 5000)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        task = await fetch(await engines(max_retries=1), f"ftp://127.0.0.1:{port}/f.bin")
    assert (task.status, task.reason) == (Status.FAILED, Reason.PROTOCOL_ERROR)


async def test_pausing_ends_the_transfer(engines: Engines, server: FtpServer) -> None:
    """A paused task leaves no login behind, and goes on where it was."""
    from tui_dl.core.commands import Command, CommandName  # noqa: PLC0415

    server.stall_after = [MIB]
    engine = await engines()
    task = await engine.add(server.add("f.bin", content(BODY)))
    await until(lambda: received(engine, task) >= MIB)
    await engine.execute(Command(CommandName.PAUSE, ids=(task.id,)))
    await until(lambda: not server.open_logins)
    assert (await row(engine, task)).status is Status.PAUSED
    await engine.execute(Command(CommandName.RESUME, ids=(task.id,)))
    assert is_whole(await fetch(engine, task.url), BODY)


async def test_without_the_extra_the_message_says_what_to_install(
    engines: Engines, server: FtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing library is a reason of its own, and nothing is retried."""

    def missing(_name: str) -> None:
        raise ImportError

    monkeypatch.setattr(ftp, "import_module", missing)
    task = await fetch(await engines(), server.add("f.bin", content(SMALL)))
    assert (task.status, task.reason) == (Status.FAILED, Reason.EXTRA_MISSING)
    assert "pip install 'tui-dl[ftp]'" in (task.error or "")
