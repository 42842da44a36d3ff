"""Cookies of a browser on the way: whose they are, what goes over them, what is written, and what is wrong."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser_profiles import Crumb, chromium, firefox
from tests.engine.stage import fetch, is_whole, log_of, until
from tests.engine.test_cookies import SMALL, cookie_header, line
from tests.faults import lies
from tui_dl.core.errors import UsageError
from tui_dl.core.task import TaskOptions
from tui_dl.engine.browser_cookies import BrowserReading
from tui_dl.engine.cookies import Cookies, open_cookies, read_cookies

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.stage import Engines
    from tests.faults import FaultServer

OPTION = "--cookies-from-browser"
PASSWORD = b"of-the-wallet"


def jar(browser: str, file: Path | None = None, save_to: Path | None = None) -> Cookies:
    """Return the cookies of a browser as an engine has them."""
    found = open_cookies(str(file or ""), str(save_to or ""), lambda: BrowserReading().lines(browser))
    assert found is not None
    return found


def sent(cookies: Cookies, url: str) -> list[str]:
    """Return what goes to an address, in no order."""
    return sorted(cookies.header(url).split("; "))


@pytest.mark.parametrize("make", [firefox, chromium])
def test_a_cookie_of_a_browser_goes_where_it_belongs(tmp_path: Path, make: Callable[..., str]) -> None:
    """By domain, path, security and expiry, as those of a file; control characters never get into a header."""
    crumbs = [
        Crumb("e.org", "host"),
        Crumb(".e.org", "below"),
        Crumb("e.org", "path", path="/in"),
        Crumb("e.org", "secure", is_secure=True),
        Crumb("e.org", "old", expires_s=1_000_000_000),
        Crumb("e.org", "bad", "a\r\nb"),
        Crumb("localhost", "local"),
    ]
    cookies = jar(make(tmp_path / "profile", crumbs))
    assert sent(cookies, "http://a.e.org/") == ["below=c4nary"]
    assert sent(cookies, "http://e.org/") == ["below=c4nary", "host=c4nary"]
    assert sent(cookies, "http://e.org/in/f") == ["below=c4nary", "host=c4nary", "path=c4nary"]
    assert sent(cookies, "https://E.org/") == ["below=c4nary", "host=c4nary", "secure=c4nary"]
    assert sent(cookies, "http://localhost:8080/") == ["local=c4nary"]
    assert [cookies.header(url) for url in ("http://fake-e.org/", "http://org/", "http://e.org.evil/")] == ["", "", ""]


def test_cookies_until_the_browser_ends_are_taken_too(tmp_path: Path) -> None:
    """Chromium keeps them; a login often lasts no longer."""
    assert jar(chromium(tmp_path / "profile", [Crumb("e.org", expires_s=0)])).header("http://e.org/") == "id=c4nary"


def test_a_keyring_is_asked_where_the_key_lies_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the program that belongs to it."""
    wallet(tmp_path, monkeypatch, f"echo {PASSWORD.decode()}")
    profile = chromium(tmp_path / "profile", [Crumb("e.org")], version=b"v11", password=PASSWORD)
    assert jar(profile.replace(":", "+kwallet6:", 1)).header("http://e.org/") == "id=c4nary"


def test_what_lies_in_the_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python would take a file that was downloaded there for yt-dlp."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "yt_dlp.py").write_text("open('was_run', 'w')\n")
    assert jar(firefox(tmp_path / "profile", [Crumb("e.org")])).header("http://e.org/") == "id=c4nary"
    assert not (tmp_path / "was_run").exists()


