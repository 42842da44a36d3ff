"""Name templates: where a file goes, made of its address, its place in a list and the list's columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.filename import SUFFIX_RESERVE_BYTES, folders_from_url, name_from_url, safe_name, split_extension

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from tui_dl.core.task import NewTask

MOST_FOLDERS: Final = 32
"""Folders between the download folder and a file; what an address has beyond them becomes one digest."""
MOST_FOLDER_BYTES: Final = 1000
"""All these folders in UTF-8 with their slashes: with a name of 255 bytes it stays a path that every system takes."""
MOST_WIDTH: Final = 32
"""Digits that a number is filled up to."""
_SHOWN_CELLS: Final = 80
_DEFAULT_DATE: Final = "%Y-%m-%d"
_DATE_CODES: Final = frozenset("YmdHMSj%")
_NOT_IN_NAMES: Final = re.compile(r'[\\:*?"<>|]')
_PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}:]*)(?::([^{}]*))?\}|[{}]")


@dataclass(frozen=True, slots=True)
class NameFacts:
    """What a template may be filled with; known when an address is added, so that no request is needed."""

    url: str
    """The address, without user info."""
    name: str = ""
    """Name that a list gives; empty: the address decides."""
    index: int = 1
    """Number of the address among those that were added together, from 1."""
    line: int = 0
    """Line of the list, 0 where none named it."""
    at: datetime | None = None
    """Instant of the add, in the person's time zone; None leaves dates empty."""
    columns: Mapping[str, Any] = field(default_factory=dict)
    """The list's own columns."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    spec: str


_Component = tuple["str | _Field", ...]


class NameTemplate:
    """A template that was understood: folders and a name, each component harmless whatever fills it."""

    def __init__(self, text: str, components: list[_Component]) -> None:
        self.text = text
        """As a person wrote it."""
        self._folders, self._name = components[:-1], components[-1]

    def place(self, facts: NameFacts) -> tuple[str, str]:
        """Return folders (joined by slashes, empty for none) and name; raises `UsageError` for a column that lacks."""
        folders: list[str] = []
        for component in self._folders:
            if component == (_Field("path", ""),):
                folders += map(_safe_folder, folders_from_url(facts.url))
            elif text := _fill(component, facts).strip(" ."):
                folders.append(_safe_folder(text))
        raw = _fill(self._name, facts)
        name = safe_name(raw, reserve_bytes=SUFFIX_RESERVE_BYTES) if raw.strip(" .") else _name_of(facts)
        return "/".join(_bounded(folders)), name


def parse_name_template(text: str, *, has_columns: bool = True) -> NameTemplate:
    """Understand a template; raises `UsageError` that names what is wrong and the nearest right field.

    `has_columns`: a list may have columns of its own, so that a field we do not know is looked for there.
    """
    if any(not char.isprintable() for char in text):
        raise _refusal(text, "it holds control characters")
    components = [_parse_component(part, text, has_columns=has_columns) for part in text.split("/")]
    if not components[0]:
        raise _refusal(text, "it is beneath the download folder; give that with --dir")
    if not components[-1]:
        raise _refusal(text, "it ends in a folder; add a name, as in .../{name}")
    if not all(components):
        raise _refusal(text, "it has an empty folder (//)")
    if len(components) > MOST_FOLDERS:
        raise _refusal(text, f"it has more than {MOST_FOLDERS} folders")
    return NameTemplate(text, components)


def split_folder(text: str) -> tuple[str, str]:
    """Return the folder and the template of what was typed as one: the template begins with the first brace's part."""
    parts = text.split("/")
    first = next((number for number, part in enumerate(parts) if "{" in part), len(parts))
    return "/".join(parts[:first]) or ("/" if first and text.startswith("/") else ""), "/".join(parts[first:])


