"""Whether logging out would end the session is told from systemd's own files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tui_dl.session.logout import Machine, logout_warning
from tui_dl.session.partings import parting_lines

if TYPE_CHECKING:
    from pathlib import Path

LOGIN = "0::/user.slice/user-1000.slice/session-3.scope\n"
MANAGED = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-u7.scope\n"


@pytest.mark.parametrize(
    ("cgroup", "files", "lingers", "word"),
    [
        (LOGIN, {}, False, ""),
        (LOGIN, {"etc/systemd/logind.conf": "[Login]\n#KillUserProcesses=yes\n"}, False, ""),
        (LOGIN, {"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\n"}, False, "enable-linger` once, then"),
        (LOGIN, {"etc/systemd/logind.conf": "KillUserProcesses = 1"}, True, "systemd-run --user --scope tui-dl"),
        (LOGIN, {"usr/lib/systemd/logind.conf.d/9.conf": "KillUserProcesses=yes"}, False, "KillUserProcesses"),
        (
            LOGIN,
            {
                "usr/lib/systemd/logind.conf.d/9.conf": "KillUserProcesses=yes",
                "etc/systemd/logind.conf.d/9.conf": "KillUserProcesses=no",
            },
            False,
            "",
        ),
        (LOGIN, {"etc/systemd/logind.conf": "KillUserProcesses=yes\nKillExcludeUsers=root me"}, False, ""),
        (LOGIN, {"etc/systemd/logind.conf": "KillUserProcesses=yes\nKillOnlyUsers=you"}, False, ""),
        (MANAGED, {}, True, ""),
        (MANAGED, {}, False, "enable-linger` lets them go on"),
        ("0::/system.slice/ssh.service\n", {"etc/systemd/logind.conf": "KillUserProcesses=yes"}, False, ""),
    ],
)
def test_who_is_ended_by_a_logout_is_told(
    tmp_path: Path, cgroup: str, files: dict[str, str], lingers: bool, word: str
) -> None:
    """Only a process that the login brought or the user's own systemd runs, and only where nothing keeps it."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    if lingers:
        (tmp_path / "var/lib/systemd/linger").mkdir(parents=True)
        (tmp_path / "var/lib/systemd/linger/me").touch()
    warning = logout_warning(Machine("me", cgroup, tmp_path))
    assert word in warning
    assert bool(warning) is bool(word)
    assert parting_lines(2, 2, is_taken_over=False, warning=warning)[1:] == ([warning] if word else [])


def test_without_systemd_there_is_nothing_to_say() -> None:
    """Containers and other systems."""
    assert logout_warning(None) == ""
