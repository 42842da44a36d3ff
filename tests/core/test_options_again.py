"""What a row keeps when its address is asked for again."""

from __future__ import annotations

import pytest

from tui_dl.core.task import TaskOptions, options_again

ONE, TWO = f"sha1={'a' * 40}", f"sha1={'b' * 40}"
HELD = TaskOptions(checksum=ONE, announced="x", pieces="p", expected_bytes=5, mirrors=("http://m.example.com/",))


def test_a_digest_stays_where_none_is_given() -> None:
    """With all that is known of the file and of the bytes held."""
    again = options_again(HELD, TaskOptions(connections=3))
    assert again.connections == 3
    assert (again.checksum, again.pieces, again.mirrors) == (ONE, "p", HELD.mirrors)
    assert (again.announced, again.expected_bytes) == ("x", 5)


def test_another_digest_takes_its_place() -> None:
    """What was known of the file with the earlier one is not known of this one."""
    again = options_again(HELD, TaskOptions(checksum=TWO))
    assert (again.checksum, again.pieces, again.expected_bytes) == (TWO, "", None)


@pytest.mark.parametrize("name", ["headers", "connections", "limit_rate_bps", "on_exists"])
def test_manners_are_those_of_the_later_wish(name: str) -> None:
    """Whoever repeats it means it so."""
    held = TaskOptions(connections=1, limit_rate_bps=5, headers=(("A", "b"),))
    assert getattr(options_again(held, TaskOptions()), name) == getattr(TaskOptions(), name)
