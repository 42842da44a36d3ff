"""What is known of a setting besides its value, and how values are read: typed, within bounds, as people write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import MASK
from tui_dl.core.errors import UsageError
from tui_dl.core.sizes import parse_size
from tui_dl.core.timetable import limit_value

if TYPE_CHECKING:
    from collections.abc import Callable

WHOLE: Final = "whole"
"""A setting that is secret as a whole."""
USER_INFO: Final = "user info"
"""A setting that is secret where it holds user info before an @."""


def setting(
    default: Any,
    text: str,
    *,
    alias: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    is_size: bool = False,
    is_timetable: bool = False,
    secret: str = "",
    read: Callable[[Any], str] | None = None,
    is_command: bool = False,
) -> Any:
    """Return a field of `Settings` with what `SettingFacts` says of it."""
    facts = {
        "help": text,
        "alias": alias,
        "low": low,
        "high": high,
        "choices": choices,
        "is_size": is_size,
        "is_timetable": is_timetable,
        "secret": secret,
        "read": read,
        "is_command": is_command,
    }
    return field(default=default, repr=not secret, metadata=facts)


@dataclass(frozen=True, slots=True)
class SettingFacts:
    """One setting as file, environment and help know it."""

    name: str
    """Key in the file; `TUI_DL_` and upper case in the environment."""
    type: type
    """int, float, bool or str."""
    default: Any
    """Value where nobody says otherwise."""
    help: str
    """One sentence."""
    alias: str
    """Another accepted key, or empty."""
    low: float | None
    """Smallest value, None for any."""
    high: float | None
    """Largest value, None for any."""
    choices: tuple[str, ...]
    """Accepted words; empty for any."""
    is_size: bool
    """Whether `5M` and the like are accepted (K, M, G are 1024)."""
    is_timetable: bool
    """Whether the text of a timetable is accepted besides a number."""
    read: Callable[[Any], str] | None
    """Checks a text and returns it as it is kept; None where any will do."""
    is_command: bool
    """Whether a list of words is accepted besides a text."""
    secret: str
    """Empty, `WHOLE` or `USER_INFO`: what of it is never shown."""

    def shown(self, value: Any) -> Any:
        """Return a value as it may be shown to whoever looks on."""
        is_hidden = self.secret == WHOLE or (self.secret == USER_INFO and "@" in str(value))
        return MASK if is_hidden and value else value


def coerce(facts: SettingFacts, value: Any) -> Any:
    """Return `value` in the setting's type and within its bounds; text is read as a person types it."""
    if isinstance(value, bool) and str(value).lower() in facts.choices:
        value = str(value).lower()  # `background = true`, as a person writes it
    value = (
        _coerce_text(facts, value) if isinstance(value, str) or (facts.is_command and type(value) is list) else value
    )
    if facts.is_timetable and isinstance(value, str):
        return value
    if facts.type is float and type(value) is int:
        value = float(value)
    if type(value) is not facts.type:
        found = "" if facts.secret else f", not {value!r}"
        raise UsageError(f"{facts.name}: expected {_TYPE_WORDS[facts.type]}{found}")
    if facts.choices and value not in facts.choices:
        raise UsageError(f"{facts.name}: {value!r} is none of {', '.join(facts.choices)}")
    if facts.name == "name_template" and isinstance(value, str) and value:
        from tui_dl.core.name_template import parse_name_template  # noqa: PLC0415  # most runs have none

        parse_name_template(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and not _is_within(facts, value):
        raise UsageError(f"{facts.name}: {value} is out of bounds ({_bounds(facts)})")
    return value


_TYPE_WORDS: Final = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


def _coerce_text(facts: SettingFacts, text: Any) -> Any:
    if facts.is_timetable:
        return limit_value(text)
    if facts.is_size:
        return parse_size(text)
    if facts.read is not None:
        try:
            return facts.read(text)
        except UsageError as error:
            raise UsageError(f"{facts.name}: {error.message}") from None
    if facts.type is bool and text.casefold() in _TRUE | _FALSE:
        return text.casefold() in _TRUE
    if facts.type in (int, float):
        try:
            return facts.type(text)
        except ValueError:
            return text
    return text


def _is_within(facts: SettingFacts, value: float) -> bool:
    # Written so that NaN is out of bounds too.
    return (facts.low is None or value >= facts.low) and (facts.high is None or value <= facts.high) and value == value  # noqa: PLR0124  # NaN differs from itself


def _bounds(facts: SettingFacts) -> str:
    if facts.high is None:
        return f"{facts.low} or more"
    return f"{facts.low} to {facts.high}"
