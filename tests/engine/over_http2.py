"""Servers and settings of HTTP/2, and how tests of the engine run once more over it: the rules are above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.faults.certificates import server_context
from tests.faults.http2_front import Http2FaultServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import ModuleType

    import trustme

    from tests.engine.stage import Engines


def chosen(module: ModuleType, *names: str) -> dict[str, object]:
    """Return tests and all fixtures of a module, for another module's own."""
    kept = {name: one for name, one in vars(module).items() if type(one).__name__ == "FixtureFunctionDefinition"}
    return kept | {name: getattr(module, name) for name in names}


@pytest_asyncio.fixture
async def server(tls_authority: trustme.CA) -> AsyncIterator[Http2FaultServer]:
    """Yield a server that speaks HTTP/2 alone."""
    async with Http2FaultServer(server_context(tls_authority, protocols=("h2",))) as one:
        yield one


@pytest.fixture
def settings(authority_file: str) -> dict[str, Any]:
    """Return settings that use it."""
    return {"http2": "on", "ca_certificate": authority_file}


@pytest.fixture
def fault_server(server: Http2FaultServer) -> Http2FaultServer:
    """Put it in the place of the usual fault server."""
    return server


@pytest.fixture(autouse=True)
def over_http2(engines: Engines, settings: dict[str, Any]) -> None:
    """Have every engine speak HTTP/2."""
    engines.defaults |= settings
