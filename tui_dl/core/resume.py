"""The resume verdict: what an answer means for the bytes that are held. One pure function, `judge()`.

A 206 counts only if its range and total are what was asked and known (RFC 9110 §15.3.7); ranges are joined only
under one validator (§15.3.7.3). Whatever cannot be proven restarts or fails with its reason; nothing is mixed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import ContentError, HttpError, Reason, TuiDlError
from tui_dl.core.http_rules import (
    ContentRange,
    Match,
    UnsatisfiedRange,
    Validator,
    content_encodings,
    is_web_page,
    parse_content_length,
    parse_content_range,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

KIB: Final = 1024
TAIL_BYTES: Final = 64 * KIB
"""Held bytes compared with the server's where the validator is weak."""
SAMPLE_COUNT: Final = 8
"""Random pieces of `TAIL_BYTES` compared where there is no validator at all."""
RESTART_BELOW_BYTES: Final = 64 * 1024 * KIB
"""Without any validator, less than this is fetched anew rather than trusted."""


class Rung(Enum):
    """How the version of held bytes is proven, best first."""

    IF_RANGE = auto()
    """A strong validator travels in `If-Range`; the server decides."""
    HEADERS = auto()
    """`If-Range` is not understood there; the answer's validator is compared."""
    TAIL = auto()
    """A weak validator: it is compared, and the last 64 KiB held too."""
    SAMPLES = auto()
    """No validator: tail and samples are compared; the row says so."""
    RESTART = auto()
    """Nothing to prove it with, or not worth it."""


class Verdict(Enum):
    """What to do with an answer."""

    PARTIAL = auto()
    """Its body is the range that it says; write it."""
    WHOLE = auto()
    """Its body is the file from byte 0; nothing was held."""
    WHOLE_SAME = auto()
    """Its body is the file from byte 0, in the version held: what is held may stay."""
    RESTART = auto()
    """Its body is the file from byte 0 in another or unproven version: drop what is held."""
    CHANGED = auto()
    """Another version, and this body is of no use: drop what is held, ask anew."""
    EMPTY = auto()
    """The file has no bytes."""
    NEXT_RUNG = auto()
    """Unchanged, but the condition was not understood: ask again without it."""
    NO_RANGES = auto()
    """Ranges are refused: ask once more without."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, and what is known of the file."""

    start: int = 0
    """First byte asked for."""
    end: int | None = None
    """One past the last, None for the rest."""
    has_range: bool = True
    """Whether a `Range` header was sent."""
    has_if_range: bool = False
    """Whether an `If-Range` header was sent."""
    has_held: bool = False
    """Whether bytes of the file are held already."""
    total_bytes: int | None = None
    """Length known from before, None if unknown."""
    validator: Validator = field(default_factory=Validator)
    """Version of the held bytes."""
    expects_page: bool = False
    """Whether a web page may be what was asked for."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with the facts that it rests on."""

    verdict: Verdict
    """What to do."""
    start: int = 0
    """First byte of the body."""
    end: int | None = None
    """One past the last byte of the body, None if only its end tells."""
    total_bytes: int | None = None
    """Length of the file, None if unknown."""
    validator: Validator = field(default_factory=Validator)
    """Version that the answer names."""
    encodings: tuple[str, ...] = ()
    """Codings applied although none was asked for; outermost last."""


def choose_rung(validator: Validator, held_bytes: int, total_bytes: int | None, policy: str) -> Rung:
    """Return how to prove that the held bytes still fit; `policy` is the setting `resume_unverified`."""
    if validator.if_range_value() is not None:
        return Rung.IF_RANGE
    if total_bytes is None:
        return Rung.RESTART
    if validator.etag or validator.last_modified:
        return Rung.TAIL
    if policy == "restart" or held_bytes < RESTART_BELOW_BYTES:
        return Rung.RESTART
    if policy == "ask":
        raise ContentError(
            Reason.UNVERIFIABLE_RESUME,
            "the server names no version (no ETag, no Last-Modified), so the bytes held cannot be proven to fit; "
            'retry starts over, resume_unverified = "yes" goes on after comparing samples',
        )
    return Rung.SAMPLES