def wallet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program on the path that answers for a keyring."""
    program = tmp_path / "bin" / "kwallet-query"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_a_given_file_goes_over_the_browser(tmp_path: Path) -> None:
    """What has the same name, host and path; the rest comes from either."""
    (tmp_path / "c.txt").write_text(line().replace("c4nary", "mine"))
    profile = firefox(tmp_path / "profile", [Crumb("e.org"), Crumb("e.org", "more")])
    assert sent(jar(profile, tmp_path / "c.txt"), "http://e.org/") == ["id=mine", "more=c4nary"]


@pytest.mark.parametrize(("said", "then"), [("id=new", "id=new"), ("id=; Max-Age=0", "")])
@pytest.mark.parametrize("is_first", [False, True])
def test_what_a_server_sets_goes_over_the_browser(tmp_path: Path, said: str, then: str, *, is_first: bool) -> None:
    """Also where it was answered before anything was sent, and where it takes a cookie back."""
    cookies = jar(firefox(tmp_path / "profile", [Crumb("e.org")]))
    if not is_first:
        assert cookies.header("http://e.org/") == "id=c4nary"
    cookies.learn("http://e.org/", [said])
    assert cookies.header("http://e.org/") == then


def test_a_large_jar_leaves_room_for_what_servers_set(tmp_path: Path) -> None:
    """Browsers keep some thousands."""
    cookies = jar(firefox(tmp_path / "profile", [Crumb(f"h{number}.org") for number in range(3500)]))
    cookies.learn("http://e.org/", ["id=new"])
    assert [cookies.header(f"http://{host}/") for host in ("e.org", "h0.org", "h3499.org")] == [
        *("id=new", "id=c4nary", "id=c4nary"),
    ]


def test_what_no_host_was_asked_for_is_not_saved(tmp_path: Path) -> None:
    """The file is good for the same downloads again, and does not hold the rest of a person's logins."""
    crumbs = [Crumb("e.org"), Crumb("bank.example", "login"), Crumb(".e.org", "below")]
    cookies = jar(firefox(tmp_path / "profile", crumbs), save_to=tmp_path / "out.txt")
    cookies.header("http://e.org/")
    cookies.learn("http://f.org/", ["new=1; Max-Age=1000"])
    cookies.save()
    assert "bank" not in (tmp_path / "out.txt").read_text()
    again = Cookies(read_cookies(str(tmp_path / "out.txt")))
    assert (sent(again, "http://e.org/"), again.header("http://f.org/")) == (["below=c4nary", "id=c4nary"], "new=1")


# -- what is wrong -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("browser", "words"),
    [
        ("firefx", "Supported browsers are: brave"),
        ("firefox+nix", "Supported keyrings are: BASICTEXT"),
        (":x", "invalid"),
        ("firefox", "no cookies of firefox are in its usual folders; name its profile or folder: firefox:PROFILE"),
        ("firefox:nix", "no cookies of firefox are in its profile nix"),
        ("firefox:{profile}::Work", "its profile has no containers"),
        ("chrome", "no cookies of chrome are in its usual folders"),
        ("safari", "unsupported platform"),
    ],
)
def test_a_browser_that_is_not_there_is_named(tmp_path: Path, browser: str, words: str) -> None:
    """With the way out."""
    firefox(tmp_path / "profile", [])
    browser = browser.format(profile=tmp_path / "profile")
    with pytest.raises(UsageError) as caught:
        BrowserReading().lines(browser)
    assert caught.value.message.startswith(f"{OPTION} {browser}: ")
    assert words in caught.value.message


def broken(folder: Path) -> None:
    """Make a file that is no database, with a cookie in it."""
    folder.mkdir()
    (folder / "cookies.sqlite").write_text("c4nary\n" * 1000)


def cut(folder: Path) -> None:
    """Make a database that was cut short."""
    firefox(folder, [Crumb(f"h{number}.org") for number in range(500)])
    file = folder / "cookies.sqlite"
    file.write_bytes(file.read_bytes()[:9000])


def foreign(folder: Path) -> None:
    """Make a database of another shape."""
    folder.mkdir()
    with closing(sqlite3.connect(folder / "cookies.sqlite")) as database, database:
        database.execute("CREATE TABLE other (value TEXT)")


