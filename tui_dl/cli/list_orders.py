"""What an order reads its addresses from besides those that were typed: lists, and patterns that stand for many."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from tui_dl.core.addresses import shown_url, wire_url, with_blanks
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.list_kinds import ListFormat
from tui_dl.core.parts import parse_part
from tui_dl.core.url_list import BadLine, BadLines, Line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from tui_dl.core.parts import Part
    from tui_dl.core.url_globs import UrlGlob

STANDARD: Final = "-"
"""Stands for standard input."""
ASKED_ABOVE: Final = 1_000
"""Addresses of patterns that are added without asking."""
_BLOCK: Final = 1_000
"""Addresses of a pattern that are made at a time."""
_SHOWN_CELLS: Final = 60


class ListBlock(NamedTuple):
    """Some lines that came together."""

    batch: str
    """Name of the batch that they belong to."""
    name: str
    """Name of their list, safe to show."""
    lines: list[Line | BadLine]
    """In the list's order."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Where further addresses come from, and how they are read."""

    files: tuple[str, ...] = ()
    """Paths, and `-` for standard input; each once."""
    globs: tuple[UrlGlob, ...] = ()
    """Typed patterns."""
    kind: ListFormat = ListFormat.AUTO
    """Format of all of them."""
    part: Part | None = None
    """Which lines are meant; None for all."""
    is_strict: bool = False
    """Whether a bad line ends it all."""
    batch: str = ""
    """Name of the batch, as somebody gave it."""

    def __bool__(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.files or self.globs)

    def batch_of(self, source: str) -> str:
        """Return the name of the batch that a list makes: its own, without folders, unless somebody gave one."""
        name = "standard input" if source == STANDARD else Path(source).name
        return self.batch or name

    @property
    def batch_name(self) -> str:
        """The name of one batch of everything; empty where nobody gave one and no list has one."""
        names = list(dict.fromkeys(map(self.batch_of, self.files)))
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return self.batch or (names[0] + more if names else "")

    async def blocks(self, stdin_fd: int = 0) -> AsyncIterator[ListBlock]:
        """Yield the lines block by block as they come; raises `UsageError`."""
        for glob in self.globs:
            for lines in self._of_glob(glob):
                name = shown_url(glob.text)
                yield ListBlock(self.batch or name, name, self._checked(lines))
        for source in self.files:
            async for lines in self._of_file(source, stdin_fd):
                yield ListBlock(self.batch_of(source), shown_name(source), self._checked(lines))

    async def check(self) -> None:
        """With `--strict`, read once what can be read twice, so that nothing is begun in vain; raises `UsageError`."""
        if not self.is_strict:
            return
        for glob in self.globs:
            for lines in self._of_glob(glob):
                self._checked(lines)
        for source in self.files:
            if await _is_read_twice(source):
                async for lines in self._of_file(source, 0):
                    self._checked(lines)

    def _of_file(self, source: str, stdin_fd: int) -> AsyncIterator[list[Line | BadLine]]:
        from tui_dl.cli.lists import read_lines  # noqa: PLC0415  # a start without a list must not pay for it

        return read_lines(source, kind=self.kind, part=self.part, stdin_fd=stdin_fd)

    def _of_glob(self, glob: UrlGlob) -> Iterator[list[Line | BadLine]]:
        bad, addresses = BadLines(shown_url(glob.text)), enumerate(glob, 1)
        while block := list(islice(addresses, _BLOCK)):
            yield [_line(bad, number, url) for number, url in block if self.part is None or self.part.has(number)]

    def _checked(self, lines: list[Line | BadLine]) -> list[Line | BadLine]:
        if self.is_strict:
            for line in lines:
                if isinstance(line, BadLine):
                    raise UsageError(f"{line.message} (--strict takes no bad line)")
        return lines


async def _is_read_twice(source: str) -> bool:
    """Whether a list is a file, which says the same when it is read again."""
    from tui_dl.cli.daemon_calls import in_daemon  # noqa: PLC0415  # as for a list

    return source != STANDARD and await in_daemon(partial(os.path.isfile, source))


def _line(bad: BadLines, number: int, url: str) -> Line | BadLine:
    try:
        return Line(number, wire_url(url, is_typed=True))
    except UsageError as error:
        return bad.of_text(number, url, error.message)