def judge(asked: Asked, status: int, headers: Mapping[str, str]) -> Judgement:
    """Return what an answer means; raise `HttpError` or `ContentError` where it ends the attempt."""
    if status == 206:
        return _judge_partial(asked, headers)
    if status in (200, 203):
        return _judge_whole(asked, headers)
    if status == 416:
        return _judge_unsatisfied(asked, headers)
    if status == 412 and asked.has_if_range:
        return Judgement(Verdict.NEXT_RUNG)
    if status in (400, 403, 501) and asked.has_range:
        return Judgement(Verdict.NO_RANGES)
    raise status_error(status)


def status_error(status: int, retry_after_s: float | None = None) -> TuiDlError:
    """Return the error that a final status stands for."""
    if status in _FINAL:
        return HttpError(_FINAL[status], f"{_MEANINGS[_FINAL[status]]} ({status})", status=status)
    if status in (408, 425) or 500 <= status <= 599:
        text = f"the server failed ({status})" if status >= 500 else f"the server gave up waiting ({status})"
        return HttpError(Reason.SERVER_ERROR, text, status=status, is_retryable=True, retry_after_s=retry_after_s)
    if status == 429:
        return HttpError(
            Reason.TOO_MANY_REQUESTS,
            "too many requests (429)",
            status=status,
            is_retryable=True,
            retry_after_s=retry_after_s,
        )
    if not 100 <= status <= 599:
        return HttpError(Reason.PROTOCOL_ERROR, f"the answer has the impossible status {status}", status=status)
    return HttpError(Reason.HTTP_STATUS, f"an answer that cannot be used ({status})", status=status)


_FINAL: Final = {
    204: Reason.NO_CONTENT,
    205: Reason.NO_CONTENT,
    401: Reason.UNAUTHORIZED,
    403: Reason.FORBIDDEN,
    404: Reason.NOT_FOUND,
    407: Reason.UNAUTHORIZED,
    410: Reason.GONE,
    451: Reason.GONE,
}
_MEANINGS: Final = {
    Reason.NO_CONTENT: "the answer has no content",
    Reason.UNAUTHORIZED: "the server wants credentials",
    Reason.FORBIDDEN: "forbidden",
    Reason.NOT_FOUND: "not found",
    Reason.GONE: "gone for good",
}


def _judge_partial(asked: Asked, headers: Mapping[str, str]) -> Judgement:
    found = parse_content_range(headers.get("Content-Range", ""))
    if not isinstance(found, ContentRange) or headers.get("Content-Type", "").startswith("multipart/"):
        return _range_lie(asked, "its Content-Range is missing or not valid")
    encodings = content_encodings(headers)
    lie = _lie_in(asked, found, None if encodings else parse_content_length(headers.get("Content-Length", "")))
    if lie:
        return _range_lie(asked, lie)
    validator = Validator.from_headers(headers)
    if _is_other_version(asked, found, validator, encodings):
        return Judgement(Verdict.CHANGED, validator=validator, total_bytes=found.total)
    if not encodings:
        total = found.total if found.total is not None else asked.total_bytes
        return Judgement(Verdict.PARTIAL, found.start, found.end, total, validator)
    # Offsets would be those of the encoded form: taken as one stream, and only if it is all of it.
    if found.end != found.total:
        return Judgement(Verdict.NO_RANGES)
    return Judgement(Verdict.WHOLE, validator=validator, encodings=encodings)


def _lie_in(asked: Asked, found: ContentRange, length: int | None) -> str:
    if not asked.has_range and not (found.start == 0 and found.end == found.total):
        return "a part was sent although the whole was asked for"
    if found.start != asked.start:
        return f"asked from byte {asked.start}, got {found.start}"
    if length is not None and length != found.end - found.start:
        return f"its range has {found.end - found.start} bytes, its length says {length}"
    return ""


