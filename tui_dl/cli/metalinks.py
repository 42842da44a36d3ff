"""Metalinks on the command line: files of this machine are read, addresses are left to the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tui_dl.core.metalink import Metalink

_SHOWN_CELLS: Final = 80


@dataclass(frozen=True, slots=True)
class MetalinkWish:
    """A Metalink that was typed."""

    word: str
    """As it was typed: a path or an address."""
    content: Metalink | None
    """What the file describes; None for an address, which the engine asks."""


def take_metalinks(given: Mapping[str, Any], folder: Path) -> tuple[dict[str, Any], list[MetalinkWish]]:
    """Return click's values without the Metalink files among the addresses, and all Metalinks that were typed.

    Raises `UsageError` for a file that cannot be read or is none.
    """
    words = given.get("urls", ())
    if not words and not given.get("metalinks"):
        return dict(given), []
    from tui_dl.core.metalink_names import is_metalink_path  # noqa: PLC0415  # the first frame needs none

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
    from tui_dl.disk.metalink_file import read_metalink  # noqa: PLC0415  # as above

    return MetalinkWish(word, read_metalink(word, str(folder)))


def notes_of(wishes: Sequence[MetalinkWish]) -> list[str]:
    """Return what was passed over in the files, for people."""
    return [f"{one.word}: {note}" for one in wishes if one.content is not None for note in one.content.notes]
