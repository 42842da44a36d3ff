"""The benchmark table: `python -m tests.benchmarks [--rounds N] [--quick] [--work FOLDER]`."""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.measure import Contender, compete
from tests.benchmarks.web_server import nginx

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MIB = 1024 * 1024
SMALL_SIZES = (5_000, 50_000)
TUI_DL = (sys.executable, "-m", "tui_dl")


def make_large(path: Path, size_bytes: int) -> str:
    """Write random bytes; return their SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(size_bytes // MIB):
            block = os.urandom(MIB)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def make_small(folder: Path, count: int) -> dict[str, str]:
    """Write files of 5 to 50 KB; return SHA-256 by name."""
    folder.mkdir()
    sizes = random.Random(1)
    digests = {}
    for number in range(count):
        body = os.urandom(sizes.randint(*SMALL_SIZES))
        name = f"{number:05d}.png"
        (folder / name).write_bytes(body)
        digests[name] = hashlib.sha256(body).hexdigest()
    return digests


def check_digests(digests: dict[str, str], folder: Path) -> None:
    """Stop where a file is missing, too many or differs."""
    found = {path.name: path for path in folder.iterdir()}
    if found.keys() != digests.keys():
        raise SystemExit(f"{len(found)} files instead of {len(digests)}")
    for name, digest in digests.items():
        with found[name].open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise SystemExit(f"{name} differs")


def large_contenders(url: str) -> list[Contender]:
    """Return the programs for one large file, ours first."""
    aria2 = ("aria2c", "-q", "--file-allocation=none", "-d")
    return [
        Contender("tui-dl get", lambda out: (*TUI_DL, "get", "-q", "-d", str(out), url)),
        Contender("tui-dl get -x1", lambda out: (*TUI_DL, "get", "-q", "-x1", "-d", str(out), url)),
        Contender("curl", lambda out: ("curl", "-s", "-o", str(out / "large.bin"), url)),
        Contender("aria2c", lambda out: (*aria2, str(out), "-x1", "-s1", url)),
        Contender("aria2c -x8 -s8", lambda out: (*aria2, str(out), "-x8", "-s8", url)),
    ]


def small_contenders(urls: Path, curl_config: Callable[[Path], Path]) -> list[Contender]:
    """Return the programs for many small files, ours first."""
    return [
        Contender("tui-dl get -j50", lambda out: (*TUI_DL, "get", "-q", "-j50", "-d", str(out), "-i", str(urls))),
        Contender(
            "aria2c -j50",
            lambda out: ("aria2c", "-q", "--file-allocation=none", "-j50", "-d", str(out), "-i", str(urls)),
        ),
        Contender("curl -Z 50", lambda out: ("curl", "-s", "-Z", "--parallel-max", "50", "-K", str(curl_config(out)))),
    ]


def write_curl_config(urls: Sequence[str], path: Path, out: Path) -> Path:
    """Write curl's list of addresses and targets."""
    path.write_text("".join(f'url="{url}"\noutput="{out}/{url.rpartition("/")[2]}"\n' for url in urls))
    return path


def main() -> None:
    """Make the data, run the rows, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that it runs")
    parser.add_argument("--work", type=Path, default=None, help="folder for data and downloads (8 GiB)")
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="tui-dl-bench-", dir=asked.work))
    root = work / "www"
    root.mkdir()
    size_bytes, count = (256 * MIB, 1000) if asked.quick else (2048 * MIB, 10_000)
    try:
        large = {"large.bin": make_large(root / "large.bin", size_bytes)}
        small = make_small(root / "small", count)
        with nginx(root, work / "nginx") as origin:
            check = partial(check_digests, large)
            title = f"one file of {size_bytes // MIB} MiB, loopback"
            compete(title, large_contenders(f"{origin}/large.bin"), work / "run", check, rounds=asked.rounds, files=1)
            urls = [f"{origin}/small/{name}" for name in small]
            listing = work / "urls.txt"
            listing.write_text("\n".join(urls) + "\n")
            contenders = small_contenders(listing, partial(write_curl_config, urls, work / "curl.cfg"))
            title = f"{count} files of 5-50 KB, 50 at once"
            compete(title, contenders, work / "run", partial(check_digests, small), rounds=asked.rounds, files=count)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
