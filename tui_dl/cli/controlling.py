"""The session as control commands reach it: found, started where that makes sense, and told what a person wants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui_dl._version import __version__
from tui_dl.core.errors import NetworkError, Reason, UsageError
from tui_dl.core.wire_commands import command_json, outcome_of
from tui_dl.session.calling import Caller
from tui_dl.session.paths import lock_file_in
from tui_dl.session.reaching import ForegroundWantedError, StartWish, find_session, start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.commands import Command, CommandOutcome
    from tui_dl.disk.locations import Locations

TRIES: Final = 3
"""How often a session that ends just now is followed by the next."""
NO_SESSION: Final = "no session is running"


def reach_session(
    locations: Locations, *, starts: bool, verbose: int = 0, proxies: Mapping[str, str] | None = None
) -> Caller | None:
    """Return a line to the session that answers, started if `starts`; None where none lives. Raises `TuiDlError`.

    `proxies` are those of the environment in which something is added: they must be the session's, which hears its own.
    """
    lock_file = lock_file_in(locations.data)
    for _ in range(TRIES):
        card = find_session(lock_file)
        if card is None and starts:
            _start(verbose)
            card = find_session(lock_file)
        if card is None:
            if starts:
                continue
            return None
        caller = Caller(card.rpc)
        try:
            # While somebody is connected it does not end for want of work.
            facts = caller.call("tui_dl.session", {} if proxies is None else {"proxies": dict(proxies)})
        except NetworkError:
            caller.close()  # it was about to end
            continue
        except UsageError:
            caller.close()
            raise NetworkError(
                Reason.SESSION_FAILED,
                f"the session is of tui-dl {card.version}, this is {__version__}; `tui-dl stop` ends it",
            ) from None
        if refusal := facts.get("refusal"):
            caller.close()
            raise UsageError(refusal)
        return caller
    raise NetworkError(Reason.SESSION_FAILED, "the session ends as soon as it is reached")


def _start(verbose: int) -> None:
    try:
        start(StartWish(folder=str(Path.cwd()), verbose=verbose))
    except ForegroundWantedError:
        raise UsageError(
            "background = false: there is no session to do this; use `tui-dl get`, or the screen (`tui-dl`)"
        ) from None


def execute(caller: Caller, command: Command) -> CommandOutcome:
    """Have a command carried out; raises what the session refused."""
    return outcome_of(caller.call("tui_dl.execute", command_json(command)))


def rows_of(caller: Caller, ids: tuple[int, ...]) -> list[dict[str, Any]]:
    """Return the rows of these ids that there are, as JSON objects."""
    found: list[dict[str, Any]] = caller.call("tui_dl.rows", {"ids": list(ids), "limit": len(ids)})["rows"]
    return found
