"""A row with some fields changed."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from tui_dl.core.task import FIELDS, DownloadTask, changed, task_with

TASK = DownloadTask(7, "http://h/f", "/d", "f", host="h", priority=1)


@pytest.mark.parametrize("name", [field.name for field in fields(DownloadTask)])
def test_it_is_what_replacing_gives(name: str) -> None:
    """Field by field: none is mistaken for another."""
    other: dict[str, Any] = {name: "other"}
    assert changed(TASK, other) == replace(TASK, **other)


def test_nothing_changed_is_an_equal_row() -> None:
    """Also of the row's own fields that are computed for its users."""
    assert changed(TASK, {}) == TASK


def test_a_row_is_made_of_all_its_values() -> None:
    """In the order of its fields."""
    assert task_with(getattr(TASK, name) for name in FIELDS) == TASK
    with pytest.raises(ValueError, match="shorter"):
        task_with(FIELDS[1:])


def test_a_field_that_no_row_has_is_a_fault() -> None:
    """A word that is mistyped must not get lost in silence."""
    with pytest.raises(TypeError, match="statsu"):
        changed(TASK, {"statsu": "other"})
