"""The files that are downloaded, and the judgement on what arrived."""

from __future__ import annotations

import hashlib
import os
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.measure import Outcome

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024
SMALL_SIZES = (5_000, 50_000)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""So that whoever looks at the first bytes takes a small file for what its name says."""


@dataclass(frozen=True)
class Payload:
    """Files under a server's root."""

    folder: str
    """Path under the root, with a slash at the end, or empty."""
    digests: dict[str, str]
    """SHA-256 by name."""
    total_bytes: int
    """All of them together."""

    def urls(self, origin: str) -> list[str]:
        """Return their addresses."""
        return [f"{origin}/{self.folder}{name}" for name in self.digests]

    def first(self, count: int) -> Payload:
        """Return the first so many, for a ladder."""
        names = list(self.digests)[:count]
        return Payload(self.folder, {name: self.digests[name] for name in names}, self.total_bytes)

    def check(self, folder: Path) -> Outcome:
        """Compare every file with its digest."""
        right_files = right_bytes = 0
        for name, digest in self.digests.items():
            path = folder / name
            if not path.is_file():
                continue
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    continue
                right_bytes += os.fstat(file.fileno()).st_size
            right_files += 1
        return Outcome(right_files, right_bytes, self._problem(folder, right_files))

    def _problem(self, folder: Path, right_files: int) -> str:
        if right_files < len(self.digests):
            return f"{right_files} of {len(self.digests)} files right"
        extra = sum(1 for path in folder.iterdir() if path.name not in self.digests)
        return f"{extra} files too many" if extra else ""


def make_large(root: Path, name: str, size_bytes: int) -> Payload:
    """Write one file of random bytes."""
    digest = hashlib.sha256()
    with (root / name).open("wb") as file:
        for _ in range(size_bytes // MIB):
            block = os.urandom(MIB)
            digest.update(block)
            file.write(block)
    return Payload("", {name: digest.hexdigest()}, size_bytes)


def make_small(root: Path, folder: str, count: int) -> Payload:
    """Write files of 5 to 50 KB that begin as PNG do, the same sizes every time."""
    (root / folder).mkdir()
    sizes = random.Random(1)
    digests = {}
    total_bytes = 0
    for number in range(count):
        body = PNG_SIGNATURE + os.urandom(sizes.randint(*SMALL_SIZES) - len(PNG_SIGNATURE))
        name = f"{number:05d}.png"
        (root / folder / name).write_bytes(body)
        digests[name] = hashlib.sha256(body).hexdigest()
        total_bytes += len(body)
    return Payload(f"{folder}/", digests, total_bytes)
