"""Whether logging out will end the session, by what systemd's files say, and what to do about it."""

from __future__ import annotations

import pwd
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_FOLDERS: Final = ("etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd")
"""Where logind's settings are, the first of one name counts."""
_LOGIN: Final = re.compile(r"/session-[^/]+\.scope(/|$)")
"""A process that a login brought with it."""
_MANAGED: Final = re.compile(r"/user@\d+\.service(/|$)")
"""A process under the user's own systemd, which ends with the last login unless it lingers."""
_TRUE: Final = frozenset({"1", "yes", "true", "on", "y", "t"})


@dataclass(frozen=True, slots=True)
class Machine:
    """What is looked at; tests have another root."""

    user: str
    """Name of who runs the session."""
    cgroup: str
    """Its control group, as `/proc/self/cgroup` says."""
    root: Path = Path("/")
    """Of the file system."""

    @property
    def lingers(self) -> bool:
        """Whether the user's systemd outlives the logins."""
        return (self.root / "var/lib/systemd/linger" / self.user).exists()

    @property
    def kills_strays(self) -> bool:
        """Whether logind kills what a login leaves behind."""
        settings = _settings(self.root)
        if settings.get("KillUserProcesses", "no").lower() not in _TRUE:
            return False
        only, never = settings.get("KillOnlyUsers", "").split(), settings.get("KillExcludeUsers", "root").split()
        return self.user in only if only else self.user not in never


def this_machine() -> Machine | None:
    """Return what decides here; None where no systemd runs."""
    try:
        if not Path("/run/systemd/system").is_dir():
            return None
        import os  # noqa: PLC0415  # only here

        return Machine(pwd.getpwuid(os.geteuid()).pw_name, Path("/proc/self/cgroup").read_text())
    except (OSError, KeyError):
        return None


def logout_warning(machine: Machine | None) -> str:
    """Return what is to be said where logging out would end the session; empty where it would not."""
    if machine is None:
        return ""
    if _LOGIN.search(machine.cgroup) and machine.kills_strays:
        first = "" if machine.lingers else "`loginctl enable-linger` once, then "
        return (
            "Logging out ends them here (KillUserProcesses). To outlive it: `tui-dl stop`,"
            f" {first}`systemd-run --user --scope tui-dl`."
        )
    if _MANAGED.search(machine.cgroup) and not machine.lingers:
        return "Logging out for good ends them here; `loginctl enable-linger` lets them go on."
    return ""


def _settings(root: Path) -> dict[str, str]:
    """Return logind's own settings: the first main file, then all drop-ins by their names."""
    main = next((path for folder in _FOLDERS if (path := root / folder / "logind.conf").is_file()), None)
    drop_ins: dict[str, Path] = {}
    for folder in reversed(_FOLDERS):
        drop_ins |= {path.name: path for path in (root / folder / "logind.conf.d").glob("*.conf")}
    found: dict[str, str] = {}
    for path in ([main] if main else []) + [drop_ins[name] for name in sorted(drop_ins)]:
        found |= dict(_pairs(path.read_text(errors="replace").splitlines()))
    return found


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith(("#", ";")):
            yield name.strip(), value.strip()
