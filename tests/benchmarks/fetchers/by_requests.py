"""A list by requests: one after another, or in threads, a session for each thread."""

from __future__ import annotations

import importlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.benchmarks.fetchers.arguments import Wanted, read_arguments

kept = threading.local()


def session_of_thread(wanted: Wanted) -> Any:
    """Return the session of the thread that asks."""
    if not hasattr(kept, "session"):
        kept.session = importlib.import_module("requests").Session()
        kept.session.trust_env = False
        kept.session.verify = wanted.authority or True
    return kept.session


def fetch(url: str, wanted: Wanted) -> None:
    """Save one address."""
    answer = session_of_thread(wanted).get(url, timeout=30)
    answer.raise_for_status()
    wanted.target(url).write_bytes(answer.content)


def main() -> None:
    """Fetch the list."""
    wanted = read_arguments()
    if wanted.at_once == 1:
        for url in wanted.urls:
            fetch(url, wanted)
        return
    with ThreadPoolExecutor(wanted.at_once) as pool:
        list(pool.map(lambda url: fetch(url, wanted), wanted.urls))


if __name__ == "__main__":
    main()
