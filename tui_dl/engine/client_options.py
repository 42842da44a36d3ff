"""How the client reaches servers, made from the settings once, off the loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_dl.engine.trust import tls_context

if TYPE_CHECKING:
    import ssl

    from tui_dl.core.settings import Settings


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What a transport needs besides time-outs; the defaults are those of the library."""

    tls: ssl.SSLContext | None = None
    """Context of all secure connections; None: the library's own."""


def client_options(settings: Settings) -> ClientOptions:
    """Return the options of these settings. Reads files; raises `UsageError` for what cannot be used."""
    return ClientOptions(
        tls=tls_context(
            ca_certificate=settings.ca_certificate, certificate=settings.certificate, insecure=settings.insecure
        )
    )
