"""The pauses between downloads that yt-dlp's options ask for, kept over all lanes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TAKEN = ("sleep_interval", "max_sleep_interval", "sleep_interval_subtitles")
"""Parameters that are taken from yt-dlp's hand: its own sleep knows nothing of other workers, and cannot be ended."""


class Sleeps:
    """Taken out of yt-dlp's parameters once."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        """Held by the lane that sleeps: the downloads behind it begin one pause later."""
        self._files = (0.0, 0.0)
        self._subtitles = 0.0

    def take_over(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters without the pauses, which are kept here from now on."""
        least = float(params.get("sleep_interval") or 0)
        self._files = (least, float(params.get("max_sleep_interval") or least))
        self._subtitles = float(params.get("sleep_interval_subtitles") or 0)
        return {key: value for key, value in params.items() if key not in TAKEN}

    def interval(self, *, is_subtitle: bool) -> tuple[float, float]:
        """Return the shortest and the longest pause before a download."""
        return (self._subtitles, self._subtitles) if is_subtitle else self._files
