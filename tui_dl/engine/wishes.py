"""What is wanted, checked: an address with its options as keys, programs and the library give them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.acceptance import accepted_types, check_sizes
from tui_dl.core.addresses import split_userinfo, wire_url
from tui_dl.core.digests import parse_digest
from tui_dl.core.errors import UsageError
from tui_dl.core.filename import SUFFIX_RESERVE_BYTES, safe_name
from tui_dl.core.media_rules import AS_KINDS
from tui_dl.core.setting_facts import coerce
from tui_dl.core.settings import SETTINGS
from tui_dl.core.task import NewTask, OnExists, TaskOptions
from tui_dl.core.url_list import check_url

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOUND: Final = {
    **{name: name for name in ("connections", "max_retries", "accept")},
    "min_bytes": "min_size",
    "max_bytes": "max_size",
}
"""Options with the settings whose bounds they have."""


def checked_task(url: str, folder: str, name: str, options: TaskOptions) -> NewTask:
    """Return what is wanted, checked: address, user info moved to a header, a safe name. Raises `UsageError`."""
    bare, authorization = split_userinfo(check_url(url, is_typed=True), is_typed=True)
    if authorization and not any(key.lower() == "authorization" for key, _ in options.headers):
        options = replace(options, headers=(*options.headers, ("Authorization", authorization)))
    if options.checksum:
        options = replace(options, checksum=str(parse_digest(options.checksum)))
    options = _checked_acceptance(options)
    safe = safe_name(name, reserve_bytes=SUFFIX_RESERVE_BYTES) if name else ""
    return NewTask(wire_url(bare, is_typed=True), folder, safe, options)


def checked_options(options: TaskOptions) -> TaskOptions:
    """Return options whose digest and addresses were checked, numbers within bounds. Raises `UsageError`."""
    given = {name: getattr(options, name) for name in _BOUND}
    bound = {name: coerce(SETTINGS[_BOUND[name]], value) for name, value in given.items() if value is not None}
    options = replace(options, **bound) if bound else options
    if options.limit_rate_bps is not None and (type(options.limit_rate_bps) is not int or options.limit_rate_bps < 0):
        raise UsageError("limit_rate_bps: expected bytes per second, a whole number")
    mirrors = tuple(check_url(url, is_typed=True) for url in options.mirrors)
    checksum = str(parse_digest(options.checksum)) if options.checksum else ""
    return replace(_checked_acceptance(options), mirrors=mirrors, checksum=checksum)


def _checked_acceptance(options: TaskOptions) -> TaskOptions:
    check_sizes(options.min_bytes, options.max_bytes)
    return replace(options, accept=accepted_types(options.accept)) if options.accept else options


def options_from(values: Mapping[str, Any]) -> TaskOptions:
    """Return task options from JSON values; raises `UsageError` for unknown ones."""
    known = TaskOptions.__dataclass_fields__
    unknown = [name for name in values if name not in known]
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r} for a task")
    taken = dict(values)
    if "headers" in taken:
        taken["headers"] = tuple((str(name), str(value)) for name, value in taken["headers"])
    for name in ("mirrors", "yt_dlp"):
        if name in taken:
            taken[name] = tuple(str(one) for one in taken[name])
    if taken.get("as_kind") not in (None, "", *AS_KINDS):
        raise UsageError(f"as_kind: expected one of {', '.join(AS_KINDS)}")
    if taken.get("on_exists"):
        taken["on_exists"] = OnExists(taken["on_exists"])
    return TaskOptions(**taken)
