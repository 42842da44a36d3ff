"""Errors for people: a reason code, what happened, and the way out.

Four public families under one root (`NetworkError`, `HttpError`, `FileSystemError`, `ContentError`).
Every reason code belongs to one family and is described once, in `REASONS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a task waits or failed; stable kebab-case words for logs, JSON and queries."""

    DNS_FAILED = "dns-failed"
    CONNECT_REFUSED = "connect-refused"
    CONNECT_TIMEOUT = "connect-timeout"
    CONNECTION_RESET = "connection-reset"
    STALLED = "stalled"
    TRUNCATED = "truncated"
    TLS_FAILED = "tls-failed"
    NO_NETWORK = "no-network"
    MAX_TIME = "max-time"
    PROXY_FAILED = "proxy-failed"
    PROTOCOL_ERROR = "protocol-error"

    NOT_FOUND = "not-found"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    UNAUTHORIZED = "unauthorized"
    TOO_MANY_REQUESTS = "too-many-requests"
    SERVER_ERROR = "server-error"
    HTTP_STATUS = "http-status"
    RANGE_REFUSED = "range-refused"
    REDIRECT_REFUSED = "redirect-refused"
    REDIRECT_LOOP = "redirect-loop"
    NO_CONTENT = "no-content"

    DISK_FULL = "disk-full"
    LOW_SPACE = "low-space"
    QUOTA_EXCEEDED = "quota-exceeded"
    READ_ONLY = "read-only"
    PERMISSION_DENIED = "permission-denied"
    FOLDER_MISSING = "folder-missing"
    IO_ERROR = "io-error"
    FILE_TOO_LARGE = "file-too-large"
    TOO_MANY_FILES = "too-many-files"
    TARGET_EXISTS = "target-exists"
    ARCHIVED = "archived"
    PART_BUSY = "part-busy"
    PART_LOST = "part-lost"
    NAME_REFUSED = "name-refused"
    JOURNAL_DAMAGED = "journal-damaged"
    JOURNAL_BUSY = "journal-busy"

    CHANGED = "changed"
    WEB_PAGE = "web-page"
    WRONG_RANGE = "wrong-range"
    LENGTH_MISMATCH = "length-mismatch"
    BAD_ENCODING = "bad-encoding"
    UNVERIFIABLE_RESUME = "unverifiable-resume"
    NOT_CONTINUED = "not-continued"
    DIGEST_MISMATCH = "digest-mismatch"
    NO_DIGEST = "no-digest"
    BAD_METALINK = "bad-metalink"
    TOO_LARGE = "too-large"
    TOO_SMALL = "too-small"
    UNWANTED_TYPE = "unwanted-type"

    CHOICE = "choice"
    NOT_CHOSEN = "not-chosen"
    NO_MEDIA = "no-media"
    INCOMPLETE = "incomplete"
    PROCESSING_FAILED = "processing-failed"
    ROBOT_CHECK = "robot-check"

    BAD_URL = "bad-url"
    EXTRA_MISSING = "extra-missing"
    HOST_ASKED = "host-asked"
    HOST_BUSY = "host-busy"
    HOST_PARKED = "host-parked"
    HOST_GIVEN_UP = "host-given-up"
    SESSION_FAILED = "session-failed"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class ReasonFacts:
    """What a reason code means to a person."""

    meaning: str
    """One clause for a row, lower case, without a full stop."""
    hint: str
    """The way out, one sentence."""


