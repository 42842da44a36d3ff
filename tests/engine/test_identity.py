"""Credentials on the way: from `--user`, the netrc file and the settings, to their own origin and no other."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import fetch, is_whole, log_of
from tests.faults import FaultServer, Resource, lies
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.stage import Engines

SMALL = Resource(20_000)
MINE = "Basic " + b64encode(b"me:c4nary").decode()


@pytest.fixture
def netrc_file(tmp_path: Path) -> Path:
    """Return a netrc file for this machine that only its owner may read."""
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1\n  login me\n  password c4nary\ndefault login x password y\n")
    file.chmod(0o600)
    return file


def header(server: FaultServer, name: str) -> str | None:
    """Return a header of the first request that a server got."""
    return {key.lower(): value for key, value in dict(server.requests[0].headers).items()}.get(name)


@pytest.mark.parametrize("way", ["user", "netrc"])
async def test_credentials_stay_with_their_origin(
    engines: Engines, fault_server: FaultServer, other_server: FaultServer, netrc_file: Path, way: str
) -> None:
    """The named server gets them; the one it redirects to, on another port of the same host, does not."""
    settings: dict[str, Any] = {"user": "me:c4nary"} if way == "user" else {"netrc": str(netrc_file)}
    engine = await engines(**settings, auth="basic")
    there = other_server.add("/f.bin", SMALL)
    task = await fetch(engine, fault_server.add("/here", SMALL, lies.redirect(there)))
    assert is_whole(task, SMALL)
    assert header(fault_server, "authorization") == MINE
    assert header(other_server, "authorization") is None
    seen = repr(engine.settings) + repr(task) + await log_of(engine, task)
    assert "c4nary" not in seen
    assert MINE not in seen


async def test_credentials_of_the_task_go_first(engines: Engines, fault_server: FaultServer) -> None:
    """A header that was given for it is meant, whatever its case, and it is sent once."""
    engine = await engines(user="me:c4nary")
    options = TaskOptions(headers=(("authorization", "Bearer x"),))
    assert is_whole(await fetch(engine, fault_server.add("/f.bin", SMALL), options=options), SMALL)
    assert header(fault_server, "authorization") == "Bearer x"
    assert MINE not in str(fault_server.requests[0].headers)


async def test_who_has_no_credentials_is_told_how_to_give_them(engines: Engines, fault_server: FaultServer) -> None:
    """A 401 is not tried again."""
    task = await fetch(await engines(), fault_server.add("/f.bin", SMALL, lies.status(401)))
    assert (task.status, task.reason) == (Status.FAILED, Reason.UNAUTHORIZED)
    assert len(fault_server.requests) == 1


async def test_agent_and_referer(engines: Engines, fault_server: FaultServer, other_server: FaultServer) -> None:
    """As the settings say; another origin does not learn where we came from."""
    engine = await engines(user_agent="Mine/1", referer="http://from.example/")
    there = other_server.add("/f.bin", SMALL)
    assert is_whole(await fetch(engine, fault_server.add("/here", SMALL, lies.redirect(there))), SMALL)
    assert (header(fault_server, "user-agent"), header(fault_server, "referer")) == ("Mine/1", "http://from.example/")
    assert (header(other_server, "user-agent"), header(other_server, "referer")) == ("Mine/1", None)


async def test_a_family_of_addresses_is_kept_to(engines: Engines, fault_server: FaultServer) -> None:
    """`localhost` by IPv4 is our server; by IPv6 nobody listens."""
    url = fault_server.add("/f.bin", SMALL).replace("127.0.0.1", "localhost")
    assert is_whole(await fetch(await engines(ip_version="ipv4"), url), SMALL)
    task = await fetch(await engines(ip_version="ipv6", max_retries=0), url, name="other.bin")
    assert task.status is Status.FAILED


async def test_an_address_of_the_other_family_is_a_reason(engines: Engines, fault_server: FaultServer) -> None:
    """An IPv4 address in the URL is not reached where IPv6 alone may be used, and is no fault of ours."""
    task = await fetch(await engines(ip_version="ipv6"), fault_server.add("/f.bin", SMALL))
    assert (task.status, task.reason) == (Status.FAILED, Reason.DNS_FAILED)
    assert "127.0.0.1 has no IPv6 address" in (task.error or "")
    assert not fault_server.requests


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"user": ":c4nary"}, "^--user: "),
        ({"referer": "a\nX: c4nary"}, "^--referer: "),
        ({"user_agent": "a\r\nX: c4nary"}, "^--user-agent: "),
        ({"netrc": "{}/none"}, "^--netrc .*/none: cannot be read"),
        ({"netrc": "{}/broken"}, "^--netrc .*/broken: line 2 "),
        ({"netrc": "{}/open"}, "^--netrc .*/open: others may read"),
    ],
)
async def test_what_cannot_be_used_stops_the_start(
    engines: Engines, tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    """Named with its option; what is secret inside is not repeated."""
    for name, mode in (("broken", 0o600), ("open", 0o644)):
        (tmp_path / name).write_text("machine h login me\nc4nary c4nary\n")
        (tmp_path / name).chmod(mode)
    chosen = {name: value.format(tmp_path) for name, value in settings.items()}
    with pytest.raises(UsageError, match=words) as caught:
        await engines(**chosen)
    assert "c4nary" not in str(caught.value)
