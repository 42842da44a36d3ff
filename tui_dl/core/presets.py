"""Presets: settings that go together, under one name."""

from __future__ import annotations

from typing import Any, Final

PRESETS: Final[dict[str, dict[str, Any]]] = {
    "production": {
        "concurrent_downloads": 50,
        "delay_ms": 100,
        "timeout": 10.0,
        "connect_timeout": 5.0,
        "max_retries": 3,
        "chunk_size": 8192,
    },
    "conservative": {
        "concurrent_downloads": 20,
        "delay_ms": 200,
        "timeout": 15.0,
        "connect_timeout": 5.0,
        "max_retries": 3,
        "chunk_size": 8192,
    },
    "aggressive": {
        "concurrent_downloads": 100,
        "delay_ms": 50,
        "timeout": 10.0,
        "connect_timeout": 3.0,
        "max_retries": 2,
        "chunk_size": 16384,
    },
}
