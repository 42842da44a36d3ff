"""Redirects and credentials: secrets stay with their origin, and appear in no log."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import LARGE_BYTES, MIB, ended, fetch, half_done, is_whole, log_of
from tests.faults import FaultServer, Resource, after, first, lies, tempers
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions
from tui_dl.engine import client

if TYPE_CHECKING:
    import ssl

    from tests.engine.stage import Engines


SMALL = Resource(20_000)
LARGE = Resource(LARGE_BYTES)
SECRETS = (
    *(("Authorization", "Bearer s3cret"), ("Cookie", "id=s3cret"), ("X-Api-Key", "s3cret")),
    *(("Private-Token", "s3cret"), ("X-Mine", "s3cret"), ("Referer", "http://me.example/s3cret")),
)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed(engines: Engines, fault_server: FaultServer, code: int) -> None:
    """The file comes from where the address leads; the row knows that place."""
    there = fault_server.add("/there/f.bin", SMALL)
    task = await fetch(await engines(), fault_server.add("/here", SMALL, lies.redirect(there, code)))
    assert is_whole(task, SMALL)
    assert task.final_url == there


@pytest.mark.parametrize("location", ["/there/f.bin", "there/f.bin", "?x=1#frag", "//{host}/there/f.bin"])
async def test_relative_places_are_resolved(engines: Engines, fault_server: FaultServer, location: str) -> None:
    """RFC 3986 decides where a Location leads."""
    fault_server.add("/there/f.bin", SMALL)
    place = location.format(host=fault_server.origin.partition("//")[2])
    task = await fetch(await engines(), fault_server.add("/here", SMALL, first(1, lies.redirect(place))))
    assert is_whole(task, SMALL)


async def test_secrets_go_on_within_an_origin(engines: Engines, fault_server: FaultServer) -> None:
    """Same scheme, host and port: all headers are sent."""
    fault_server.add("/there", SMALL)
    url = fault_server.add("/here", SMALL, lies.redirect("/there"))
    await fetch(await engines(), url, options=TaskOptions(headers=SECRETS))
    headers = fault_server.requests_for("/there")[0].headers
    assert {headers[name.lower()] for name, _ in SECRETS} == {value for _, value in SECRETS}


async def test_secrets_never_go_to_another_origin(
    engines: Engines, fault_server: FaultServer, other_server: FaultServer
) -> None:
    """Another port is another origin: credentials, cookies and custom headers stay behind, later requests included."""
    there = other_server.add("/there", LARGE, first(1, tempers.drop_after(MIB)))
    url = fault_server.add("/here", SMALL, lies.redirect(there))
    task = await fetch(await engines(), url, options=TaskOptions(headers=SECRETS))
    assert is_whole(task, LARGE)
    assert len(other_server.requests) == 2
    for log in other_server.requests:
        assert "s3cret" not in str(log.headers)
        assert log.headers["range"]


async def test_secrets_do_not_come_back_with_a_second_redirect(
    engines: Engines, fault_server: FaultServer, other_server: FaultServer
) -> None:
    """Once dropped they stay dropped: the other origin might have chosen where it leads."""
    back = fault_server.add("/back", SMALL)
    there = other_server.add("/there", SMALL, lies.redirect(back))
    url = fault_server.add("/here", SMALL, lies.redirect(there))
    await fetch(await engines(), url, options=TaskOptions(headers=SECRETS))
    assert "s3cret" not in str(fault_server.requests_for("/back")[0].headers)


async def test_a_resume_asks_the_first_address_again(
    engines: Engines, fault_server: FaultServer, other_server: FaultServer
) -> None:
    """A signed place expires; the address that was given leads to the next one."""
    first_place = other_server.add("/one", LARGE, tempers.stall_after(MIB))
    url, task = await half_done(engines, fault_server, "/f.bin", LARGE, lies.redirect(first_place), held_bytes=0)
    del url
    second_place = other_server.add("/two", LARGE)
    fault_server.script("/f.bin", lies.redirect(second_place))
    engine = await engines(journal=engines.journal)
    done = await ended(engine, task)
    assert is_whole(done, LARGE)
    assert done.final_url == second_place


@pytest.mark.parametrize(
    "location",
    [
        *("file:///etc/passwd", "ftp://127.0.0.1/f", "data:text/plain,x", "javascript:alert(1)", "unix:/run/x"),
        *("http://", "http://[::1", "http://127.0.0.1:99999/", "http://a b/", "/\x01x"),
    ],
)
async def test_a_senseless_place_is_refused(engines: Engines, fault_server: FaultServer, location: str) -> None:
    """Other schemes and unusable addresses end the task with the reason."""
    task = await fetch(await engines(), fault_server.add("/here", SMALL, lies.redirect(location)))
    assert task.status is Status.FAILED
    assert task.reason in {Reason.REDIRECT_REFUSED, Reason.PROTOCOL_ERROR}
    assert "redirect" in task.reason_text or task.reason is Reason.PROTOCOL_ERROR
    scheme = location.partition(":")[0]
    if scheme not in {"http", "/\x01x"}:
        assert f"a redirect to {scheme}: was refused" in task.reason_text
    assert len(fault_server.requests) == 1


async def test_redirects_in_a_circle_end(engines: Engines, fault_server: FaultServer) -> None:
    """A to B to A is seen at once."""
    fault_server.add("/a", SMALL, lies.redirect("/b"))
    fault_server.add("/b", SMALL, lies.redirect("/a"))
    task = await fetch(await engines(), fault_server.url("/a"))
    assert (task.status, task.reason) == (Status.FAILED, Reason.REDIRECT_LOOP)
    assert len(fault_server.requests) == 2


async def test_endless_redirects_end(engines: Engines, fault_server: FaultServer) -> None:
    """Ever new places are followed ten times."""
    for number in range(20):
        fault_server.add(f"/{number}", SMALL, lies.redirect(f"/{number + 1}"))
    task = await fetch(await engines(), fault_server.url("/0"))
    assert (task.status, task.reason) == (Status.FAILED, Reason.REDIRECT_LOOP)
    assert len(fault_server.requests) == 11


@pytest.mark.parametrize("headers", [(), SECRETS], ids=["without", "with"])
@pytest.mark.parametrize("is_other", [False, True], ids=["same", "other"])
async def test_user_info_of_a_place_is_not_used(
    engines: Engines,
    fault_server: FaultServer,
    other_server: FaultServer,
    headers: tuple[tuple[str, str], ...],
    *,
    is_other: bool,
) -> None:
    """A server does not choose credentials; one's own stay with their origin."""
    server = other_server if is_other else fault_server
    place = server.add("/there", SMALL).replace("://", "://eve:pw@")
    options = TaskOptions(headers=headers)
    task = await fetch(await engines(), fault_server.add("/here", SMALL, lies.redirect(place)), options=options)
    assert is_whole(task, SMALL)
    sent = server.requests_for("/there")[0].headers.get("authorization")
    assert sent == (dict(headers).get("Authorization") if not is_other else None)
    assert "eve" not in task.final_url


