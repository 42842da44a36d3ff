"""aria2's options: what a new download asks for, what of a download can be changed, and what both are now."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.aria2_input import aria2_line, is_aria2_option
from tui_dl.core.display_text import MASK, mask_header
from tui_dl.session.rpc.aria2_global import TRUE, number_of, on_exists_words, word
from tui_dl.session.rpc.faults import refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tui_dl.core.task import DownloadTask
    from tui_dl.core.url_list import Line

_OWN: Final = frozenset({"pause", "gid"})
"""Options that are no part of a line."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an add asks for."""

    download: dict[str, Any]
    """As `CommandName.ADD` takes one of its downloads."""
    is_paused: bool = False
    """Whether it waits for a person."""
    gid: str = ""
    """Name that it is to have; empty for any."""


def wanted_of(urls: Sequence[str], given: Mapping[str, Any], default_dir: str) -> Wanted:
    """Return what aria2's options ask of a new download; raises `UsageError` for those that cannot be kept.

    What aria2 does not know for a download, and what is no text, is passed over as aria2 does.
    """
    line = _line(urls[0], urls[1:], given)
    folder = os.path.normpath(os.path.join(default_dir, line.dir))  # noqa: PTH118  # text in, text out
    options = _fields(line)
    gid = given.get("gid")
    download = {"url": line.url, "name": line.name, "dir": folder, "options": options}
    return Wanted(download, given.get("pause") == TRUE, gid if isinstance(gid, str) else "")


def _line(url: str, mirrors: Sequence[str], given: Mapping[str, Any]) -> Line:
    return aria2_line(1, url, mirrors, tuple(_known(given)))


def _fields(line: Line) -> dict[str, Any]:
    found: dict[str, Any] = dict(line.asked)
    if line.checksum:
        found["checksum"] = line.checksum
    if line.headers:
        found["headers"] = [list(one) for one in line.headers]
    if line.mirrors:
        found["mirrors"] = list(line.mirrors)
    return found


def _known(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        if name in _OWN or not is_aria2_option(name):
            continue
        if name == "header":
            texts = value if isinstance(value, list) else [value]
            for text in texts:
                if isinstance(text, str):
                    yield from (("header", one) for one in text.split("\n") if one.strip())
        elif isinstance(value, str):
            yield name, value


def changes_of(given: Mapping[str, Any], task: DownloadTask) -> dict[str, Any]:
    """Return the fields of `TaskOptions` that a change means; raises `UsageError` or `RpcError`."""
    rest = dict(given)
    for name, now in (("dir", task.dir), ("out", task.filename)):
        value = rest.pop(name, None)
        if isinstance(value, str) and value not in (now, ""):
            raise refused(f"{name} cannot be changed once a download is in the queue; remove it and add it anew.")
    changes: dict[str, Any] = {}
    limit = rest.pop("max-download-limit", None)
    if isinstance(limit, str):
        changes["limit_rate_bps"] = number_of("max-download-limit", limit) or None
    changes |= _fields(_line(task.url, (), rest))
    changes.pop("continues", None)
    if "headers" in changes or "header" in rest:
        changes["headers"] = _merged(task.options.headers, changes.get("headers", ()), replaces="header" in rest)
    return changes


def _merged(held: Sequence[tuple[str, str]], given: Sequence[Sequence[str]], *, replaces: bool) -> list[list[str]]:
    """Return headers with new ones over the old; where `header` itself was given, its old ones go."""
    kept = {name.lower(): [name, value] for name, value in held if not replaces or name.lower() in _WITH_OWN_OPTION}
    return list((kept | {one[0].lower(): list(one) for one in given}).values())


_WITH_OWN_OPTION: Final = frozenset({"referer", "user-agent", "authorization"})
"""Headers that options of other names set."""


def options_of(task: DownloadTask, everything: Mapping[str, str]) -> dict[str, str]:
    """Return the options of one download: its own over those of everything; secret headers are masked."""
    asked = task.options
    found = {name: value for name, value in everything.items() if name not in _FOR_EVERYTHING}
    found |= {"dir": task.dir, "max-download-limit": str(asked.limit_rate_bps or 0)}
    if task.name_fixed:
        found["out"] = task.filename
    if asked.connections is not None:
        found |= dict.fromkeys(("split", "max-connection-per-server"), str(asked.connections))
    if asked.max_retries is not None:
        found["max-tries"] = str(asked.max_retries)
    if asked.on_exists is not None:
        found |= on_exists_words(asked.on_exists)
    if asked.checksum:
        found["checksum"] = asked.checksum
    found["continue"] = word(asked.continues or everything.get("continue") == TRUE)
    for name, value in asked.headers:
        if name.lower() in ("referer", "user-agent"):
            found[name.lower()] = value
        else:
            found["header"] = found.get("header", "") + f"{name}: {mask_header(name, value)}\n"
    return found


def masked_headers(values: Sequence[Sequence[str]]) -> bool:
    """Whether headers hold what we showed instead of a secret: they cannot be set from what was read."""
    return any(value == MASK for _, value in values)


_FOR_EVERYTHING: Final = frozenset(
    {
        *("max-concurrent-downloads", "max-overall-download-limit", "max-overall-upload-limit", "enable-rpc"),
        *("max-download-result", "rpc-allow-origin-all", "rpc-listen-all", "rpc-max-request-size", "rpc-secure"),
        *("disable-ipv6", "check-certificate"),
    }
)
"""Options that no single download has."""
