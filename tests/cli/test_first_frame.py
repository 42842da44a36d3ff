"""What a start of the screen does before its first frame; the time is measured by `tests.benchmarks.screen`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import tui_dl

ROOT: Final = Path(tui_dl.__file__).parent.parent
LATER: Final = (
    *("aiohttp", "yt_dlp", "uvloop", "xml.etree.ElementTree", "tui_dl.engine", "tui_dl.demo"),
    *("tui_dl.core.metalink", "tui_dl.core.curl_command", "tui_dl.core.url_globs", "tui_dl.cli.lists"),
    *("tui_dl.core.host_tables", "tui_dl.core.proxies", "tui_dl.core.identity"),
)
"""What the engine, or an order with addresses, needs and the first frame of a queue does not."""
NOT_EVEN: Final = (*LATER, "click", "tui_dl.cli.order", "tui_dl.cli.compose", "logging.handlers")
"""What reads a command line, which is nothing where `--foreground` stands alone."""
STARTED: Final = """
import os, sys
import tui_dl.cli.screen

def first_frame(work):
    work.close()
    import tui_dl.journal.first_page, tui_dl.ui.app, tui_dl.ui.terminal.driver
    print([name for name in {names} if name in sys.modules])
    return 0

tui_dl.cli.screen.run_screen_loop = first_frame
{start}
"""
ORDINARY_WAY: Final = 'from tui_dl.cli.main import run; sys.stdin.close(); run(["--foreground"])'
QUICK_WAY: Final = "from tui_dl.cli import at_once; at_once._is_terminal = lambda: True; at_once.show_at_once()"


def python(tmp_path: Path, code: str) -> str:
    """Return what a program prints."""
    environment = {"PYTHONPATH": str(ROOT), "TUI_DL_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(("start", "names"), [(ORDINARY_WAY, LATER), (QUICK_WAY, NOT_EVEN)])
def test_the_first_frame_waits_for_nothing_that_it_does_not_show(
    tmp_path: Path, start: str, names: tuple[str, ...]
) -> None:
    """DESIGN 8: first paint before the engine; nor does it wait for what reads addresses where there are none."""
    assert python(tmp_path, STARTED.format(names=names, start=start)) == "[]"


def test_a_start_looks_for_no_garbage_in_what_it_imports(tmp_path: Path) -> None:
    """Collections on the way to the first frame were 40 ms of it, and what they look through stays."""
    code = (
        "import gc, sys, typing; found = []; gc.collect();"
        "gc.callbacks.append(lambda phase, about: found.append(about['generation']));"
        "sys.argv = ['tui-dl', '--version']; import tui_dl.__main__ as start\n"
        "try: start.main()\nexcept SystemExit: print(len(found))"
    )
    python(tmp_path, code)  # the first start after an installation compiles, which is work of its own
    assert python(tmp_path, code).splitlines()[-1] == "0"
