"""Metalink documents (RFC 5854, and version 3 before it): files with their addresses, lengths and digests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from tui_dl.core.addresses import split_userinfo
from tui_dl.core.digests import known_algorithm, parse_digest, strongest
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.filename import SUFFIX_RESERVE_BYTES, safe_name
from tui_dl.core.http_rules import headers_for_redirect
from tui_dl.core.metalink_names import MOST_METALINK_BYTES
from tui_dl.core.pieces import checked_pieces
from tui_dl.core.task import NewTask
from tui_dl.core.url_list import check_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from tui_dl.core.digests import Digest
    from tui_dl.core.pieces import Pieces
    from tui_dl.core.task import TaskOptions

LAST_PRIORITY: Final = 999_999
"""That of an address without one (RFC 5854 §4.2.16)."""

_NAMESPACE_4: Final = "urn:ietf:params:xml:ns:metalink"
_NAMESPACE_3: Final = "http://www.metalinker.org/"
_MOST_ELEMENTS: Final = 400_000
_MOST_DEPTH: Final = 16
_MOST_FILES: Final = 100_000
_MOST_ADDRESSES: Final = 256
_MOST_SIZE_DIGITS: Final = 18
_SHOWN_CELLS: Final = 80


@dataclass(frozen=True, slots=True)
class MetalinkFile:
    """One file that a document describes."""

    name: str
    """One safe component; folders that it was given are left out."""
    urls: tuple[str, ...]
    """Where it is to be had, checked, the preferred ones first; at least one."""
    size_bytes: int | None = None
    """Its length where it is named."""
    digest: Digest | None = None
    """The strongest digest that is named."""
    pieces: Pieces | None = None
    """Digests of its pieces; they fit the length where that is named."""

    def task(self, folder: str, options: TaskOptions, name: str = "") -> NewTask:
        """Return what is to be added; a name and a digest that a person gave stand."""
        first, *others = self.urls
        digest = "" if self.digest is None else str(self.digest)
        wanted = replace(
            options,
            mirrors=tuple(dict.fromkeys((*options.mirrors, *others))),
            checksum=options.checksum or digest,
            pieces="" if self.pieces is None else str(self.pieces),
            expected_bytes=self.size_bytes,
        )
        return NewTask(first, folder, name or self.name, wanted)


@dataclass(frozen=True, slots=True)
class Metalink:
    """A document, read."""

    files: tuple[MetalinkFile, ...]
    """At least one."""
    notes: tuple[str, ...] = ()
    """What was passed over, for people; safe to show."""

    def tasks(self, folder: str, options: TaskOptions, name: str = "") -> list[NewTask]:
        """Return what is to be added; raises `UsageError` where a name or digest is given for several files."""
        if len(self.files) > 1 and (name or options.checksum or options.mirrors):
            what = "a name" if name else "a checksum" if options.checksum else "a mirror"
            raise UsageError(f"the Metalink holds {len(self.files)} files; {what} can be given to one file only")
        return [one.task(folder, options, name) for one in self.files]

    def tasks_of_file(self, folder: str, options: TaskOptions, name: str = "") -> list[NewTask]:
        """Return the same for a document that nobody fetched; raises `UsageError` for headers that tell of a person.

        No origin says which of its addresses may have them.
        """
        headers = dict(options.headers)
        harmless = headers_for_redirect(headers, "http://a.invalid/", "http://b.invalid/")
        for header in headers:
            if header not in harmless:
                raise UsageError(
                    f"--header {header}: it would go to whatever addresses the Metalink names; give them by hand, or"
                    " put credentials into a netrc file (--netrc)"
                )
        return self.tasks(folder, replace(options, is_named_elsewhere=True), name)


def parse_metalink(document: bytes, name: str) -> Metalink:
    """Return what a document describes; raises `UsageError` that names it (`name`) and what is wrong.

    Document type definitions and entities are refused, as are documents beyond the bounds above. Takes up to a second
    for the largest: not for an event loop.
    """
    shown = display_text(name, _SHOWN_CELLS)
    if len(document) > MOST_METALINK_BYTES:
        raise UsageError(f"{shown}: longer than {MOST_METALINK_BYTES >> 20} MiB; no Metalink is")
    try:
        root = _tree(document)
        return _Reader(root).read()
    except UsageError as error:
        raise UsageError(f"{shown}: {error.message}") from None
    except DefusedXmlException:
        raise UsageError(f"{shown}: it declares a document type or entities, which no Metalink needs") from None
    except (ParseError, ValueError, LookupError) as error:
        raise UsageError(f"{shown}: not XML: {display_text(str(error), _SHOWN_CELLS)}") from None


class _Bounded(TreeBuilder):
    """Builds a tree that cannot grow beyond the bounds."""

    def __init__(self) -> None:
        super().__init__()
        self._elements = self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._elements += 1
        self._depth += 1
        if self._elements > _MOST_ELEMENTS or self._depth > _MOST_DEPTH:
            raise UsageError("more or deeper elements than any Metalink has")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _tree(document: bytes) -> Element:
    parser = XMLParser(target=_Bounded(), forbid_dtd=True)
    parser.feed(document)
    root: Element = parser.close()
    return root


class _Reader:
    """Reads one tree; both versions differ in where things stand, hardly in what they say."""

    def __init__(self, root: Element) -> None:
        namespace, _, tag = root.tag.removeprefix("{").rpartition("}")
        if tag != "metalink" or namespace not in (_NAMESPACE_4, _NAMESPACE_3):
            found = display_text(tag, _SHOWN_CELLS)
            raise UsageError(f"not a Metalink: its outermost element is {found!r}, or of a foreign namespace")
        self._root = root
        self._space = f"{{{namespace}}}"
        self._is_old = namespace == _NAMESPACE_3
        self._notes: dict[str, None] = {}

    def read(self) -> Metalink:
        elements = self._all(self._root, "files/file" if self._is_old else "file")
        if not elements:
            raise UsageError("it describes no file")
        if len(elements) > _MOST_FILES:
            raise UsageError(f"it describes more than {_MOST_FILES} files")
        files = [one for one in map(self._file, elements) if one is not None]
        if not files:
            raise UsageError("; ".join(self._notes) or "it describes no file")
        if self._first(self._root, "origin") is not None and not self._is_old:
            self._note("its origin is not asked for a newer version")
        return Metalink(tuple(files), tuple(self._notes))

    def _file(self, element: Element) -> MetalinkFile | None:
        name = self._name(element)
        try:
            urls = tuple(self._urls(element, name))
            if not urls:
                self._note(f"{name}: no http:// or https:// address; left out")
                return None
            size_bytes = self._size(element)
            pieces = self._pieces(element)
            if pieces is not None and size_bytes is not None:
                pieces.check_length(size_bytes)
            if self._first(element, "verification/signature" if self._is_old else "signature") is not None:
                self._note(f"{name}: its signature is not checked")
            return MetalinkFile(name, urls, size_bytes, self._digest(element), pieces)
        except UsageError as error:
            raise UsageError(f"{name}: {error.message}") from None

    def _name(self, element: Element) -> str:
        """Return the last component (RFC 5854 §4.1.2.1: no absolute path, no step upwards)."""
        raw = element.get("name", "").strip()
        steps = raw.replace("\\", "/").split("/")
        if not raw or not steps[-1]:
            raise UsageError("a file without a name")
        is_absolute = not steps[0] or (len(steps[0]) == len("C:") and steps[0].endswith(":"))
        if is_absolute or ".." in steps or steps[-1] == ".":
            raise UsageError(f"the name {display_text(raw, _SHOWN_CELLS)!r} leads out of the folder; refused")
        name = safe_name(steps[-1], reserve_bytes=SUFFIX_RESERVE_BYTES)
        if len(steps) > 1:
            self._note(f"{name}: its folders are left out; it goes where the others go")
        return name

    def _urls(self, element: Element, name: str) -> Iterator[str]:
        """Yield the usable addresses, the preferred ones first, in the document's order where it has no preference."""
        if self._all(element, "metaurl"):
            self._note(f"{name}: torrents and further Metalinks (metaurl) are passed over")
        found = self._all(element, "resources/url" if self._is_old else "url")
        seen: set[str] = set()
        for one in sorted(found, key=self._rank):
            text = (one.text or "").strip()
            try:
                url = check_url(text)
                bare, authorization = split_userinfo(url)
            except UsageError:
                scheme = display_text(text.partition(":")[0], 12)
                self._note(f"{name}: an address ({scheme}...) cannot be used; passed over")
                continue
            if authorization:
                self._note(f"{name}: credentials in an address are left out")
            if bare not in seen and len(seen) < _MOST_ADDRESSES:
                seen.add(bare)
                yield bare

    def _rank(self, url: Element) -> int:
        """Return the priority of an address: 1 comes first."""
        text = url.get("preference" if self._is_old else "priority", "").strip()
        if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LAST_PRIORITY))):
            return LAST_PRIORITY
        # Version 3 counts the other way: 100 is the best, 1 the worst.
        return 101 - min(int(text), 100) if self._is_old else max(1, int(text))

    def _size(self, element: Element) -> int | None:
        size = self._first(element, "size")
        text = "" if size is None else (size.text or "").strip()
        if not text:
            return None
        if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_SIZE_DIGITS):
            raise UsageError(f"the size {display_text(text, _SHOWN_CELLS)!r} is no number of bytes")
        return int(text)

    def _digest(self, element: Element) -> Digest | None:
        found: list[Digest] = []
        for one in self._all(element, "verification/hash" if self._is_old else "hash"):
            kind = one.get("type", "")
            if known_algorithm(kind) is not None:
                found.append(parse_digest(f"{kind}={(one.text or '').strip()}"))
            else:
                self._note(f"a digest of the kind {display_text(kind, 20)!r} is not known; passed over")
        return strongest(found)

    def _pieces(self, element: Element) -> Pieces | None:
        """Return the pieces of the strongest algorithm."""
        found: list[Pieces] = []
        for one in self._all(element, "verification/pieces" if self._is_old else "pieces"):
            kind, length = one.get("type", ""), one.get("length", "").strip()
            if known_algorithm(kind) is None:
                self._note(f"pieces of the kind {display_text(kind, 20)!r} are not known; passed over")
                continue
            if not (length.isascii() and length.isdecimal() and len(length) <= _MOST_SIZE_DIGITS):
                raise UsageError(f"pieces: the length {display_text(length, 20)!r} is no number of bytes")
            hashes = self._all(one, "hash")
            found.append(checked_pieces(kind, int(length), ((hash_.text or "") for hash_ in hashes)))
        return max(found, key=lambda one: len(one.hexes[0]), default=None)

    def _all(self, element: Element, path: str) -> list[Element]:
        return element.findall("/".join(self._space + step for step in path.split("/")))

    def _first(self, element: Element, path: str) -> Element | None:
        return next(iter(self._all(element, path)), None)

    def _note(self, text: str) -> None:
        if len(self._notes) < 100:
            self._notes[text] = None
