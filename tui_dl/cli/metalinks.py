"""Metalinks on the command line: files of this machine are read, addresses are left to the engine."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.http_rules import headers_for_redirect
from tui_dl.core.metalink import MOST_METALINK_BYTES, SUFFIXES, Metalink, parse_metalink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tui_dl.core.task import NewTask, TaskOptions

_SHOWN_CELLS: Final = 80


@dataclass(frozen=True, slots=True)
class MetalinkWish:
    """A Metalink that was typed."""

    word: str
    """As it was typed: a path or an address."""
    content: Metalink | None
    """What the file describes; None for an address, which the engine asks."""

    def tasks(self, folder: str, options: TaskOptions, name: str) -> list[NewTask]:
        """Return the tasks of a file's addresses; raises `UsageError` where an option does not fit them."""
        assert self.content is not None
        headers = dict(options.headers)
        # No server but those that the Metalink names would get them, and nobody said that they may.
        harmless = headers_for_redirect(headers, "http://a.invalid/", "http://b.invalid/")
        for header in headers:
            if header not in harmless:
                raise UsageError(
                    f"--header {header}: it would go to whatever addresses {self._shown} names; give them by hand, or"
                    " put credentials into a netrc file (--netrc)"
                )
        return self.content.tasks(folder, replace(options, is_named_elsewhere=True), name)

    @property
    def _shown(self) -> str:
        return display_text(self.word, _SHOWN_CELLS)


def is_metalink_path(word: str) -> bool:
    """Whether an argument names a Metalink file rather than an address."""
    return "://" not in word and word.lower().endswith(SUFFIXES)


def take_metalinks(given: Mapping[str, Any], folder: Path) -> tuple[dict[str, Any], list[MetalinkWish]]:
    """Return click's values without the Metalink files among the addresses, and all Metalinks that were typed.

    Raises `UsageError` for a file that cannot be read or is none.
    """
    words = given.get("urls", ())
    named = [*given.get("metalinks", ()), *filter(is_metalink_path, words)]
    if named and given.get("output") == "-":
        raise UsageError("--output - writes the file of one address; a Metalink may name several, so leave it out")
    rest = {**given, "urls": tuple(word for word in words if not is_metalink_path(word))}
    return rest, [_wish(word, folder, given) for word in named]


def _wish(word: str, folder: Path, given: Mapping[str, Any]) -> MetalinkWish:
    if given.get("follow_metalink") is False:
        shown = display_text(word, _SHOWN_CELLS)
        raise UsageError(f"--no-follow-metalink keeps Metalinks as files, but {shown} is to be followed; keep one")
    if "://" in word:
        return MetalinkWish(word, None)
    return MetalinkWish(word, parse_metalink(_read(folder / word, word), os.path.basename(word)))  # noqa: PTH119  # text


def _read(path: Path, word: str) -> bytes:
    shown = display_text(word, _SHOWN_CELLS)
    try:
        with path.expanduser().open("rb") as file:
            return file.read(MOST_METALINK_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read: {error.strerror}") from None


def notes_of(wishes: Sequence[MetalinkWish]) -> list[str]:
    """Return what was passed over in the files, for people."""
    return [f"{one.word}: {note}" for one in wishes if one.content is not None for note in one.content.notes]
