"""The tables of settings for single hosts as a person writes them: read with care, shown without secrets."""

from __future__ import annotations

import re
from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import MASK, display_text, mask_header
from tui_dl.core.errors import UsageError
from tui_dl.core.host_rules import HostPattern, HostRule, HostRuleError, HostRules, parse_pattern
from tui_dl.core.identity import parse_user
from tui_dl.core.proxies import ProxyAddress, parse_proxy
from tui_dl.core.request_rate import RequestRate, parse_request_rate
from tui_dl.core.timetable import limit_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DIRECT: Final = "direct"
"""Value of `proxy` by which a host is reached without one."""
KEYS: Final[dict[str, str]] = {
    "connections": "Most connections to this host, all tasks together.",
    "tasks": "Tasks of this host at once.",
    "rate": "Bytes per second from this host, all tasks together, or a timetable.",
    "request_rate": 'Requests to this host: "10/s", "30/m" or "100/h".',
    "headers": "Request headers for this host alone.",
    "user": "NAME:PASSWORD for this host alone.",
    "user_agent": "User-Agent header for this host.",
    "proxy": 'Proxy for this host, or "direct".',
}
MOST_CONNECTIONS: Final = 256
MOST_TASKS: Final = 1000
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS: Final = frozenset(
    (
        *("range", "if-range", "accept-encoding", "host", "connection", "content-length", "transfer-encoding"),
        "proxy-authorization",
    )
)
"""Headers that decide how a body is framed and resumed, and the one that only a proxy may see."""


def host_rules(tables: Mapping[str, Mapping[str, Any]]) -> HostRules:
    """Return the rules of `{"*.example.org": {"connections": 2}}`; raises `HostRuleError`."""
    read: dict[HostPattern, HostRule] = {}
    for text, table in tables.items():
        pattern = parse_pattern(text)
        if pattern in read:
            raise HostRuleError(f"{pattern.text} is named twice", pattern=text)
        if not hasattr(table, "items"):
            raise HostRuleError(f"{text}: expected a table of settings", pattern=text)
        read[pattern] = _read_rule(text, table)
    return HostRules(tuple(sorted(read.items(), key=lambda item: item[0].rank, reverse=True)))


def _read_rule(pattern: str, table: Mapping[str, Any]) -> HostRule:
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _READERS:
            near = get_close_matches(key, _READERS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(_READERS)}"
            raise HostRuleError(f"{pattern}: unknown setting {key!r}{hint}", pattern=pattern, key=key)
        try:
            values |= _READERS[key](value)
        except UsageError as error:
            text = f"{pattern}: {key}: {error.message.removeprefix(f'{key}: ')}"
            raise HostRuleError(text, pattern=pattern, key=key) from None
    return HostRule(**values)


def _count(name: str, most: int) -> Callable[[Any], dict[str, Any]]:
    def read(value: Any) -> dict[str, Any]:
        if isinstance(value, bool) or not isinstance(value, int):
            raise UsageError("expected a whole number")
        if not 1 <= value <= most:
            raise UsageError(f"{value} is out of bounds (1 to {most})")
        return {name: value}

    return read


def _rate(value: Any) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise UsageError('expected bytes per second, or text such as "512K"')
    return {"rate": limit_value(value)}


def _request_rate(value: Any) -> dict[str, Any]:
    if not isinstance(value, str):
        raise UsageError('expected text such as "30/m"')
    return {"request_rate": parse_request_rate(value)}


def _headers(value: Any) -> dict[str, Any]:
    if not hasattr(value, "items"):
        raise UsageError('expected a table such as { Referer = "https://example.org/" }')
    pairs = []
    for name, text in value.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
            raise UsageError(f"{name!r} is no header that can be set")
        pairs.append((name, _header_value(text, name)))
    return {"headers": tuple(pairs)}


def _header_value(value: Any, name: str) -> str:
    # The value is not shown: it may be a secret.
    if not isinstance(value, str) or any((ord(char) < 0x20 and char != "\t") or ord(char) == 0x7F for char in value):
        raise UsageError(f"{name}: expected text without control characters")
    if not value.isascii():
        raise UsageError(f"{name}: only ASCII characters may stand in a header")
    return value


def _user(value: Any) -> dict[str, Any]:
    try:
        return {"user": parse_user(value if isinstance(value, str) else "")}
    except UsageError:
        raise UsageError("write it as NAME:PASSWORD, without control characters") from None


def _user_agent(value: Any) -> dict[str, Any]:
    return {"user_agent": _header_value(value, "User-Agent")}


def _proxy(value: Any) -> dict[str, Any]:
    if not isinstance(value, str):
        raise UsageError('expected text, or "direct"')
    if value.lower() == DIRECT:
        return {"is_direct": True}
    return {"proxy": parse_proxy(value, "proxy")}


_READERS: Final[dict[str, Callable[[Any], dict[str, Any]]]] = {
    "connections": _count("connections", MOST_CONNECTIONS),
    "tasks": _count("tasks", MOST_TASKS),
    "rate": _rate,
    "request_rate": _request_rate,
    "headers": _headers,
    "user": _user,
    "user_agent": _user_agent,
    "proxy": _proxy,
}
assert _READERS.keys() == KEYS.keys()


def shown_values(rule: HostRule) -> dict[str, int | str | dict[str, str]]:
    """Return what a table says, key by key, fit to be shown: secrets masked."""
    shown: dict[str, int | str | dict[str, str]] = {}
    for one in fields(HostRule):
        value = getattr(rule, one.name)
        if value in (None, "", (), False) and not (one.name == "rate" and value == 0 and value is not None):
            continue
        if one.name == "user":
            shown["user"] = MASK
        elif one.name == "headers":
            shown["headers"] = {name: display_text(mask_header(name, text)) for name, text in value}
        elif one.name == "is_direct":
            shown["proxy"] = DIRECT
        elif isinstance(value, RequestRate):
            shown[one.name] = str(value)
        elif isinstance(value, ProxyAddress):
            shown["proxy"] = f"{value.scheme}://{f'{MASK}@' if value.user else ''}{value.authority}"
        else:
            shown[one.name] = display_text(value) if isinstance(value, str) else value
    return shown
