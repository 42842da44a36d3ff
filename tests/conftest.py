"""The floor under every test: blocking calls on the loop fail, warnings are errors, no trace stays outside tmp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from blockbuster import blockbuster_ctx

from tests.faults.fixtures import fault_server, tls_authority, tls_fault_server, trusting_context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["fault_server", "home", "no_blocking_calls", "tls_authority", "tls_fault_server", "trusting_context"]


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[None]:
    """Fail a test whose own package code blocks the event loop."""
    with blockbuster_ctx("tui_dl"):
        yield


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put every folder of the program under the test's own temporary folder."""
    folder = tmp_path / "tui-dl-home"
    monkeypatch.setenv("TUI_DL_HOME", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder
