"""The name of a file: fixed at the first answer, never a path, never a surprise."""

from __future__ import annotations

import mimetypes
import os
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import ContentError, Reason
from tui_dl.core.filename import name_from_content_disposition, name_from_url
from tui_dl.core.http_rules import is_web_page
from tui_dl.core.name_template import namer_for
from tui_dl.core.plain_address import plain_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tui_dl.core.name_template import Namer
    from tui_dl.engine.context import EngineContext

SCRIPT_SUFFIXES: Final = (".php", ".asp", ".aspx", ".jsp", ".cgi", ".do")
"""Endings of programs on servers, not of files."""
PAGE_SUFFIXES: Final = (".html", ".htm", ".xhtml")
FILE_SUFFIXES: Final = frozenset(
    (
        *(".iso", ".img", ".deb", ".rpm", ".apk", ".dmg", ".pkg", ".msi", ".appimage", ".flatpak", ".snap", ".jar"),
        *(".7z", ".rar", ".zst", ".lz4", ".lz", ".lzma", ".whl", ".safetensors", ".gguf", ".parquet", ".qcow2"),
        *(".mkv", ".flac", ".opus", ".ogg", ".m4a", ".torrent", ".epub", ".meta4", ".metalink"),
    )
)
"""Files that the standard library's table of types lacks."""


def fixed_name(headers: Mapping[str, str], url: str, final_url: str) -> str:
    """Return a safe name for a file: what the server says, else the address asked, else the one it led to."""
    if named := name_from_content_disposition(headers.get("Content-Disposition", "")):
        return named
    everyday = plain_parts(url)
    asked = name_from_url(url) if everyday is None else everyday[1]
    if final_url == url or _looks_like_file(asked):
        return asked
    arrived = name_from_url(final_url)
    return arrived if _looks_like_file(arrived) else asked


def namer_of(context: EngineContext, template: str | None = None) -> Namer:
    """Return who names what is added now, by a template or that of the settings; raises `UsageError`."""
    text = context.settings.name_template if template is None else template
    return namer_for(text, datetime.fromtimestamp(context.wall_clock()).astimezone(), has_columns=False)


def refuse_web_page(headers: Mapping[str, str], name: str, seeks_media: Callable[[str], bool]) -> None:
    """Raise `ContentError` where a page for people came although the name promises something else.

    `seeks_media` tells whether a page of this name is wanted for the media on it.
    """
    if not is_web_page(headers.get("Content-Type", "")) or "Content-Disposition" in headers:
        return
    if seeks_media(name):
        raise ContentError(Reason.WEB_PAGE, "a web page; what is on it is wanted")
    if _promises_file(name):
        raise ContentError(
            Reason.WEB_PAGE, f"a web page came instead of {name}: a login or error page, or the link has expired"
        )


def expects_page(name: str) -> bool:
    """Whether a name is that of a page for people."""
    return name.lower().endswith(PAGE_SUFFIXES)


def _promises_file(name: str) -> bool:
    if expects_page(name):
        return False
    # Not `guess_type()`: it reads files of the system at its first call.
    suffix = os.path.splitext(name.lower())[1]  # noqa: PTH122  # text in, text out
    if suffix in FILE_SUFFIXES or suffix in mimetypes.encodings_map:
        return True
    return mimetypes.types_map.get(suffix, "text/").partition("/")[0] != "text"


def _looks_like_file(name: str) -> bool:
    stem, dot, suffix = name.rpartition(".")
    return bool(stem and dot and suffix) and not name.lower().endswith(SCRIPT_SUFFIXES)
