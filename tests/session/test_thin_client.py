"""The client is thin: what it needs is the standard library, and little of that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import tui_dl

ROOT: Final = Path(tui_dl.__file__).parent.parent
HEAVY: Final = (
    *("aiohttp", "asyncio", "click", "textual", "rich", "uvloop", "sqlite3", "http.client", "subprocess"),
    *("tui_dl.engine", "tui_dl.journal", "tui_dl.core.settings", "tui_dl.cli.main", "tui_dl.ui.app"),
)
CODE: Final = f"""
import sys
import tui_dl.__main__
from tui_dl.cli import at_once, attaching
import tui_dl.session.client, tui_dl.ui.terminal.grant, tui_dl.disk.locations
print([name for name in {HEAVY} if name in sys.modules])
"""


def test_attaching_imports_neither_engine_nor_toolkit() -> None:
    """DESIGN 7: aiohttp alone would cost 110 ms; the way to the screen of a session that lives is 50."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
