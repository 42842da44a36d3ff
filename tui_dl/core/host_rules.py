"""What a person set for single hosts, and which of it holds for an address."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import origin_of
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from tui_dl.core.proxies import ProxyAddress
    from tui_dl.core.request_rate import RequestRate

_ANY: Final = "*"
_PATTERN: Final = re.compile(
    r"(?P<host>\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?", re.IGNORECASE
)


class HostRuleError(UsageError):
    """A table that cannot be used; tells where in it."""

    def __init__(self, message: str, *, pattern: str, key: str = "") -> None:
        super().__init__(message)
        self.pattern = pattern
        """Name of the table."""
        self.key = key
        """Key within it; empty where the name itself is wrong."""


@dataclass(frozen=True, slots=True)
class HostRule:
    """What holds for one host; None and empty leave it to the other settings."""

    connections: int | None = None
    """Most connections over all tasks, split or not."""
    tasks: int | None = None
    """Most tasks at once."""
    rate: int | str | None = None
    """Bytes per second over all tasks, 0 for no limit, or a timetable."""
    request_rate: RequestRate | None = None
    """Requests in a period, over all tasks."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Request headers besides ours."""
    user: str = field(default="", repr=False)
    """Value of an `Authorization` header."""
    user_agent: str = ""
    """User-Agent header."""
    proxy: ProxyAddress | None = None
    """Proxy; None where `is_direct` says more, or nothing was set."""
    is_direct: bool = False
    """Whether no proxy is used, whatever the other settings say."""

    def over(self, other: HostRule) -> HostRule:
        """Return this rule with the other's values where this one says nothing."""
        names = {name.lower() for name, _ in self.headers}
        has_way = self.is_direct or self.proxy is not None
        return HostRule(
            connections=other.connections if self.connections is None else self.connections,
            tasks=other.tasks if self.tasks is None else self.tasks,
            rate=other.rate if self.rate is None else self.rate,
            request_rate=self.request_rate or other.request_rate,
            headers=self.headers + tuple(pair for pair in other.headers if pair[0].lower() not in names),
            user=self.user or other.user,
            user_agent=self.user_agent or other.user_agent,
            proxy=self.proxy if has_way else other.proxy,
            is_direct=self.is_direct if has_way else other.is_direct,
        )


NO_RULE: Final = HostRule()


@dataclass(frozen=True, slots=True)
class HostPattern:
    """Name of a table: `example.org`, `*.example.org` (its subdomains), `*`, each maybe with a port."""

    host: str
    """Lower case, as written."""
    port: int | None = None
    """Only this port; None for any."""

    @property
    def text(self) -> str:
        """The pattern as it is written."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def rank(self) -> tuple[bool, int, bool]:
        """Grows with how much it says: a whole name, then the longer suffix, then the port."""
        return (not self.host.startswith(_ANY), len(self.host), self.port is not None)

    def covers(self, host: str, ports: frozenset[int]) -> bool:
        """Whether it stands for a host on one of these ports."""
        if self.port is not None and self.port not in ports:
            return False
        if self.host == _ANY:
            return True
        if self.host.startswith("*."):
            return host.endswith(self.host[1:])
        return host == self.host


def parse_pattern(text: str) -> HostPattern:
    """Return the pattern that a table is named by; raises `HostRuleError`."""
    match = _PATTERN.fullmatch(text)
    port = int(match["port"]) if match is not None and match["port"] else None
    if match is None or (port is not None and not 1 <= port <= 65_535):
        message = f'{text!r} names no host; write "example.org", "*.example.org" or "example.org:8080"'
        raise HostRuleError(message, pattern=text)
    return HostPattern(match["host"].lower().rstrip("."), port)


@dataclass(frozen=True, slots=True)
class HostRules:
    """All tables, the most telling first."""

    tables: tuple[tuple[HostPattern, HostRule], ...] = ()
    """By falling rank."""

    def of_host(self, host: str) -> HostRule:
        """Return what holds for a host as rows name it, its port only where it is not the scheme's own."""
        if not self.tables:
            return NO_RULE
        name, _, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
        return self._of(name, frozenset((int(port),) if port else (80, 443)))

    def of_url(self, url: str) -> HostRule:
        """Return what holds for an address; for one that is not usable, nothing."""
        if not self.tables:
            return NO_RULE
        try:
            _, host, port = origin_of(url)
        except UsageError:
            return NO_RULE
        return self._of(host, frozenset((port,)))

    def rate_of(self, host: str) -> int | str:
        """Return the limit for all tasks of a host as rows name it: bytes per second or a timetable, 0 for none."""
        return self.of_host(host).rate or 0

    def headers_for(self, url: str, *, is_named: bool) -> dict[str, str]:
        """Return the headers that a request to this address gets besides those of its task.

        `is_named` tells whether a person gave an address of this origin. Where a redirect led here, what may be a
        secret goes over https alone, and to no port that the redirect chose.
        """
        rule = self.of_url(url)
        headers = {"User-Agent": rule.user_agent} if rule.user_agent else {}
        if not is_named and origin_of(url)[::2] != ("https", 443):
            return headers
        if rule.user:
            headers["Authorization"] = rule.user
        return {**headers, **dict(rule.headers)}

    @property
    def proxies(self) -> tuple[ProxyAddress, ...]:
        """Every proxy that some host goes through."""
        return tuple(rule.proxy for _, rule in self.tables if rule.proxy is not None)

    def _of(self, host: str, ports: frozenset[int]) -> HostRule:
        name = host.rstrip(".")
        found = [rule for pattern, rule in self.tables if pattern.covers(name, ports)]
        return reduce(HostRule.over, found, NO_RULE)
