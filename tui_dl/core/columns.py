"""Named columns of a list, by whatever name people call them: the address, the name, and what is extra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.addresses import PLAIN_URL, wire_url
from tui_dl.core.digests import known_algorithm
from tui_dl.core.errors import UsageError
from tui_dl.core.line_wishes import LineWishes
from tui_dl.core.url_list import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

URL_NAMES: Final = ("url", "uri", "download_url", "file_url", "image_url", "link", "address", "href")
"""Names of the column that holds the address; the first one that is there counts, the others are extra."""
_NAMES: Final = {
    "name": ("filename", "file_name", "out", "output", "name"),
    "dir": ("dir", "directory", "folder"),
    "checksum": ("checksum", "digest"),
    "header": ("header", "headers"),
    "referer": ("referer", "referrer"),
    "user_agent": ("user_agent",),
    "mirrors": ("mirror", "mirrors"),
}
"""What each other column means; of several names of one meaning the first one that is there counts."""
_BY_DIGITS: Final = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_MOST_EXTRA_COLUMNS: Final = 1000


def plain_name(name: str) -> str:
    """Return a column's name as it is looked up: lower case, words joined by `_`."""
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def has_address_column(names: Sequence[str]) -> bool:
    """Whether one of these columns holds the address."""
    return not set(URL_NAMES).isdisjoint(map(plain_name, names))


class Columns:
    """The columns of a list, or of one object of it; raises `UsageError` where none holds an address."""

    def __init__(self, names: Sequence[str], *, url_column: int | None = None) -> None:
        plain = [plain_name(name) for name in names]
        self.names: Final = tuple(name.strip() for name in names)
        self._url = _first_of(URL_NAMES, plain) if url_column is None else url_column
        if self._url is None:
            shown = ", ".join(repr(name[:40]) for name in self.names[:8])
            raise UsageError(f"no column is called url; there are {shown}" if shown else "no column is called url")
        meant = {place: kind for kind, known in _NAMES.items() if (place := _first_of(known, plain)) is not None}
        self._setters = [
            (place, setter)
            for place, name in enumerate(plain)
            if place != self._url and (setter := _SETTERS.get(meant.get(place, "")) or _setter_of_digest(name))
        ]
        known = {self._url, *(place for place, _ in self._setters)}
        self._extra = [(place, name) for place, name in enumerate(self.names) if place not in known]
        self._extra = self._extra[:_MOST_EXTRA_COLUMNS]

    def line(self, number: int, values: Sequence[Any]) -> Line:
        """Return the line of a row; a row may be shorter than there are columns. Raises `UsageError`."""
        assert self._url is not None
        if len(values) > len(self.names):
            raise UsageError(f"{len(values)} fields where there are {len(self.names)} columns")
        url = values[self._url] if self._url < len(values) else None
        if not url:
            raise UsageError("the row has no address")
        if not isinstance(url, str):
            raise UsageError("the address is no text")
        if not PLAIN_URL.fullmatch(url):
            url = wire_url(url.strip(), is_typed=True)
        if not self._setters and not self._extra:
            return Line(number, url)
        wishes = LineWishes()
        for place, setter in self._setters:
            if place < len(values) and values[place] not in (None, ""):
                setter(wishes, values[place])
        wishes.extra = [(name, values[place]) for place, name in self._extra if place < len(values)]
        return wishes.line(number, url)


def _first_of(known: Sequence[str], names: Sequence[str]) -> int | None:
    return next((names.index(one) for one in known if one in names), None)


def _text(value: Any, what: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UsageError(f"the column {what} is no text")
    return str(value).strip()


def _set_checksum(wishes: LineWishes, value: Any) -> None:
    """Take `ALGO=HEX`, `ALGO:HEX`, or digits alone, whose number tells the usual algorithm."""
    text = _text(value, "checksum")
    if "=" not in text:
        algorithm, colon, digits = text.rpartition(":")
        text = f"{algorithm if colon else _BY_DIGITS.get(len(digits), '')}={digits}"
    wishes.set_checksum(text)


def _set_headers(wishes: LineWishes, value: Any) -> None:
    """Take `Name: value`, several on lines of their own, a list of them, or an object of names and values."""
    if isinstance(value, dict):
        lines = [f"{name}: {_text(one, 'header')}" for name, one in value.items()]
    elif isinstance(value, list):
        lines = [_text(one, "header") for one in value]
    else:
        lines = _text(value, "header").splitlines()
    for line in lines:
        wishes.add_header(line)


def _set_mirrors(wishes: LineWishes, value: Any) -> None:
    """Take addresses, separated by white space, or a list of them."""
    words = [_text(one, "mirrors") for one in value] if isinstance(value, list) else _text(value, "mirrors").split()
    wishes.set_mirrors(words)


def _setter_of_digest(name: str) -> Callable[[LineWishes, Any], None] | None:
    algorithm = known_algorithm(name)
    if algorithm is None or name not in (algorithm, algorithm.replace("-", "_"), *_dashed(algorithm)):
        return None
    return lambda wishes, value: wishes.set_checksum(f"{algorithm}={_text(value, name)}")


def _dashed(algorithm: str) -> tuple[str, ...]:
    return (algorithm.replace("sha", "sha_", 1),) if algorithm.startswith("sha") else ()


_SETTERS: Final[Mapping[str, Callable[[LineWishes, Any], None]]] = {
    "name": lambda wishes, value: wishes.set_name(_text(value, "name")),
    "dir": lambda wishes, value: wishes.set_dir(_text(value, "dir")),
    "checksum": _set_checksum,
    "header": _set_headers,
    "referer": lambda wishes, value: wishes.add_header(f"Referer: {_text(value, 'referer')}"),
    "user_agent": lambda wishes, value: wishes.add_header(f"User-Agent: {_text(value, 'user_agent')}"),
    "mirrors": _set_mirrors,
}
