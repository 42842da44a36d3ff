"""The session's own process: settings, lock, sockets, engine and screens put together."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui_dl._version import __version__
from tui_dl.cli.exits import CANNOT_START, DONE, WRONG_USAGE
from tui_dl.cli.session_door import RpcDoor
from tui_dl.cli.session_engine import SessionEngine
from tui_dl.cli.session_screens import SessionScreens
from tui_dl.cli.settings_file import effective_settings
from tui_dl.core.errors import TuiDlError, UsageError
from tui_dl.disk.locations import find_locations
from tui_dl.session.listening import SessionSockets
from tui_dl.session.lock import SessionLock
from tui_dl.session.logout import logout_warning, this_machine
from tui_dl.session.paths import lock_file_in
from tui_dl.session.protocol import TERMINAL_NAMES
from tui_dl.session.rpc.tcp import open_tcp, tcp_wish
from tui_dl.session.server import SessionServer
from tui_dl.ui.terminal.sequences import restore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.cli.settings_file import EffectiveSettings
    from tui_dl.disk.locations import Locations
    from tui_dl.session.rpc.tcp import OpenTcp

logger = logging.getLogger(__name__)

ENDING: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
OF_A_TERMINAL: Final = frozenset(TERMINAL_NAMES) - {"LANG", "LC_ALL", "LC_CTYPE"}
"""Environment names that the session drops: it has no terminal, and each screen brings the words for its own."""
PATIENCE_S: Final = 1.8
"""How long the end in order may take before the process goes anyway: the journal is durable at every instant."""


def main() -> int:
    """Run the session; what keeps it from starting is told as one line of JSON on standard output."""
    try:
        return _start()
    except Exception as error:
        logger.exception("the session ended with a fault")
        text = f"a fault of tui-dl itself: {type(error).__name__}: {error}"
        return _tell({"error": text, "code": CANNOT_START}, CANNOT_START)


def _start() -> int:
    wish: dict[str, Any] = json.load(sys.stdin)
    sys.path[:] = [str(Path(one).absolute()) for one in sys.path]
    try:
        locations = find_locations(os.environ)
        effective = _settings(locations, wish)
        if effective.settings.background == "false" and not wish.get("is_forced"):
            return _tell({"foreground": True}, DONE)
        lock = SessionLock.take(lock_file_in(locations.data))
        if lock is None:
            return _tell({"taken": True}, DONE)
        tcp_wanted = tcp_wish(effective.settings, locations.config_file)
        tcp = open_tcp(tcp_wanted) if tcp_wanted is not None else None
        sockets = SessionSockets(lock, lock_file_in(locations.data), locations.runtime, __version__)
    except UsageError as error:
        return _tell({"error": error.message, "code": WRONG_USAGE}, WRONG_USAGE)
    except TuiDlError as error:
        return _tell({"error": f"{error.message} [{error.reason}]", "code": CANNOT_START}, CANNOT_START)
    return _live(wish, effective, locations, lock, sockets, tcp)


def _live(
    wish: Mapping[str, Any],
    effective: EffectiveSettings,
    locations: Locations,
    lock: SessionLock,
    sockets: SessionSockets,
    tcp: OpenTcp | None,
) -> int:
    """Live until there is nothing left to do, with a log of its own and no trace of the terminal it came from."""
    from tui_dl.cli.log import session_log  # noqa: PLC0415  # who only learns that a session lives needs none
    from tui_dl.ui.loop import new_loop  # noqa: PLC0415  # as above

    os.chdir("/")
    with session_log(locations.session_log_file, int(wish.get("verbose", 0))):
        sockets.announce()
        _tell({"ready": True}, DONE)
        _leave_streams()
        for name in OF_A_TERMINAL:
            os.environ.pop(name, None)
        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(_run(effective, locations, sockets, tcp, stays=bool(wish.get("must_stay"))))
        except TuiDlError:
            return CANNOT_START  # said to the log, and to whoever was there
        finally:
            lock.release()
    return DONE


async def _run(
    effective: EffectiveSettings,
    locations: Locations,
    sockets: SessionSockets,
    tcp: OpenTcp | None,
    *,
    stays: bool,
) -> None:
    engine = SessionEngine(effective.settings, locations.journal_file)
    screens = SessionScreens(effective, locations, engine)
    server = SessionServer(
        engine,
        screens,
        RpcDoor(engine, tcp),
        version=__version__,
        restore=restore(has_kitty_keys=True),
        warning=logout_warning(this_machine()),
        stays=stays,
    )
    screens.connect = server.engine
    _end_on_signals(server)
    try:
        await server.run(sockets)
    finally:
        # From here on nobody finds us; whoever comes now starts another session, which waits for our lock.
        sockets.close()
        words = server.last_words()
        await engine.aclose()
        server.farewell(words)


def _end_on_signals(server: SessionServer) -> None:
    """End in order when the system says so, within two seconds whatever hangs."""

    def end() -> None:
        timer = threading.Timer(PATIENCE_S, os._exit, (CANNOT_START,))
        timer.daemon = True
        timer.start()
        server.stop()

    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, end)


def _settings(locations: Locations, wish: Mapping[str, Any]) -> EffectiveSettings:
    effective = effective_settings(locations.config_file, os.environ, dict(wish.get("options") or {}))
    typed_in = str(wish.get("folder") or "/")
    # What is added without a folder goes where the session was started from, unless a setting says where.
    folder = str((Path(typed_in) / Path(effective.settings.dir).expanduser()).absolute())
    return replace(effective, settings=replace(effective.settings, dir=folder))


def _tell(report: Mapping[str, Any], code: int) -> int:
    """Tell whoever started us how it went; it reads one line."""
    with suppress(OSError):
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()
    return code


def _leave_streams() -> None:
    """Let go of the pipes to whoever started us: what a library prints from now on goes nowhere."""
    spare = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(spare, number)
    if spare > 2:
        os.close(spare)
