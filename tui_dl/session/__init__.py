"""The session: downloads in a process of their own, and the thin client that lends it a terminal."""

from __future__ import annotations

from typing import Final

SESSION_WORD: Final = "[session]"
"""Argument of the session's own process, seen in lists of processes; no person can mean it by accident."""
