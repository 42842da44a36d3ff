"""Which downloads a command means, as a person types it: ids, or a filter, or `--all`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import UsageError
from tui_dl.core.query import TaskQuery
from tui_dl.core.query_text import parse_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.commands import Command, CommandName

_GID: Final = re.compile(r"[0-9a-f]{16}")
_ID: Final = re.compile(r"[0-9]{1,19}")
_MOST_ID: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Targets:
    """Downloads that are meant."""

    ids: tuple[int, ...] = ()
    """By number, each once, as they were typed."""
    query: TaskQuery | None = None
    """By a question instead."""

    def command(self, name: CommandName, arguments: dict[str, Any] | None = None) -> Command:
        """Return the command for them."""
        from tui_dl.core.commands import Command  # noqa: PLC0415  # `--help` must not pay for it

        return Command(name, ids=self.ids, query=self.query, arguments=arguments or {})


def id_of(text: str) -> int | None:
    """Return the id that a text is (decimal, or aria2's 16 hexadecimal digits), None for anything else."""
    if _GID.fullmatch(text):
        return int(text, 16) & _MOST_ID
    if _ID.fullmatch(text) and int(text) <= _MOST_ID:
        return int(text)
    return None


def targets_of(words: Sequence[str], *, is_all: bool) -> Targets:
    """Return what is meant; raises `UsageError`."""
    if is_all:
        if words:
            raise UsageError("--all means every download; leave it out, or the ids and the filter")
        return Targets(query=TaskQuery())
    if not any(word.strip() for word in words):
        raise UsageError("say which: ids as `tui-dl ls` shows them, a filter such as status:failed, or --all")
    ids = [id_of(word) for word in words]
    known = tuple(dict.fromkeys(one for one in ids if one is not None))
    if known and None not in ids:
        return Targets(known)
    if known:
        raise UsageError("ids and a filter do not go together; a name of digits alone is written name:2026")
    return Targets(query=parse_query(" ".join(words)))