async def test_user_info_becomes_a_header_and_is_shown_nowhere(engines: Engines, fault_server: FaultServer) -> None:
    """Row, log and journal hold no password in an address."""
    url = fault_server.add("/f.bin", LARGE, first(1, tempers.drop_after(MIB))).replace("://", "://me:hunter2@")
    engine = await engines(journal=engines.journal, auth="basic")
    task = await fetch(engine, url)
    assert is_whole(task, LARGE)
    wanted = "Basic " + b64encode(b"me:hunter2").decode()
    assert {log.headers["authorization"] for log in fault_server.requests} == {wanted}
    details = await engine.details(task.id)
    assert details is not None
    seen = f"{task.url} {task.final_url} {task.reason_text} {await log_of(engine, task)} {details.response_headers}"
    assert "hunter2" not in seen
    assert wanted not in seen


async def test_headers_of_the_server_are_made_safe(engines: Engines, fault_server: FaultServer) -> None:
    """What a header tries on the terminal, and cookies, are not shown as they came."""
    headers = (("X-Evil", b"\x1b]0;owned\x07\xe9"), ("Set-Cookie", "id=s3cret"))
    url = fault_server.add("/f.bin", Resource(LARGE_BYTES, headers=headers), tempers.stall_after(MIB))
    engine = await engines(timeout=3)
    task = await engine.add(url)
    await fault_server.wait_for(lambda: fault_server.stalled("/f.bin"))
    details = await engine.details(task.id)
    assert details is not None
    shown = str(details.response_headers) + str(details.log)
    assert "\\x1b" not in shown
    assert "s3cret" not in shown
    fault_server.release()
    await ended(engine, task)


