"""Runs tests of the engine once more over HTTP/2: the rules are above the transport."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.faults.http2_front import Http2FaultServer, http2_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from types import ModuleType

    import trustme

    from tests.engine.stage import Engines


def chosen(module: ModuleType, *names: str) -> dict[str, object]:
    """Return tests and all fixtures of a module, for another module's own."""
    kept = {name: one for name, one in vars(module).items() if type(one).__name__ == "FixtureFunctionDefinition"}
    return kept | {name: getattr(module, name) for name in names}


@pytest_asyncio.fixture
async def fault_server(tls_authority: trustme.CA) -> AsyncIterator[Http2FaultServer]:
    """Yield the fault server behind HTTP/2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls_authority.issue_cert("127.0.0.1").configure_cert(context)
    async with Http2FaultServer(http2_context(context)) as server:
        yield server


@pytest.fixture(autouse=True)
def over_http2(engines: Engines, tls_authority: trustme.CA, tmp_path: Path) -> None:
    """Have every engine speak HTTP/2."""
    file = tmp_path / "authority.pem"
    tls_authority.cert_pem.write_to_path(str(file))
    engines.defaults |= {"http2": "on", "ca_certificate": str(file)}