class Namer:
    """Names the addresses of one add, in their order; a part of a list counts so that no other part has its numbers."""

    def __init__(self, template: NameTemplate | None, at: datetime, *, start: int = 1, step: int = 1) -> None:
        self._template = template
        self._at = at
        self._index = start - step
        self._step = step
        self.has_placed = False
        """Whether one was named: a column that lacks later is the fault of its line, not of the template."""

    def place(
        self, folder: str, url: str, *, name: str = "", line: int = 0, columns: Mapping[str, Any] | None = None
    ) -> tuple[str, str]:
        """Return folder and name of the next address; without a template both as they were given.

        `name` is what a list calls the file. Raises `UsageError` where a list lacks a column.
        """
        self._index += self._step
        if self._template is None:
            return folder, name
        facts = NameFacts(url, name, self._index, line, self._at, columns or {})
        folders, name = self._template.place(facts)
        self.has_placed = True
        return (f"{folder.rstrip('/')}/{folders}" if folders else folder), name

    def named(self, new: NewTask) -> NewTask:
        """Return a typed address with the place that the template gives it; a name that was asked for stays."""
        if new.name or self._template is None:
            self.skip()
            return new
        folder, name = self.place(new.dir, new.url)
        return replace(new, dir=folder, name=name)

    def skip(self) -> None:
        """Count an address that cannot be used: the others keep their numbers once it is mended."""
        self._index += self._step


def namer_for(text: str, at: datetime, *, has_columns: bool = True, start: int = 1, step: int = 1) -> Namer:
    """Return who names what is added at an instant by a template, empty for none; raises `UsageError`."""
    template = parse_name_template(text, has_columns=has_columns) if text else None
    return Namer(template, at, start=start, step=step)


# -- parsing -----------------------------------------------------------------------------------------------------------


def _parse_component(part: str, text: str, *, has_columns: bool) -> _Component:
    pieces: list[str | _Field] = []
    position = 0
    for match in _PIECE.finditer(part):
        _add_literal(pieces, part[position : match.start()])
        position = match.end()
        if match[0] in ("{{", "}}"):
            _add_literal(pieces, match[0][0])
        elif match[1] is None:
            raise _refusal(text, f"a lone {match[0]}; write it twice where it is meant as it is")
        else:
            pieces.append(_parse_field(match[1].strip(), match[2] or "", text, has_columns=has_columns))
    _add_literal(pieces, part[position:])
    literals = "".join(piece for piece in pieces if isinstance(piece, str))
    if wrong := _NOT_IN_NAMES.search(literals):
        raise _refusal(text, f"{wrong[0]} cannot be in a name on every system")
    if pieces and isinstance(pieces[0], str) and pieces[0][0] in ".- ":
        raise _refusal(text, f"a name may not begin with {pieces[0][0]!r}")
    return tuple(pieces)


def _add_literal(pieces: list[str | _Field], text: str) -> None:
    if text and pieces and isinstance(pieces[-1], str):
        pieces[-1] += text
    elif text:
        pieces.append(text)


def _parse_field(name: str, spec: str, text: str, *, has_columns: bool) -> _Field:
    if name not in FIELDS and not (has_columns and name):
        raise _refusal(text, f"no field {{{display_text(name, _SHOWN_CELLS)}}}; {_hint(name, ())}")
    _check_spec(name, spec, text)
    return _Field(name, spec)


def _hint(name: str, columns: Iterable[str]) -> str:
    near = get_close_matches(name, columns, n=1) or _OTHER_WORDS.get(name, "").split()
    near = near or get_close_matches(name, FIELDS, n=1)
    if near:
        return f"did you mean {{{display_text(near[0], _SHOWN_CELLS)}}}?"
    return f"there are {', '.join(FIELDS)}"


def _check_spec(name: str, spec: str, text: str) -> None:
    if not spec:
        return
    if name == "date":
        codes = re.findall(r"%(.?)", spec)
        if not codes or not _DATE_CODES.issuperset(codes):
            raise _refusal(text, "a date is written with %Y %m %d %H %M %S %j, as in {date:%Y%m%d}")
    elif name in _NUMBERS:
        if not re.fullmatch(r"0?\d{1,2}d?", spec, re.ASCII) or int(spec.rstrip("d")) > MOST_WIDTH:
            raise _refusal(text, f"{{{name}:{spec}}}: write the digits wanted, as in {{{name}:06}}")
    elif not re.fullmatch(r"\.?\d{1,3}", spec, re.ASCII) or int(spec.lstrip(".")) == 0:
        raise _refusal(text, f"{{{name}:{spec}}}: write how many characters are wanted, as in {{{name}:2}}")


def _refusal(text: str, problem: str) -> UsageError:
    return UsageError(f"name template {display_text(text, _SHOWN_CELLS)!r}: {problem}")


