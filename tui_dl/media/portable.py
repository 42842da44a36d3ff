"""What an extractor found, as JSON for another process: the way of `--load-info-json`, with nothing lost on it."""

from __future__ import annotations

import http.cookiejar
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

from yt_dlp.networking.impersonate import ImpersonateTarget
from yt_dlp.utils import LazyList

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COOKIE_FIELDS: Final = (
    *("version", "name", "value", "port", "port_specified", "domain", "domain_specified", "domain_initial_dot"),
    *("path", "path_specified", "secure", "expires", "discard", "comment", "comment_url", "rfc2109"),
)
_PLAIN: Final = (str, int, float, bool, type(None))


class NotPortableError(Exception):
    """A value that only the process that made it can use."""


def portable(value: Any) -> Any:
    """Return a value made of what JSON knows. Raises `NotPortableError`."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise NotPortableError
        return {key: portable(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | LazyList):
        return [portable(one) for one in value]
    if isinstance(value, ImpersonateTarget):
        return str(value)
    raise NotPortableError(type(value).__name__)


def portable_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that an extractor in another process may need; what cannot go there is left out."""
    kept: dict[str, Any] = {}
    for key, value in params.items():
        if key in OF_THE_PARENT:
            continue
        try:
            kept[key] = portable(dict(value) if key == "http_headers" else value)
        except NotPortableError:
            continue
    return kept


OF_THE_PARENT: Final = frozenset(
    {
        *(
            "cookiefile",
            "cookiesfrombrowser",
            "download_archive",
            "postprocessors",
            "logger",
            "outtmpl",
            "progress_hooks",
        ),
        *("postprocessor_hooks", "post_hooks", "match_filter", "daterange", "download_ranges", "retry_sleep_functions"),
        *("_warnings", "_deprecation_warnings", "warn_when_outdated", "forceprint", "print_to_file", "consoletitle"),
        *("format", "format_sort", "progress_template", "writeinfojson"),
    }
)
"""Parameters that are of no use to an extractor, or would be heard twice."""


def cookies_of(jar: Iterable[http.cookiejar.Cookie]) -> dict[str, list[Any]]:
    """Return all cookies by what names them."""
    with getattr(jar, "_cookies_lock", nullcontext()):
        return {
            f"{cookie.domain}\t{cookie.path}\t{cookie.name}": [
                *(getattr(cookie, field) for field in COOKIE_FIELDS),
                dict(getattr(cookie, "_rest", {})),
            ]
            for cookie in jar
        }


def cookie_from(values: list[Any]) -> http.cookiejar.Cookie:
    """Return a cookie that another process sent."""
    named = dict(zip(COOKIE_FIELDS, values, strict=False))
    return http.cookiejar.Cookie(**named, rest=values[-1])


def changed(before: Mapping[str, list[Any]], now: Mapping[str, list[Any]]) -> list[list[Any]]:
    """Return the cookies that are new or different."""
    return [values for key, values in now.items() if before.get(key) != values]
