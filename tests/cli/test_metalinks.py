"""Metalinks and mirrors on the command line: what is taken, what is refused with its reason, what whole runs do."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tui_dl
from tests.faults import Resource, oracle
from tui_dl.cli.order import Order, read_order
from tui_dl.core.errors import UsageError
from tui_dl.core.url_list import Line
from tui_dl.disk.locations import locations_under

if TYPE_CHECKING:
    from tests.faults import FaultServer

URL = "http://h/a"
SMALL = Resource(20_000)
BODY = oracle.content(1, 0, 20_000)
DIGEST = hashlib.sha256(BODY).hexdigest()


def written(path: Path, *urls: str, name: str = "f.bin", digest: str = DIGEST) -> Path:
    """Write a Metalink of one file."""
    addresses = "".join(f"<url>{url}</url>" for url in urls or (URL, "http://m/a"))
    inner = f'<file name="{name}"><hash type="sha-256">{digest}</hash>{addresses}</file>'
    path.write_text(f'<metalink xmlns="urn:ietf:params:xml:ns:metalink">{inner}</metalink>')
    return path


def order(tmp_path: Path, **given: Any) -> Order:
    """Return the order of values as click gives them, typed in `tmp_path`."""
    return read_order(given, locations=locations_under(tmp_path), environment={}, folder=tmp_path)


def test_a_file_beside_addresses_is_read(tmp_path: Path) -> None:
    """Its first address is the task's, the others are mirrors."""
    written(tmp_path / "f.meta4")
    other, new = order(tmp_path, urls=("f.meta4", "http://h/b")).news
    assert (other.url, new.url) == ("http://h/b", URL)
    assert (new.name, new.dir, new.options.mirrors) == ("f.bin", str(tmp_path), ("http://m/a",))
    assert new.options.checksum == f"sha256={DIGEST}"
    assert new.options.is_named_elsewhere


def test_a_name_is_for_the_file_that_it_describes(tmp_path: Path) -> None:
    """As for an address."""
    written(tmp_path / "f.meta4")
    assert order(tmp_path, urls=("f.meta4",), output="mine.bin").news[0].name == "mine.bin"


def test_the_option_takes_files_of_any_name_and_addresses(tmp_path: Path) -> None:
    """An address is the engine's to ask."""
    written(tmp_path / "list.xml")
    one, two = order(tmp_path, metalinks=("list.xml", "http://h/get?m")).news
    assert (one.url, two.url) == (URL, "http://h/get?m")
    assert (one.options.is_metalink, two.options.is_metalink) == (False, True)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"urls": ("gone.meta4",)}, "gone.meta4: cannot be read"),
        ({"urls": ("bad.meta4",)}, "bad.meta4: not XML"),
        ({"metalinks": ("bad.meta4",)}, "bad.meta4: not XML"),
        ({"urls": ("f.meta4",), "output": "-"}, "--output -"),
        ({"urls": ("f.meta4", URL), "output": "x"}, "exactly one address"),
        ({"urls": ("f.meta4",), "headers": ("Authorization: Basic x",)}, "--header Authorization"),
        ({"urls": ("f.meta4",), "follow_metalink": False}, "--no-follow-metalink"),
        ({"urls": (URL, "http://h/b"), "mirrors": ("http://m/a",)}, "--mirror"),
        ({"urls": (URL,), "input_files": ("-",), "mirrors": ("http://m/a",)}, "--mirror"),
        ({"urls": (URL,), "output": "-", "mirrors": ("http://m/a",)}, "--mirror"),
        ({"urls": (URL,), "mirrors": ("http://me:secret@m/a",)}, "--mirror: credentials"),
        ({"urls": (URL,), "mirrors": ("nonsense",)}, "http://"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    """Before anything is opened; no secret is in the message."""
    written(tmp_path / "f.meta4")
    (tmp_path / "bad.meta4").write_text("<html")
    with pytest.raises(UsageError, match=words) as caught:
        order(tmp_path, **given)
    assert "secret" not in caught.value.message


def test_a_list_line_is_an_address(tmp_path: Path) -> None:
    """A path in a list may be anybody's words; only addresses are taken from one."""
    written(tmp_path / "f.meta4")
    with pytest.raises(UsageError):
        order(tmp_path, urls=(URL,)).listed_task(Line(1, "f.meta4"))


def test_mirrors_are_kept_in_order(tmp_path: Path) -> None:
    """Each once."""
    given = ("http://m/a", "http://n/a", "http://m/a")
    assert order(tmp_path, urls=(URL,), mirrors=given).news[0].options.mirrors == ("http://m/a", "http://n/a")


async def run(folder: Path, *args: str) -> tuple[int, bytes, str]:
    """Run the program in a folder; return its exit code and what it said on both streams."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(tui_dl.__file__).parent.parent),
        "TUI_DL_HOME": str(folder / "home"),
        "HOME": str(folder),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui_dl", *args), cwd=folder, env=environment, stdout=-1, stderr=-1
    )
    output, errors = await process.communicate()
    return process.returncode or 0, output, errors.decode()


async def test_a_file_is_got(tmp_path: Path, fault_server: FaultServer) -> None:
    """`tui-dl get FILE.meta4`."""
    written(tmp_path / "f.meta4", fault_server.add("/1", SMALL))
    code, _, said = await run(tmp_path, "get", "f.meta4")
    assert code == 0, said
    assert (tmp_path / "f.bin").read_bytes() == BODY


async def test_an_address_is_followed_and_counted(tmp_path: Path, fault_server: FaultServer) -> None:
    """The summary counts the Metalink and its file."""
    path = written(tmp_path / "x", fault_server.add("/1", SMALL))
    url = fault_server.add("/f.meta4", Resource(body=path.read_bytes()))
    code, output, said = await run(tmp_path, "get", "--json", url)
    assert code == 0, said
    lines = [json.loads(line) for line in output.splitlines()]
    assert {key: lines[-1][key] for key in ("total", "success", "skipped", "failed")} == {
        "total": 2,
        "success": 1,
        "skipped": 1,
        "failed": 0,
    }
    assert (tmp_path / "f.bin").read_bytes() == BODY


@pytest.mark.parametrize("digest", [DIGEST, "0" * 64], ids=["right", "wrong"])
async def test_standard_output_is_checked_at_its_end(tmp_path: Path, fault_server: FaultServer, digest: str) -> None:
    """The bytes are out by then; the exit code and the message tell."""
    url = fault_server.add("/f", SMALL)
    code, output, said = await run(tmp_path, "get", "-o", "-", "--checksum", f"sha256={digest}", url)
    assert output == BODY
    assert code == (0 if digest == DIGEST else 1)
    assert (DIGEST in said) == (digest != DIGEST)


async def test_a_digest_that_is_required_must_be_there(tmp_path: Path, fault_server: FaultServer) -> None:
    """Also where the bytes would go out: none does."""
    url = fault_server.add("/d/f", SMALL)
    code, output, said = await run(tmp_path, "get", "-o", "-", "--verify", "require", url)
    assert (code, output) == (1, b"")
    assert "no digest" in said
    fault_server.add("/d/SHA256SUMS", Resource(body=f"{DIGEST}  f\n".encode()))
    code, output, said = await run(tmp_path, "get", "-o", "-", "--verify", "require", url)
    assert (code, output, said) == (0, BODY, "")
