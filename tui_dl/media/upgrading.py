"""yt-dlp brought up to date where it lies, by whatever installed it; its own updater knows its own builds alone."""

from __future__ import annotations

import optparse
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib import invalidate_caches, metadata
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import UsageError
from tui_dl.media.library import PACKAGE, installed_version

if TYPE_CHECKING:
    from collections.abc import Sequence

REQUIREMENT: Final = f"{PACKAGE}[default]"
FAILED: Final = 100
"""yt-dlp's exit code for an update that did not come off."""
_TAG: Final = re.compile(r"\d{4}\.\d{1,2}\.\d{1,2}(\.\d+)?")
_MAY_BE: Final = re.compile(r"--up|-[^-]*U")
"""What a word begins with that may ask for an update: the option, its beginning, or a letter among others."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command line asks for."""

    target: str
    """`CHANNEL`, `CHANNEL@TAG` or `TAG`, as `--update-to` takes it."""
    has_more: bool
    """Whether something is to be downloaded afterwards."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where this program lies."""

    prefix: Path
    """Folder of its environment."""
    executable: str
    """Its interpreter."""
    is_environment: bool
    """Whether that is an environment of its own and not the system's."""


def wish_of(arguments: Sequence[str]) -> Wish | None:
    """Return what yt-dlp's arguments ask for, None for no update; their faults are left for yt-dlp to tell."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if not any(_MAY_BE.match(one) for one in own):
        return None
    from yt_dlp.options import create_parser  # noqa: PLC0415  # nearly nobody asks

    parser = create_parser()
    try:
        options, urls = parser.parse_args(list(arguments))
    except (optparse.OptParseError, ValueError):
        return None
    if not options.update_self:
        return None
    return Wish(str(options.update_self), bool(urls or options.batchfile or options.load_info_filename))


def requirement_of(target: str) -> tuple[str, bool]:
    """Return what is to be installed, and whether versions before a release are meant. Raises `UsageError`."""
    channel, has_tag, tag = target.partition("@")
    if not has_tag and _TAG.fullmatch(channel):
        channel, tag = "stable", channel
    tag = "" if tag == "latest" else tag
    is_nightly = channel == "nightly"
    if channel not in ("", "stable", "nightly") or (tag and not _TAG.fullmatch(tag)):
        raise UsageError(
            f"--update-to {target}: the package index has the channels stable and nightly and their versions "
            f"(stable@2026.10.26); for others: pip install '{REQUIREMENT} @ ADDRESS' in the same environment"
        )
    version = f"=={tag}{'.dev0' if is_nightly else ''}" if tag else ""
    return f"{REQUIREMENT}{version}", is_nightly


def installing_words(around: Surroundings, requirement: str, *, is_nightly: bool) -> tuple[str, ...]:
    """Return the command that installs a requirement beside this program. Raises `UsageError` where others must."""
    installer = installer_of()
    if not around.is_environment and (installer not in ("pip", "uv") or is_managed(around)):
        raise UsageError(f"{PACKAGE} belongs to your system's packages: use those to update it")
    early = ("--pre",) if is_nightly else ()
    parts = PurePath(around.prefix).parts
    if "pipx" in parts and shutil.which("pipx"):
        return ("pipx", "runpip", parts[-1], "install", "-U", *early, requirement)
    is_of_uv = installer == "uv" or (around.prefix / "uv-receipt.toml").exists()
    if is_of_uv and shutil.which("uv"):
        uv_early = ("--prerelease", "allow") if is_nightly else ()
        return ("uv", "pip", "install", "--python", around.executable, "-U", *uv_early, requirement)
    return (around.executable, "-P", "-m", "pip", "install", "-q", "-U", *early, requirement)


def installer_of() -> str:
    """Return what installed yt-dlp, as it says itself; empty where nothing is said."""
    try:
        return (metadata.distribution(PACKAGE).read_text("INSTALLER") or "").strip()
    except metadata.PackageNotFoundError:
        return ""


def is_managed(around: Surroundings) -> bool:
    """Whether the system keeps its packages from being changed by others (PEP 668)."""
    folder = sysconfig.get_path("stdlib", vars={"base": str(around.prefix)})
    return (Path(folder) / "EXTERNALLY-MANAGED").exists()


def this_place() -> Surroundings:
    """Return where this program lies."""
    return Surroundings(Path(sys.prefix), sys.executable, sys.prefix != sys.base_prefix)


def upgrade(target: str, around: Surroundings) -> int:
    """Install what is asked for and say what came of it; return an exit code. Raises `UsageError`."""
    requirement, is_nightly = requirement_of(target)
    words = installing_words(around, requirement, is_nightly=is_nightly)
    before = installed_version()
    sys.stdout.write(f"Updating {PACKAGE} {before}: {shlex.join(words)}\n")
    sys.stdout.flush()
    try:
        code = subprocess.run(words, stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603  # made above
    except OSError as error:
        code = 1
        sys.stderr.write(f"{words[0]}: {error.strerror}\n")
    if code:
        sys.stderr.write(f"ERROR: {PACKAGE} was not updated; the command above ended with {code}\n")
        return FAILED
    invalidate_caches()
    after = installed_version()
    is_same = after == before
    sys.stdout.write(f"{PACKAGE} is up to date ({after})\n" if is_same else f"Updated {PACKAGE} to {after}\n")
    return 0
