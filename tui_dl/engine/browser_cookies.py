"""The cookies of a browser, read by a program of their own, since only media know yt-dlp, and it takes its time.

They are read once, when the engine starts: no request goes without them, and what the browser gets later is not seen.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

logger = logging.getLogger(__name__)

PATIENCE_S: Final = 120.0
"""How long it may take: a person may have to unlock a keyring meanwhile."""
_PROGRAM: Final = "tui_dl.media.browser_child"
_SHOWN_CELLS: Final = 120
_LONGEST_WORDS: Final = 600


class BrowserReading:
    """One reading, in a thread; ended from another one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ended = False

    def lines(self, wanted: str) -> list[str]:
        """Return cookies as lines of a Netscape file. Never on the loop; raises `UsageError` that names the browser."""
        shown = f"--cookies-from-browser {display_text(wanted, _SHOWN_CELLS)}"
        answer = self._answer(wanted, shown)
        if (error := answer.get("error")) is not None:
            raise UsageError(f"{shown}: {display_text(str(error), _LONGEST_WORDS)}")
        if unreadable := answer.get("unreadable"):
            logger.warning("%s: %s cookies could not be decrypted and are not sent", shown, unreadable)
        return [str(line) for line in answer["lines"]]

    def _answer(self, wanted: str, shown: str) -> dict[str, Any]:
        try:
            with self._start() as process:
                try:
                    said = process.communicate(wanted.encode("utf-8", "surrogateescape"), PATIENCE_S)[0]
                finally:
                    self.end()
            return dict(json.loads(said))
        except subprocess.TimeoutExpired:
            text = f"no cookies within {PATIENCE_S:.0f} s; does a keyring wait to be unlocked?"
            raise UsageError(f"{shown}: {text}") from None
        except (OSError, ValueError):
            raise UsageError(f"{shown}: the program that reads them has ended without an answer") from None

    def _start(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._is_ended:
                raise OSError("it is not wanted any more")
            # -P: what was downloaded into this folder must not be imported.
            self._process = subprocess.Popen(  # noqa: S603  # this program
                [sys.executable, "-P", "-m", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            return self._process

    def end(self) -> None:
        """End it with all that it has started; `lines()` then raises `UsageError`, unless it is through."""
        with self._lock:
            self._is_ended = True
            if self._process is not None and self._process.returncode is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
