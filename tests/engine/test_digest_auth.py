"""Names and passwords against servers that ask for them, each in its way."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import LARGE_BYTES, ended, fetch, is_whole, log_of
from tests.faults import FaultServer, Resource, lies, tempers
from tests.faults.guards import BasicGuard, DigestGuard
from tests.faults.pacing import Pace
from tests.faults.script import Body
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.ports import TransportRequest
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions
from tui_dl.engine.client import AiohttpTransport
from tui_dl.engine.client_options import ClientOptions
from tui_dl.engine.identified import IdentifiedTransport

if TYPE_CHECKING:
    from pathlib import Path

    import trustme

    from tests.engine.stage import Engines
    from tests.faults.script import Exchange, Fault, Reply

SMALL = Resource(20_000)
MINE = "Basic " + b64encode(b"me:c4nary").decode()


def carried(server: FaultServer) -> list[str]:
    """Return the scheme of Authorization of each request, empty for none."""
    return [log.headers.get("authorization", "").partition(" ")[0] for log in server.requests]


def _when_refused(fault: Fault) -> Fault:
    """Use a fault for answers 401 alone."""
    return lambda exchange, reply: fault(exchange, reply) if reply.status == 401 else reply


@pytest.mark.parametrize("qop", ["auth", "", "auth-int,auth"])
@pytest.mark.parametrize("algorithm", ["", "MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256"])
async def test_digest_in_all_its_forms(engines: Engines, fault_server: FaultServer, algorithm: str, qop: str) -> None:
    """The password is proven and never sent, the address signed as it goes on the wire."""
    guard = DigestGuard(algorithm=algorithm, qop=qop, has_userhash=algorithm.startswith("SHA-256"))
    fault_server.add("/a%2Fb%20c", SMALL, guard)
    task = await fetch(await engines(user="me:c4nary"), fault_server.url("/a%2Fb%20c?q=%C3%A9+x&y=[1]"))
    assert is_whole(task, SMALL)
    assert carried(fault_server) == ["", "Digest"]
    assert guard.in_clear == []
    assert guard.let_in[0]["opaque"] == "0p,a=que"


@pytest.mark.parametrize("way", ["user", "address", "netrc", "header"])
async def test_wherever_the_password_comes_from(
    engines: Engines, fault_server: FaultServer, tmp_path: Path, way: str
) -> None:
    """Setting, user info of the address, netrc file and a Basic header are proven in Digest alike."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password c4nary\n")
    netrc.chmod(0o600)
    settings: dict[str, Any] = {"user": {"user": "me:c4nary"}, "netrc": {"netrc": str(netrc)}}.get(way, {})
    options = TaskOptions(headers=(("authorization", MINE),) if way == "header" else ())
    guard = DigestGuard()
    url = fault_server.add("/f.bin", SMALL, guard)
    if way == "address":
        url = url.replace("://", "://me:c4nary@")
    engine = await engines(**settings)
    task = await fetch(engine, url, options=options)
    assert is_whole(task, SMALL)
    assert guard.in_clear == []
    assert "c4nary" not in repr(task) + await log_of(engine, task)


async def test_a_large_file_asks_for_its_challenge_once(engines: Engines, fault_server: FaultServer) -> None:
    """All its connections answer with one nonce, counted; the refused request cost no second connection."""
    guard = DigestGuard()
    url = fault_server.add("/f.bin", Resource(20 * LARGE_BYTES), guard, tempers.pace_together(60 << 20))
    task = await fetch(await engines(user="me:c4nary"), url)
    assert is_whole(task, Resource(20 * LARGE_BYTES))
    assert guard.challenged == 1
    assert fault_server.requests[0].connection_id == fault_server.requests[1].connection_id
    counts = [int(one["nc"], 16) for one in guard.let_in]
    assert sorted(counts) == list(range(1, len(counts) + 1))


async def test_many_files_ask_once(engines: Engines, fault_server: FaultServer) -> None:
    """Started together they wait for the first answer; later ones carry theirs at once."""
    guard = DigestGuard(algorithm="SHA-256")
    urls = [fault_server.add(f"/{number}.bin", SMALL, guard) for number in range(40)]
    engine = await engines(user="me:c4nary", concurrent_downloads=20)
    tasks = [await engine.add(url) for url in urls]
    assert all([is_whole(await ended(engine, task), SMALL) for task in tasks])
    assert len(fault_server.requests) == 41
    assert guard.challenged == 1


