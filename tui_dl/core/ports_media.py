"""Where media meet the engine: one file in order, and a window of fragments in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from tui_dl.core.http_rules import Validator
from tui_dl.core.media import MediaChoice, MediaFacts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
    from contextlib import AbstractAsyncContextManager

    from tui_dl.core.errors import TuiDlError
    from tui_dl.core.media import MediaFormats


class CookieStore(Protocol):
    """A jar that several threads may use."""

    def header(self, url: str) -> str:
        """Return the value of `Cookie` for an address, empty for none."""
        ...

    def learn(self, url: str, lines: Iterable[str]) -> None:
        """Take what the `Set-Cookie` lines of an answer say."""
        ...


@dataclass(frozen=True, slots=True)
class BodyWish:
    """One file, or the rest of it, wanted in order."""

    url: str
    """Address, as it goes to the server."""
    headers: Mapping[str, str]
    """Headers that an extractor gave; those that tell who the person is stay with their origin."""
    cookies: CookieStore | None = None
    """Jar for every hop of the way."""
    start: int = 0
    """First byte that is wanted."""
    version: Validator = field(default_factory=Validator)
    """Version of the bytes before `start`, where it is known."""
    chunk_bytes: int = 0
    """Longest range to ask for at once; 0: all that is left."""
    most_connections: int = 1
    """Connections at once, grown only while they help."""
    is_explicit: bool = False
    """Whether a person named that figure: then what one host may have in all does not bound it."""
    limit_bps: int = 0
    """Bytes per second of this file alone, 0 for no limit of its own."""


class OrderedBody(Protocol):
    """A file that arrives in order."""

    start: int
    """First byte that comes: 0 where the server sends all although the rest was asked for."""
    total_bytes: int | None
    """Length of the file, None where only its end tells."""
    last_modified: str
    """Header of this name, empty for none."""
    version: Validator
    """Version that the server names."""

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes in order. Raises `TuiDlError`; what came before stays good."""
        ...


@dataclass(frozen=True, slots=True)
class FragmentWish:
    """One fragment of a stream."""

    index: int
    """Its number, for messages."""
    url: str
    """Address, as it goes to the server."""
    first: int | None = None
    """First byte of a range, None for the whole."""
    end: int | None = None
    """One past the last byte of a range."""


@dataclass(frozen=True, slots=True)
class WindowManner:
    """How fragments are fetched."""

    headers: Mapping[str, str]
    """Headers of every request."""
    cookies: CookieStore | None = None
    """Jar for every hop of the way."""
    most_at_once: int = 1
    """Fragments at once."""
    is_explicit: bool = False
    """Whether a person named that figure; else it is reached by steps that help."""
    limit_bps: int = 0
    """Bytes per second of this stream alone, 0 for no limit of its own."""
    retries: float = 10
    """Further attempts for each fragment; may be infinite."""
    delay_s: Callable[[int], float] = lambda _attempt: 0.0
    """Seconds before each of them, by its number from 1."""
    on_retry: Callable[[int, TuiDlError, int], None] = lambda _index, _error, _attempt: None
    """Told of each on the loop: number of the fragment, why, number of the attempt."""


@dataclass(frozen=True, slots=True)
class FragmentOutcome:
    """What became of one fragment."""

    wish: FragmentWish
    """Which one."""
    body: bytes | None
    """All of its bytes, None where it could not be had."""
    error: TuiDlError | None = None
    """Why not."""
    last_modified: str = ""
    """Header of this name."""


class MediaSource(Protocol):
    """What media take from an engine; its methods are called on the engine's loop."""

    @property
    def is_transferring(self) -> bool:
        """Whether anything is being transferred now, media or not; may be asked in any thread."""
        ...

    def body(self, wish: BodyWish) -> AbstractAsyncContextManager[OrderedBody]:
        """Open one file in order; raises `TuiDlError` if it cannot be had."""
        ...

    def fragments(self, wishes: Iterable[FragmentWish], manner: WindowManner) -> AsyncGenerator[FragmentOutcome, None]:
        """Yield the outcome of each fragment in order, several fetched at once."""
        ...


