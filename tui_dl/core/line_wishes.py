"""What a list says of one address besides the address, checked: words in, fields of `Line` out."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.addresses import split_userinfo
from tui_dl.core.digests import parse_digest
from tui_dl.core.errors import UsageError
from tui_dl.core.header_lines import parse_header
from tui_dl.core.url_list import Line

if TYPE_CHECKING:
    from collections.abc import Iterable

_OUTSIDE: Final = frozenset({"..", "."})


class LineWishes:
    """Gathers what is said of one address; every method raises `UsageError` for what cannot be meant."""

    __slots__ = ("_asked", "_checksum", "_dir", "_headers", "_mirrors", "_name", "extra")

    def __init__(self) -> None:
        self._name = ""
        self._dir = ""
        self._checksum = ""
        self._headers: dict[str, tuple[str, str]] = {}
        self._mirrors: tuple[str, ...] = ()
        self._asked: dict[str, Any] = {}
        self.extra: list[tuple[str, Any]] = []

    def line(self, number: int, url: str) -> Line:
        """Return the line of an address with all that was said of it."""
        inner, _, name = self._name.rpartition("/")
        folder = f"{self._dir.rstrip('/')}/{inner}" if inner and self._dir else inner or self._dir
        return Line(
            number,
            url,
            name,
            folder,
            self._checksum,
            tuple(self._headers.values()),
            self._mirrors,
            tuple(self.extra),
            tuple(self._asked.items()),
        )

    def set_name(self, name: str) -> None:
        """Take a file name; folders before it, as aria2's `out=` has them, are below the line's folder."""
        if "/" not in name and "\0" not in name and name not in _OUTSIDE:
            self._name = name
            return
        *inner, last = name.split("/")
        if name.startswith("/") or not last or not _OUTSIDE.isdisjoint((*inner, last)):
            raise UsageError("the name leads out of its folder, or to none; give the folder as dir")
        if "\0" in name:
            raise UsageError("the name holds a NUL")
        self._name = "/".join((*filter(None, inner), last))

    def set_dir(self, folder: str) -> None:
        """Take a folder, relative or absolute."""
        if "\0" in folder:
            raise UsageError("the folder holds a NUL")
        self._dir = folder

    def set_checksum(self, text: str) -> None:
        """Take a digest as `ALGO=HEX`."""
        self._checksum = str(parse_digest(text))

    def add_header(self, text: str, *, origin: str = "header") -> None:
        """Take `Name: value`."""
        name, value = parse_header(text, origin=origin)
        self._headers[name.lower()] = (name, value)

    def add_credentials(self, user: str, password: str) -> None:
        """Take a name and a password, unless a header says who asks."""
        basic = b64encode(f"{user}:{password}".encode()).decode()
        self._headers.setdefault("authorization", ("Authorization", f"Basic {basic}"))

    def set_mirrors(self, urls: Iterable[str]) -> None:
        """Take further addresses of the same file."""
        mirrors = []
        for url in urls:
            bare, authorization = split_userinfo(url, is_typed=True)
            if authorization:
                raise UsageError("a mirror's address holds credentials; put them into a netrc file")
            mirrors.append(bare)
        self._mirrors = tuple(dict.fromkeys(mirrors))

    def ask(self, option: str, value: Any) -> None:
        """Take a field of `TaskOptions`."""
        self._asked[option] = value
