"""`tui-dl doctor`: what of this system is as it should be, and the way out where it is not."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tui_dl.cli.log import logging_to
from tui_dl.cli.options import PlainCommand, log_options
from tui_dl.cli.settings_file import effective_settings
from tui_dl.cli.ways import ways_of
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.disk.locations import find_locations
from tui_dl.media.library import (
    Lack,
    install_command,
    installed_version,
    lack_of_ffmpeg,
    lack_of_javascript,
    lack_of_youth,
    runtime_of_javascript,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

    from tui_dl.disk.locations import Locations

FLOORS: Final = {
    "aiohttp": (3, 14, 5),
    "textual": (8, 2, 8),
    "aiofiles": (24, 1),
    "platformdirs": (4, 3),
    "click": (8, 2),
}
"""Lowest versions that this program was tried with; aiohttp's has security reasons."""
PYTHON_FLOOR: Final = (3, 11)
FREE_BYTES_FLOOR: Final = 512 * 1024 * 1024
OPEN_FILES_FLOOR: Final = 1024
_SQLITE_HEADER: Final = b"SQLite format 3\0"


class Verdict(StrEnum):
    """How a check ended."""

    GOOD = "ok"
    WEAK = "note"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    subject: str
    """What was looked at."""
    verdict: Verdict
    """How it is."""
    text: str
    """What was found."""
    way_out: str = ""
    """What to do; empty where nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the checks look at."""

    locations: Locations
    """Folders of the program."""
    environment: Mapping[str, str]
    """Variables."""
    folder: Path
    """Where the command was typed."""
    is_terminal: bool
    """Whether standard error is a terminal."""
    encoding: str
    """Encoding of standard output."""


@click.command(cls=PlainCommand)
@log_options
def doctor(log_file: str | None, verbose: int) -> int:
    """Check this system and say what to do where something is wrong."""
    around = Surroundings(
        locations=find_locations(os.environ),
        environment=os.environ,
        folder=Path.cwd(),
        is_terminal=sys.stderr.isatty(),
        encoding=sys.stdout.encoding or "ascii",
    )
    is_broken = False
    with logging_to(log_file, verbose):
        for finding in findings(around):
            is_broken = is_broken or finding.verdict is Verdict.BROKEN
            click.echo(display_text(f"{finding.verdict:<7}{finding.subject}: {finding.text}"))
            if finding.way_out:
                click.echo(display_text(f"       {finding.way_out}"))
    return 1 if is_broken else 0


def findings(around: Surroundings) -> Iterator[Finding]:
    """Yield what every check found, in the order in which a person would fix it."""
    for check in CHECKS:
        yield from check(around)


def check_python(_around: Surroundings) -> Iterator[Finding]:
    """Look at the interpreter."""
    is_right = sys.version_info >= PYTHON_FLOOR
    way_out = "" if is_right else "Install Python 3.11 or newer."
    text = f"{platform.python_version()} on {platform.system()} {platform.release()}"
    yield Finding("Python", Verdict.GOOD if is_right else Verdict.BROKEN, text, way_out)


def check_dependencies(_around: Surroundings) -> Iterator[Finding]:
    """Look at the libraries' versions."""
    for name, floor in FLOORS.items():
        yield judge_version(name, _installed(name), floor)
    found = _installed("uvloop")
    if found:
        yield Finding("uvloop", Verdict.GOOD, found)
    else:
        yield Finding("uvloop", Verdict.WEAK, "not installed", "It works without, a little slower; pip install uvloop.")


