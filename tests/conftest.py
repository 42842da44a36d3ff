"""The floor under every test: blocking calls on the loop fail, warnings are errors, no trace stays outside tmp."""

from __future__ import annotations

import gc
import re
from itertools import count
from typing import TYPE_CHECKING

import pytest
from blockbuster import BlockBuster
from hypothesis import HealthCheck, settings

from tests.faults.fixtures import fault_server, tls_authority, tls_fault_server, trusting_context

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

# No example may fail because the machine does something else meanwhile.
settings.register_profile("any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

__all__ = ["fault_server", "home", "no_blocking_calls", "tls_authority", "tls_fault_server", "trusting_context"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while tests are imported: hardly anything of it is any."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def whole_heap() -> Iterator[None]:
    """Look through everything once more at the end: what a finaliser warns of fails the last test."""
    yield
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def own_heap(whole_heap: None) -> None:
    """Collect what went before and leave the rest out of the collections during a test.

    Looking each time through all that was ever imported and kept took a quarter of the run's CPU time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def block_buster() -> BlockBuster:
    """Return what finds calls that block the event loop."""
    return BlockBuster("tui_dl")


@pytest.fixture(autouse=True)
def no_blocking_calls(block_buster: BlockBuster) -> Iterator[None]:
    """Fail a test whose own package code blocks the event loop."""
    block_buster.activate()
    yield
    block_buster.deactivate()


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Count the folders of tests."""
    return count()


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, numbers: Iterator[int]) -> Path:
    """Return an empty folder of the test's own.

    Pytest's looks through the folders of all tests before it for the next number, which takes longer with each.
    """
    name = re.sub(r"\W", "_", request.node.name)[:30]
    folder = tmp_path_factory.getbasetemp() / f"{name}{next(numbers)}"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put every folder of the program under the test's own temporary folder."""
    folder = tmp_path / "tui-dl-home"
    monkeypatch.setenv("TUI_DL_HOME", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder
