"""What the add dialog found in what was typed, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.media_rules import AS_FILE, AS_MEDIA, obvious_form
from tui_dl.core.ports_lists import ListAdd

if TYPE_CHECKING:
    from tui_dl.core.curl_download import CurlDownload
    from tui_dl.core.ports_lists import ListPreview
    from tui_dl.core.url_globs import UrlGlob


MOST_ASKED: Final = 500
"""Of so many addresses an extractor is asked; of more nobody expects media."""
AS_FOUND_HERE: Final[dict[str, Any]] = {"as_kind": "found", "has_config": True, "asks": True}
"""Options of addresses that a person gives on the screen: what they are is found out, and may be asked."""


@dataclass(frozen=True, slots=True)
class AddRequest:
    """What is to be added."""

    downloads: tuple[CurlDownload, ...]
    """Checked addresses, in order, with what a curl command gave for them."""
    folder: str
    """Absolute folder."""
    globs: tuple[UrlGlob, ...] = ()
    """Patterns, each of which stands for many addresses."""
    name_template: str = ""
    """Template of folders and names; empty: that of the settings."""
    batch: str = ""
    """Name of the add; empty: when it was, of a list its own."""
    lists: tuple[str, ...] = ()
    """Absolute paths of lists."""
    as_kind: str = ""
    """What all of them are, as `TaskOptions.as_kind` says it."""

    def list_adds(self) -> list[ListAdd]:
        """Return what is asked for each list."""
        return [ListAdd(path, self.folder, self.name_template, self.batch) for path in self.lists]

    def arguments(self) -> dict[str, Any]:
        """Return them as `CommandName.ADD` takes them: bare addresses as a list, others each with its own."""
        globs = {"globs": [glob.text for glob in self.globs]} if self.globs else {}
        template = {"name_template": self.name_template} if self.name_template else {}
        return self._arguments() | globs | template | ({"batch": self.batch} if self.batch else {})

    def _arguments(self) -> dict[str, Any]:
        if all(one == replace(one, headers=(), name="", folder="") for one in self.downloads):
            options = {"options": kind} if (kind := self._kind()) else {}
            return {"urls": [one.url for one in self.downloads], "dir": self.folder} | options
        return {"downloads": [self._argument(one) for one in self.downloads], "dir": self.folder}

    def _kind(self) -> dict[str, Any]:
        if self.as_kind == AS_FILE or not self.downloads:
            return {"as_kind": self.as_kind} if self.as_kind else {}
        if self.as_kind == AS_MEDIA:
            return {**AS_FOUND_HERE, "as_kind": AS_MEDIA}
        is_asked = len(self.downloads) <= MOST_ASKED
        has_pages = is_asked and any(obvious_form(one.url) != AS_FILE for one in self.downloads)
        return AS_FOUND_HERE if has_pages else {}

    def _argument(self, download: CurlDownload) -> dict[str, Any]:
        folder = str(Path(self.folder) / Path(download.folder).expanduser())
        kind = {"as_kind": self.as_kind} if self.as_kind else {}
        options = {"headers": [list(header) for header in download.headers]} | kind
        return {"url": download.url, "name": download.name, "dir": folder, "options": options}


@dataclass(frozen=True, slots=True)
class Checked:
    """Outcome of a check of all lines."""

    downloads: tuple[CurlDownload, ...]
    """Good ones."""
    from_curl: tuple[CurlDownload, ...]
    """Those among them that a curl command meant."""
    problems: tuple[tuple[int, str], ...]
    """Line numbers from 1 and what is wrong there."""
    globs: tuple[UrlGlob, ...] = ()
    """Good patterns."""
    lists: tuple[tuple[str, ListPreview], ...] = ()
    """Paths of lists, and what is in each."""

    @property
    def number(self) -> int:
        """Addresses in all, those of patterns too."""
        listed = sum(preview.addresses for _path, preview in self.lists)
        return len(self.downloads) + sum(glob.count for glob in self.globs) + listed
