"""The other programs: installed where possible, with their versions, or with the reason why not."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DEBIAN_PACKAGES = {
    "curl": "curl",
    "aria2c": "aria2",
    "wget2": "wget2",
    "axel": "axel",
    "nginx": "nginx-light",
    "taskset": "util-linux",
}
"""Package by program."""
LIBRARIES = {
    "requests": "requests>=2.32",
    "pypdl": "pypdl>=1.5",
    "parfive": "parfive>=2.2",
    "img2dataset": "img2dataset>=1.45",
    "curl_cffi": "curl_cffi>=0.13",
    "httpx": "httpx[http2]>=0.28",
    "aiohttp": f"aiohttp=={importlib.metadata.version('aiohttp')}",
    "uvloop": f"uvloop=={importlib.metadata.version('uvloop')}",
    "py-spy": "py-spy>=0.4",
}
"""Requirement by library; the client of our own engine in the very version we use."""
VERSION = re.compile(r"\d+(\.\d+)+")


def cache_folder() -> Path:
    """Return the folder that keeps the peers between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tui-dl-benchmarks"


@dataclass
class Peers:
    """Who is there."""

    python: Path
    """Interpreter that has the libraries."""
    versions: dict[str, str] = field(default_factory=dict)
    """Version by program and library."""
    absences: dict[str, str] = field(default_factory=dict)
    """Why one is missing."""

    def absence(self, name: str) -> str:
        """Return why a peer cannot run; empty if it can."""
        return "" if name in self.versions else self.absences.get(name, "not installed")

    def lines(self) -> list[str]:
        """Return one line a peer."""
        present = [f"{name} {version}" for name, version in self.versions.items()]
        return [*present, *(f"{name}: {reason}" for name, reason in self.absences.items())]


def gather_peers(cache: Path, libraries: Iterable[str], *, may_install: bool) -> Peers:
    """Install what is missing if allowed; return who is there. Libraries are those that the rows asked for need."""
    python = cache / "venv" / "bin" / "python"
    peers = Peers(python, {"python": ".".join(map(str, sys.version_info[:3]))})
    _gather_programs(peers, may_install=may_install)
    wanted = list(libraries)
    if wanted and may_install and not python.exists():
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(cache / "venv")], check=True)
    for name in wanted:
        _gather_library(peers, name, may_install=may_install)
    return peers


def _gather_programs(peers: Peers, *, may_install: bool) -> None:
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    missing = [name for name in DEBIAN_PACKAGES if shutil.which(name, path=path) is None]
    reason = "not installed"
    if missing and may_install:
        reason = _install_packages([DEBIAN_PACKAGES[name] for name in missing])
    for name, package in DEBIAN_PACKAGES.items():
        program = shutil.which(name, path=path)
        if program is None:
            peers.absences[name] = f"{reason} (Debian: apt-get install {package})"
        else:
            peers.versions[name] = _version([program, "-v" if name == "nginx" else "--version"])


def _install_packages(packages: list[str]) -> str:
    """Return why it failed; empty if it did not."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return "not installed, and only root may install it"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-qy", "--no-install-recommends", *packages]):
        done = subprocess.run([apt, *arguments], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"apt-get {arguments[0]} failed: {_last_line(done.stderr)}"
    return "not installed"


def _gather_library(peers: Peers, name: str, *, may_install: bool) -> None:
    version = _library_version(peers.python, name)
    reason = "not installed"
    if not version and may_install and peers.python.exists():
        pip = [str(peers.python), "-m", "pip", "install", "-q", "--disable-pip-version-check", LIBRARIES[name]]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = f"pip could not install it: {_last_line(done.stderr)}"
        version = _library_version(peers.python, name)
    if version:
        peers.versions[name] = version
    else:
        peers.absences[name] = reason


def _library_version(python: Path, name: str) -> str:
    if not python.exists():
        return ""
    program = f"import importlib.metadata as m; print(m.version({name!r}))"
    done = subprocess.run([str(python), "-c", program], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = VERSION.search(done.stdout + done.stderr)
    return found[0] if found else "of unknown version"


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2][:160]
