"""The line of the prompt: a command's name or its beginning, its argument, and the downloads that are meant."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.target_words import Targets, targets_of
from tui_dl.ui.actions import ACTIONS
from tui_dl.ui.argument import Typed
from tui_dl.ui.completion import Completion, complete, word_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.ui.action import Action
    from tui_dl.ui.argument import Argument
    from tui_dl.ui.completion import Known

HERE: Final = "."
"""Stands for the selection, else the current row, where nothing would mean everything."""
ALL: Final = "--all"
"""Stands for every download."""
ROW_COMMAND: Final = "row"
"""What a number alone is short for."""
MOST_NAMED: Final = 6
"""Commands that a message names."""
_WORD: Final = re.compile(r'(?:"[^"]*"?|[^\s"])+')
_SHOWN_CELLS: Final = 40


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line that was understood."""

    action: type[Action]
    """What is to be done."""
    typed: Typed
    """With what, and to which downloads."""


def words_of(text: str) -> list[str]:
    """Return the words of a line; blanks within quotation marks belong to theirs."""
    return _WORD.findall(text)


def action_typed(word: str) -> type[Action]:
    """Return the command of this name, or the only one that begins so; raises `UsageError`."""
    name = word.casefold().replace("_", "-")
    fitting = [one for one in ACTIONS if one.name == name] or [one for one in ACTIONS if one.name.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    shown = display_text(word, _SHOWN_CELLS)
    if fitting:
        names = ", ".join(one.name for one in fitting[:MOST_NAMED]) + (" ..." if len(fitting) > MOST_NAMED else "")
        raise UsageError(f"{shown!r} may be {names}: type more of it, or Tab")
    near = get_close_matches(name, [one.name for one in ACTIONS], n=1)
    raise UsageError(f"there is no command {shown!r}; " + (f"did you mean {near[0]}?" if near else "Tab offers all"))


def read_line(line: str) -> ReadLine:
    """Return what a line means; raises `UsageError`."""
    text = line.strip().lstrip(":").lstrip()
    name, *words = words_of(text) or [""]
    if not words and name.isascii() and name.replace(",", "").isdigit():
        name, words, text = ROW_COMMAND, [name], f"{ROW_COMMAND} {name}"
    action = action_typed(name)
    argument = action.argument
    given: dict[str, Any] = {}
    if argument is not None and argument.is_rest:
        rest = text[len(name) :].strip()
        if rest:
            given |= _read(action, argument, rest)
        words = []
    else:
        words, given = _without_flags(action, words)
        words, found = _argument_of(action, words)
        given |= found
    if argument is not None and argument.is_needed and not given:
        raise UsageError(f"{action.name} wants {argument.shown} after it")
    return ReadLine(action, Typed(given, _targets(action, words), line))


def _without_flags(action: type[Action], words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Take out what stands for arguments; a flag of another command is refused."""
    given: dict[str, Any] = {}
    left = []
    for word in words:
        if word in action.flags:
            given |= action.flags[word]
        elif word.startswith("--") and word != ALL:
            known = [*action.flags, *([ALL] if action.has_targets else [])]
            hint = f"it takes {' and '.join(known)}" if known else "it takes none"
            raise UsageError(f"{action.name} has no {display_text(word, _SHOWN_CELLS)}; {hint}")
        else:
            left.append(word)
    return left, given


def _argument_of(action: type[Action], words: list[str]) -> tuple[list[str], dict[str, Any]]:
    """Take the argument off the words."""
    argument = action.argument
    if argument is None or not words:
        return words, {}
    most = 1
    while argument.more is not None and most < len(words) and argument.more.fullmatch(words[most]):
        most += 1
    return words[most:], _read(action, argument, " ".join(words[:most]))


def _read(action: type[Action], argument: Argument, text: str) -> dict[str, Any]:
    try:
        return dict(argument.read(text))
    except UsageError as error:
        raise UsageError(f"{action.name}: {error.message.removeprefix(f'{action.name}: ')}") from None


def _targets(action: type[Action], words: Sequence[str]) -> Targets | None:
    if not words:
        return None
    if not action.has_targets:
        raise UsageError(f"{action.usage()} takes nothing more: {display_text(' '.join(words), _SHOWN_CELLS)!r}")
    if list(words) == [HERE]:
        return Targets()
    return targets_of([word for word in words if word != ALL], is_all=ALL in words)


def complete_line(text: str, cursor: int, known: Known) -> Completion:
    """Return what can follow at the cursor: names, then what the command takes, then terms of a filter."""
    start = word_start(text, cursor)
    before = words_of(text[:start])
    word = text[start:cursor]
    if not before:
        return _names(start, word)
    try:
        action = action_typed(before[0].lstrip(":"))
    except UsageError as error:
        return Completion(start, (), error.message)
    return _completed(action, text, cursor, known)


def _names(start: int, word: str) -> Completion:
    begun = word.lstrip(":")
    start += len(word) - len(begun)
    wanted = begun.casefold().replace("_", "-")
    names = tuple(one.name for one in ACTIONS if one.name.startswith(wanted))
    if len(names) == 1:
        return Completion(start, names, about_of(action_typed(names[0])))
    return Completion(start, names, "" if names or begun.isdigit() else f"there is no command {begun!r}")


def about_of(action: type[Action]) -> str:
    """Return how a command is typed, and what it does."""
    return f"{action.usage()}: {action.typed_about or action.explanation()}"


def _completed(action: type[Action], text: str, cursor: int, known: Known) -> Completion:
    start = word_start(text, cursor)
    word = text[start:cursor].casefold()
    place = len(words_of(text[:start])) - 1
    argument = action.argument
    found: list[str] = []
    if argument is not None and (argument.is_rest or place == 0):
        found += [one for one in argument.offers(known, place) if one.startswith(word)]
    is_filter = action.name == "filter" or (action.has_targets and (argument is None or place > 0))
    terms = complete(text, cursor, known) if is_filter else Completion(start)
    if action.has_targets and word.startswith("-"):
        found += [flag for flag in (*action.flags, ALL) if flag.startswith(word)]
    candidates = tuple(one for one in (*found, *terms.candidates) if one != word)
    return replace(terms, candidates=candidates, example="" if candidates else terms.example or about_of(action))
