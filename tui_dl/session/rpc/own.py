"""The methods of our own: what control commands and programs ask that know more than aria2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.commands import CommandName
from tui_dl.core.errors import UsageError
from tui_dl.core.events import EventKind
from tui_dl.core.metalink_names import is_metalink_path
from tui_dl.core.query import TaskQuery
from tui_dl.core.wire_commands import command_of, outcome_json, query_of
from tui_dl.core.wire_tasks import batch_json, details_json, group_json, session_json, snapshot_json, task_json
from tui_dl.session.rpc.faults import INVALID_REQUEST, RpcError
from tui_dl.session.rpc.targets import PAGE_KEYS, TARGET_KEYS, page_of, refuse_unknown, targets_of
from tui_dl.session.rpc.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.commands import Command
    from tui_dl.core.ports_control import ControlPort, SessionPort
    from tui_dl.session.rpc.calls import Call, Method

USUAL_ROWS: Final = 1_000
MOST_ROWS: Final = 10_000
"""Rows in one answer: about 20 MB of JSON."""
BLOCK: Final = 200
"""Rows read and written at a time: the loop has other things to do between them."""
MOST_IDS: Final = 100_000
KINDS: Final = frozenset(kind.value for kind in EventKind)
NOTHING: Final[frozenset[str]] = frozenset()


class OwnMethods:
    """Carries out `tui_dl.*`."""

    def __init__(self, engine: ControlPort, session: SessionPort) -> None:
        self._engine, self._session = engine, session

    def methods(self) -> dict[str, Method]:
        """Return all of them by name."""
        return {
            "tui_dl.execute": self.execute,
            "tui_dl.rows": self.rows,
            "tui_dl.view": self.view,
            "tui_dl.details": self.details,
            "tui_dl.snapshot": self.snapshot,
            "tui_dl.statistics": self.statistics,
            "tui_dl.batches": self.batches,
            "tui_dl.failure_groups": self.failure_groups,
            "tui_dl.wait": self.wait,
            "tui_dl.subscribe": self.subscribe,
            "tui_dl.unsubscribe": self.unsubscribe,
            "tui_dl.session": self.facts,
            "tui_dl.stop": self.stop,
        }

    async def execute(self, call: Call) -> Any:
        """Carry out a command."""
        command = command_of(call.named)
        if not call.caller.is_local:
            _refuse_yt_dlp(command)
            if command.name is CommandName.ADD:
                _check_add(command)
        return outcome_json(await self._engine.execute(command))

    async def rows(self, call: Call) -> Any:
        """Return a page of rows."""
        refuse_unknown(call.named, PAGE_KEYS)
        targets = targets_of(call.named, wants_any=False)
        offset, limit = page_of(call.named, usual=USUAL_ROWS, most=MOST_ROWS)
        ids = await targets.view(self._engine, offset, limit)
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), BLOCK):
            rows = await self._engine.rows(ids[start : start + BLOCK])
            found += (task_json(task, self._engine.progress(task.id)) for task in rows)
        return {"rows": found, "generation": self._engine.snapshot().generation}

    async def view(self, call: Call) -> Any:
        """Return a page of ids."""
        refuse_unknown(call.named, PAGE_KEYS)
        targets = targets_of(call.named, wants_any=False)
        offset, limit = page_of(call.named, usual=MOST_IDS, most=MOST_IDS)
        ids = await targets.view(self._engine, offset, limit)
        return {"ids": list(ids), "generation": self._engine.snapshot().generation}

    async def details(self, call: Call) -> Any:
        """Return the particulars of one task."""
        refuse_unknown(call.named, frozenset({"id"}))
        task_id = call.named.get("id")
        if type(task_id) is not int or not 0 <= task_id < 1 << 63:
            raise UsageError("id: expected the id of a task")
        found = await self._engine.details(task_id)
        return None if found is None else details_json(found, self._engine.progress(task_id))

    async def snapshot(self, call: Call) -> Any:
        """Return the engine at this instant."""
        refuse_unknown(call.named, NOTHING)
        return snapshot_json(self._engine.snapshot())

    async def statistics(self, call: Call) -> Any:
        """Return totals since the start."""
        refuse_unknown(call.named, NOTHING)
        return self._engine.statistics()

    async def batches(self, call: Call) -> Any:
        """Return the adds."""
        refuse_unknown(call.named, NOTHING)
        return [batch_json(one) for one in await self._engine.batches()]

    async def failure_groups(self, call: Call) -> Any:
        """Return failures by reason and host."""
        refuse_unknown(call.named, frozenset({"query"}))
        query = query_of(call.named["query"]) if call.named.get("query") is not None else TaskQuery()
        return [group_json(one) for one in await self._engine.failure_groups(query)]

    async def wait(self, call: Call) -> Any:
        """Return when the tasks want nothing any more."""
        refuse_unknown(call.named, TARGET_KEYS | {"timeout_s", "ends_at_pause"})
        timeout_s = call.named.get("timeout_s")
        if timeout_s is not None and (isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float)):
            raise UsageError("timeout_s: expected seconds")
        targets = targets_of(call.named, wants_any=True)
        return await wait_for(self._engine, targets, timeout_s, ends_at_pause=bool(call.named.get("ends_at_pause")))

    async def subscribe(self, call: Call) -> Any:
        """Begin to send events."""
        refuse_unknown(call.named, frozenset({"kinds"}))
        if call.caller.listener is None:
            raise RpcError(INVALID_REQUEST, "Events are told over WebSocket, or by GET /events on the Unix socket.")
        call.caller.listener.follow(_kinds(call.named))
        return "OK"

    async def unsubscribe(self, call: Call) -> Any:
        """End sending events."""
        refuse_unknown(call.named, NOTHING)
        if call.caller.listener is not None:
            call.caller.listener.follow(NOTHING)
        return "OK"

    async def facts(self, call: Call) -> Any:
        """Return who answers; with `proxies` of an environment also why what is added cannot go through them."""
        refuse_unknown(call.named, frozenset({"proxies"}))
        found = session_json(self._session.facts())
        proxies = call.named.get("proxies")
        if not isinstance(proxies, dict):
            return found
        return found | {"refusal": self._session.refusal_of_proxies(proxies)}

    async def stop(self, call: Call) -> Any:
        """Begin to end the session."""
        refuse_unknown(call.named, frozenset({"is_forced"}))
        self._session.stop(is_forced=bool(call.named.get("is_forced")))
        return "OK"


def _kinds(values: Mapping[str, Any]) -> frozenset[str]:
    given = values.get("kinds")
    if given is None:
        return KINDS
    if not isinstance(given, list) or not KINDS.issuperset(given):
        raise UsageError(f"kinds: known are {', '.join(sorted(KINDS))}")
    return frozenset(given)


def _refuse_yt_dlp(command: Command) -> None:
    """Refuse what speaks of yt-dlp's own options: they can run commands, and its configuration is a person's."""
    wishes = [command.arguments, *(command.arguments.get("downloads") or ())]
    options = [one.get("options") for one in wishes if isinstance(one, dict)]
    if any(isinstance(one, dict) and one.keys() & {"yt_dlp", "has_config"} for one in options):
        raise UsageError("options of yt-dlp, and its configuration, are not for callers over TCP")


def _check_add(command: Command) -> None:
    """Refuse what names a file of this machine: over TCP a caller may be anywhere."""
    urls = [*(command.arguments.get("urls") or ())]
    urls += [one.get("url") for one in command.arguments.get("downloads") or () if isinstance(one, dict)]
    if any(is_metalink_path(str(url)) for url in urls):
        raise UsageError("a Metalink file of this machine is named; over TCP give its content with aria2.addMetalink")
