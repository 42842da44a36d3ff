"""The netrc file: names and passwords by host, read off the loop and only if nobody else may read it."""

from __future__ import annotations

import netrc
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.identity import basic

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES: Final = 1 << 20
_SHOWN_CELLS: Final = 120


def read_netrc(file: str) -> Mapping[str, str]:
    """Return `Authorization` values by host, lower case. Raises `UsageError`, which never shows what is inside.

    An entry `default` is left out: it would tell one password to every host that there is.
    """
    path = Path(file).expanduser()
    shown = display_text(file, _SHOWN_CELLS)
    try:
        facts = path.stat()
        if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or facts.st_uid not in (os.geteuid(), 0):
            raise UsageError(f"--netrc {shown}: others may read or own it; make it yours with chmod 600")
        if facts.st_size > MOST_BYTES or not stat.S_ISREG(facts.st_mode):
            raise UsageError(f"--netrc {shown}: not a file of a sensible size")
        hosts = netrc.netrc(path).hosts
    except netrc.NetrcParseError as error:
        raise UsageError(f"--netrc {shown}: line {error.lineno} is not as it should be") from None
    except UnicodeDecodeError:
        raise UsageError(f"--netrc {shown}: not text") from None
    except OSError as error:
        raise UsageError(f"--netrc {shown}: cannot be read: {error.strerror}") from None
    return {
        host.lower(): basic(login, password or "") for host, (login, _, password) in hosts.items() if host != "default"
    }
