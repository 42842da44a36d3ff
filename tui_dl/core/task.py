"""A task, its progress at an instant, and the outcome of a batch: frozen records, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.http_rules import Validator
from tui_dl.core.media import NO_FACTS, Kind, MediaFacts
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tui_dl.core.errors import Reason


class OnExists(StrEnum):
    """What to do where the target file is there already."""

    RENAME = "rename"
    SKIP = "skip"
    OVERWRITE = "overwrite"
    IF_MODIFIED = "if-modified"
    """Asked for again only where it changed, on the server or here; then it replaces what it was."""


class TargetState(StrEnum):
    """What stood where a wish would be saved when its batch began."""

    FREE = "free"
    """Nothing, or what its own batch made since; also where nobody looked."""
    THERE = "there"
    """A file from before."""
    ARCHIVED = "archived"
    """Whatever stands there: the archive has the address or its digest."""
    TAKEN = "taken"
    """A file that another address of its batch made in an earlier run: from before for whoever is new there."""


class Flag(StrEnum):
    """What a completed task could not prove."""

    LENGTH_UNVERIFIED = "length-unverified"
    """The server gave no length and closed the connection; nothing shows whether that was the end."""
    VERSION_UNVERIFIED = "version-unverified"
    """It was resumed without any validator; samples agreed."""
    RESTARTED = "restarted"
    """The file changed on the server and was fetched again from the start."""
    INSECURE = "insecure"
    """It came over TLS whose certificate nobody checked, as was asked."""


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """What was asked for one task beyond the settings; None means the setting decides."""

    connections: int | None = None
    """Most connections for this task."""
    limit_rate_bps: int | None = None
    """Bytes per second for this task alone."""
    max_retries: int | None = None
    """Attempts without progress before it fails."""
    accept: str | None = None
    """Media types that are wanted, as `core.acceptance.accepted_types()` writes them; empty: any."""
    min_bytes: int | None = None
    """Smallest length that is wanted."""
    max_bytes: int | None = None
    """Largest length that is wanted, 0 for any."""
    headers: tuple[tuple[str, str], ...] = ()
    """Request headers besides our own; secrets live here and in the journal's 0600 file only."""
    on_exists: OnExists | None = None
    """Policy for a target that is there already."""
    is_ordered: bool = False
    """Whether bytes must arrive in order (a contiguous prefix, `NAME.part`)."""
    continues: bool = False
    """Whether a half file of another tool that has its name is taken over, once it is shown to fit."""
    restarts: bool = False
    """Whether held bytes are to be dropped at the next start (a person asked to start over)."""
    checksum: str = ""
    """Digest that a person gave, as `core.digests.Digest` writes it; empty for none."""
    announced: str = ""
    """Digest that the server named for the bytes held, kept for a resume; empty for none."""
    mirrors: tuple[str, ...] = ()
    """Other addresses of the same file, the preferred ones first; checked as the task's own."""
    pieces: str = ""
    """Digests of equal pieces, as `core.pieces.Pieces` writes them; empty for none."""
    wanted_name: str = ""
    """Name that it would have, had another file not been called so: a number was added to it; empty: none was."""
    version_url: str = ""
    """Address whose answer named the version of the bytes held; empty: the task's own."""
    expected_bytes: int | None = None
    """Length that a person or a Metalink named; None where only the answer tells."""
    is_metalink: bool = False
    """Whether the answer is a Metalink whatever it is called, so that its files are wanted and not itself."""
    is_named_elsewhere: bool = False
    """Whether a document named the address, not a person: what `--user` and `--referer` gave is not for it."""
    gid: str = ""
    """Name that a program gave the task over aria2's protocol, 16 hexadecimal digits; empty: that of its id."""
    has_new_address: bool = False
    """Whether the address was changed by a person since the bytes held were fetched: they must be shown to fit it."""
    as_kind: str = ""
    """`core.media_rules.AS_FILE`, `AS_MEDIA`, or `AS_FOUND` where an extractor is asked; empty: a file."""
    yt_dlp: tuple[str, ...] = ()
    """Options of yt-dlp for media, as its command line has them."""
    has_config: bool = False
    """Whether the person's own configuration of yt-dlp holds for media: where that person named the address here."""
    has_own_dir: bool = False
    """Whether the folder was named for this add, and so goes before yt-dlp's `-P`."""
    asks: bool = False
    """Whether a person at a screen added it, who can be asked what of a playlist is wanted."""


_LEARNED: Final = ("announced", "restarts", "version_url", "has_new_address", "wanted_name", "gid")
_OF_THE_FILE: Final = ("pieces", "expected_bytes", "mirrors")


