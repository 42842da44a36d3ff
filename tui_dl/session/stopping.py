"""Ending a session from outside, and knowing when it has ended."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import NetworkError, Reason
from tui_dl.session.lock import held_by
from tui_dl.session.protocol import PROTOCOL, Word

if TYPE_CHECKING:
    from pathlib import Path

    from tui_dl.session.reaching import Line

CHECKPOINTS_S: Final = 60.0
"""How long the last checkpoints may take: a slow disk with much unwritten."""
TRY_EVERY_S: Final = 0.01


def stop_session(line: Line, lock_file: Path, *, version: str) -> list[str]:
    """End the session behind a connection; return what it says last, when its lock is free.

    Raises `NetworkError` where it does not end.
    """
    with suppress(OSError):  # it may end just now
        line.say({"want": "stop", "protocol": PROTOCOL, "version": version})
    lines: list[str] = []
    while (message := line.answer(CHECKPOINTS_S)) is not None:
        if message.get("word") == Word.LEFT:
            lines = [str(one) for one in message.get("lines", ())]
            break
    line.close()
    ends_at = time.monotonic() + CHECKPOINTS_S
    while held_by(lock_file) is not False:
        if time.monotonic() > ends_at:
            raise NetworkError(Reason.SESSION_FAILED, "the session does not end; its log says what it waits for")
        time.sleep(TRY_EVERY_S)
    return lines or ["The session has ended."]
