"""Commands and questions as JSON values, for whoever gives them from another process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from tui_dl.core.commands import Command, CommandName, CommandOutcome
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.query import SortKey, TaskQuery, Term, TermKind
from tui_dl.core.query_text import parse_terms
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

    WordT = TypeVar("WordT", bound=StrEnum)

_MOST_IDS: Final = 100_000
"""Ids in one command; a query means more."""
_SHOWN_CELLS: Final = 40
_COMMAND_KEYS: Final = frozenset({"name", "ids", "query", "all", "excluding_ids", "arguments"})
_QUERY_KEYS: Final = frozenset(
    {"filter", "text", "statuses", "host", "batch_id", "sort", "is_descending", "terms", "has_history"}
    | {"is_tree", "closed_ids"}
)
_WANTING_TARGETS: Final = frozenset(
    {
        *(CommandName.PAUSE, CommandName.RESUME, CommandName.TOGGLE_PAUSE, CommandName.CANCEL),
        *(CommandName.DELETE_PART, CommandName.RETRY, CommandName.MOVE_UP, CommandName.MOVE_DOWN),
        *(CommandName.MOVE_TO, CommandName.SET_CONNECTIONS, CommandName.SET_PRIORITY, CommandName.SET_OPTIONS),
        *(CommandName.REFRESH, CommandName.CHOOSE, CommandName.DOWNLOAD_CHOSEN, CommandName.SET_FORMAT),
    }
)
"""Commands that mean nothing without tasks; from elsewhere silence is a mistake, not an empty selection."""


def command_json(command: Command) -> dict[str, Any]:
    """Return a command as JSON values; `command_of()` turns it back."""
    found: dict[str, Any] = {"name": command.name.value}
    if command.ids:
        found["ids"] = list(command.ids)
    if command.query is not None:
        found["query"] = query_json(command.query)
    if command.excluding_ids:
        found["excluding_ids"] = list(command.excluding_ids)
    if command.arguments:
        found["arguments"] = dict(command.arguments)
    return found


def command_of(value: Mapping[str, Any]) -> Command:
    """Return the command that JSON values name; raises `UsageError`.

    `query` is a filter as it is typed (`host:x status:failed`) or an object of `query_json()`; `all` means all rows.
    """
    _refuse_unknown(value, _COMMAND_KEYS, "a command")
    name = _word(CommandName, value.get("name"), "command")
    query = query_of(value["query"]) if value.get("query") is not None else None
    if value.get("all"):
        query = query or TaskQuery()
    ids = ids_of(value.get("ids"), "ids")
    if name in _WANTING_TARGETS and query is None and "ids" not in value:
        raise UsageError(f"{name} wants ids, a query or all")
    arguments = value.get("arguments") or {}
    if not isinstance(arguments, dict):
        raise UsageError("arguments: expected an object")
    return Command(name, ids, query, ids_of(value.get("excluding_ids"), "excluding_ids"), arguments)


def query_json(query: TaskQuery) -> dict[str, Any]:
    """Return a question as JSON values, defaults left out."""
    found = {
        "text": query.text,
        "statuses": [status.value for status in Status if status in query.statuses],
        "host": query.host,
        "batch_id": query.batch_id,
        "sort": "" if query.sort is SortKey.POSITION else query.sort.value,
        "is_descending": query.is_descending,
        "terms": [_term_json(term) for term in query.terms],
        "has_history": query.has_history,
        "is_tree": query.is_tree,
        "closed_ids": list(query.closed_ids),
    }
    return {key: value for key, value in found.items() if value or (key == "batch_id" and value is not None)}


def query_of(value: Any) -> TaskQuery:
    """Return the question that a typed filter or an object means; raises `UsageError`."""
    if isinstance(value, str):
        return TaskQuery(terms=parse_terms(value))
    if not isinstance(value, dict):
        raise UsageError("query: expected a filter as it is typed, or an object")
    _refuse_unknown(value, _QUERY_KEYS, "a query")
    typed = parse_terms(_text(value, "filter"))
    batch_id = value.get("batch_id")
    if batch_id is not None and type(batch_id) is not int:
        raise UsageError("batch_id: expected a whole number")
    return TaskQuery(
        text=_text(value, "text"),
        statuses=_statuses(value.get("statuses")),
        host=_text(value, "host"),
        batch_id=batch_id,
        sort=_word(SortKey, value.get("sort") or SortKey.POSITION.value, "order"),
        is_descending=bool(value.get("is_descending")),
        terms=(*typed, *(_term_of(term) for term in _list(value.get("terms"), "terms"))),
        has_history=bool(value.get("has_history")),
        is_tree=bool(value.get("is_tree")),
        closed_ids=ids_of(value.get("closed_ids"), "closed_ids"),
    )


def outcome_json(outcome: CommandOutcome) -> dict[str, Any]:
    """Return what came of a command as JSON values."""
    return {
        "changed": outcome.changed,
        "ids": list(outcome.ids),
        "known_ids": list(outcome.known_ids),
        "value": outcome.value,
        "message": outcome.message,
        "is_refused": outcome.is_refused,
    }


def outcome_of(value: Mapping[str, Any]) -> CommandOutcome:
    """Return what came of a command, from the answer to it."""
    return CommandOutcome(
        int(value["changed"]),
        tuple(value["ids"]),
        str(value["message"]),
        bool(value["is_refused"]),
        tuple(value.get("known_ids") or ()),
        value.get("value"),
    )


def ids_of(value: Any, name: str) -> tuple[int, ...]:
    """Return task ids from a list of numbers; raises `UsageError`."""
    found = _list(value, name)
    if len(found) > _MOST_IDS:
        raise UsageError(f"{name}: {len(found):,} are too many to name, at most {_MOST_IDS:,}; use a query")
    if any(type(one) is not int or not 0 <= one < 1 << 63 for one in found):
        raise UsageError(f"{name}: expected ids of tasks, whole numbers")
    return tuple(found)


def _term_json(term: Term) -> dict[str, Any]:
    found = {
        "value": term.value,
        "statuses": [status.value for status in Status if status in term.statuses],
        "is_exact": term.is_exact,
        "is_negated": term.is_negated,
    }
    bounds = {"least_bytes": term.least_bytes, "most_bytes": term.most_bytes}
    kept = {key: value for key, value in found.items() if value} | {
        key: value for key, value in bounds.items() if value is not None
    }
    return {"kind": term.kind.value, **kept}


def _term_of(value: Any) -> Term:
    if not isinstance(value, dict):
        raise UsageError("terms: expected objects")
    for name in ("least_bytes", "most_bytes"):
        if value.get(name) is not None and type(value[name]) is not int:
            raise UsageError(f"{name}: expected a whole number")
    return Term(
        _word(TermKind, value.get("kind"), "term"),
        _text(value, "value"),
        _statuses(value.get("statuses")),
        value.get("least_bytes"),
        value.get("most_bytes"),
        is_exact=bool(value.get("is_exact")),
        is_negated=bool(value.get("is_negated")),
    )


def _statuses(value: Any) -> frozenset[Status]:
    return frozenset(_word(Status, one, "status") for one in _list(value, "statuses"))


def _list(value: Any, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise UsageError(f"{name}: expected a list")
    return value


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name) or ""
    if not isinstance(text, str):
        raise UsageError(f"{name}: expected text")
    return text


def _word(kind: type[WordT], value: Any, what: str) -> WordT:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(one.value for one in kind)
        raise UsageError(f"no such {what}: {display_text(str(value), _SHOWN_CELLS)!r}; known are {known}") from None


def _refuse_unknown(value: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    for key in value:
        if key not in known:
            shown = display_text(str(key), _SHOWN_CELLS)
            raise UsageError(f"{shown!r} is no part of {what}; known are {', '.join(sorted(known))}")
