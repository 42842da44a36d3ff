"""Pytest fixtures that start fault servers, plain and with TLS."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
import trustme

from tests.faults.certificates import server_context
from tests.faults.server import FaultServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest_asyncio.fixture
async def fault_server() -> AsyncIterator[FaultServer]:
    """Yield a server on loopback that serves nothing yet."""
    async with FaultServer() as server:
        yield server


@pytest.fixture(scope="session")
def tls_authority() -> trustme.CA:
    """Return an authority of this test run; `configure_trust(context)` makes a client believe it."""
    return trustme.CA()


@pytest.fixture
def trusting_context(tls_authority: trustme.CA) -> ssl.SSLContext:
    """Return a client's context that trusts the run's authority alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls_authority.configure_trust(context)
    return context


@pytest_asyncio.fixture
async def tls_fault_server(tls_authority: trustme.CA) -> AsyncIterator[FaultServer]:
    """Yield a server with a certificate of the run's authority for 127.0.0.1 and localhost."""
    context = server_context(tls_authority)
    async with FaultServer(tls=context) as server:
        yield server
