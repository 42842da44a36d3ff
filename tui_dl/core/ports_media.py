"""Where media meet the engine: one file in order, and a window of fragments in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tui_dl.core.http_rules import Validator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
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