@pytest.mark.parametrize("asks", [True, False])
async def test_those_that_start_together_learn_together(fault_server: FaultServer, *, asks: bool) -> None:
    """The others wait for the first answer; once it is known that nobody asks, none waits for another."""
    active: list[int] = []

    def count(exchange: Exchange, reply: Reply) -> Reply:
        active.append(exchange.active_requests)
        return reply

    guard = (DigestGuard(),) if asks else ()
    for number in range(8):
        fault_server.add(f"/{number}.bin", SMALL, *guard, count, tempers.slow_head(3000))
    transport = IdentifiedTransport(AiohttpTransport(connect_timeout_s=5, timeout_s=5), ClientOptions())
    try:
        for _ in range(2):
            requests = [
                TransportRequest(fault_server.url(f"/{number}.bin"), {"Authorization": MINE}) for number in range(8)
            ]
            answers = await asyncio.gather(*map(transport.get, requests))
            assert [answer.status for answer in answers] == [200] * 8
            for answer in answers:
                answer.close()
        first = [1, 1] if asks else [1]
        assert active[: len(first)] == first
        assert max(active[-8:]) == 8
        assert len(active) == 16 + asks
    finally:
        await transport.aclose()


async def test_a_refusal_in_many_words_costs_no_connection(engines: Engines, fault_server: FaultServer) -> None:
    """Its page is read to the end."""
    page = _when_refused(lambda _, reply: replace(reply, body=Body.of(b"x" * 40_000), pace=Pace(400_000)))
    task = await fetch(await engines(user="me:c4nary"), fault_server.add("/f.bin", SMALL, DigestGuard(), page))
    assert is_whole(task, SMALL)
    assert len({log.connection_id for log in fault_server.requests}) == 1


@pytest.mark.parametrize("says_stale", [True, False])
async def test_an_outdated_nonce_is_replaced(engines: Engines, fault_server: FaultServer, *, says_stale: bool) -> None:
    """Called stale or not: nobody is asked for the password again."""
    guard = DigestGuard(uses=2, says_stale=says_stale)
    engine = await engines(user="me:c4nary", concurrent_downloads=1)
    for number in range(5):
        assert is_whole(await fetch(engine, fault_server.add(f"/{number}.bin", SMALL, guard)), SMALL)
    assert guard.challenged == 3


async def test_a_server_that_names_the_next_nonce_is_followed(engines: Engines, fault_server: FaultServer) -> None:
    """One-time nonces cost no further refusal."""
    guard = DigestGuard(uses=1, names_next=True)
    engine = await engines(user="me:c4nary", concurrent_downloads=1)
    for number in range(4):
        assert is_whole(await fetch(engine, fault_server.add(f"/{number}.bin", SMALL, guard)), SMALL)
    assert guard.challenged == 1


async def test_the_strongest_of_several_challenges(engines: Engines, fault_server: FaultServer) -> None:
    """Basic, an unknown scheme and MD5 stand first and lose."""
    others = ('Negotiate, Basic realm="door"', 'Digest realm="door", nonce="weak", qop="auth", algorithm=MD5')
    guard = DigestGuard(algorithm="SHA-256", others=others)
    assert is_whole(await fetch(await engines(user="me:c4nary"), fault_server.add("/f.bin", SMALL, guard)), SMALL)
    assert guard.in_clear == []


@pytest.mark.parametrize("policy", ["auto", "basic"])
async def test_basic_over_http(engines: Engines, fault_server: FaultServer, policy: str) -> None:
    """Asked for first; from then on, or where a person says so, it goes at once."""
    engine = await engines(user="me:c4nary", auth=policy)
    for name in ("one", "two"):
        assert is_whole(await fetch(engine, fault_server.add(f"/{name}.bin", SMALL, BasicGuard())), SMALL)
    assert carried(fault_server) == (["", "Basic", "Basic"] if policy == "auto" else ["Basic", "Basic"])


async def test_basic_goes_at_once_over_tls(
    engines: Engines, tls_fault_server: FaultServer, tls_authority: trustme.CA, tmp_path: Path
) -> None:
    """Nobody on the way reads it, and a one-time address is asked for once."""
    tls_authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    engine = await engines(user="me:c4nary", ca_certificate=str(tmp_path / "ca.pem"))
    assert is_whole(await fetch(engine, tls_fault_server.add("/f.bin", SMALL, BasicGuard())), SMALL)
    assert carried(tls_fault_server) == ["Basic"]


async def test_who_does_not_ask_is_told_nothing(engines: Engines, fault_server: FaultServer) -> None:
    """A public file over http costs one request and no password."""
    engine = await engines(user="me:c4nary")
    for name in ("one", "two"):
        assert is_whole(await fetch(engine, fault_server.add(f"/{name}.bin", SMALL)), SMALL)
    assert carried(fault_server) == ["", ""]


