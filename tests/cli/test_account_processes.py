"""The account of a batch survives a kill: the same command again yields the whole of it."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults import Resource, lies, oracle, tempers
from tui_dl.cli.exits import SOME_FAILED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults import FaultServer

LIMIT_S = 20.0


class Scene:
    """A list, a folder and a server."""

    def __init__(self, server: FaultServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.resources = {f"/{number}.bin": Resource(20_000 + number, seed=number) for number in range(6)}
        for path, resource in self.resources.items():
            server.add(path, resource)
        server.script("/4.bin", tempers.stall_after(5_000))
        server.add("/gone.bin", Resource(10), lies.status(404))
        urls = [server.url(path) for path in ("/0.bin", "/1.bin", "/gone.bin", "/2.bin", "/3.bin", "/4.bin", "/5.bin")]
        self.lines = [*urls[:3], "no address", *urls[3:], urls[0]]
        (folder / "list.txt").write_text("".join(f"{line}\n" for line in self.lines))

    async def begin(self, *options: str) -> asyncio.subprocess.Process:
        """Start the program on the list."""
        pipe = asyncio.subprocess.PIPE
        command = ("-m", "tui_dl", "get", "-i", "list.txt", "-d", "out", "--max-retries", "0", "--json", *options)
        return await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=self.folder, stdout=pipe, stderr=pipe, limit=1 << 20
        )

    async def run(self, *options: str) -> tuple[int, dict[str, Any]]:
        """Run it to its end; return the exit code and the summary."""
        process = await self.begin(*options)
        async with asyncio.timeout(LIMIT_S):
            output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, json.loads(output.splitlines()[-1])

    def digest_of(self, line: str) -> str:
        """Return the SHA-256 of what an address of the list leads to."""
        resource = self.resources[line[len(self.server.origin) :]]
        return hashlib.sha256(oracle.content(resource.seed, 0, resource.size_bytes)).hexdigest()


@pytest.fixture
async def scene(fault_server: FaultServer, tmp_path: Path) -> Scene:
    """Serve six files of which one stalls, and one that is not there."""
    return await asyncio.to_thread(Scene, fault_server, tmp_path)


async def _killed(scene: Scene, *options: str) -> None:
    """Run until four files are there, then kill."""
    process = await scene.begin(*options)
    assert process.stdout is not None
    completed = 0
    async with asyncio.timeout(LIMIT_S):
        async for line in process.stdout:
            completed += json.loads(line)["event"] == "completed"
            if completed == 4:
                break
        process.kill()
        await process.communicate()


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


async def test_a_killed_run_goes_on_to_the_whole_manifest(scene: Scene) -> None:
    """Exact for each line, whichever run saw it; a kill leaves the manifest of before, and loses no failure."""
    manifest, options = scene.folder / "m.csv", ("--manifest", "m.csv", "--failed-list", "failed.csv")
    manifest.write_text("of before")
    await _killed(scene, *options)
    assert manifest.read_text() == "of before"
    scene.server.script("/4.bin")
    code, summary = await scene.run(*options)
    rows = await asyncio.to_thread(_table, manifest)
    assert (code, summary["gone"], summary["failed"]) == (SOME_FAILED, 1, 2)
    assert [row["line"] for row in rows] == [str(number) for number in range(1, len(scene.lines) + 1)]
    expected = ["completed", "completed", "gone", "failed", *["completed"] * 4, "skipped"]
    assert [row["status"] for row in rows] == expected
    for row in rows:
        if row["status"] == "completed":
            assert row["sha256"] == scene.digest_of(row["url"])
    failed = await asyncio.to_thread(_table, scene.folder / "failed.csv")
    assert [(row["line"], row["reason"], row["http_status"]) for row in failed] == [
        ("3", "not-found", "404"),
        ("4", "bad-url", ""),
    ]
    assert [one.name for one in scene.folder.iterdir() if "new" in one.name] == []


async def test_an_interruption_writes_what_failed_so_far(scene: Scene) -> None:
    """Ctrl+C loses no failure; the manifest is for a list that is through."""
    process = await scene.begin("--failed-list", "failed.txt", "--manifest", "m.csv")
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        await scene.server.wait_for(lambda: scene.server.stalled("/4.bin"))
        failures = 0
        async for line in process.stdout:
            failures += json.loads(line)["event"] == "failed"
            if failures == 2:
                break
        process.terminate()
        await process.communicate()
    text = (scene.folder / "failed.txt").read_text()
    assert text.startswith(scene.server.url("/gone.bin"))
    assert not (scene.folder / "m.csv").exists()


async def test_beyond_the_bound_it_stops_early(scene: Scene) -> None:
    """It does not wait for the file that stalls; the account is written all the same, with what is open."""
    code, summary = await scene.run("--max-failed", "1", "--manifest", "m.csv")
    assert (code, summary["failed"]) == (SOME_FAILED, 2)
    statuses = {row["url"]: row["status"] for row in await asyncio.to_thread(_table, scene.folder / "m.csv")}
    assert statuses[scene.server.url("/4.bin")] not in ("completed", "failed")
