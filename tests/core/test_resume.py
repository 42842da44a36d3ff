"""The resume verdict: what every answer means for the bytes that are held."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import ContentError, HttpError, Reason, TuiDlError
from tui_dl.core.http_rules import Match, Validator
from tui_dl.core.resume import (
    RESTART_BELOW_BYTES,
    Asked,
    Rung,
    Verdict,
    choose_rung,
    judge,
    judge_extra,
    status_error,
)

if TYPE_CHECKING:
    from collections.abc import Callable

STRONG = Validator(etag='"v1"')
WEAK = Validator(etag='W/"v1"')
DATED = Validator(last_modified="Tue, 14 Nov 2023 22:13:20 GMT", is_date_strong=True)
DATED_WEAKLY = Validator(last_modified="Tue, 14 Nov 2023 22:13:20 GMT")
NONE = Validator()
MUCH_BYTES = RESTART_BELOW_BYTES

HELD = Asked(start=100, has_if_range=True, has_held=True, total_bytes=1000, validator=STRONG)
FRESH = Asked()


def partial(start: int, last: int, total: int | str = 1000, **more: str) -> dict[str, str]:
    """Return the headers of a 206."""
    length = str(last - start + 1)
    return {"Content-Range": f"bytes {start}-{last}/{total}", "Content-Length": length, **_named(more)}


def whole(length: int, **more: str) -> dict[str, str]:
    """Return the headers of a 200."""
    return {"Content-Length": str(length), **_named(more)}


def _named(more: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in more.items()}


@pytest.mark.parametrize(
    ("validator", "held_bytes", "total_bytes", "policy", "rung"),
    [
        (STRONG, 1, 1000, "ask", Rung.IF_RANGE),
        (DATED, 1, 1000, "ask", Rung.IF_RANGE),
        (STRONG, 1, None, "ask", Rung.IF_RANGE),
        (WEAK, 1, 1000, "ask", Rung.TAIL),
        (DATED_WEAKLY, 1, 1000, "restart", Rung.TAIL),
        (WEAK, 1, None, "ask", Rung.RESTART),
        (NONE, 1, 1000, "yes", Rung.RESTART),
        (NONE, MUCH_BYTES - 1, 1 << 40, "yes", Rung.RESTART),
        (NONE, MUCH_BYTES, 1 << 40, "yes", Rung.SAMPLES),
        (NONE, MUCH_BYTES, 1 << 40, "restart", Rung.RESTART),
        (NONE, MUCH_BYTES, None, "yes", Rung.RESTART),
    ],
)
def test_the_best_proof_there_is_is_chosen(
    validator: Validator, held_bytes: int, total_bytes: int | None, policy: str, rung: Rung
) -> None:
    """A strong validator, else the tail, else samples where allowed, else nothing is believed."""
    assert choose_rung(validator, held_bytes, total_bytes, policy) is rung


def test_much_without_proof_is_a_question() -> None:
    """`ask` fails with the way out."""
    with pytest.raises(ContentError) as raised:
        choose_rung(NONE, MUCH_BYTES, 1 << 40, "ask")
    assert raised.value.reason is Reason.UNVERIFIABLE_RESUME


@pytest.mark.parametrize(
    ("asked", "status", "headers", "verdict"),
    [
        (FRESH, 206, partial(0, 999), Verdict.PARTIAL),
        (FRESH, 206, partial(0, 99), Verdict.PARTIAL),
        (FRESH, 206, partial(0, 999, "*"), Verdict.PARTIAL),
        (FRESH, 206, partial(1, 999), Verdict.NO_RANGES),
        (FRESH, 206, whole(1000), Verdict.NO_RANGES),
        (FRESH, 206, {**partial(0, 999), "Content-Length": "5"}, Verdict.NO_RANGES),
        (FRESH, 206, {**partial(0, 999), "Content-Type": "multipart/byteranges; boundary=x"}, Verdict.NO_RANGES),
        (FRESH, 206, partial(0, 999, Content_Encoding="gzip"), Verdict.WHOLE),
        (FRESH, 206, partial(0, 99, Content_Encoding="gzip"), Verdict.NO_RANGES),
        (FRESH, 200, whole(1000), Verdict.WHOLE),
        (FRESH, 203, {}, Verdict.WHOLE),
        (FRESH, 416, {"Content-Range": "bytes */0"}, Verdict.EMPTY),
        (FRESH, 416, {"Content-Range": "bytes */1000"}, Verdict.NO_RANGES),
        (FRESH, 416, {}, Verdict.NO_RANGES),
        (FRESH, 400, {}, Verdict.NO_RANGES),
        (FRESH, 403, {}, Verdict.NO_RANGES),
        (FRESH, 501, {}, Verdict.NO_RANGES),
        (HELD, 206, partial(100, 999, ETag='"v1"'), Verdict.PARTIAL),
        (HELD, 206, partial(100, 999), Verdict.PARTIAL),
        (HELD, 206, partial(100, 499), Verdict.PARTIAL),
        (HELD, 206, partial(100, 999, ETag='"v2"'), Verdict.CHANGED),
        (HELD, 206, partial(100, 1999, 2000), Verdict.CHANGED),
        (HELD, 206, partial(100, 999, Content_Encoding="gzip"), Verdict.CHANGED),
        (HELD, 200, whole(1000, ETag='"v1"'), Verdict.NEXT_RUNG),
        (HELD, 200, whole(1000, ETag='"v2"'), Verdict.RESTART),
        (HELD, 200, whole(999, ETag='"v1"'), Verdict.RESTART),
        (HELD, 200, whole(1000), Verdict.RESTART),
        (HELD, 200, whole(1000, ETag='"v1"', Content_Encoding="gzip"), Verdict.RESTART),
        (HELD, 412, {}, Verdict.NEXT_RUNG),
        (HELD, 416, {"Content-Range": "bytes */1000"}, Verdict.NO_RANGES),
        (HELD, 416, {"Content-Range": "bytes */50"}, Verdict.CHANGED),
        (HELD, 416, {}, Verdict.NO_RANGES),
    ],
)
def test_what_an_answer_means(asked: Asked, status: int, headers: dict[str, str], verdict: Verdict) -> None:
    """One table of verdicts."""
    assert judge(asked, status, headers).verdict is verdict


def test_the_whole_in_the_same_version_is_not_a_restart() -> None:
    """Asked without condition, an unchanged 200 keeps what is held."""
    asked = Asked(has_range=False, has_held=True, total_bytes=1000, validator=STRONG)
    assert judge(asked, 200, whole(1000, ETag='"v1"')).verdict is Verdict.WHOLE_SAME


@pytest.mark.parametrize(
    "headers",
    [partial(0, 999), partial(101, 999), whole(900), {"Content-Range": "bytes 100-99/1000"}],
    ids=["0", "shifted", "missing", "backwards"],
)
def test_another_range_is_never_written(headers: dict[str, str]) -> None:
    """A resumed 206 that is not what was asked is an error, with another attempt."""
    with pytest.raises(ContentError) as raised:
        judge(HELD, 206, headers)
    assert raised.value.reason is Reason.WRONG_RANGE
    assert raised.value.is_retryable


def test_a_part_of_what_was_asked_whole_is_refused() -> None:
    """A 206 without a Range in the request counts only if it is all (RFC 9110 §15.3.7)."""
    asked = Asked(has_range=False)
    assert judge(asked, 206, partial(0, 999)).verdict is Verdict.PARTIAL
    with pytest.raises(ContentError):
        judge(asked, 206, partial(0, 99))


def test_a_page_instead_of_the_rest_is_refused() -> None:
    """What is held is kept."""
    with pytest.raises(ContentError) as raised:
        judge(HELD, 200, whole(500, Content_Type="text/html; charset=utf-8"))
    assert raised.value.reason is Reason.WEB_PAGE


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 416, 451, 500, 501, 503, 429, 304, 100, 999, 0])
def test_an_error_without_range_is_an_error(status: int) -> None:
    """Nothing is asked a third time."""
    with pytest.raises(HttpError) as raised:
        judge(Asked(has_range=False), status, {})
    assert raised.value.status == status


@pytest.mark.parametrize(
    ("status", "is_retryable"),
    [
        *[(code, True) for code in (408, 425, 429, 500, 502, 503, 504, 599)],
        *[(code, False) for code in (204, 205, 304, 400, 401, 402, 403, 404, 407, 410, 451, 418, 600, 999)],
    ],
)
def test_only_passing_faults_are_retried(status: int, *, is_retryable: bool) -> None:
    """The list of the design."""
    assert status_error(status).is_retryable is is_retryable


EXTRA = Asked(start=500, end=1000, has_if_range=True, has_held=True, total_bytes=1000, validator=STRONG)
UNCONDITIONAL = Asked(start=500, end=1000, has_held=True, total_bytes=1000, validator=STRONG)


@pytest.mark.parametrize(
    ("asked", "status", "headers", "verdict"),
    [
        (EXTRA, 206, partial(500, 999, ETag='"v1"'), Verdict.PARTIAL),
        (EXTRA, 206, partial(500, 999), Verdict.PARTIAL),
        (EXTRA, 206, partial(500, 999, ETag='"v2"'), Verdict.CHANGED),
        (EXTRA, 200, whole(1000, ETag='"v1"'), Verdict.NEXT_RUNG),
        (EXTRA, 200, whole(1000, ETag='"v2"'), Verdict.CHANGED),
        (EXTRA, 200, whole(1000), Verdict.NO_RANGES),
        (EXTRA, 200, whole(80, Content_Type="text/html"), Verdict.NO_RANGES),
        (UNCONDITIONAL, 206, partial(500, 999, ETag='"v1"'), Verdict.PARTIAL),
        (UNCONDITIONAL, 206, partial(500, 999), Verdict.NO_RANGES),
        (UNCONDITIONAL, 206, partial(500, 999, ETag='"v2"'), Verdict.CHANGED),
        (UNCONDITIONAL, 200, whole(1000, ETag='"v1"'), Verdict.NO_RANGES),
    ],
)
def test_a_further_connection_harms_nothing(
    asked: Asked, status: int, headers: dict[str, str], verdict: Verdict
) -> None:
    """Its range counts only under the version that the others have; a page or a 200 is no change."""
    assert judge_extra(asked, status, headers).verdict is verdict


@pytest.mark.parametrize("status", [400, 403, 404, 416, 429, 500, 503])
def test_a_refused_further_connection_is_an_error_of_its_own(status: int) -> None:
    """The transfer takes it as a refusal."""
    with pytest.raises(HttpError):
        judge_extra(EXTRA, status, {})


HEADERS = st.dictionaries(
    st.sampled_from(
        ["Content-Range", "Content-Length", "ETag", "Last-Modified", "Date", "Content-Type", "Content-Encoding"]
    ),
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(
            [
                '"v1"',
                '"v2"',
                "bytes 100-999/1000",
                "bytes 0-999/1000",
                "bytes */1000",
                "1000",
                "900",
                "gzip",
                "text/html",
            ]
        ),
    ),
)
ASKED = st.sampled_from([FRESH, HELD, EXTRA, UNCONDITIONAL, Asked(has_range=False)])


@given(asked=ASKED, status=st.integers(0, 999), headers=HEADERS, judging=st.sampled_from([judge, judge_extra]))
def test_no_answer_raises_anything_but_our_errors(
    asked: Asked, status: int, headers: dict[str, str], judging: Callable[..., object]
) -> None:
    """Whatever a server says."""
    with suppress(TuiDlError):
        judging(asked, status, headers)


@given(asked=ASKED, status=st.sampled_from([200, 203, 206]), headers=HEADERS)
def test_held_bytes_are_kept_only_under_the_same_version(asked: Asked, status: int, headers: dict[str, str]) -> None:
    """No verdict that joins an answer with what is held contradicts validator, length or start."""
    try:
        found = judge(asked, status, headers)
    except TuiDlError:
        return
    if not asked.has_held or found.verdict not in (Verdict.PARTIAL, Verdict.WHOLE_SAME):
        return
    assert asked.validator.matches(Validator.from_headers(headers)) is not Match.DIFFERENT
    assert found.start == (asked.start if found.verdict is Verdict.PARTIAL else 0)
    assert found.total_bytes in (None, asked.total_bytes)
    assert not found.encodings
