"""How many transfers the engine made and how many were left to yt-dlp, so that none falls back in silence."""

from __future__ import annotations

import threading
from collections import Counter


class TransferCounts:
    """Counters that all lanes share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: Counter[str] = Counter()
        self._native: Counter[str] = Counter()

    def note_engine(self, kind: str) -> None:
        """Count a transfer by the engine: `file` or `fragments`."""
        with self._lock:
            self._engine[kind] += 1

    def note_native(self, why: str) -> None:
        """Count a transfer that was left to yt-dlp, or given back to it."""
        with self._lock:
            self._native[why] += 1

    @property
    def engine(self) -> dict[str, int]:
        """Transfers by the engine, by kind."""
        with self._lock:
            return dict(self._engine)

    @property
    def native(self) -> dict[str, int]:
        """Transfers by yt-dlp, by reason."""
        with self._lock:
            return dict(self._native)