def shown_name(source: str) -> str:
    """Return how messages call a list."""
    return "standard input" if source == STANDARD else display_text(source, _SHOWN_CELLS)


def take_lists(given: Mapping[str, Any]) -> tuple[dict[str, Any], Lists]:
    """Return click's values without the patterns among the addresses, and what further addresses come from.

    Raises `UsageError` for what cannot be read or meant.
    """
    files = tuple(dict.fromkeys(given.get("input_files") or ()))
    for file in files:
        _check_readable(file)
    words = [with_blanks(word) for word in given.get("urls") or ()]
    for word in words:
        _refuse_list(word)
    urls, globs = _typed(words, has_globs=given.get("has_globs", True))
    part = given.get("part")
    if part and not files and not globs:
        raise UsageError("--part is of a list, so it takes --input, or an address that stands for many")
    kind = given.get("input_format")
    if kind and not files:
        raise UsageError("--input-format says how a list is written, so it takes --input")
    lists = Lists(
        files=files,
        globs=tuple(globs),
        kind=ListFormat(kind) if kind else ListFormat.AUTO,
        part=parse_part(part) if part else None,
        is_strict=bool(given.get("is_strict")),
        batch=_batch(given.get("batch")),
    )
    return {**given, "urls": tuple(urls), "has_list": bool(lists)}, lists


def _refuse_list(word: str) -> None:
    """Raise `UsageError` for the path of a list among the addresses, as the shell leaves it behind `-i *.txt`."""
    if "://" in word or not os.path.isfile(word):  # noqa: PTH113  # false, too, for what is too long for a name
        return
    from tui_dl.core.metalink_names import is_metalink_path  # noqa: PLC0415  # nearly nothing gets here

    if not is_metalink_path(word):
        shown = display_text(word)
        raise UsageError(f"{shown} is a file and no address; for a list of them write -i {shown}, -i before each list")


def _typed(words: Sequence[str], *, has_globs: bool) -> tuple[list[str], list[UrlGlob]]:
    """Return the addresses and the patterns among what was typed."""
    if not words or not has_globs:
        return list(words), []
    from tui_dl.core.url_globs import unescaped  # noqa: PLC0415  # the first frame of a screen needs no patterns

    urls, globs = [], []
    for word in words:
        glob = _glob(word)
        if glob is None:
            urls.append(unescaped(word))
        else:
            globs.append(glob)
    return urls, globs


def _glob(word: str) -> UrlGlob | None:
    from tui_dl.core.metalink_names import is_metalink_path  # noqa: PLC0415  # as above
    from tui_dl.core.url_globs import parse_glob  # noqa: PLC0415  # as above

    if "://" not in word or is_metalink_path(word):
        return None
    try:
        glob = parse_glob(word)
        if glob is not None:
            wire_url(glob.address(0), is_typed=True)
    except UsageError as error:
        raise UsageError(f"{shown_url(word)}: {error.message}") from None
    return glob


def _batch(name: str | None) -> str:
    if name is not None and not name.strip():
        raise UsageError("--batch is empty; give a name, or leave it out")
    return (name or "").strip()


def _check_readable(file: str) -> None:
    if file != STANDARD and not os.access(file, os.R_OK):
        reason = "no permission" if os.path.lexists(file) else "no such file"
        raise UsageError(f"--input {display_text(file)}: cannot be read: {reason}")


def preview(globs: tuple[UrlGlob, ...]) -> list[str]:
    """Return a line on each pattern: how many addresses, the first and the last."""
    return [
        f"{glob.count:,} addresses: {_shown(glob.address(0))} ... {_shown(glob.address(glob.count - 1))}"
        for glob in globs
    ]


def _shown(url: str) -> str:
    return display_text(shown_url(url), _SHOWN_CELLS)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(globs: tuple[UrlGlob, ...], *, is_agreed: bool) -> list[str]:
    """Return what is to be said of patterns that nobody was asked about; raises `click.Abort` where the answer is no.

    On a terminal a person is asked before many addresses are added that were not typed one by one.
    """
    lines = preview(globs)
    is_large = sum(glob.count for glob in globs) > ASKED_ABOVE
    if is_agreed or not is_large or not _is_terminal():
        return lines
    for line in lines:
        click.echo(line, err=True)
    click.confirm("Add them all?", abort=True, err=True)
    return []
