"""Cookies on the way: whose they are, what a server may set, what is written."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import fetch, is_whole, log_of
from tests.faults import FaultServer, Resource, lies
from tui_dl.core.errors import UsageError
from tui_dl.core.task import TaskOptions
from tui_dl.engine.cookies import Cookies, open_cookies, read_cookies

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.stage import Engines

SMALL = Resource(20_000)
FAR = 4_000_000_000
"""An expiry long after every test, seconds since 1970."""


def line(
    *, domain: str = "e.org", below: str = "FALSE", path: str = "/", secure: str = "FALSE", expires: int = FAR
) -> str:
    """Return a line of a cookie file."""
    return "\t".join((domain, below, path, secure, str(expires), "id", "c4nary")) + "\n"


def jar(tmp_path: Path, text: str) -> Cookies:
    """Return the cookies of a file with this text."""
    file = tmp_path / "cookies.txt"
    file.write_bytes(text.encode())
    return Cookies(read_cookies(str(file)))


@pytest.mark.parametrize(
    ("text", "url", "is_sent"),
    [
        (line(), "http://e.org/", True),
        (line(), "http://a.e.org/", False),
        (line(), "http://fake-e.org/", False),
        (line(domain=".e.org", below="TRUE"), "http://a.e.org/", True),
        (line(domain=".e.org", below="TRUE"), "http://e.org.evil/", False),
        (line(path="/in"), "http://e.org/in/f", True),
        (line(path="/in"), "http://e.org/out", False),
        (line(path="/in"), "http://e.org/inside", False),
        (line(secure="TRUE"), "https://e.org/", True),
        (line(secure="TRUE"), "http://e.org/", False),
        (line(expires=1), "http://e.org/", False),
        (line(expires=0), "http://e.org/", True),
        ("#HttpOnly_" + line(), "http://e.org/", True),
        ("# " + line(), "http://e.org/", False),
        (line().replace("\n", "\r\n"), "http://e.org/", True),
        (line(domain="localhost"), "http://localhost:8080/", True),
        (line(domain="127.0.0.1"), "http://127.0.0.1:8080/", True),
    ],
)
def test_a_cookie_goes_where_it_belongs(tmp_path: Path, text: str, url: str, *, is_sent: bool) -> None:
    """By domain, path, security and expiry, and nowhere else."""
    assert jar(tmp_path, text).header(url) == ("id=c4nary" if is_sent else "")


@pytest.mark.parametrize("bad", ["\x01", "\x1b", "\x7f", "\r", "\x85", "\u202e"])
def test_control_characters_never_reach_a_header(tmp_path: Path, bad: str) -> None:
    """The cookie is dropped, the others stay."""
    text = line().replace("c4nary", f"a{bad}b") + line().replace("id\t", "ok\t")
    assert jar(tmp_path, text).header("http://e.org/") == "ok=c4nary"


@pytest.mark.parametrize(
    ("said", "url", "is_sent"),
    [
        ("id=1", "http://e.org/", True),
        ("id=1; Domain=e.org", "http://a.e.org/", True),
        ("id=1; Domain=f.org", "http://f.org/", False),
        ("id=1; Domain=org", "http://f.org/", False),
        ("id=1; Secure", "http://e.org/", False),
        ("id=1; Max-Age=0", "http://e.org/", False),
        ("id=1\x01", "http://e.org/", False),
        ("id=" + "x" * 5000, "http://e.org/", False),
    ],
)
def test_a_server_sets_cookies_for_itself(said: str, url: str, *, is_sent: bool) -> None:
    """For no other domain, for none that it has no part in, and not without end."""
    cookies = Cookies()
    cookies.learn("http://e.org/f", [said])
    assert bool(cookies.header(url)) is is_sent


def test_what_is_no_cookie_file_is_refused_unseen(tmp_path: Path) -> None:
    """A person took the wrong file; its content is not repeated."""
    with pytest.raises(UsageError, match="Netscape") as caught:
        jar(tmp_path, '{"json": "c4nary"}')
    assert "c4nary" not in str(caught.value)


def test_saving_is_for_the_owner_alone(tmp_path: Path) -> None:
    """It keeps what was read and learned, and leaves nothing else behind; a link is replaced."""
    jar(tmp_path, line())
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "out").symlink_to(tmp_path / "victim")
    cookies = Cookies(read_cookies(str(tmp_path / "cookies.txt")), save_to=tmp_path / "out")
    cookies.learn("http://localhost/", ["new=2; HttpOnly; Max-Age=1000"])
    cookies.save()
    assert stat.S_IMODE((tmp_path / "out").lstat().st_mode) == 0o600
    assert (tmp_path / "victim").read_text() == "kept"
    again = Cookies(read_cookies(str(tmp_path / "out")))
    assert (again.header("http://e.org/"), again.header("http://localhost/")) == ("id=c4nary", "new=2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cookies.txt", "out", "victim"]


# -- on the way --------------------------------------------------------------------------------------------------------


def cookie_header(server: FaultServer, number: int = 0) -> str | None:
    """Return the Cookie header of a request that a server got."""
    return {key.lower(): value for key, value in dict(server.requests[number].headers).items()}.get("cookie")


async def test_a_files_cookies_are_sent_to_their_host_alone(
    engines: Engines, fault_server: FaultServer, tmp_path: Path
) -> None:
    """A redirect to another host gets none of them, and nothing shows them."""
    (tmp_path / "c.txt").write_text(line(domain="127.0.0.1"))
    engine = await engines(cookies=str(tmp_path / "c.txt"))
    there = fault_server.add("/f.bin", SMALL).replace("127.0.0.1", "localhost")
    task = await fetch(engine, fault_server.add("/here", SMALL, lies.redirect(there)))
    assert is_whole(task, SMALL)
    assert [cookie_header(fault_server, number) for number in (0, 1)] == ["id=c4nary", None]
    assert "c4nary" not in repr(engine.settings) + repr(task) + await log_of(engine, task)


async def test_a_cookie_set_by_a_redirect_is_sent_back(
    engines: Engines, fault_server: FaultServer, tmp_path: Path
) -> None:
    """Many servers let in only who brings it; it is saved at the end."""
    engine = await engines(save_cookies=str(tmp_path / "out.txt"))
    there = fault_server.add("/f.bin", SMALL)
    answer = lies.status(302, ("Location", there), ("Set-Cookie", "a=1; Max-Age=1000"), ("Set-Cookie", "b=2"))
    assert is_whole(await fetch(engine, fault_server.add("/here", SMALL, answer)), SMALL)
    assert sorted((cookie_header(fault_server, 1) or "").split("; ")) == ["a=1", "b=2"]
    await engines.close(engine)
    assert "a\t1" in (tmp_path / "out.txt").read_text()


async def test_a_given_cookie_header_is_sent_alone(engines: Engines, fault_server: FaultServer, tmp_path: Path) -> None:
    """It was chosen for this task."""
    (tmp_path / "c.txt").write_text(line(domain="127.0.0.1"))
    engine = await engines(cookies=str(tmp_path / "c.txt"))
    options = TaskOptions(headers=(("cookie", "mine=1"),))
    assert is_whole(await fetch(engine, fault_server.add("/f.bin", SMALL), options=options), SMALL)
    assert cookie_header(fault_server) == "mine=1"


async def test_without_cookie_options_none_are_kept(engines: Engines, fault_server: FaultServer) -> None:
    """A server cannot mark us."""
    there = fault_server.add("/f.bin", SMALL)
    answer = lies.status(302, ("Location", there), ("Set-Cookie", "a=1"))
    assert is_whole(await fetch(await engines(), fault_server.add("/here", SMALL, answer)), SMALL)
    assert cookie_header(fault_server, 1) is None


@pytest.mark.parametrize("text", ["", "# Netscape HTTP Cookie File\n\n", "#HttpOnly_" + line(), "\n" + line(expires=1)])
def test_a_cookie_file_that_is_there_is_replaced(tmp_path: Path, text: str) -> None:
    """With cookies or without, of whichever program."""
    jar(tmp_path, text)
    assert open_cookies("", str(tmp_path / "cookies.txt")) is not None


def test_what_is_no_cookie_file_is_not_replaced(tmp_path: Path) -> None:
    """A netrc file whose name was given by mistake is left alone, and so is what is no file at all."""
    file = tmp_path / "netrc"
    file.write_text("# mine\nmachine e.org login me password c4nary\n")
    with pytest.raises(UsageError, match="netrc: holds no cookies, and is left as it was"):
        open_cookies("", str(file))
    (tmp_path / "link").symlink_to("/dev/null")
    for name in (".", "link"):
        with pytest.raises(UsageError, match="is no file"):
            open_cookies("", str(tmp_path / name))


async def test_a_folder_that_is_missing_stops_the_start(engines: Engines, tmp_path: Path) -> None:
    """Better now than after hours."""
    with pytest.raises(UsageError, match="--save-cookies"):
        await engines(save_cookies=str(tmp_path / "none" / "out.txt"))
