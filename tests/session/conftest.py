"""Fixtures of the session's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from tests.session.rpc_stage import Rpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest_asyncio.fixture
async def rpc(tmp_path: Path) -> AsyncIterator[Rpc]:
    """Yield a served engine."""
    async with Rpc(tmp_path) as stage:
        yield stage