@pytest.mark.parametrize("spoil", [broken, cut, foreign])
def test_a_database_that_cannot_be_read_is_told(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """With the way out, and without what is in it."""
    spoil(tmp_path / "profile")
    with pytest.raises(UsageError, match=r"its database cannot be read: .*; end the browser and try again") as caught:
        BrowserReading().lines(f"firefox:{tmp_path / 'profile'}")
    assert "c4nary" not in caught.value.message


@pytest.mark.parametrize("browser", ["chromium", "chromium+gnomekeyring", "chromium+kwallet"])
def test_cookies_without_their_key_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: str) -> None:
    """Where none can be decrypted; another keyring may have it."""
    monkeypatch.delenv("XDG_CURRENT_DESKTOP", raising=False)
    wallet(tmp_path, monkeypatch, "exit 1")
    chromium(tmp_path / "profile", [Crumb("e.org")], version=b"v11", password=PASSWORD)
    with pytest.raises(UsageError, match=r"none of its 1 cookies could be decrypted .*BASICTEXT") as caught:
        BrowserReading().lines(f"{browser}:{tmp_path / 'profile'}")
    assert "c4nary" not in caught.value.message


def test_some_that_cannot_be_decrypted_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The others are of use; the log says how many are missing."""
    name = chromium(tmp_path / "profile", [Crumb("e.org"), Crumb("f.org")])
    with closing(sqlite3.connect(tmp_path / "profile" / "Cookies")) as database, database:
        database.execute("UPDATE cookies SET encrypted_value = CAST('v99' AS BLOB) WHERE host_key = 'f.org'")
    assert len(BrowserReading().lines(name)) == 1
    assert "1 cookies could not be decrypted" in caplog.text


# -- on the way --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [firefox, chromium])
async def test_a_browsers_cookies_are_sent_to_their_host_alone(
    engines: Engines, fault_server: FaultServer, tmp_path: Path, make: Callable[..., str]
) -> None:
    """From the first request on; a redirect to another host gets none of them, and nothing shows them."""
    profile = await asyncio.to_thread(make, tmp_path / "profile", [Crumb(), Crumb("other.example")])
    engine = await engines(cookies_from_browser=profile)
    there = fault_server.add("/f.bin", SMALL).replace("127.0.0.1", "localhost")
    task = await fetch(engine, fault_server.add("/here", SMALL, lies.redirect(there)))
    assert is_whole(task, SMALL)
    assert [cookie_header(fault_server, number) for number in (0, 1)] == ["id=c4nary", None]
    assert "c4nary" not in repr(engine.settings) + repr(task) + await log_of(engine, task)


async def test_a_given_header_goes_over_a_browser(engines: Engines, fault_server: FaultServer, tmp_path: Path) -> None:
    """It was chosen for this task."""
    profile = await asyncio.to_thread(firefox, tmp_path / "profile", [Crumb()])
    engine = await engines(cookies_from_browser=profile)
    options = TaskOptions(headers=(("cookie", "mine=1"),))
    assert is_whole(await fetch(engine, fault_server.add("/f.bin", SMALL), options=options), SMALL)
    assert cookie_header(fault_server) == "mine=1"


async def test_a_browser_that_is_not_there_stops_the_start(engines: Engines) -> None:
    """No request goes without its cookies."""
    with pytest.raises(UsageError, match=OPTION):
        await engines(cookies_from_browser="firefox:nix")


async def test_a_start_that_is_given_up_leaves_no_keyring_asked(
    engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop goes on while a person is asked for a password, and Ctrl+C ends all of it."""
    note = tmp_path / "pid"
    await asyncio.to_thread(wallet, tmp_path, monkeypatch, f"echo $$ > {note}.new; mv {note}.new {note}; sleep 60")
    profile = await asyncio.to_thread(partial(chromium, tmp_path / "profile", [Crumb()], version=b"v11"))
    starting = asyncio.ensure_future(engines(cookies_from_browser=profile.replace(":", "+kwallet6:", 1)))
    await until(note.exists)
    stat = Path(f"/proc/{note.read_text().strip()}/stat")
    assert is_alive(stat)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await until(lambda: not is_alive(stat))


def is_alive(stat: Path) -> bool:
    """Whether a process runs still."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
