"""Tests of several connections once more: over HTTP/2 each is a stream."""

from __future__ import annotations

import pytest

pytest.importorskip("curl_cffi", reason="the extra `http2` is not installed")

from tests.engine import test_connections
from tests.engine.over_http2 import chosen, fault_server, over_http2, server, settings

__all__ = ["fault_server", "over_http2", "server", "settings"]

globals().update(
    chosen(
        test_connections,
        "test_connections_grow_while_it_gets_faster",
        "test_a_refused_extra_connection_never_fails_the_task",
        "test_a_change_while_several_connections_work_starts_over",
        "test_every_further_range_carries_the_validator",
    )
)
