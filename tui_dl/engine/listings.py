"""Lists of digests beside files, asked for once a folder and remembered: `SHA256SUMS` and `NAME.sha256`."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from tui_dl.core.digest_lists import (
    COMPANIONS,
    LISTINGS,
    MOST_COMPANION_BYTES,
    MOST_LISTING_BYTES,
    folder_of,
    is_listing_name,
    name_in,
    parse_companion,
    parse_listing,
)
from tui_dl.core.errors import HttpError, TuiDlError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tui_dl.core.digest_lists import DigestList
    from tui_dl.core.digests import Digest
    from tui_dl.core.task import TaskOptions

    Fetch = Callable[[str, TaskOptions, int], Awaitable[bytes]]

REMEMBERED_S: Final = 600.0
"""How long a folder's lists are taken for what they were, and those it has not for missing."""
MOST_FOLDERS: Final = 64
"""Folders remembered at a time."""
MOST_MISSES: Final = 3
"""Files of a folder that had no list of their own of a kind, after which no other is asked for one."""
PATIENCE_S: Final = 60.0
"""A list that takes longer, retries and all, is done without: the file itself is here by then."""
PARSED_ON_LOOP_BYTES: Final = 64 * 1024


class Listed(NamedTuple):
    """A digest and the list that names it."""

    digest: Digest
    """Of the whole file."""
    source: str
    """Name of the list, in words of ours and the address's: to be made safe where it is shown."""


@dataclass(slots=True)
class _Folder:
    """What is known of one folder."""

    at: float
    """Monotonic instant of the first question."""
    lists: dict[str, asyncio.Task[DigestList | None]] = field(default_factory=dict)
    """By the list's address, asked for once; None where there is none."""
    misses: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Files without a list of their own, by its ending."""
    hits: set[str] = field(default_factory=set)
    """Endings of which there was one."""
    is_mute: bool = False
    """Whether it let us wait in vain: it is asked nothing more."""
    probing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One file at a time is asked about while nothing is known."""


class Question(NamedTuple):
    """Which file's digest is wanted."""

    url: str
    """The file's own address, checked."""
    name: str
    """What it is called here, which may differ from the address."""
    options: TaskOptions
    """Of its task: the headers go with the questions, which are of the same origin."""
    note: Callable[[str], None]
    """Hears of lists that could not be read."""

    @property
    def names(self) -> tuple[str, str]:
        """What a list may call it."""
        return name_in(self.url), self.name


class Listings:
    """Finds the digest that a server lists for a file; every list of a folder is fetched once for all its files."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._folders: OrderedDict[str, _Folder] = OrderedDict()
        self._tasks: set[asyncio.Task[DigestList | None]] = set()

    async def find(self, asked: Question) -> Listed | None:
        """Return the digest that is listed beside a file; None where no list names it.

        Nothing is raised for what a server does.
        """
        folder_url, own_name = folder_of(asked.url), name_in(asked.url)
        if not folder_url or is_listing_name(own_name):
            return None
        folder = self._folder(folder_url)
        for name, algorithm in LISTINGS.items():
            found = await self._list(folder, folder_url + name, algorithm, asked)
            if found is not None and (digest := found.find(*asked.names)) is not None:
                return Listed(digest, name)
        for ending, algorithm in COMPANIONS.items():
            digest = await self._companion(folder, ending, algorithm, asked)
            if digest is not None:
                return Listed(digest, own_name + ending)
        return None

    def forget(self, url: str) -> None:
        """Ask anew about the folder of a file: its lists may be older than the file."""
        self._folders.pop(folder_of(url), None)

    async def aclose(self) -> None:
        """End all questions."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _folder(self, url: str) -> _Folder:
        now = self._clock()
        folder = self._folders.pop(url, None)
        if folder is None or now - folder.at >= REMEMBERED_S:
            folder = _Folder(now)
        self._folders[url] = folder
        if len(self._folders) > MOST_FOLDERS:
            self._folders.popitem(last=False)
        return folder

    async def _list(self, folder: _Folder, url: str, algorithm: str, asked: Question) -> DigestList | None:
        if url not in folder.lists:
            # In a task of its own: whoever asked first may be cancelled while others wait for the same list.
            task = asyncio.ensure_future(self._read_list(folder, url, algorithm, asked))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            folder.lists[url] = task
        return await asyncio.shield(folder.lists[url])

    async def _read_list(self, folder: _Folder, url: str, algorithm: str, asked: Question) -> DigestList | None:
        content = await self._content(folder, url, MOST_LISTING_BYTES, asked)
        if content is None:
            return None
        if len(content) <= PARSED_ON_LOOP_BYTES:
            return parse_listing(content, algorithm)
        return await asyncio.to_thread(parse_listing, content, algorithm)

    async def _companion(self, folder: _Folder, ending: str, algorithm: str, asked: Question) -> Digest | None:
        if ending in folder.hits:
            return await self._read_companion(folder, ending, algorithm, asked)
        async with folder.probing:
            if ending not in folder.hits and folder.misses[ending] >= MOST_MISSES:
                return None
            digest = await self._read_companion(folder, ending, algorithm, asked)
            if digest is None:
                folder.misses[ending] += 1
            else:
                folder.hits.add(ending)
            return digest

    async def _read_companion(self, folder: _Folder, ending: str, algorithm: str, asked: Question) -> Digest | None:
        url = asked.url.partition("#")[0] + ending
        content = await self._content(folder, url, MOST_COMPANION_BYTES, asked)
        return None if content is None else parse_companion(content, algorithm, *asked.names)

    async def _content(self, folder: _Folder, url: str, most_bytes: int, asked: Question) -> bytes | None:
        if folder.is_mute:
            return None
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._fetch(url, asked.options, most_bytes)
        except TimeoutError:
            folder.is_mute = True
            asked.note(f"{name_in(url)}: not to be had within {PATIENCE_S:.0f} s")
        except HttpError as error:
            if error.status not in (403, 404, 410):
                asked.note(f"{name_in(url)}: {error}")
        except TuiDlError as error:
            asked.note(f"{name_in(url)}: {error}")
        return None