@pytest.mark.parametrize(
    ("settings", "guard", "words", "requests"),
    [
        ({"user": "me:wrong"}, DigestGuard(), 'does not take this name and password for "door"', 2),
        ({"user": "you:c4nary"}, DigestGuard(), 'does not take this name and password for "door"', 2),
        ({"user": "me:wrong"}, BasicGuard(), 'does not take this name and password for "door"', 2),
        ({"user": "me:wrong", "auth": "basic"}, BasicGuard(), "does not take this name and password", 1),
        ({}, DigestGuard(), 'wants a name and password for "door"', 1),
        ({"user": "me:c4nary", "auth": "basic"}, DigestGuard(), "wants Digest", 1),
        ({"user": "me:c4nary", "auth": "digest"}, BasicGuard(), "wants Basic", 1),
        ({"user": "me:c4nary"}, BasicGuard(challenges=("NTLM", "Negotiate")), "wants NTLM or Negotiate", 1),
        ({"bearer": "t0ken"}, BasicGuard(challenges=('Bearer realm="api"',)), "does not take this token", 1),
        ({}, BasicGuard(challenges=('Bearer realm="api"',)), 'wants a token for "api"', 1),
    ],
)
async def test_a_refusal_says_why(
    engines: Engines,
    fault_server: FaultServer,
    settings: dict[str, Any],
    guard: BasicGuard | DigestGuard,
    words: str,
    requests: int,
) -> None:
    """The host, what it wants, what we did; nothing is tried again and nothing secret repeated."""
    engine = await engines(**settings)
    task = await fetch(engine, fault_server.add("/f.bin", SMALL, guard))
    assert (task.status, task.reason, task.retry_count) == (Status.FAILED, Reason.UNAUTHORIZED, 1)
    assert f"127.0.0.1 {words}" in task.reason_text
    assert len(fault_server.requests) == requests
    seen = task.reason_text + await log_of(engine, task)
    assert not any(secret in seen for secret in ("wrong", "c4nary", "t0ken"))


async def test_a_basic_header_that_cannot_be_proven_is_not_sent(engines: Engines, fault_server: FaultServer) -> None:
    """Where Digest alone is allowed; any other goes as it was given."""
    options = TaskOptions(headers=(("Authorization", "Basic c4nary"),))
    url = fault_server.add("/f.bin", SMALL)
    task = await fetch(await engines(auth="digest"), url, options=options)
    assert (task.reason, fault_server.requests) == (Reason.UNAUTHORIZED, [])
    assert "127.0.0.1 was not asked: the Basic header that was given" in task.reason_text
    assert is_whole(await fetch(await engines(), url, options=options, name="g.bin"), SMALL)
    assert fault_server.requests[0].headers["authorization"] == "Basic c4nary"


async def test_an_answer_in_digest_stays_with_its_origin(
    engines: Engines, fault_server: FaultServer, other_server: FaultServer
) -> None:
    """A redirect to another port carries nothing, and what that one asks for is not answered."""
    there = other_server.add("/f.bin", SMALL, DigestGuard())
    engine = await engines(user="me:c4nary")
    guard = DigestGuard()
    task = await fetch(engine, fault_server.add("/here", SMALL, lies.redirect(there), guard))
    assert (task.status, task.reason) == (Status.FAILED, Reason.UNAUTHORIZED)
    assert len(guard.let_in) == 1
    assert carried(other_server) == [""]


async def test_a_bearer_goes_at_once_and_to_its_origin_alone(
    engines: Engines, fault_server: FaultServer, other_server: FaultServer, tmp_path: Path
) -> None:
    """Read from a file, so that no list of processes shows it."""
    (tmp_path / "token").write_text("t0ken.a-b_c~+/=\n")
    there = other_server.add("/f.bin", SMALL)
    engine = await engines(bearer=f"@{tmp_path}/token")
    task = await fetch(engine, fault_server.add("/here", SMALL, lies.redirect(there)))
    assert is_whole(task, SMALL)
    assert fault_server.requests[0].headers["authorization"] == "Bearer t0ken.a-b_c~+/="
    assert "authorization" not in other_server.requests[0].headers
    assert "t0ken" not in repr(engine.settings) + repr(task) + await log_of(engine, task)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bearer": "c4nary\nX: y"}, "^--bearer: not a token"),
        ({"bearer": "@{}/none"}, "^--bearer @.*/none: cannot be read: No such file"),
        ({"bearer": "@{}/junk"}, "^--bearer: not a token"),
        ({"bearer": "@{}/bytes"}, "^--bearer @.*/bytes: not a file with one token"),
        ({"bearer": "c4nary", "user": "me:c4nary"}, "^--user and --bearer"),
    ],
)
async def test_what_cannot_be_used_stops_the_start(
    engines: Engines, tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    """Named with its option; what is secret is not repeated."""
    (tmp_path / "junk").write_text("c4nary two words")
    (tmp_path / "bytes").write_bytes(b"c4nary\xff")
    with pytest.raises(UsageError, match=words) as caught:
        await engines(**{name: value.format(tmp_path) for name, value in settings.items()})
    assert "c4nary" not in str(caught.value)
