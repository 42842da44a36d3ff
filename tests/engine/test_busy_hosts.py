"""What a row says whose host is busy: how many connections it bears, or that it has not answered yet."""

from __future__ import annotations

import pytest

from tui_dl.core.errors import Reason
from tui_dl.core.host_budget import HostBudget
from tui_dl.engine.host_gate import busy


@pytest.mark.parametrize(
    ("most", "words"),
    [
        (1, "h:80 bears 1 connection at once"),
        (3, "h:80 bears 3 connections at once"),
        (None, "h:80 is slow to answer; it is asked for more once it did"),
    ],
)
def test_why_a_row_waits_for_its_host(most: int | None, words: str) -> None:
    """A host without any bound is only met slowly: no number is made up for it."""
    error = busy("h:80", HostBudget(most_connections=most))
    assert (error.reason, error.message) == (Reason.HOST_BUSY, words)
