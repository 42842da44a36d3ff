"""What is wanted as JSON values: how a row travels from whoever read it to the engine that adds it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.task import NewTask

_DEFAULTS: Final = TaskOptions()
_OPTION_NAMES: Final = tuple(one.name for one in fields(TaskOptions))


def wish_json(new: NewTask) -> dict[str, Any]:
    """Return a checked row as one of the `downloads` of `CommandName.ADD`; what was not asked for is left out."""
    return {**own_json(new), **_common_json(new)}


def shared_json(news: Sequence[NewTask]) -> dict[str, Any] | None:
    """Return what rows share besides their addresses, as arguments of `CommandName.ADD`; None where they differ."""
    first = news[0]
    is_shared = all(
        new.options is first.options and new.dir == first.dir and new.priority == first.priority for new in news
    )
    return _common_json(first) if is_shared else None


def own_json(new: NewTask) -> dict[str, Any]:
    """Return a row without what `shared_json()` says."""
    found: dict[str, Any] = {"url": new.url}
    if new.name:
        found["name"] = new.name
    if new.line:
        found["line"] = new.line
    if new.extra:
        found["extra"] = new.extra
    return found


def _common_json(new: NewTask) -> dict[str, Any]:
    found: dict[str, Any] = {"dir": new.dir}
    if new.options is not _DEFAULTS and (options := options_json(new.options)):
        found["options"] = options
    if new.priority is not None:
        found["priority"] = new.priority
    return found


def options_json(options: TaskOptions) -> dict[str, Any]:
    """Return the options that differ from none given."""
    values = ((name, getattr(options, name)) for name in _OPTION_NAMES)
    return {name: value for name, value in values if value != getattr(_DEFAULTS, name)}
