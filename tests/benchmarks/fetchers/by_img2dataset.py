"""A list by img2dataset's downloader."""

from __future__ import annotations

import importlib
from multiprocessing.pool import ThreadPool
from typing import TYPE_CHECKING

from tests.benchmarks.fetchers.arguments import read_arguments

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BytesIO


def main() -> None:
    """Fetch the list as its `Downloader` does, one thread a file, and write each file under its name.

    What it would do besides (decode, resize, count) is left out: it is about downloading.
    """
    wanted = read_arguments()
    fetch: Callable[..., tuple[int, BytesIO | None, str | None]]
    fetch = importlib.import_module("img2dataset.downloader").download_image_with_retry

    def save(numbered: tuple[int, str]) -> str:
        _, stream, error = fetch(
            numbered, timeout=30, retries=3, user_agent_token=None, disallowed_header_directives=[]
        )
        if stream is None:
            return error or "nothing came"
        wanted.target(numbered[1]).write_bytes(stream.read())
        stream.close()
        return ""

    with ThreadPool(wanted.at_once) as pool:
        errors = [error for error in pool.imap_unordered(save, enumerate(wanted.urls)) if error]
    if errors:
        raise SystemExit(f"{len(errors)} errors, the first: {errors[0]}")


if __name__ == "__main__":
    main()
