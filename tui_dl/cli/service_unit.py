"""The systemd user unit that keeps a session from boot on: its text, its place, and how it is known as ours."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import UsageError
from tui_dl.disk.locations import HOME_VARIABLE
from tui_dl.session import SESSION_WORD

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "tui-dl.service"
MARK: Final = "# Made by `tui-dl service install`, and taken away by `tui-dl service remove`."
"""First line of a unit that is ours to replace and to remove."""
PASSED_ON: Final = (HOME_VARIABLE, "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
"""Variables that say where queue and settings are; the unit has those that are set."""
_UNIT: Final = """{mark}
[Unit]
Description=tui-dl: downloads that go on without a terminal
Documentation=man:systemd.service(5)
After=network.target

[Service]
Type=exec
{environment}WorkingDirectory=/
# A session that somebody started by hand gives way: everything is durable, and goes on in this one.
ExecStartPre=-{program} stop
ExecStart={program} {word}
StandardInput=data
StandardInputText={wish}
ExecStop={program} stop
TimeoutStopSec=90
Restart=on-failure
RestartSec=5

[Install]
WantedBy=default.target
"""


def unit_file(environment: Mapping[str, str]) -> Path:
    """Return where the unit is, whether or not it is there."""
    config = environment.get("XDG_CONFIG_HOME") or ""
    folder = Path(config) if config.startswith("/") else Path.home() / ".config"
    return folder / "systemd" / "user" / NAME


def unit_text(environment: Mapping[str, str], python: str = sys.executable) -> str:
    """Return the unit for the program that runs now."""
    set_ones = [(name, environment[name]) for name in PASSED_ON if environment.get(name)]
    lines = "".join(f"Environment={quoted(f'{name}={text}')}\n" for name, text in set_ones)
    return _UNIT.format(
        mark=MARK,
        environment=lines,
        program=f"{quoted(python, is_command=True)} -P -m tui_dl",
        word=quoted(SESSION_WORD, is_command=True),
        wish=json.dumps({"must_stay": True, "is_forced": True}).replace("%", "%%"),
    )


def quoted(word: str, *, is_command: bool = False) -> str:
    """Return a word as systemd.syntax(7) reads it back; raises `UsageError` where it cannot be written."""
    if any(char in word for char in "\n\r\0"):
        raise UsageError("a path with a line end in it cannot stand in a unit")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped.replace("$", "$$")}"' if is_command else f'"{escaped}"'


def is_ours(file: Path) -> bool | None:
    """Whether a unit that is there was made by us; None where none is."""
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return lines.readline().rstrip("\n") == MARK
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None


def write_unit(file: Path, text: str) -> None:
    """Write the unit whole or not at all; raises `UsageError`."""
    new = file.with_name(f"{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
        os.replace(new, file)  # noqa: PTH105  # as is usual
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from None
