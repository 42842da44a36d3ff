"""The command line that the fetchers share."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wanted:
    """What one fetcher is to do."""

    urls: list[str]
    """Addresses, each with a name of its own at its end."""
    folder: Path
    """Where the files go."""
    at_once: int
    """Files at the same time."""
    authority: str | None
    """Certificate to trust besides the system's."""
    is_http2: bool
    """HTTP/2 is asked for."""

    def target(self, url: str) -> Path:
        """Return the file that an address is saved to."""
        return self.folder / url.rpartition("/")[2]


def read_arguments() -> Wanted:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("listing", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--authority")
    parser.add_argument("--http2", action="store_true")
    asked = parser.parse_args()
    urls = asked.listing.read_text().split()
    return Wanted(urls, asked.folder, asked.at_once, asked.authority, asked.http2)