def options_again(held: TaskOptions, wanted: TaskOptions) -> TaskOptions:
    """Return the options of a row that is asked for again: as wanted now, with what the later wish does not speak of.

    A digest stays unless another one is given; the rest that is known of the same file stays with it.
    """
    if held == wanted:  # a list that is read again wants the same of each of its rows
        return wanted
    is_same_file = not held.checksum or wanted.checksum in ("", held.checksum)
    kept = (*_LEARNED, "checksum", *(_OF_THE_FILE if is_same_file else ()))
    return replace(wanted, **{name: getattr(wanted, name) or getattr(held, name) for name in kept})


@dataclass(frozen=True, slots=True)
class NewTask:
    """What is needed to add a task; the journal gives it an id and a position."""

    url: str
    """Checked by `core.url_list.check_url()`; userinfo already moved to a header."""
    dir: str
    """Absolute folder."""
    name: str = ""
    """File name a person asked for (`-o`), made safe; empty: the answer or the address decides."""
    options: TaskOptions = field(default_factory=TaskOptions)
    """What was asked for this task alone."""
    priority: int | None = None
    """1 for high, 0 for normal, -1 for low; None: nobody said, so normal, or what a row that is there has."""
    parent_id: int = 0
    """The task whose answer named it (a Metalink); 0 where somebody added it."""
    line: int = 0
    """Line of the list that named it, from 1; 0 where no list did."""
    extra: str = ""
    """The list's columns that we do not know, as a JSON object; empty for none."""
    target: TargetState = TargetState.FREE
    """What stands at its target, where that decides whether it is fetched; the engine finds out."""
    parts: tuple[str, str] | None = field(default=None, compare=False)
    """`core.plain_address.plain_parts()` of this address, where somebody has looked already; None elsewhere."""


@dataclass(frozen=True)
class DownloadTask:
    """One row: what is wanted and how far it is, as the journal holds it.

    Without slots, since its fields are then copied all at once: see `changed()` and `task_with()`.
    """

    id: int
    """64-bit row id; aria2's gid is its 16 hexadecimal digits."""
    url: str
    """The address as given."""
    dir: str
    """Absolute folder of the target."""
    filename: str
    """Name shown and used; a guess from the address until the first answer fixed it."""
    status: Status = Status.PENDING
    """Where it stands; only the engine and the journal's bulk actions change it, through `advance()`."""
    name_fixed: bool = False
    """Whether `filename` is final (asked for, or accepted from the first answer)."""
    path: str = ""
    """Final path once completed or reserved; empty before."""
    part_path: str = ""
    """Path of the part file; empty while there is none."""
    total_bytes: int | None = None
    """Length as the server gave it; None while unknown."""
    downloaded_bytes: int = 0
    """Bytes held at the last record."""
    validator: Validator = field(default_factory=Validator)
    """Version of the file that the held bytes belong to."""
    final_url: str = ""
    """Address after redirects; empty before the first answer."""
    host: str = ""
    """Host and port of `url`, lower case."""
    reason: Reason | None = None
    """Why it waits or failed."""
    reason_text: str = ""
    """The same in words with its particulars; sanitised."""
    due_at: float | None = None
    """Unix time at which a waiting task goes on, if known."""
    retry_count: int = 0
    """Attempts without progress so far."""
    flags: frozenset[Flag] = frozenset()
    """What could not be proven."""
    options: TaskOptions = field(default_factory=TaskOptions)
    """What was asked for this task alone."""
    position: int = 0
    """Order in the queue, gapped integers."""
    priority: int = 0
    """Higher goes first, and has more of what is scarce: 1 for high, 0 for normal, -1 for low."""
    batch_id: int = 0
    """The add that brought it; 0 for none."""
    parent_id: int = 0
    """The task it belongs to (media trees); 0 for none."""
    owner: str = ""
    """Instance id of the process that runs it; empty for an orphan."""
    added_at: float = 0.0
    """Unix time."""
    started_at: float | None = None
    """Unix time of the first start; None before."""
    finished_at: float | None = None
    """Unix time of completion or failure; None before."""
    sha256: str = ""
    """Hexadecimal digest where it was computed."""
    line: int = 0
    """Line of the list that named it, from 1; 0 where no list did."""
    extra: str = ""
    """The list's columns that we do not know, as a JSON object; empty for none."""
    http_status: int | None = None
    """Status of the last answer that decided something; None before, and where the protocol has none."""
    content_type: str = ""
    """Media type of the first answer, as the server named it; sanitised, empty where it did not."""
    member: str = ""
    """Name in the tar shard that `path` leads to; empty for a file of its own."""
    kind: Kind = Kind.FILE
    """Whether it is a file or media."""
    facts: MediaFacts = NO_FACTS
    """What is known of media."""

    @property
    def gid(self) -> str:
        """aria2's name of this task."""
        return self.options.gid or f"{self.id:016x}"

    @property
    def filepath(self) -> str | None:
        """Final path, None before it is known."""
        return self.path or None

    @property
    def expected_size(self) -> int | None:
        """Length in bytes, None while unknown."""
        return self.total_bytes

    @property
    def start_time(self) -> float:
        """Unix time of the first start, else of the add."""
        return self.started_at if self.started_at is not None else self.added_at

    @property
    def error(self) -> str | None:
        """Why it failed, in words; None while nothing is wrong."""
        return self.reason_text or None if self.reason is not None else None

    @property
    def max_retries(self) -> int | None:
        """Attempts without progress allowed, None where the setting decides; a retry strategy is told the number."""
        return self.options.max_retries

    @property
    def info_dict(self) -> Mapping[str, Any]:
        """Extractor's facts of a media task; empty for a plain file."""
        return {}

    @property
    def format_id(self) -> str:
        """What is chosen of a media task; empty for a plain file."""
        return self.facts.choice.format


