"""How the client reaches servers, made from the settings once, off the loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from tui_dl.core.proxies import ProxyRules, proxy_rules
from tui_dl.engine.trust import tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from tui_dl.core.settings import Settings


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What a transport needs besides time-outs; the defaults are those of the library."""

    tls: ssl.SSLContext | None = None
    """Context of all secure connections; None: the library's own."""
    proxies: ProxyRules = field(default_factory=ProxyRules)
    """Which address goes through which proxy."""


def client_options(settings: Settings, environment: Mapping[str, str]) -> ClientOptions:
    """Return the options of these settings. Reads files; raises `UsageError` for what cannot be used."""
    heard = environment if settings.use_environment_proxy else {}
    proxies = proxy_rules(settings.proxy, settings.no_proxy, heard)
    if any(one.is_socks for one in proxies.proxies):
        import_module("tui_dl.engine.socks")  # here, since an import on the loop would block it
    return ClientOptions(
        tls=tls_context(
            ca_certificate=settings.ca_certificate, certificate=settings.certificate, insecure=settings.insecure
        ),
        proxies=proxies,
    )
