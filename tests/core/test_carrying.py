"""What a thread carries to whoever waits: a value, or an error, and nothing that ends a program."""

from __future__ import annotations

import pytest

from tui_dl.core.carrying import carried


def test_a_value_comes_without_an_error() -> None:
    """Nothing is a value, too."""
    assert carried(divmod, 7, 2) == ((3, 1), None)
    assert carried(lambda: None) == (None, None)


def test_an_error_comes_without_a_value() -> None:
    """It is the one that was raised."""
    value, error = carried(int, "seven")
    assert value is None
    assert type(error) is ValueError


def test_the_end_of_a_program_is_not_carried() -> None:
    """Ctrl+C ends whoever it meets."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carried(interrupted)
