"""Where the program keeps its things: four folders, or all of them under `TUI_DL_HOME`."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME_VARIABLE: Final = "TUI_DL_HOME"
_APP: Final = "tui-dl"


@dataclass(frozen=True, slots=True)
class Locations:
    """The folders of one person; none is made before something is written there."""

    config: Path
    """Folder of `config.toml`."""
    data: Path
    """Folder of the journal."""
    state: Path
    """Folder of logs."""
    runtime: Path
    """Folder of lock files and sockets; empty after a reboot."""

    @property
    def config_file(self) -> Path:
        """Path of the settings file, whether or not it is there."""
        return self.config / "config.toml"

    @property
    def journal_file(self) -> Path:
        """Path of the journal, whether or not it is there."""
        return self.data / "journal.sqlite3"

    @property
    def log_file(self) -> Path:
        """Path of the log that the screen writes with `-v` and without `--log`."""
        return self.state / "tui-dl.log"

    @property
    def session_log_file(self) -> Path:
        """Path of the log that the background session writes."""
        return self.state / "session.log"


def find_locations(environment: Mapping[str, str]) -> Locations:
    """Return the platform's folders, or those under `TUI_DL_HOME` where it is set."""
    home = environment.get(HOME_VARIABLE, "")
    if home:
        return locations_under(Path(home).expanduser().absolute())
    from platformdirs import PlatformDirs  # noqa: PLC0415  # `--version` must not pay for it

    dirs = PlatformDirs(_APP, appauthor=False)
    with warnings.catch_warnings():
        # Without a login session (cron, containers) there is no XDG_RUNTIME_DIR; its stand-in is good enough.
        warnings.simplefilter("ignore")
        runtime = Path(dirs.user_runtime_dir)
    return Locations(
        config=Path(dirs.user_config_dir),
        data=Path(dirs.user_data_dir),
        state=Path(dirs.user_state_dir),
        runtime=runtime,
    )


def locations_under(home: Path) -> Locations:
    """Return the folders of a program that lives in `home` alone."""
    return Locations(home / "config", home / "data", home / "state", home / "runtime")


def working_dir() -> str:
    """Return where relative folders begin: here, or at the root where this folder was removed."""
    try:
        return os.getcwd()  # noqa: PTH109  # text in, text out
    except FileNotFoundError:
        return "/"