async def test_the_name_is_fixed_at_the_first_answer(engines: Engines, fault_server: FaultServer) -> None:
    """Later answers cannot rename what is under way."""
    _, task = await half_done(engines, fault_server, "/f.bin", LARGE)
    fault_server.add("/other.sh", Resource(LARGE_BYTES, content_disposition='attachment; filename="evil.sh"'))
    fault_server.script("/f.bin", lies.redirect("/other.sh"))
    engine = await engines(journal=engines.journal)
    done = await ended(engine, task)
    assert is_whole(done, LARGE)
    assert engines.names() == ["f.bin"]


async def test_a_signed_address_goes_on_the_wire_as_it_was_given(engines: Engines, fault_server: FaultServer) -> None:
    """Nothing is decoded and encoded again."""
    fault_server.add("/a%2Fb%20c", SMALL)
    await fetch(await engines(), fault_server.url("/a%2Fb%20c?sig=a%2Bb+c%3D&x=[1]"))
    assert fault_server.requests[0].request.target == "/a%2Fb%20c?sig=a%2Bb+c%3D&x=[1]"


async def test_one_time_addresses_work(engines: Engines, fault_server: FaultServer) -> None:
    """The first request is the download: nothing probes before it."""
    task = await fetch(await engines(), fault_server.add("/f.bin", LARGE, lies.once_only()))
    assert is_whole(task, LARGE)


async def test_an_expired_place_is_asked_for_anew(
    engines: Engines, fault_server: FaultServer, other_server: FaultServer
) -> None:
    """A further request refused by the place goes back to the address that was given."""
    there = other_server.add("/f", LARGE, first(1, tempers.drop_after(MIB)), after(1, first(1, lies.status(500))))
    task = await fetch(await engines(), fault_server.add("/here.bin", SMALL, lies.redirect(there)))
    assert is_whole(task, LARGE)
    assert len(fault_server.requests) >= 2


# -- TLS ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch, trusting_context: ssl.SSLContext) -> None:
    """Have the engine trust the authority of this test run."""
    monkeypatch.setattr(client, "tls_context", lambda: trusting_context)


async def test_https_works(engines: Engines, tls_fault_server: FaultServer, trusting: None) -> None:
    """The same bytes over TLS."""
    task = await fetch(await engines(), tls_fault_server.add("/f.bin", LARGE))
    assert is_whole(task, LARGE)


async def test_an_untrusted_certificate_fails_at_once(engines: Engines, tls_fault_server: FaultServer) -> None:
    """No retry makes it better, and the words name the host."""
    task = await fetch(await engines(), tls_fault_server.add("/f.bin", SMALL))
    assert (task.status, task.reason) == (Status.FAILED, Reason.TLS_FAILED)
    assert "127.0.0.1" in task.reason_text
    assert tls_fault_server.requests == []


async def test_https_never_falls_to_http(
    engines: Engines, fault_server: FaultServer, tls_fault_server: FaultServer, trusting: None
) -> None:
    """A redirect down is refused and nothing is asked there."""
    there = fault_server.add("/f.bin", SMALL)
    task = await fetch(await engines(), tls_fault_server.add("/here", SMALL, lies.redirect(there)))
    assert (task.status, task.reason) == (Status.FAILED, Reason.REDIRECT_REFUSED)
    assert f"a redirect from https to http was refused: {there}" in task.reason_text
    assert fault_server.requests == []


async def test_https_falls_to_http_where_allowed(
    engines: Engines, fault_server: FaultServer, tls_fault_server: FaultServer, trusting: None
) -> None:
    """A person may allow it; secrets stay behind nevertheless."""
    there = fault_server.add("/f.bin", SMALL)
    url = tls_fault_server.add("/here", SMALL, lies.redirect(there))
    task = await fetch(await engines(allow_downgrade=True), url, options=TaskOptions(headers=SECRETS))
    assert is_whole(task, SMALL)
    assert "s3cret" not in str(fault_server.requests[0].headers)


async def test_http_to_a_tls_port_is_a_reason(engines: Engines, tls_fault_server: FaultServer) -> None:
    """A wrong scheme ends with words, not with a traceback."""
    url = tls_fault_server.add("/f.bin", SMALL).replace("https:", "http:")
    task = await fetch(await engines(max_retries=1), url)
    assert task.status is Status.FAILED
    assert task.reason in {Reason.PROTOCOL_ERROR, Reason.CONNECTION_RESET}