@lru_cache(4096)
def _safe_folder(text: str) -> str:
    """Return a folder's name; a list has few of them, each for many addresses."""
    return safe_name(text, reserve_bytes=0)


# -- filling -----------------------------------------------------------------------------------------------------------


def _fill(component: _Component, facts: NameFacts) -> str:
    return "".join(piece if isinstance(piece, str) else _value(piece, facts) for piece in component)


def _value(piece: _Field, facts: NameFacts) -> str:
    find = FIELDS.get(piece.name)
    if piece.name == "date":
        return facts.at.strftime(piece.spec or _DEFAULT_DATE) if facts.at is not None else ""
    value = find(facts) if find is not None else _column(piece.name, facts)
    if piece.name in _NUMBERS:
        return value.zfill(int(piece.spec.rstrip("d"))) if piece.spec else value
    return value[: int(piece.spec.lstrip("."))] if piece.spec else value


def _column(name: str, facts: NameFacts) -> str:
    if name not in facts.columns:
        shown = display_text(name, _SHOWN_CELLS)
        raise UsageError(f"name template: no field and no column {{{shown}}}; {_hint(name, facts.columns)}")
    value = facts.columns[name]
    return "" if value is None else str(value)


def _name_of(facts: NameFacts) -> str:
    return safe_name(facts.name, reserve_bytes=SUFFIX_RESERVE_BYTES) if facts.name else name_from_url(facts.url)


def _host(facts: NameFacts) -> str:
    return (urlsplit(facts.url).hostname or "").rstrip(".")


def _port(facts: NameFacts) -> str:
    parts = urlsplit(facts.url)
    return str(parts.port or {"http": 80, "https": 443}.get(parts.scheme, 21))


def _query(facts: NameFacts) -> str:
    return unquote(urlsplit(facts.url).query, errors="replace")


def _sha1(facts: NameFacts) -> str:
    from hashlib import sha1  # noqa: PLC0415  # most runs have no use for it

    return sha1(facts.url.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def _sha256(facts: NameFacts) -> str:
    from hashlib import sha256  # noqa: PLC0415  # most runs have no use for it

    return sha256(facts.url.encode("utf-8", "surrogateescape")).hexdigest()


FIELDS: Final[dict[str, Callable[[NameFacts], str]]] = {
    "name": _name_of,
    "stem": lambda facts: split_extension(_name_of(facts))[0],
    "ext": lambda facts: split_extension(_name_of(facts))[1].removeprefix("."),
    "host": _host,
    "port": _port,
    "scheme": lambda facts: urlsplit(facts.url).scheme,
    "path": lambda facts: "/".join(folders_from_url(facts.url)),
    "query": _query,
    "index": lambda facts: str(facts.index),
    "line": lambda facts: str(facts.line),
    "date": lambda _: "",
    "sha1": _sha1,
    "sha256": _sha256,
}
"""What fills a field; any other is a column of the list."""
_OTHER_WORDS: Final = {
    **dict.fromkeys(("file", "filename", "basename"), "name"),
    **dict.fromkeys(("dir", "folder", "dirname"), "path"),
    **dict.fromkeys(("n", "number", "num", "counter"), "index"),
    "extension": "ext",
    "suffix": "ext",
    "domain": "host",
    "time": "date",
    "row": "line",
    "hash": "sha1",
}
"""What other programs call a field."""
_NUMBERS: Final = frozenset({"index", "line", "port"})


def _bounded(folders: list[str]) -> list[str]:
    """Keep a path within its bounds: folders beyond them become one digest, so that different ones stay apart."""
    if len(folders) <= MOST_FOLDERS and sum(len(one.encode()) + 1 for one in folders) <= MOST_FOLDER_BYTES:
        return folders
    from hashlib import sha1  # noqa: PLC0415  # few addresses are that long

    room = MOST_FOLDER_BYTES - len("/") - sha1(usedforsecurity=False).digest_size * 2
    kept: list[str] = []
    for one in folders[: MOST_FOLDERS - 1]:
        room -= len(one.encode()) + 1
        if room < 0:
            break
        kept.append(one)
    rest = "/".join(folders[len(kept) :]).encode()
    return [*kept, sha1(rest, usedforsecurity=False).hexdigest()]
