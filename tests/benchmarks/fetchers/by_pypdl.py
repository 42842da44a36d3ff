"""A list by pypdl."""

from __future__ import annotations

import importlib

from tests.benchmarks.fetchers.arguments import read_arguments


def main() -> None:
    """Fetch the list, each file in one segment: the quickest that it knows for small ones."""
    wanted = read_arguments()
    tasks = [{"url": url, "file_path": str(wanted.target(url))} for url in wanted.urls]
    downloader = importlib.import_module("pypdl").Pypdl(max_concurrent=wanted.at_once)
    downloader.start(tasks=tasks, multisegment=False, display=False, block=True)


if __name__ == "__main__":
    main()
