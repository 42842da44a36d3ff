"""What people paste for a download: addresses, one a line, and curl commands over several lines, in any mixture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import with_blanks
from tui_dl.core.curl_command import is_curl, next_curl
from tui_dl.core.curl_download import CurlDownload
from tui_dl.core.errors import UsageError
from tui_dl.core.metalink_names import is_metalink_path
from tui_dl.core.url_globs import parse_glob, unescaped
from tui_dl.core.url_list import check_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui_dl.core.url_globs import UrlGlob

_BLANK: Final = " \t;&"
"""What may stand between two commands of a line."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """One address or command of a paste."""

    line: int
    """Line on which it begins, from 1."""
    downloads: tuple[CurlDownload, ...] = ()
    """What it means; empty if it cannot be used."""
    glob: UrlGlob | None = None
    """The pattern that it is, which stands for many; None for none."""
    is_curl: bool = False
    """Whether it was a curl command."""
    problem: str = ""
    """What is wrong with it, in words; empty for none."""


def read_paste(text: str, *, has_globs: bool = False) -> Iterator[Pasted]:
    """Yield what is meant, in order; blank lines and lines that begin with `#` are left out.

    A curl command that cannot be understood is a problem of the line on which it begins, with all lines up to the next
    command or blank line. `has_globs`: an address with `[1-100]` or `{a,b}` stands for many. Blanks inside an address
    are taken where it is all there is; among several lines they may part columns.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    at, line, is_alone = 0, 1, "\n" not in text.strip()
    while at < len(text):
        if text[at] == "\n" or text[at] in _BLANK:
            line += text[at] == "\n"
            at += 1
        elif is_curl(text, at):
            found, end = _curl(text, at, line)
            yield found
            line += text.count("\n", at, end)
            at = end
        else:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            if (address := text[at:end].strip()) and not address.startswith("#"):
                yield _address(with_blanks(address) if is_alone else address, line, has_globs=has_globs)
            at = end


def one_download(text: str) -> CurlDownload:
    """Return the only download of a paste; raise `UsageError` for none, for several and for one that cannot be used."""
    found = [one for pasted in read_paste(text) for one in _downloads(pasted)]
    if not found:
        raise UsageError("paste an address that begins with http:// or https://, or a curl command")
    if len(found) > 1:
        raise UsageError(f"one address is wanted here, not {len(found)}")
    return found[0]


def _downloads(pasted: Pasted) -> tuple[CurlDownload, ...]:
    if pasted.problem:
        raise UsageError(pasted.problem)
    return pasted.downloads


def _curl(text: str, at: int, line: int) -> tuple[Pasted, int]:
    try:
        downloads, end = next_curl(text, at)
    except UsageError as error:
        return Pasted(line, is_curl=True, problem=error.message), _end_of_block(text, at)
    return Pasted(line, downloads, is_curl=True), end


def _end_of_block(text: str, at: int) -> int:
    """Return where reading goes on after a command that was not understood: the next command's or paragraph's start."""
    while (end := text.find("\n", at)) >= 0:
        at = end + 1
        if is_curl(text, at) or text.startswith("\n", at):
            return at
    return len(text)


def _address(address: str, line: int, *, has_globs: bool) -> Pasted:
    if is_metalink_path(address):
        # Whether there is such a file is for the one who reads it to say.
        return Pasted(line, (CurlDownload(address),))
    try:
        glob = parse_glob(address) if has_globs else None
        check_url(address if glob is None else glob.address(0), is_typed=True)
    except UsageError as error:
        return Pasted(line, problem=error.message)
    if glob is not None:
        return Pasted(line, glob=glob)
    return Pasted(line, (CurlDownload(unescaped(address) if has_globs else address),))
