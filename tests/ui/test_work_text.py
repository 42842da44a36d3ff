"""What is said of a command on many rows is what it does."""

from __future__ import annotations

import pytest

from tui_dl.core.commands import CommandName
from tui_dl.core.ports import WorkView
from tui_dl.ui.work_text import work_words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (CommandName.PAUSE, "pausing 10 of 2,000"),
        (CommandName.TOGGLE_PAUSE, "pausing or resuming 10 of 2,000"),
        (CommandName.TOGGLE_ALL, "pausing or resuming 10 of 2,000"),
    ],
)
def test_a_key_that_turns_each_row_does_not_say_that_it_pauses(name: CommandName, words: str) -> None:
    """`p` resumes what is paused among the selected rows."""
    assert work_words(WorkView(name, 10, 2_000)) == words
