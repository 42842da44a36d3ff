"""How the client reaches servers, made from the settings once, off the loop."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from tui_dl.core.auth_memory import AuthPolicy
from tui_dl.core.errors import UsageError
from tui_dl.core.identity import Identity, parse_bearer, parse_user
from tui_dl.core.own_names import ANY_HOST, parse_dns_servers, parse_own_names
from tui_dl.core.proxies import ProxyRules, proxy_rules
from tui_dl.engine.browser_cookies import BrowserReading
from tui_dl.engine.netrc_file import read_netrc
from tui_dl.engine.resolving import require_dns
from tui_dl.engine.token_file import read_token
from tui_dl.engine.trust import tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from tui_dl.core.settings import Settings
    from tui_dl.engine.cookies import Cookies

_FAMILIES: Final = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What a transport needs besides time-outs; the defaults are those of the library."""

    tls: ssl.SSLContext | None = None
    """Context of all secure connections; None: the usual one, made when the first of them is wanted."""
    proxies: ProxyRules = field(default_factory=ProxyRules)
    """Which address goes through which proxy."""
    identity: Identity = field(default_factory=Identity)
    """Credentials that belong to no single task."""
    cookies: Cookies | None = None
    """Jar that requests are answered from; None: no cookies at all."""
    family: socket.AddressFamily = socket.AF_UNSPEC
    """Addresses that hosts and proxies are reached by."""
    auth: AuthPolicy = AuthPolicy.AUTO
    """How names and passwords are told to servers."""
    own_names: Mapping[tuple[str, int], tuple[str, ...]] = field(default_factory=dict)
    """Addresses that a person gave by host and port."""
    dns_servers: tuple[str, ...] = ()
    """Who is asked for names; empty: whom the system asks."""


async def read_options(settings: Settings, environment: Mapping[str, str]) -> ClientOptions:
    """Return what `client_options()` does, off the loop; cancelled, it leaves no browser being read."""
    reading = BrowserReading()
    try:
        return await asyncio.to_thread(client_options, settings, environment, reading)
    except asyncio.CancelledError:
        reading.end()
        raise


def client_options(
    settings: Settings, environment: Mapping[str, str], reading: BrowserReading | None = None
) -> ClientOptions:
    """Return the options of these settings. Reads files; raises `UsageError` for what cannot be used.

    `reading` reads the cookies of a browser; whoever holds it can end that from another thread.
    """
    _header_value("--user-agent", settings.user_agent)
    heard = environment if settings.use_environment_proxy else {}
    proxies = replace(proxy_rules(settings.proxy, settings.no_proxy, heard), hosts=settings.hosts)
    own_names, dns_servers = parse_own_names(settings.resolve), parse_dns_servers(settings.dns_servers)
    _require_reach(own_names, proxies)
    if dns_servers:
        require_dns()
    if any(one.is_socks for one in proxies.proxies):
        import_module("tui_dl.engine.socks")  # here, since an import on the loop would block it
    parts = ClientOptions(
        tls=_tls(settings),
        proxies=proxies,
        identity=Identity(
            authorization=_authorization(settings),
            by_host=read_netrc(settings.netrc) if settings.netrc else {},
            referer=_header_value("--referer", settings.referer),
        ),
        family=_FAMILIES[settings.ip_version],
        auth=AuthPolicy(settings.auth),
        own_names=own_names,
        dns_servers=dns_servers,
    )
    # Last: a browser takes half a second and may ask for a password, while all else is wrong at once.
    return replace(parts, cookies=_cookies(settings, reading or BrowserReading()))


def _cookies(settings: Settings, reading: BrowserReading) -> Cookies | None:
    browser = settings.cookies_from_browser
    if not (settings.cookies or settings.save_cookies or browser):
        return None
    from tui_dl.engine.cookies import open_cookies  # noqa: PLC0415  # the standard library's jar takes its time

    lines_of_browser = partial(reading.lines, browser) if browser else None
    return open_cookies(settings.cookies, settings.save_cookies, lines_of_browser)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """Return the context of these settings, so that files that cannot be used are told at once; None for the usual."""
    if not (settings.ca_certificate or settings.certificate or settings.insecure):
        return None
    return tls_context(
        ca_certificate=settings.ca_certificate, certificate=settings.certificate, insecure=settings.insecure
    )


def _authorization(settings: Settings) -> str:
    if settings.user and settings.bearer:
        raise UsageError("--user and --bearer are two ways to say who you are; keep one")
    if settings.bearer:
        return parse_bearer(read_token(settings.bearer))
    return parse_user(settings.user) if settings.user else ""


def _require_reach(names: Mapping[tuple[str, int], tuple[str, ...]], proxies: ProxyRules) -> None:
    """Raise `UsageError` for a name given by hand that an HTTP proxy would look up instead of us."""
    ours = {(one.host, one.port) for one in proxies.proxies}
    for host, port in names:
        if host == ANY_HOST or (host, port) in ours:
            continue
        shown = f"[{host}]" if ":" in host else host
        ways = {proxies.proxy_for(f"{scheme}://{shown}:{port}/") for scheme in ("http", "https")}
        if proxy := next((one for one in ways if one is not None and not one.is_socks), None):
            way = f"the proxy {proxy.authority} looks this name up; add {shown} to --no-proxy"
            raise UsageError(f"--resolve {shown}:{port}: {way}")


def _header_value(option: str, value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise UsageError(f"{option}: only printable ASCII characters may stand in a header")
    return value