class FormatsPort(Protocol):
    """What the screen may ask of media in the queue."""

    async def media_formats(self, task_id: int) -> MediaFormats:
        """Return the forms that a video (of a playlist: its first one) can be had in; asks the site where it must.

        Raises `TuiDlError` where the row is no media, or nothing could be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class MediaWish:
    """One address, or one entry of a playlist, as a row of the queue wants it."""

    key: int
    """The row's id."""
    url: str
    """Address that an extractor reads."""
    dir: str
    """Absolute folder."""
    has_own_dir: bool = False
    """Whether that goes before yt-dlp's `-P`."""
    options: tuple[str, ...] = ()
    """Options of yt-dlp, as its command line has them."""
    has_config: bool = False
    """Whether the person's own configuration of yt-dlp holds."""
    choice: MediaChoice = field(default_factory=MediaChoice)
    """The form that is wanted."""
    note: str = ""
    """What the playlist said of an entry, as `FoundEntry.note` was; empty for an address by itself."""
    name: str = ""
    """File name that a person asked for; empty: as yt-dlp names it."""
    is_overwriting: bool = False
    """Whether a file that is there is replaced."""
    was_begun: bool = False
    """Whether an earlier attempt began to write its file: one that is there is ours, and may still be worked on."""
    limit_bps: int = 0
    """Bytes per second of this row alone, 0 for no limit of its own."""
    connections: int = 0
    """Most connections for it; 0: as the settings say."""


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """One entry of a playlist."""

    url: str
    """Address of its own; empty where it has none."""
    name: str
    """What tells it from the other entries of its playlist, and stays the same when that is read again."""
    facts: MediaFacts
    """What is known of it; sanitised."""
    note: str
    """All that the playlist said of it, as JSON, to be read on from."""


@dataclass(frozen=True, slots=True)
class FoundPlaylist:
    """An address turned out to be a playlist; its entries follow."""

    facts: MediaFacts
    """What is known of it; sanitised."""


@dataclass(frozen=True, slots=True)
class FoundVideo:
    """An address turned out to be one video."""

    facts: MediaFacts
    """What is known of it; sanitised."""


Found: TypeAlias = FoundPlaylist | list[FoundEntry] | FoundVideo
"""What reading an address brings: one video; or a playlist, and then its entries in lots."""


@dataclass(frozen=True, slots=True)
class MediaProgress:
    """How far one video is."""

    downloaded_bytes: int = 0
    """Bytes of all its parts."""
    total_bytes: int | None = None
    """Length of all its parts, None while unknown."""
    stage: str = ""
    """What is done beside the transfer, in words; empty for nothing."""
    fraction: float | None = None
    """How far that is, 0.0 to 1.0, where it is known."""
    is_processing: bool = False
    """Whether all of it is here, and is being worked on."""
    is_by_yt_dlp: bool = False
    """Whether yt-dlp's own downloader makes the transfer."""
    label: str = ""
    """The form that comes, in words; sanitised."""
    format_ids: str = ""
    """The formats that it is made of, parted by spaces; sanitised."""
    filename: str = ""
    """Name that it will have; empty while unknown."""
    part_path: str = ""
    """Where its bytes go now; empty while nowhere."""


@dataclass(frozen=True, slots=True)
class MediaOutcome:
    """What became of one video."""

    path: str = ""
    """Its file, also one that was there before; empty for none."""
    size_bytes: int | None = None
    """Length of that file."""
    is_there_before: bool = False
    """Whether the file was there already."""
    is_archived: bool = False
    """Whether the archive has it."""
    why_skipped: str = ""
    """Why it was passed over, in words; empty where it was not."""
    missing: int = 0
    """Fragments that could not be had: what is there is kept, and is not the whole."""


class MediaWorker(Protocol):
    """Reads pages and downloads videos for an engine's queue; its methods are called on the engine's loop.

    What is awaited can be cancelled at any time: processes and transfers that belong to it have ended then.
    """

    def start(self, source: MediaSource) -> None:
        """Take the engine that makes the transfers; nothing else is begun."""
        ...

    @property
    def missing(self) -> str:
        """Command that installs what is missing; empty where nothing is."""
        ...

    @property
    def lacks(self) -> tuple[str, ...]:
        """What all media are the worse for here, each with the way out; known once a page was read."""
        ...

    async def claims(self, url: str) -> bool:
        """Whether an extractor of its own takes an address; the generic one takes any, and does not count."""
        ...

    def read(self, wish: MediaWish, note_line: Callable[[str], None]) -> AsyncGenerator[Found, None]:
        """Yield what is found at an address, entries as they come. Raises `TuiDlError`."""
        ...

    async def download(
        self,
        wish: MediaWish,
        report: Callable[[MediaProgress], None],
        note_line: Callable[[str], None],
        on_begin: Callable[[str], Coroutine[Any, Any, None]],
    ) -> MediaOutcome:
        """Download the video that was read last for the same row; raises `TuiDlError`.

        `on_begin` is awaited before the first byte, with the name of the part file, unless the file is there already.
        Cancelled, it keeps what has arrived, so that the same wish goes on with it.
        """
        ...

    def has_read(self, wish: MediaWish) -> bool:
        """Whether a video was read for this row, or told by its playlist, so lately that its links should work."""
        ...

    async def formats(self, wish: MediaWish) -> MediaFormats:
        """Return the forms of a video, of a playlist those of its first entry. Raises `TuiDlError`."""
        ...

    async def delete_parts(self, key: int, part_path: str, format_ids: str) -> int:
        """Delete what an unfinished download of a row of these formats left; return how many files."""
        ...

    async def aclose(self) -> None:
        """End all processes and threads."""
        ...