def judge_version(name: str, found: str, floor: tuple[int, ...]) -> Finding:
    """Return the finding for a library of this version; empty means that it is not installed."""
    needed = ".".join(map(str, floor))
    if found and version_numbers(found) >= floor:
        return Finding(name, Verdict.GOOD, found)
    text = f"{found} is older than {needed}" if found else "not installed"
    return Finding(name, Verdict.BROKEN, text, f"pip install '{name}>={needed}' in the same environment.")


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with."""
    numbers: list[int] = []
    for part in version.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def check_settings(around: Surroundings) -> Iterator[Finding]:
    """Look at file and environment."""
    file = around.locations.config_file
    try:
        effective_settings(file, around.environment, {})
    except UsageError as error:
        yield Finding(
            "settings", Verdict.BROKEN, error.message, "Put it right; `tui-dl config show` names all settings."
        )
    else:
        yield Finding("settings", Verdict.GOOD, str(file) if file.exists() else f"{file} is not there; defaults hold")


def check_ways(around: Surroundings) -> Iterator[Finding]:
    """Look whether the proxies, files and extras of the settings can be used, as a download would."""
    try:
        settings = effective_settings(around.locations.config_file, around.environment, {}).settings
    except UsageError:  # said by the check before
        return
    try:
        options = ways_of(settings, around.environment)
    except UsageError as error:
        yield Finding("ways", Verdict.BROKEN, error.message, "Put it right: every download would be refused.")
        return
    proxies = ", ".join(one.authority for one in options.proxies.proxies)
    yield Finding("ways", Verdict.GOOD, f"through {proxies}" if proxies else "no proxy")
    if settings.insecure:
        yield Finding("certificates", Verdict.WEAK, "are not checked (insecure)", "Use ca_certificate instead.")


def check_terminal(around: Surroundings) -> Iterator[Finding]:
    """Look at what the terminal says of itself."""
    term = around.environment.get("TERM", "")
    if not around.is_terminal:
        yield Finding(
            "terminal", Verdict.WEAK, "standard error is none", "The screen needs one; `tui-dl get` does not."
        )
    elif term in ("", "dumb"):
        yield Finding(
            "terminal", Verdict.BROKEN, f"TERM is {term!r}", "Set TERM (xterm-256color suits most), or use get."
        )
    else:
        yield Finding("terminal", Verdict.GOOD, term)
    yield Finding("colours", Verdict.GOOD, colours(around.environment))
    if around.encoding.lower().replace("-", "") == "utf8":
        yield Finding("text", Verdict.GOOD, "UTF-8")
    else:
        way_out = "Set LANG=C.UTF-8 for names in other letters and finer bars; ASCII works."
        yield Finding("text", Verdict.WEAK, around.encoding, way_out)


def colours(environment: Mapping[str, str]) -> str:
    """Return how many colours the terminal claims, in words."""
    if environment.get("NO_COLOR"):
        return "none, as NO_COLOR asks"
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "16 million"
    return "256" if "256" in environment.get("TERM", "") else "16"


def check_folders(around: Surroundings) -> Iterator[Finding]:
    """Look whether every folder can be written, and whether there is room."""
    places = around.locations
    for subject, folder in (
        ("config folder", places.config),
        ("data folder", places.data),
        ("state folder", places.state),
        ("runtime folder", places.runtime),
        ("this folder", around.folder),
    ):
        yield _judge_folder(subject, folder)
    free = shutil.disk_usage(around.folder).free
    is_enough = free >= FREE_BYTES_FLOOR
    way_out = "" if is_enough else "Make room, or choose another folder with --dir."
    yield Finding("free space here", Verdict.GOOD if is_enough else Verdict.WEAK, f"{free / 2**30:.1f} GiB", way_out)


def _judge_folder(subject: str, folder: Path) -> Finding:
    # Nothing is made: a folder that is not there yet can be written if its nearest ancestor can.
    nearest = next(one for one in (folder, *folder.parents) if one.exists() or one == one.parent)
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return Finding(subject, Verdict.GOOD, str(folder))
    what = "is not a folder" if not nearest.is_dir() else "cannot be written"
    return Finding(subject, Verdict.BROKEN, f"{nearest} {what}", "Change its rights, or set TUI_DL_HOME elsewhere.")


def check_open_files(_around: Surroundings) -> Iterator[Finding]:
    """Look at how many files and connections a process may hold."""
    try:
        import resource  # noqa: PLC0415  # POSIX alone has it
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_enough = soft == resource.RLIM_INFINITY or soft >= OPEN_FILES_FLOOR
    way_out = "" if is_enough else f"Run `ulimit -n {OPEN_FILES_FLOOR}` first (the system allows {hard})."
    yield Finding("open files", Verdict.GOOD if is_enough else Verdict.WEAK, f"{soft} at most", way_out)


def check_journal(around: Surroundings) -> Iterator[Finding]:
    """Look whether the journal can be read; nothing is changed."""
    file = around.locations.journal_file
    if not file.exists():
        yield Finding("journal", Verdict.GOOD, f"{file} is not there yet")
        return
    try:
        problem = _journal_problem(file)
    except (OSError, sqlite3.Error) as error:
        problem = str(error)
    if problem:
        way_out = "The next start moves it aside and keeps what can be read; part files stay."
        yield Finding("journal", Verdict.BROKEN, f"{file}: {problem}", way_out)
    else:
        yield Finding("journal", Verdict.GOOD, str(file))


def check_session(around: Surroundings) -> Iterator[Finding]:
    """Look whether a background session lives, and whether a logout would end it."""
    if sys.platform == "win32":
        return
    from tui_dl.cli.doctor_session import session_words  # noqa: PLC0415  # no such thing on Windows

    text, way_out, is_well = session_words(around.locations)
    verdict = Verdict.BROKEN if not is_well else Verdict.WEAK if way_out else Verdict.GOOD
    yield Finding("session", verdict, text, way_out)


def _journal_problem(file: Path) -> str:
    with file.open("rb") as opened:
        header = opened.read(len(_SQLITE_HEADER))
    if header and header != _SQLITE_HEADER:
        return "it is not a database"
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=1.0)) as journal:
        said = journal.execute("PRAGMA quick_check(1)").fetchone()
    return "" if said == ("ok",) else str(said[0] if said else "no answer")


def check_media(_around: Surroundings) -> Iterator[Finding]:
    """Look at what media need: yt-dlp, ffmpeg, and what runs the JavaScript of some sites."""
    found = installed_version()
    if not found:
        yield Finding("yt-dlp", Verdict.WEAK, "not installed; media sites need it", f"{install_command()}")
        return
    yield judge_age(found, datetime.now(UTC).date())
    lack = lack_of_ffmpeg()
    yield Finding("ffmpeg", Verdict.GOOD, "there") if lack is None else _weak(lack)
    lack = lack_of_javascript()
    yield Finding("JavaScript", Verdict.GOOD, runtime_of_javascript()) if lack is None else _weak(lack)


def _weak(lack: Lack) -> Finding:
    return Finding(lack.subject, Verdict.WEAK, lack.text, lack.way_out)


def judge_age(version: str, today: date) -> Finding:
    """Return the finding for a version of yt-dlp."""
    lack = lack_of_youth(version, today)
    return Finding("yt-dlp", Verdict.GOOD, version) if lack is None else _weak(lack)


CHECKS: Final[tuple[Callable[[Surroundings], Iterator[Finding]], ...]] = (
    check_python,
    check_dependencies,
    check_media,
    check_settings,
    check_ways,
    check_terminal,
    check_folders,
    check_open_files,
    check_journal,
    check_session,
)
"""All checks, in order."""
