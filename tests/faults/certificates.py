"""What servers of the tests show: certificates of an authority that lives as long as the run."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import trustme


def server_context(authority: trustme.CA, *names: str, protocols: tuple[str, ...] = ()) -> ssl.SSLContext:
    """Return a server's context with a certificate for names (those of this machine), that offers protocols (ALPN)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(context)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context
