"""A list by parfive."""

from __future__ import annotations

import importlib

from tests.benchmarks.fetchers.arguments import read_arguments


def main() -> None:
    """Fetch the list, each file in one split: the quickest that it knows for small ones."""
    wanted = read_arguments()
    downloader = importlib.import_module("parfive").Downloader(max_conn=wanted.at_once, max_splits=1, progress=False)
    for url in wanted.urls:
        downloader.enqueue_file(url, path=str(wanted.folder))
    results = downloader.download()
    if results.errors:
        raise SystemExit(f"{len(results.errors)} errors, the first: {results.errors[0]}")


if __name__ == "__main__":
    main()