REASONS: Final[dict[Reason, ReasonFacts]] = {
    Reason.DNS_FAILED: ReasonFacts("the host name was not found", "Check the spelling of the host and your DNS."),
    Reason.CONNECT_REFUSED: ReasonFacts("the server refused the connection", "Is the port right, is the server up?"),
    Reason.CONNECT_TIMEOUT: ReasonFacts("no answer to the connection", "Raise --connect-timeout on slow links."),
    Reason.CONNECTION_RESET: ReasonFacts("the connection was cut", "Retry; the bytes that arrived are kept."),
    Reason.STALLED: ReasonFacts("no byte arrived for too long", "Raise --timeout on slow links, or retry."),
    Reason.TRUNCATED: ReasonFacts("the answer ended early", "Retry; the bytes that arrived are kept."),
    Reason.TLS_FAILED: ReasonFacts("the secure connection failed", "Check the certificate, the clock and the host."),
    Reason.NO_NETWORK: ReasonFacts("no network", "It goes on by itself when the network is back."),
    Reason.MAX_TIME: ReasonFacts("it ran as long as it may", "Raise --max-time, then retry it."),
    Reason.PROXY_FAILED: ReasonFacts("the proxy failed", "Check --proxy, its credentials, and http_proxy."),
    Reason.PROTOCOL_ERROR: ReasonFacts("the answer is not HTTP as we know it", "Open the address in a browser."),
    Reason.NOT_FOUND: ReasonFacts(
        "not found (404)", "Check the address, or give a fresh link (refresh on the screen, or `tui-dl refresh`)."
    ),
    Reason.GONE: ReasonFacts(
        "gone for good", "Give a fresh link (refresh on the screen, or `tui-dl refresh`), or look for another source."
    ),
    Reason.FORBIDDEN: ReasonFacts(
        "forbidden (403)", "Has the link expired? Key e or `tui-dl refresh` take a fresh one, with its cookies."
    ),
    Reason.UNAUTHORIZED: ReasonFacts("the server wants credentials", "Give --user, --bearer or --netrc."),
    Reason.TOO_MANY_REQUESTS: ReasonFacts("too many requests (429)", "It waits as asked; lower --per-host."),
    Reason.SERVER_ERROR: ReasonFacts("the server failed", "Retry later with r."),
    Reason.HTTP_STATUS: ReasonFacts("an answer that cannot be used", "Open the address in a browser."),
    Reason.RANGE_REFUSED: ReasonFacts("the server refused to continue", "Retry; it starts over if it must."),
    Reason.REDIRECT_REFUSED: ReasonFacts("a redirect was refused", "The log of the row names its target."),
    Reason.REDIRECT_LOOP: ReasonFacts("too many redirects", "Open the address in a browser."),
    Reason.NO_CONTENT: ReasonFacts("the answer has no content", "Open the address in a browser."),
    Reason.DISK_FULL: ReasonFacts("the disk is full", "Make room; it goes on by itself."),
    Reason.LOW_SPACE: ReasonFacts("low on space", "Make room or lower --min-free; it goes on by itself."),
    Reason.QUOTA_EXCEEDED: ReasonFacts("your disk quota is used up", "Make room; it goes on by itself."),
    Reason.READ_ONLY: ReasonFacts("the folder is read-only", "Choose another folder with --dir, then retry."),
    Reason.PERMISSION_DENIED: ReasonFacts("no permission to write there", "Choose another folder, then retry."),
    Reason.FOLDER_MISSING: ReasonFacts("the folder is gone", "Make the folder again, then retry it."),
    Reason.IO_ERROR: ReasonFacts("the disk reported an error", "Check the disk; retry it."),
    Reason.FILE_TOO_LARGE: ReasonFacts("too large for this file system", "Choose another file system with --dir."),
    Reason.TOO_MANY_FILES: ReasonFacts("too many open files", "Lower the concurrency or raise `ulimit -n`."),
    Reason.TARGET_EXISTS: ReasonFacts("the target is there already", "Use --rename or --overwrite."),
    Reason.ARCHIVED: ReasonFacts("done before", "Use --no-archive, or `tui-dl archive forget URL`."),
    Reason.PART_BUSY: ReasonFacts("another process works on its part file", "End the other process, then retry."),
    Reason.PART_LOST: ReasonFacts("its part file was removed", "Retry with r; it starts over."),
    Reason.NAME_REFUSED: ReasonFacts("the file name cannot be used", "Give a name with --output."),
    Reason.JOURNAL_DAMAGED: ReasonFacts("the journal was damaged", "It was moved aside; part files are kept."),
    Reason.JOURNAL_BUSY: ReasonFacts("the journal is in use", "End the other process or set TUI_DL_HOME."),
    Reason.CHANGED: ReasonFacts("the file changed on the server", "Retry with r to fetch the new version."),
    Reason.WEB_PAGE: ReasonFacts(
        "a web page came instead of the file", "Log in, then give its link with e; --as media takes what is on it."
    ),
    Reason.WRONG_RANGE: ReasonFacts("the server sent another range", "Retry; use --connections 1 with this server."),
    Reason.LENGTH_MISMATCH: ReasonFacts("the length differs from the one promised", "Retry with r."),
    Reason.BAD_ENCODING: ReasonFacts("the encoded answer is broken", "Retry with r."),
    Reason.UNVERIFIABLE_RESUME: ReasonFacts("cannot prove it is the same version", "Retry with r to start over."),
    Reason.NOT_CONTINUED: ReasonFacts("the half file does not fit", "Use --overwrite; r fetches it anew beside it."),
    Reason.DIGEST_MISMATCH: ReasonFacts(
        "the digest differs from the one given", "Give the right one with --checksum, or retry it."
    ),
    Reason.NO_DIGEST: ReasonFacts("no digest is known for it", "Give one with --checksum, or use --verify auto."),
    Reason.BAD_METALINK: ReasonFacts(
        "the Metalink cannot be used", "Get it elsewhere, or keep the file itself with --no-follow-metalink."
    ),
    Reason.TOO_LARGE: ReasonFacts(
        "larger than allowed", "Add it again with a larger --max-size, or raise the limit that its log names."
    ),
    Reason.TOO_SMALL: ReasonFacts("smaller than wanted", "Add it again with a smaller --min-size."),
    Reason.UNWANTED_TYPE: ReasonFacts(
        "of a type that is not wanted", "Add it again with an --accept that names its type."
    ),
    Reason.CHOICE: ReasonFacts("waits for your choice", "Deselect what you do not want, then D downloads the chosen."),
    Reason.NOT_CHOSEN: ReasonFacts("not chosen", "Select it again, then D downloads it."),
    Reason.NO_MEDIA: ReasonFacts("no media could be read there", "Its log says what yt-dlp found; is yt-dlp new?"),
    Reason.INCOMPLETE: ReasonFacts("fragments are missing", "Retry with r; only the missing ones are fetched again."),
    Reason.PROCESSING_FAILED: ReasonFacts("the file came, its processing failed", "Its log has the error; retry it."),
    Reason.ROBOT_CHECK: ReasonFacts("the site takes us for a robot", "Give it your browser's cookies, and wait."),
    Reason.BAD_URL: ReasonFacts(
        "the address, or its line of a list, is not usable",
        "Correct it and repeat the command; http://, https:// and ftp:// are fetched.",
    ),
    Reason.EXTRA_MISSING: ReasonFacts("an extra is not installed", "Install what the message names, then retry."),
    Reason.HOST_ASKED: ReasonFacts("the host asked to wait", "It goes on by itself."),
    Reason.HOST_BUSY: ReasonFacts("the host bears no more at once", "It goes on when others of that host are done."),
    Reason.HOST_PARKED: ReasonFacts(
        "the host fails for all its files", "It is tried again by itself, with one file; r tries at once."
    ),
    Reason.HOST_GIVEN_UP: ReasonFacts(
        "the host failed for all its files too long", "Look at the host, then retry it; --park-time waits longer."
    ),
    Reason.SESSION_FAILED: ReasonFacts(
        "the background session failed", "Its log says why (`tui-dl doctor` names it); --foreground works without it."
    ),
    Reason.INTERNAL: ReasonFacts("a fault of tui-dl itself", "Please report it with the log (--log FILE -vv)."),
}


