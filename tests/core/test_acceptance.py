"""What is wanted by type and size: how it is written, and what it takes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.acceptance import Acceptance, acceptance_of, accepted_types, was_left_out
from tui_dl.core.errors import Reason, Unwanted, UsageError
from tui_dl.core.settings import Settings, settings_with
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("image/*", "image/*"),
        ("Image/PNG, video/mp4", "image/png,video/mp4"),
        ("image/* image/*\tapplication/vnd.ms-excel", "image/*,application/vnd.ms-excel"),
        ("*", "*"),
        ("*/*,image/svg+xml", "*/*,image/svg+xml"),
    ],
)
def test_types_are_kept_in_one_form(text: str, kept: str) -> None:
    """Commas and spaces part them, case is nothing, and what is kept is read as the same."""
    assert accepted_types(text) == kept
    assert accepted_types(kept) == kept


@pytest.mark.parametrize("text", ["jpg", "*.jpg", "image", "image/", "*/png", "image/p*", "image/png; q=1", "a/b/c"])
def test_what_is_no_type_is_refused(text: str) -> None:
    """Endings of names, as wget takes them, are told from types."""
    with pytest.raises(UsageError, match="no media type; write image/png"):
        accepted_types(text)


@given(st.text(max_size=30))
def test_no_text_raises_anything_but_our_error(text: str) -> None:
    """Whatever a person types."""
    with suppress(UsageError):
        accepted_types(text)


@pytest.mark.parametrize(
    ("types", "content_type", "is_taken"),
    [
        ("", "text/html", True),
        ("*", "text/html", True),
        ("*/*", "", True),
        ("image/*", "IMAGE/PNG; q=1", True),
        ("image/*", "image2/png", False),
        ("image/png", "image/png ;x", True),
        ("image/png", "image/pngx", False),
        ("video/*,text/html", "text/html; charset=utf-8", True),
        ("application/octet-stream", "", True),
        ("image/*", "", False),
    ],
)
def test_types_are_compared_without_case_and_parameters(types: str, content_type: str, is_taken: bool) -> None:
    """An answer that names none is of bytes."""
    wanted = acceptance_of(settings_with(Settings(), {"accept": types}), TaskOptions())
    if is_taken:
        wanted.judge_type(content_type)
        return
    with pytest.raises(Unwanted, match=r"came, and .* is wanted") as raised:
        wanted.judge_type(content_type)
    assert raised.value.reason is Reason.UNWANTED_TYPE


@pytest.mark.parametrize(
    ("total", "reason"), [(9, Reason.TOO_SMALL), (10, None), (20, None), (21, Reason.TOO_LARGE), (None, None)]
)
def test_both_bounds_are_within(total: int | None, reason: Reason | None) -> None:
    """A file of just that size is wanted; of an unknown one nothing is said yet."""
    wanted = Acceptance(min_bytes=10, max_bytes=20)
    if reason is None:
        wanted.judge_length(total)
        return
    with pytest.raises(Unwanted) as raised:
        wanted.judge_length(total)
    assert raised.value.reason is reason
    assert not raised.value.is_retryable


def test_what_came_so_far_may_be_too_much_only() -> None:
    """More may follow."""
    Acceptance(min_bytes=10, max_bytes=20).judge_so_far(1)
    Acceptance(min_bytes=10).judge_so_far(1 << 60)
    with pytest.raises(Unwanted, match="21 bytes, and at most 20"):
        Acceptance(max_bytes=20).judge_so_far(21)


def test_a_task_goes_before_the_settings() -> None:
    """Also where it wants anything."""
    settings = settings_with(Settings(), {"accept": "image/*", "min_size": "1K", "max_size": "1M"})
    assert acceptance_of(settings, TaskOptions()) == Acceptance(("image/*",), 1024, 1 << 20)
    assert acceptance_of(settings, TaskOptions(accept="", min_bytes=0, max_bytes=0)) == Acceptance()


def test_bounds_between_which_nothing_lies_are_refused() -> None:
    """None of the two is passed over."""
    with pytest.raises(UsageError, match="no file would do"):
        settings_with(Settings(min_size=11), {"max_size": 10})
    assert settings_with(Settings(min_size=10), {"max_size": 10}).max_size == 10
    assert settings_with(Settings(min_size=11), {"max_size": 0}).min_size == 11


def test_what_was_left_out_is_told_from_other_skips() -> None:
    """A Metalink's document that was too long has failed."""
    assert was_left_out(Status.SKIPPED, Reason.TOO_LARGE)
    assert was_left_out("skipped", "unwanted-type")
    assert not was_left_out(Status.SKIPPED, Reason.TARGET_EXISTS)
    assert not was_left_out(Status.SKIPPED, None)
    assert not was_left_out(Status.FAILED, Reason.TOO_LARGE)