FIELDS: Final = tuple(one.name for one in fields(DownloadTask))
"""Names of a row's fields, in their order."""


def changed(task: DownloadTask, changes: Mapping[str, Any]) -> DownloadTask:
    """Return a row with some fields changed; as `dataclasses.replace()`, in a tenth of its time."""
    return _made({**task.__dict__, **changes})


def task_with(values: Iterable[Any]) -> DownloadTask:
    """Return a row with these values of `FIELDS`, all of them."""
    return _made(dict(zip(FIELDS, values, strict=True)))


def _made(values: dict[str, Any]) -> DownloadTask:
    """Return a row at once: a frozen class sets field by field, which was most of what a small file's row cost."""
    if len(values) != len(FIELDS):
        raise TypeError(f"a row has no {', '.join(values.keys() - set(FIELDS))}")
    made = object.__new__(DownloadTask)
    object.__setattr__(made, "__dict__", values)
    return made


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """A task at an instant, as the screen and callbacks see it."""

    task: DownloadTask
    """The row."""
    downloaded_bytes: int
    """Bytes received and handed to the disk."""
    total_bytes: int | None
    """Length, None while unknown."""
    speed_bps: float = 0.0
    """Bytes per second over the last seconds."""
    eta_s: float | None = None
    """Seconds left at this speed, None where unknown; never negative."""
    connections: int = 0
    """Connections that carry it now."""
    stage: str = ""
    """What is done beside the transfer, in words ("merging", "by yt-dlp"); empty for nothing."""
    fraction: float | None = None
    """How far it is, 0.0 to 1.0, where bytes do not tell it (a playlist, a merge); None where they do."""

    @property
    def speed(self) -> float | None:
        """Bytes per second; None when nothing moves."""
        return self.speed_bps or None

    @property
    def eta(self) -> float | None:
        """Seconds left, None where unknown."""
        return self.eta_s

    @property
    def percentage(self) -> float | None:
        """0.0 to 100.0; None once bytes arrive of a length that is unknown."""
        if self.fraction is not None:
            return 100.0 * self.fraction
        if self.total_bytes is None:
            return None if self.downloaded_bytes else 0.0
        return 100.0 if self.total_bytes == 0 else 100.0 * self.downloaded_bytes / self.total_bytes


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """Outcome of a batch."""

    total: int
    """Tasks asked for."""
    success: int
    """Tasks that completed."""
    failed: int
    """Tasks that failed."""
    skipped: int
    """Tasks that were there already."""
    failed_urls: list[str]
    """Addresses of the failed ones, the first 1,000."""
    cancelled: int = 0
    """Tasks that a person cancelled."""
    total_bytes: int = 0
    """Bytes of all completed files."""
    duration_s: float = 0.0
    """Seconds from the first start to the end."""
    errors_by_class: dict[str, int] = field(default_factory=dict)
    """Failures by reason code."""
    gone: int = 0
    """Those of the failed that the server does not have (404, 410)."""
    peak_memory_bytes: int | None = None
    """Most memory that the process held; None where nobody looked or the system does not say."""

    @property
    def success_rate(self) -> float:
        """Completed and skipped of all, 0.0 to 1.0; 1.0 for an empty batch."""
        return (self.success + self.skipped) / self.total if self.total else 1.0

    @property
    def files_per_s(self) -> float:
        """Completed files per second."""
        return self.success / self.duration_s if self.duration_s > 0 else 0.0

    @property
    def mean_bps(self) -> float:
        """Bytes of completed files per second."""
        return self.total_bytes / self.duration_s if self.duration_s > 0 else 0.0

    @property
    def mean_file_bytes(self) -> float:
        """Mean size of a completed file."""
        return self.total_bytes / self.success if self.success else 0.0
