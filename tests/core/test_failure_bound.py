"""How many failures are still well, and from when on none of the rest can help."""

from __future__ import annotations

import pytest

from tui_dl.core.errors import UsageError
from tui_dl.core.failure_bound import FailureBound, parse_failure_bound


@pytest.mark.parametrize(
    ("text", "failed", "total", "is_well"),
    [
        ("0", 0, 5, True),
        ("0", 1, 5, False),
        ("10", 10, 10, True),
        ("10", 11, 1000, False),
        ("2.5%", 25, 1000, True),
        ("2.5%", 26, 1000, False),
        (" 100% ", 7, 7, True),
        ("0%", 0, 0, True),
    ],
)
def test_a_number_or_a_share_is_allowed(text: str, failed: int, total: int, is_well: bool) -> None:
    """The bound itself is still within."""
    assert parse_failure_bound(text).allows(failed, total) is is_well


@pytest.mark.parametrize("text", ["", "-1", "many", "101%", "-1%", "nan%", "1.5", "%"])
def test_what_is_neither_is_refused(text: str) -> None:
    """The refusal shows how it is written."""
    with pytest.raises(UsageError, match=r"2\.5%"):
        parse_failure_bound(text)


def test_a_share_is_judged_when_the_total_is_known() -> None:
    """While the list is still read, what follows may all be well."""
    bound = FailureBound(percent=10)
    assert not bound.is_exceeded_for_good(5, 10, is_total_known=False)
    assert bound.is_exceeded_for_good(5, 10, is_total_known=True)
    assert FailureBound(4).is_exceeded_for_good(5, 10, is_total_known=False)