def _is_other_version(asked: Asked, found: ContentRange, validator: Validator, encodings: tuple[str, ...]) -> bool:
    if asked.total_bytes is not None and found.total not in (None, asked.total_bytes):
        return True
    return asked.has_held and (bool(encodings) or asked.validator.matches(validator) is Match.DIFFERENT)


def _range_lie(asked: Asked, text: str) -> Judgement:
    if asked.has_held or asked.start or not asked.has_range:
        raise ContentError(Reason.WRONG_RANGE, f"the server sent another range: {text}", is_retryable=True)
    return Judgement(Verdict.NO_RANGES)


def _judge_whole(asked: Asked, headers: Mapping[str, str]) -> Judgement:
    encodings = content_encodings(headers)
    total = None if encodings else parse_content_length(headers.get("Content-Length", ""))
    validator = Validator.from_headers(headers)
    if not asked.has_held:
        return Judgement(Verdict.WHOLE, 0, total, total, validator, encodings)
    match = asked.validator.matches(validator)
    is_same = match is Match.SAME and (total is None or total == asked.total_bytes) and not encodings
    if is_same and asked.has_if_range:
        return Judgement(Verdict.NEXT_RUNG, validator=validator)
    if is_same:
        return Judgement(Verdict.WHOLE_SAME, 0, total, asked.total_bytes, validator)
    if is_web_page(headers.get("Content-Type", "")) and not asked.expects_page:
        raise ContentError(Reason.WEB_PAGE, "a web page came instead of the rest of the file; what is held is kept")
    return Judgement(Verdict.RESTART, 0, total, total, validator, encodings)


def _judge_unsatisfied(asked: Asked, headers: Mapping[str, str]) -> Judgement:
    found = parse_content_range(headers.get("Content-Range", ""))
    total = found.total if isinstance(found, UnsatisfiedRange) else None
    if not asked.has_range:
        raise status_error(416)
    if asked.has_held:
        if total is not None and total != asked.total_bytes:
            return Judgement(Verdict.CHANGED, total_bytes=total)
        return Judgement(Verdict.NO_RANGES)
    if total == 0 and asked.start == 0:
        return Judgement(Verdict.EMPTY, 0, 0, 0, Validator.from_headers(headers))
    return Judgement(Verdict.NO_RANGES)


def _is_unproven(asked: Asked, judgement: Judgement) -> bool:
    """Whether a 206 to a request without `If-Range` does not name the strong validator that the others share."""
    if judgement.verdict is not Verdict.PARTIAL or asked.has_if_range or asked.validator.if_range_value() is None:
        return False
    return asked.validator.matches(judgement.validator) is not Match.SAME


def judge_extra(asked: Asked, status: int, headers: Mapping[str, str]) -> Judgement:
    """Return what the answer to one more connection means: `PARTIAL`, `CHANGED`, `NEXT_RUNG` or `NO_RANGES`.

    A page, a 200 or a refusal never harms the transfer: its range goes back (`NO_RANGES`) or an error is raised
    that the transfer takes as a refusal.
    """
    if status not in (206, 200, 203):
        raise status_error(status)
    if status != 206 and (
        is_web_page(headers.get("Content-Type", ""))
        or asked.validator.matches(Validator.from_headers(headers)) is Match.UNKNOWN
    ):
        return Judgement(Verdict.NO_RANGES)
    judgement = judge(asked, status, headers)
    if judgement.verdict is Verdict.WHOLE_SAME or _is_unproven(asked, judgement):
        return Judgement(Verdict.NO_RANGES)
    if judgement.verdict is Verdict.RESTART:
        return Judgement(Verdict.CHANGED, total_bytes=judgement.total_bytes, validator=judgement.validator)
    return judgement
