"""What may follow a command's name at the prompt, and how it is read and completed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.query_text import parse_terms
from tui_dl.core.setting_facts import coerce
from tui_dl.core.settings import SETTINGS
from tui_dl.core.sharing import Priority
from tui_dl.core.status import Tab
from tui_dl.core.timetable import limit_value
from tui_dl.ui.columns import ORDERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tui_dl.core.target_words import Targets
    from tui_dl.ui.completion import Known

DIRECTIONS: Final = ("up", "down")
"""Ascending and descending, as the arrows beside a column's head."""
_SHOWN_CELLS: Final = 40


def _nothing(_known: Known, _place: int) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Argument:
    """What may follow a command's name."""

    shown: str
    """How it is written, for the line below the prompt."""
    read: Callable[[str], Mapping[str, Any]]
    """Checks it and returns the command's arguments; raises `UsageError`."""
    offers: Callable[[Known, int], Sequence[str]] = _nothing
    """The words that it can be, at this place among its words."""
    is_needed: bool = True
    """Whether the command means nothing without it."""
    is_rest: bool = False
    """Whether it is all that follows, blanks too."""
    more: re.Pattern[str] | None = None
    """Words that go on with it; None: it is one word."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A command as it was typed, read and checked."""

    given: Mapping[str, Any]
    """Its arguments; empty where none was typed."""
    targets: Targets | None = None
    """The downloads that were named; None: none, so that it is for the selection or the row, as with keys."""
    line: str = ""
    """The line as it was typed."""


def number(setting: str) -> Callable[[str], Mapping[str, Any]]:
    """Return what reads `20`, `+2` or `-2` within the bounds of a setting."""
    facts = SETTINGS[setting]

    def read(word: str) -> Mapping[str, Any]:
        digits = word.removeprefix("+").removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
            raise UsageError(f"{display_text(word, _SHOWN_CELLS)!r} is no number; write 20, or +2 and -2 for a step")
        if word[0] in "+-":
            return {"delta": int(word)}
        return {"value": coerce(facts, int(word))}

    return read


def one_of(name: str, choices: Sequence[str]) -> Callable[[str], Mapping[str, Any]]:
    """Return what reads one of these words, or its unambiguous beginning, as the argument of this name."""

    def read(word: str) -> Mapping[str, Any]:
        return {name: chosen(word, choices)}

    return read


def chosen(word: str, choices: Sequence[str]) -> str:
    """Return the choice that a word or its beginning means; raises `UsageError`."""
    fitting = [one for one in choices if one == word.casefold()] or [
        one for one in choices if one.startswith(word.casefold())
    ]
    if len(fitting) == 1:
        return fitting[0]
    near = fitting or get_close_matches(word.casefold(), choices, n=1)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(choices)}"
    raise UsageError(f"{display_text(word, _SHOWN_CELLS)!r} is not known here; {hint}")


def offer(*choices: Sequence[str]) -> Callable[[Known, int], Sequence[str]]:
    """Return what offers the choices for the first word, the second and so on."""

    def offers(_known: Known, place: int) -> Sequence[str]:
        return choices[place] if place < len(choices) else ()

    return offers


def read_limit(text: str) -> Mapping[str, Any]:
    """Read a rate, `off`, or a timetable."""
    return {"limit": limit_value(text)}


def read_place(word: str) -> Mapping[str, Any]:
    """Read `top`, `bottom`, or a place from 1."""
    from tui_dl.core.places import Base  # noqa: PLC0415 - keeps the first paint early

    if word.isascii() and word.isdigit() and 0 < len(word) <= 9 and int(word):
        return {"position": int(word) - 1, "how": Base.SET.value}
    try:
        end = chosen(word, ("top", "bottom"))
    except UsageError:
        raise UsageError(
            f"{display_text(word, _SHOWN_CELLS)!r} is no place; say top, bottom, or a number from 1"
        ) from None
    return {"position": 0, "how": (Base.SET if end == "top" else Base.END).value}


def read_row(word: str) -> Mapping[str, Any]:
    """Read the number of a row, from 1."""
    digits = word.replace(",", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9 and int(digits)):
        raise UsageError(f"{display_text(word, _SHOWN_CELLS)!r} is no number of a row; they begin at 1")
    return {"row": int(digits)}


def read_order(text: str) -> Mapping[str, Any]:
    """Read a column, and whether it goes up or down."""
    column, _blank, direction = text.partition(" ")
    order = chosen(column, [one.value for one in ORDERS])
    found: dict[str, Any] = {"order": next(one for one in ORDERS if one.value == order)}
    return found | ({"is_descending": chosen(direction.strip(), DIRECTIONS) == "down"} if direction.strip() else {})


def read_filter(text: str) -> Mapping[str, Any]:
    """Read a filter."""
    parse_terms(text)
    return {"filter": text}


def read_setting(text: str) -> Mapping[str, Any]:
    """Read `per_host 4` or `per_host=4`."""
    from tui_dl.core.live_settings import live_values  # noqa: PLC0415 - keeps the first paint early

    name, _sign, value = text.replace("=", " ", 1).partition(" ")
    if not value.strip():
        raise UsageError(f"write the new value after the setting: set {display_text(name, _SHOWN_CELLS)} ...")
    return {"settings": live_values({name: value.strip()})}


def offer_settings(_known: Known, place: int) -> Sequence[str]:
    """Offer the settings that can be changed while the session lives."""
    from tui_dl.core.live_settings import LIVE  # noqa: PLC0415 - keeps the first paint early

    return () if place else tuple(LIVE)


def read_text(name: str) -> Callable[[str], Mapping[str, Any]]:
    """Return what takes any text as the argument of this name."""

    def read(text: str) -> Mapping[str, Any]:
        return {name: text}

    return read


PRIORITIES: Final = tuple(one.value for one in Priority)
TABS: Final = tuple(one.value for one in Tab)
PRIORITY: Final = Argument("|".join(PRIORITIES), one_of("value", PRIORITIES), offer(PRIORITIES))
CONCURRENCY: Final = Argument("N", number("concurrent_downloads"))
CONNECTIONS: Final = Argument("N", number("connections"))
PLACE: Final = Argument("top|bottom|N", read_place, offer(("top", "bottom")))
ROW: Final = Argument("N", read_row)
TAB: Final = Argument("|".join(TABS), one_of("tab", TABS), offer(TABS))
ORDER: Final = Argument(
    "[COLUMN [up|down]]",
    read_order,
    offer(tuple(one.value for one in ORDERS), DIRECTIONS),
    is_needed=False,
    is_rest=True,
)
LIMIT: Final = Argument(
    "[5M|off|TIMETABLE]",
    read_limit,
    offer(("off",)),
    is_needed=False,
    more=re.compile(r"(?:[A-Za-z]+-)?\d{1,2}:\d\d,\S+"),
)
FILTER: Final = Argument("[FILTER]", read_filter, is_needed=False, is_rest=True)
SETTING: Final = Argument("SETTING VALUE", read_setting, offer_settings, is_rest=True)
ADDRESSES: Final = Argument("[URL ...]", read_text("text"), is_needed=False, is_rest=True)
ADDRESS: Final = Argument("[URL]", read_text("url"), is_needed=False, is_rest=True)
THEME: Final = Argument(
    "[NAME]", read_text("theme"), lambda known, place: () if place else known.themes, is_needed=False
)
