"""Names and targets: one safe component in the folder, nothing of others replaced or followed."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import LARGE_BYTES, ended, fetch, is_whole, until
from tests.faults import Resource, lies, tempers
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.core.task import OnExists, TaskOptions

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer

SMALL = Resource(20_000)
LARGE = Resource(LARGE_BYTES)
SIZES = pytest.mark.parametrize("resource", [SMALL, LARGE], ids=["small", "large"])


def laid(engines: Engines, name: str = "f.bin") -> Path:
    """Put a file of somebody else's into the folder."""
    engines.dir.mkdir(parents=True, exist_ok=True)
    path = engines.path(name)
    path.write_bytes(b"mine")
    return path


# -- what is there already ---------------------------------------------------------------------------------------------


@SIZES
async def test_a_target_that_exists_is_kept_and_the_new_one_numbered(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """The default replaces nothing."""
    mine = laid(engines)
    task = await fetch(await engines(), fault_server.add("/f.bin", resource))
    assert is_whole(task, resource)
    assert mine.read_bytes() == b"mine"
    assert engines.names() == ["f (1).bin", "f.bin"]


@SIZES
async def test_skip_fetches_nothing_that_is_there(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """The file from before stays, the row is skipped."""
    mine = laid(engines)
    task = await fetch(await engines(on_exists="skip"), fault_server.add("/f.bin", resource))
    assert (task.status, task.reason) == (Status.SKIPPED, Reason.TARGET_EXISTS)
    assert mine.read_bytes() == b"mine"
    assert engines.names() == ["f.bin"]


@SIZES
async def test_overwrite_replaces_a_file_once_the_new_one_is_whole(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """The old file stays until then."""
    mine = laid(engines)
    url = fault_server.add("/f.bin", resource, tempers.stall_after(10_000))
    engine = await engines(on_exists="overwrite")
    task = await engine.add(url)
    await fault_server.wait_for(lambda: fault_server.stalled("/f.bin"))
    assert mine.read_bytes() == b"mine"
    fault_server.release()
    assert is_whole(await ended(engine, task), resource)
    assert engines.names() == ["f.bin"]


async def test_a_failed_overwrite_leaves_the_old_file(engines: Engines, fault_server: FaultServer) -> None:
    """What cannot be fetched costs nothing."""
    mine = laid(engines)
    engine = await engines(on_exists="overwrite", max_retries=0)
    task = await fetch(engine, fault_server.add("/f.bin", SMALL, tempers.drop_after(10)))
    assert task.status is Status.FAILED
    assert mine.read_bytes() == b"mine"


async def test_a_tasks_own_policy_counts_first(engines: Engines, fault_server: FaultServer) -> None:
    """`options.on_exists` overrides the setting."""
    laid(engines)
    options = TaskOptions(on_exists=OnExists.SKIP)
    task = await fetch(await engines(), fault_server.add("/f.bin", SMALL), options=options)
    assert task.status is Status.SKIPPED


@SIZES
@pytest.mark.parametrize("policy", ["rename", "skip"])
async def test_two_addresses_of_one_name_are_both_kept(
    engines: Engines, fault_server: FaultServer, policy: str, resource: Resource
) -> None:
    """What another address of the batch took is renamed and counted, never skipped."""
    engine = await engines(on_exists=policy)
    other = Resource(resource.size_bytes, seed=2)
    urls = [fault_server.add("/a/f.bin", resource), fault_server.add("/b/f.bin", other)]
    tasks = [await engine.add(url) for url in urls]
    done = [await ended(engine, task) for task in tasks]
    assert is_whole(done[0], resource)
    assert is_whole(done[1], other)
    assert engines.names() == ["f (1).bin", "f.bin"]


async def test_one_after_the_other_of_one_name_are_both_kept_with_skip(
    engines: Engines, fault_server: FaultServer
) -> None:
    """The file that this batch made a moment ago is none from before."""
    engine = await engines(on_exists="skip", concurrent_downloads=1)
    urls = [fault_server.add(f"/{number}/f.bin", Resource(5000, number)) for number in range(5)]
    tasks = [await engine.add(url) for url in urls]
    done = [await ended(engine, task) for task in tasks]
    assert {task.status for task in done} == {Status.COMPLETED}
    assert len(engines.names()) == 5


async def test_a_link_in_the_targets_place_is_not_followed(engines: Engines, fault_server: FaultServer) -> None:
    """A link that somebody laid leads no bytes elsewhere."""
    precious = laid(engines, "precious")
    engines.path("f.bin").symlink_to(precious)
    for policy in ("rename", "overwrite"):
        await fetch(await engines(on_exists=policy), fault_server.add(f"/{policy}/f.bin", SMALL))
    assert precious.read_bytes() == b"mine"


# -- folders -----------------------------------------------------------------------------------------------------------


@SIZES
async def test_a_missing_folder_is_made(engines: Engines, fault_server: FaultServer, resource: Resource) -> None:
    """All of its parents, too."""
    folder = engines.path("a") / "b"
    task = await fetch(await engines(), fault_server.add("/f.bin", resource), dir=folder)
    assert is_whole(task, resource)
    assert task.path == str(folder / "f.bin")


@SIZES
async def test_a_folder_that_cannot_be_used_fails_its_task_alone(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """A file stands where the folder should be: told at once, no retry, others go on."""
    blocked = laid(engines, "blocked") / "folder"
    engine = await engines()
    bad = await engine.add(fault_server.add("/bad.bin", resource), dir=blocked)
    good = await fetch(engine, fault_server.add("/good.bin", resource))
    failed = await ended(engine, bad)
    assert is_whole(good, resource)
    assert failed.status is Status.FAILED
    assert failed.reason in {Reason.FOLDER_MISSING, Reason.IO_ERROR, Reason.PERMISSION_DENIED, Reason.READ_ONLY}
    assert "blocked" in failed.reason_text
    assert len(fault_server.requests_for("/bad.bin")) == 1


async def test_a_folder_removed_while_it_runs_fails_with_its_reason(
    engines: Engines, fault_server: FaultServer
) -> None:
    """The part file went with it; nothing is written elsewhere."""
    engine = await engines()
    url = fault_server.add("/f.bin", LARGE, tempers.stall_after(LARGE_BYTES - 1000))
    task = await engine.add(url)
    await until(engines.names)
    await fault_server.wait_for(lambda: fault_server.stalled("/f.bin"))
    moved = engines.dir.with_name("moved")
    engines.dir.rename(moved)
    fault_server.release()
    failed = await ended(engine, task)
    assert failed.status is Status.FAILED
    assert failed.reason in {Reason.FOLDER_MISSING, Reason.PART_LOST}
    assert not engines.dir.exists()


# -- names -------------------------------------------------------------------------------------------------------------

HOSTILE = [
    b'attachment; filename="../../evil.bin"',
    b'attachment; filename="..\\..\\evil.bin"',
    b'attachment; filename="/etc/passwd"',
    b'attachment; filename="C:\\evil.bin"',
    b"attachment; filename*=UTF-8''..%2F..%2Fevil.bin",
    b"attachment; filename*=UTF-8''a%00b.bin",
    b"attachment; filename*=UTF-8''a%0d%0ab.bin",
    b"attachment; filename*=UTF-8''a%1b%5d0%3bx%07.bin",
    b"attachment; filename*=UTF-8''%e2%80%aegpj.exe",
    b'attachment; filename="' + b"n" * 300 + b'.bin"',
    b"attachment; filename*=UTF-8''" + b"%e4%b8%ad" * 150 + b".bin",
    b'attachment; filename="CON"',
    b'attachment; filename="nul.txt"',
    b'attachment; filename=".bashrc"',
    b'attachment; filename="-rf"',
    b'attachment; filename="."',
    b'attachment; filename=".."',
    b'attachment; filename=""',
    b'attachment; filename="   "',
    b'attachment; filename="x.desktop"',
    b'attachment; filename="caf\xe9.bin"',
    b"attachment; filename=\xff\xfe",
    b"attachment; filename*=UTF-8''%ff%fe",
    b"attachment; filename",
    b";;;=;",
]


@pytest.mark.parametrize("header", HOSTILE)
@SIZES
async def test_a_server_never_chooses_a_path(
    engines: Engines, fault_server: FaultServer, resource: Resource, header: bytes
) -> None:
    """Whatever it says becomes one harmless component in the folder."""
    named = Resource(resource.size_bytes, content_disposition=header)
    engine = await engines(journal=engines.journal)
    task = await fetch(engine, fault_server.add("/f.bin", named))
    assert is_whole(task, named)
    (name,) = engines.names()
    assert Path(task.path) == engines.path(name)
    assert name[0] not in ".-~"
    assert len(name.encode()) <= 255
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in name)
    assert name.lower() not in {"con", "nul.txt", "x.desktop"}


async def test_an_honest_name_is_taken(engines: Engines, fault_server: FaultServer) -> None:
    """`filename*` counts before `filename`."""
    header = b"attachment; filename=\"plain.bin\"; filename*=UTF-8''na%C3%AFve%20%E4%B8%AD.bin"
    task = await fetch(await engines(), fault_server.add("/x", Resource(100, content_disposition=header)))
    assert task.filename == "naïve 中.bin"


@pytest.mark.parametrize(
    ("path", "name"),
    [("/a/b.iso?x=/y", "b.iso"), ("/a%2Fb.iso", "a_b.iso"), ("/", "127.0.0.1"), ("/%2e%2e", "127.0.0.1")],
)
async def test_without_a_header_the_address_names_the_file(
    engines: Engines, fault_server: FaultServer, path: str, name: str
) -> None:
    """Its last segment, decoded once and made safe, else the host."""
    fault_server.add(path.partition("?")[0], SMALL)
    task = await fetch(await engines(), fault_server.url(path))
    assert task.filename == name


async def test_a_program_on_the_server_does_not_name_the_file(engines: Engines, fault_server: FaultServer) -> None:
    """Where `get.php` leads to a file, that one's name is used."""
    fault_server.add("/pool/real.iso", SMALL)
    task = await fetch(await engines(), fault_server.add("/get.php", SMALL, lies.redirect("/pool/real.iso")))
    assert task.filename == "real.iso"


@pytest.mark.parametrize(
    ("asked", "name"), [("mine.bin", "mine.bin"), ("../up.bin", "_up.bin"), (".hidden", "hidden"), ("-x", "_-x")]
)
async def test_a_name_that_a_person_gave_counts_and_is_made_safe(
    engines: Engines, fault_server: FaultServer, asked: str, name: str
) -> None:
    """`-o` beats the server, but not safety."""
    resource = Resource(100, content_disposition='attachment; filename="theirs.bin"')
    task = await fetch(await engines(), fault_server.add("/f.bin", resource), name=asked)
    assert task.filename == name
    assert Path(task.path).parent == engines.dir


@pytest.mark.parametrize("path", ["/f.iso", "/f.zip", "/f.tar.gz", "/f.mp4", "/f.safetensors"])
async def test_a_web_page_instead_of_a_file_is_refused(engines: Engines, fault_server: FaultServer, path: str) -> None:
    """A login page is named as such and gets no file's name."""
    task = await fetch(await engines(), fault_server.add(path, SMALL, lies.login_page))
    assert (task.status, task.reason) == (Status.FAILED, Reason.WEB_PAGE)
    assert engines.names() == []


@pytest.mark.parametrize("path", ["/page.html", "/page", "/", "/v1.2", "/get.php"])
async def test_a_web_page_that_may_be_wanted_is_fetched(engines: Engines, fault_server: FaultServer, path: str) -> None:
    """Where nothing promises a file, a page is one."""
    page = Resource(body=b"<!DOCTYPE html><p>hello", content_type="text/html")
    assert is_whole(await fetch(await engines(), fault_server.add(path, page)), page)
