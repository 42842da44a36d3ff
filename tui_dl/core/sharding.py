"""How samples in tar shards are called: shard names, keys, extensions and the facts beside each payload."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tui_dl.core.errors import UsageError
from tui_dl.core.filename import SUFFIX_RESERVE_BYTES, safe_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.task import DownloadTask

SUFFIX: Final = ".tar"
PART_SUFFIX: Final = ".part"
"""Behind the name of a shard that is not whole."""
STAGING: Final = ".tui-dl-shards"
"""Folder inside the target for what is on its way into a shard."""
FILES: Final = "files"
"""Folder in the staging folder for files that arrive."""
META: Final = "json"
"""Extension of the facts."""
_FIELD: Final = re.compile(r"([^{}%]*)(?:\{(?::0?(\d{1,2})d?)?\}|%0?(\d{1,2})?d)([^{}%]*)")
_EXTENSION: Final = re.compile(r"[a-z0-9_+-]{1,16}")
_OUTER: Final = frozenset({"gz", "xz", "bz2", "zst"})
"""Compressions, before which another extension says what it is."""
_BY_TYPE: Final = {
    "application/json": META,
    "application/pdf": "pdf",
    "audio/flac": "flac",
    "audio/mpeg": "mp3",
    "image/avif": "avif",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/webp": "webp",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "video/mp4": "mp4",
    "video/webm": "webm",
}
_NAMELESS: Final = "bin"


@dataclass(frozen=True, slots=True)
class ShardPattern:
    """A shard's name with a place for its number."""

    before: str
    """Text before the number."""
    width: int
    """Digits at least."""
    after: str
    """Text behind it, `.tar` at its end."""

    def name(self, number: int) -> str:
        """Return the name of a shard."""
        return f"{self.before}{number:0{self.width}}{self.after}"

    def span(self, first: int, last: int) -> str:
        """Return the names of a row of shards as shells and webdataset expand them."""
        if first == last:
            return self.name(first)
        return f"{self.before}{{{first:0{self.width}}..{last:0{self.width}}}}{self.after}"


def parse_pattern(text: str) -> ShardPattern:
    """Return a pattern like `shard-{:06}.tar` or `shard-%06d.tar`; raises `UsageError` for another."""
    found = _FIELD.fullmatch(text)
    if found is None or not text.endswith(SUFFIX):
        raise UsageError(f"shard_name: {text!r} is no name with one number and .tar at its end, as shard-{{:06}}.tar")
    before, one, other, after = found.groups()
    pattern = ShardPattern(before, int(one or other or 0), after)
    name = pattern.name(0)
    if "/" in name or safe_name(name, reserve_bytes=SUFFIX_RESERVE_BYTES) != name:
        raise UsageError(f"shard_name: {text!r} does not make a safe file name; give the folder with --dir")
    return pattern


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as the journal knows it."""

    id: int
    """Row in the journal."""
    number: int
    """Its number in its folder."""
    name: str
    """Final name."""
    samples: int = 0
    """Samples that are durable in it."""
    size_bytes: int = 0
    """Length of what is durable in it, the archive's end left out."""
    leftovers: str = ""
    """Files of the last group that may still lie in the staging folder, as `disk.shard_folder` writes them."""

    @property
    def part_name(self) -> str:
        """Name while it is not whole; its final one may still change."""
        return f"{self.number:06}{SUFFIX}{PART_SUFFIX}"


def names_of(made: Sequence[Shard], pattern: ShardPattern) -> str:
    """Return the names of shards in the order of their numbers, in one pattern where they follow each other."""
    first, last = made[0].number, made[-1].number
    is_row = [one.name for one in made] == [pattern.name(number) for number in range(first, last + 1)]
    return pattern.span(first, last) if is_row else f"{made[0].name} to {made[-1].name}"


class Sample(NamedTuple):
    """One finished file as it goes into a shard."""

    path: str
    """Where it lies."""
    payload: str
    """Member that holds its bytes."""
    facts_name: str
    """Member that holds its facts."""
    facts: bytes
    """JSON object."""


def key_of(number: int, index: int) -> str:
    """Return the key of a sample: its shard's number and its own, without a dot; no other shard has it."""
    return f"{number:06}{index:06}"


def extension_of(filename: str, content_type: str = "") -> str:
    """Return what a payload is called behind its key, lower case: by its name, else by its type."""
    stem, _, last = filename.rpartition(".")
    last = last.lower()
    if not stem or not _EXTENSION.fullmatch(last) or last.isdigit():
        return _BY_TYPE.get(content_type.partition(";")[0].strip().lower(), _NAMELESS)
    if last in _OUTER:
        inner = stem.rpartition(".")
        word = inner[2].lower()
        if inner[0] and _EXTENSION.fullmatch(word) and not word.isdigit():
            return f"{word}.{last}"
    return last


def sample_of(task: DownloadTask, key: str, folder: str) -> Sample:
    """Return a finished file of the staging folder as a sample."""
    extension = extension_of(task.filename, task.content_type)
    # The facts have this name: two members of one name are no sample.
    payload = f"{key}.data.{META}" if extension == META else f"{key}.{extension}"
    facts = json.dumps(facts_of(task, key, folder), ensure_ascii=True, separators=(",", ":"))
    return Sample(task.path, payload, f"{key}.{META}", facts.encode())


def facts_of(task: DownloadTask, key: str, folder: str) -> dict[str, Any]:
    """Return what is told of a sample; a column of its list that has the name of a fact of ours is `list_NAME`."""
    wanted = f"{task.dir}/{task.filename}".removeprefix(folder + "/")
    ours: dict[str, Any] = {
        "key": key,
        "url": task.url,
        "final_url": task.final_url if task.final_url != task.url else None,
        "filename": wanted,
        "line": task.line or None,
        "status": task.http_status,
        "content_type": task.content_type or None,
        "bytes": task.downloaded_bytes if task.total_bytes is None else task.total_bytes,
        "sha256": task.sha256 or None,
        "at": task.finished_at,
    }
    facts = {name: value for name, value in ours.items() if value is not None}
    return facts | {f"list_{name}" if name in ours else name: value for name, value in _extra_of(task).items()}


def _extra_of(task: DownloadTask) -> dict[str, Any]:
    if not task.extra:
        return {}
    try:
        extra = json.loads(task.extra)
    except ValueError:
        return {}
    return extra if isinstance(extra, dict) else {}
