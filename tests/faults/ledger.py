"""The books of a server that may be killed: a counter in mapped memory and one line a request."""

from __future__ import annotations

import json
import mmap
import os
import struct
import time
from typing import TYPE_CHECKING, Self

from tests.faults.rfc9110 import asked_range

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from tests.faults.server import RequestLog

_COUNTER = struct.Struct("<Q")


class Ledger:
    """Counts body bytes where a SIGKILL loses none, and appends a JSON line for every finished request.

    The counter file holds eight bytes, little-endian, and goes on counting where an earlier process stopped. It is
    mapped and shared, so the kernel has each addition at once; a power cut may lose it.
    """

    def __init__(self, log: Path, counter: Path) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        file = os.open(counter, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.ftruncate(file, _COUNTER.size)
            self._map = mmap.mmap(file, _COUNTER.size)
        finally:
            os.close(file)
        self._total: int = _COUNTER.unpack_from(self._map)[0]

    def __enter__(self) -> Self:
        """Return the open ledger."""
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close both files."""
        os.close(self._log)
        self._map.close()

    def add(self, size_bytes: int) -> None:
        """Count body bytes that are about to be sent."""
        self._total += size_bytes
        _COUNTER.pack_into(self._map, 0, self._total)

    def finish_with(self, length_of: Callable[[str], int | None]) -> Callable[[RequestLog], None]:
        """Return what writes a request's line; `length_of` tells a path's length, None where nothing is served."""

        def finish(log: RequestLog) -> None:
            span = asked_range(log.range_asked, length_of(log.path) or 0)
            line = {
                "path": log.path,
                "method": log.method,
                "range": log.range_asked,
                "start": span[0] if span else 0,
                "end": span[1] if span else length_of(log.path),
                "if_range": log.headers.get("if-range"),
                "status": log.status,
                "sent_bytes": log.sent_bytes,
                "connection": log.connection_id,
                "finish": log.finish.name,
                "duration_s": round((log.ended_at or log.started_at) - log.started_at, 6),
                "at": round(time.time(), 3),
                "pid": os.getpid(),
            }
            os.write(self._log, json.dumps(line).encode() + b"\n")

        return finish


def read_counter(counter: Path) -> int:
    """Return the bytes counted so far, also while the server runs or after it was killed."""
    octets = counter.read_bytes() if counter.exists() else b""
    total: int = _COUNTER.unpack(octets)[0] if len(octets) == _COUNTER.size else 0
    return total


def read_log(log: Path) -> list[dict[str, object]]:
    """Return the lines written so far."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
