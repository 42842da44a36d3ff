"""Which proxy an address goes through: proxy addresses, exceptions, and what the environment says of both."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from tui_dl.core.addresses import is_ip_address, origin_of
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.host_rules import HostRules

_SCHEMES: Final = {
    "http": ("http", 80),
    "https": ("https", 443),
    "socks": ("socks5", 1080),
    "socks5": ("socks5", 1080),
    "socks5h": ("socks5", 1080),
    "socks4": ("socks4", 1080),
    "socks4a": ("socks4a", 1080),
}
"""Scheme as written to protocol and port."""
_FORM: Final = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9]*)://)?(?:(?P<userinfo>.*)@)?(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>\d{1,5}))?/?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """A proxy and who we are to it."""

    scheme: str
    """`http`, `https` (the way to the proxy itself is secure), `socks4` (takes addresses alone), `socks4a` or `socks5`.
    """
    host: str
    """Name or address, IPv6 without brackets."""
    port: int
    """From 1 to 65535."""
    user: str = field(default="", repr=False)
    """Empty where the proxy takes anybody."""
    password: str = field(default="", repr=False)
    """Told to this proxy alone."""

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS."""
        return self.scheme.startswith("socks")

    @property
    def authority(self) -> str:
        """Host and port, by which messages name it: never the credentials."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_proxy(text: str, origin: str) -> ProxyAddress:
    """Return a proxy written as `http://user:password@host:port` or with `socks5://`, `socks4://`.

    Raise `UsageError` that begins with `origin` (an option or a variable) and never shows the text: it may hold a
    password.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None or any(ord(char) < 0x21 for char in text.strip()):
        raise UsageError(f"{origin}: not a proxy; write it as http://user:password@host:port, or with socks5://")
    known = _SCHEMES.get((match["scheme"] or "http").lower())
    if known is None:
        raise UsageError(f"{origin}: proxies are reached by http://, https://, socks4://, socks4a:// or socks5://")
    scheme, default_port = known
    port = int(match["port"] or default_port)
    if not 1 <= port <= 65_535:
        raise UsageError(f"{origin}: the port is not one of 1 to 65535")
    user, _, password = (match["userinfo"] or "").partition(":")
    host = match["host"].strip("[]").lower()
    return ProxyAddress(scheme, host, port, unquote(user), unquote(password))


@dataclass(frozen=True, slots=True)
class ProxyRules:
    """Which address goes through which proxy."""

    for_http: ProxyAddress | None = None
    """Proxy of http:// addresses."""
    for_https: ProxyAddress | None = None
    """Proxy of https:// addresses."""
    exceptions: tuple[str, ...] = ()
    """Entries of `no_proxy`: a host and its subdomains, an address, a network, each maybe with a port; or `*`."""
    skips_loopback: bool = False
    """Whether this machine itself is reached directly: so where only the environment names the proxy."""
    hosts: HostRules | None = None
    """What was set for single hosts goes before all of that."""

    @property
    def proxies(self) -> tuple[ProxyAddress, ...]:
        """Every proxy that may be used, each once."""
        of_hosts = () if self.hosts is None else self.hosts.proxies
        return tuple(dict.fromkeys(one for one in (self.for_http, self.for_https, *of_hosts) if one is not None))

    def proxy_for(self, url: str) -> ProxyAddress | None:
        """Return the proxy for a usable address, None for the direct way."""
        scheme, host, port = origin_of(url)
        rule = None if self.hosts is None else self.hosts.of_url(url)
        if rule is not None and (rule.is_direct or rule.proxy is not None):
            return rule.proxy
        proxy = self.for_https if scheme == "https" else self.for_http
        if proxy is None or (self.skips_loopback and _is_loopback(host.strip("[]"))):
            return None
        is_excepted = any(_is_covered(host.strip("[]").rstrip("."), port, entry) for entry in self.exceptions)
        return None if is_excepted else proxy


def proxy_rules(proxy: str, no_proxy: str, environment: Mapping[str, str]) -> ProxyRules:
    """Return the rules of these settings; `environment` is empty where it shall not be heard. Raises `UsageError`."""
    exceptions = _entries(no_proxy or _variable(environment, "no_proxy")[1])
    if proxy:
        one = parse_proxy(proxy, "--proxy")
        return ProxyRules(one, one, exceptions)
    # A server's program hears HTTP_PROXY from whoever sends it a `Proxy:` header (httpoxy).
    is_cgi = "REQUEST_METHOD" in environment
    rest = _variable(environment, "all_proxy")
    plain = ("", "") if is_cgi and "http_proxy" not in environment else _variable(environment, "http_proxy")
    return ProxyRules(
        _from_variable(plain if plain[1] else rest),
        _from_variable(secure if (secure := _variable(environment, "https_proxy"))[1] else rest),
        exceptions,
        skips_loopback=True,
    )


def _variable(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return name and value of a variable in lower or upper case; the former counts first."""
    for spelling in (name, name.upper()):
        if value := environment.get(spelling, "").strip():
            return spelling, value
    return name, ""


def _from_variable(variable: tuple[str, str]) -> ProxyAddress | None:
    name, value = variable
    return parse_proxy(value, f"environment variable {name}") if value else None


def _entries(text: str) -> tuple[str, ...]:
    return tuple(entry.lower() for entry in re.split(r"[,\s]+", text) if entry)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_covered(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        try:
            return ip_address(host) in ip_network(entry, strict=False)
        except ValueError:
            return False
    name, colon, only_port = entry.rpartition(":")
    if colon and only_port.isdigit() and (name.endswith("]") or ":" not in name):
        if int(only_port) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").strip(".")
    return bool(entry) and (host == entry or (host.endswith(f".{entry}") and not is_ip_address(host)))