class TuiDlError(Exception):
    """Root of every error that tui_dl raises on purpose."""

    def __init__(
        self,
        reason: Reason,
        message: str = "",
        *,
        is_retryable: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message or REASONS[reason].meaning)
        self.reason = reason
        """Which documented reason this is."""
        self.is_retryable = is_retryable
        """Whether another attempt may end better without a person's doing."""
        self.retry_after_s = retry_after_s
        """Seconds that the server asked us to wait, if it did."""

    @property
    def message(self) -> str:
        """What happened, in words; text from outside is made safe where it is shown."""
        return str(self)

    @property
    def hint(self) -> str:
        """The way out."""
        return REASONS[self.reason].hint


class NetworkError(TuiDlError):
    """Names, routes, connections and their ends."""


class NameNotFoundError(NetworkError):
    """The resolver says that there is no such name, as opposed to nobody there who could tell."""


class HttpError(TuiDlError):
    """What the server answered."""

    def __init__(
        self,
        reason: Reason,
        message: str = "",
        *,
        status: int = 0,
        is_retryable: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(reason, message, is_retryable=is_retryable, retry_after_s=retry_after_s)
        self.status = status
        """HTTP status code, 0 where none applies."""


class SiteRefusedError(HttpError):
    """A site of media wants no more of us for now, whatever we ask: too many requests, or it takes us for a robot."""


class FileSystemError(TuiDlError):
    """Local files and folders. `is_retryable` here means: waits and goes on by itself (disk full)."""


class ContentError(TuiDlError):
    """What arrived is not what was asked for."""


class Unwanted(ContentError):  # noqa: N818  # as said before, and no fault of anybody's
    """A file whose type or size was not asked for: it is left out (skipped), and nothing of it is kept."""


class UsageError(TuiDlError):
    """Wrong input or settings: exit code 2. Belongs to no task."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.BAD_URL, message)

    @property
    def hint(self) -> str:
        """Empty: the message says what to do."""
        return ""
