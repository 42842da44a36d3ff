"""Memory stays flat from one connection to a hundred, however slow the disk is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.marathon.rig import MIB, Engine, Server, require_whole
from tests.marathon.tamper import needs_strace
from tui_dl.disk.locations import locations_under

if TYPE_CHECKING:
    from pathlib import Path

MOST_GROWTH_BYTES: Final = 30 * MIB
WRITE_MS: Final = 10
"""What each write takes: a disk of at most 25 MiB/s for reads of a socket, of 100 for whole gathers."""

pytestmark = [needs_strace, pytest.mark.marathon]


class Get(Engine):
    """`tui-dl get` of all files with these options, on a slow disk."""

    def __init__(self, home: Path, urls: list[str], *options: str) -> None:
        super().__init__(home, journal=locations_under(home / "tui-dl-home").journal_file)
        self._words = [*options, *urls]

    def command(self, *words: str) -> list[str]:
        """Return the command line."""
        return [sys.executable, "-m", "tui_dl", "get", "--json", "-q", "--dir", str(self.folder), *words, *self._words]


def peak_bytes(home: Path, server: Server, *options: str) -> int:
    """Fetch everything on a slow disk and return the most memory that the process had."""
    home.mkdir()
    under = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=pwritev2"]
    under += ["-e", f"inject=pwritev2:delay_enter={WRITE_MS}000"]
    under += ["env", f"TUI_DL_HOME={home / 'tui-dl-home'}"]
    with Get(home, server.urls, *options) as get:
        assert get.run(under=under, patience_s=90) == 0, get.story
        require_whole(get.folder, server)
        peak: int = get.said("summary")[0]["peak_memory_bytes"]
        return peak


@pytest.mark.parametrize(
    ("files", "mean_mib", "options", "pace"),
    [
        pytest.param(100, 3, ("-j", "100", "-x", "1"), (), id="100 tasks"),
        pytest.param(13, 24, ("-j", "13", "-x", "8", "--per-host", "104"), ("--pace", "250000"), id="13 tasks by 8"),
        pytest.param(300, 1, ("-j", "100", "-x", "1"), (), id="small ones"),
    ],
)
def test_memory_is_flat(
    tmp_path: Path, files: int, mean_mib: int, options: tuple[str, ...], pace: tuple[str, ...]
) -> None:
    """A hundred connections take at most 30 MiB more than one on the same work."""
    (tmp_path / "server").mkdir()
    with Server(tmp_path / "server", *pace, small=files, small_bytes=mean_mib * MIB) as server:
        many = peak_bytes(tmp_path / "many", server, *options)
    with Server(tmp_path / "server", small=files, small_bytes=mean_mib * MIB) as server:
        one = peak_bytes(tmp_path / "one", server, "-j", "1", "-x", "1")
    print(  # noqa: T201  # figures to quote
        f"{files} files of {mean_mib} MiB: {one / MIB:.0f} MiB with one connection, {many / MIB:.0f} with a hundred"
    )
    assert many - one <= MOST_GROWTH_BYTES
