"""JSON-RPC 2.0 without a transport: a request or a batch in, the answer out."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import TuiDlError
from tui_dl.session.rpc.faults import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    RpcError,
    of_engine,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.session.rpc.calls import Call, Caller, Method
    from tui_dl.session.rpc.secret import Secret

logger = logging.getLogger(__name__)

LONG_ROWS: Final = 500
"""Rows whose JSON takes some milliseconds to write."""
MOST_IN_BATCH: Final = 5_000
"""Requests in one batch or multicall."""
_SHOWN_CELLS: Final = 60
_OWN_PREFIX: Final = "tui_dl."
"""Methods that take their parameters by name, too."""
_OPEN_METHODS: Final = frozenset({"system.listMethods", "system.listNotifications", "system.multicall"})
"""Methods that ask for no secret: what is called within a multicall asks for its own."""


class Answer:
    """What goes back: one object, a list of them, or nothing."""

    def __init__(self, value: Any, http_status: int = 200) -> None:
        self.value = value
        """JSON; None where nothing is answered."""
        self.http_status = http_status
        """Status over HTTP."""

    async def text(self) -> str:
        """Return the JSON text, ASCII alone; a long one is written beside the loop."""
        if _rows_in(self.value) <= LONG_ROWS:
            return self._text()
        return await asyncio.to_thread(self._text)

    def _text(self) -> str:
        return json.dumps(self.value, ensure_ascii=True, separators=(",", ":"))


def _rows_in(answer: Any) -> int:
    """Return how many rows or ids an answer has; a batch those of all its answers."""
    if isinstance(answer, list):
        return sum(map(_rows_in, answer))
    result = answer.get("result")
    rows = result.get("rows") or result.get("ids") if isinstance(result, dict) else result
    return len(rows) if isinstance(rows, list) else 0


def parsed(text: str | bytes) -> Any:
    """Return the value of a JSON text; raises `RpcError`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RpcError(PARSE_ERROR, "Parse error.") from None


class Dispatcher:
    """Calls methods by name."""

    def __init__(self, methods: Mapping[str, Method], secret: Secret) -> None:
        self._methods: Final = dict(methods)
        self._methods["system.multicall"] = self._multicall
        self._methods["system.listMethods"] = self._list_methods
        self._secret = secret

    async def answer(self, text: str | bytes, caller: Caller) -> Answer:
        """Carry out what a text asks for."""
        try:
            value = parsed(text)
        except RpcError as error:
            return failure(None, error)
        return await self.answer_value(value, caller)

    async def answer_value(self, value: Any, caller: Caller) -> Answer:
        """Carry out a request or a batch of them."""
        if not isinstance(value, list):
            return await self._one(value, caller)
        if len(value) > MOST_IN_BATCH:
            return failure(None, RpcError(INVALID_REQUEST, f"At most {MOST_IN_BATCH} requests in a batch."))
        answers = [await self._one(one, caller) for one in value]
        return Answer([one.value for one in answers])

    async def _one(self, request: Any, caller: Caller) -> Answer:
        identity = request.get("id") if isinstance(request, dict) else None
        if isinstance(identity, list | dict):
            identity = None
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return failure(identity, RpcError(INVALID_REQUEST, "Invalid Request."))
        try:
            result = await self.call(request["method"], request.get("params"), caller)
        except RpcError as error:
            return failure(identity, error)
        return Answer({"id": identity, "jsonrpc": "2.0", "result": result})

    async def call(self, name: str, params: Any, caller: Caller) -> Any:
        """Call one method; raises `RpcError` alone."""
        try:
            return await self._carry_out(name, params, caller)
        except RpcError:
            raise
        except TuiDlError as error:
            raise of_engine(error) from None
        except (TypeError, ValueError, OverflowError) as error:
            logger.warning("%s: parameters that cannot be meant: %s", name, error)
            raise RpcError(INVALID_PARAMS, "Parameters that cannot be meant.") from None
        except Exception:  # the border of the program: one call fails, the session and its transfers go on
            logger.exception("%s failed", name)
            raise RpcError(INTERNAL_ERROR, "A fault of tui-dl itself; its log says more.") from None

    async def _carry_out(self, name: str, params: Any, caller: Caller) -> Any:
        if isinstance(params, dict) and not name.startswith(_OWN_PREFIX):
            raise RpcError(INVALID_PARAMS, "Invalid params.")
        admitted = self._secret.admitted(params, caller)
        if name not in _OPEN_METHODS:
            await self._secret.prove(admitted)
        method = self._methods.get(name)
        if method is None:
            # As aria2 has it, with its number too.
            raise refused(f"No such method: {display_text(name, _SHOWN_CELLS)}")
        return await method(admitted.call)

    async def _multicall(self, call: Call) -> list[Any]:
        calls = call.at(0)
        if not isinstance(calls, list):
            raise RpcError(INVALID_PARAMS, "system.multicall wants a list of calls.")
        if len(calls) > MOST_IN_BATCH:
            raise RpcError(INVALID_PARAMS, f"At most {MOST_IN_BATCH} calls at once.")
        return [await self._nested(one, call.caller) for one in calls]

    async def _nested(self, one: Any, caller: Caller) -> Any:
        if not isinstance(one, dict) or not isinstance(one.get("methodName"), str):
            return refused("system.multicall expected struct.").as_json()
        if one["methodName"] == "system.multicall":
            return refused("Recursive system.multicall forbidden.").as_json()
        try:
            return [await self.call(one["methodName"], one.get("params"), caller)]
        except RpcError as error:
            return error.as_json()

    async def _list_methods(self, _call: Call) -> list[str]:
        return sorted(self._methods)


def failure(identity: Any, error: RpcError) -> Answer:
    """Return the answer that says what went wrong."""
    return Answer({"id": identity, "jsonrpc": "2.0", "error": error.as_json()}, error.http_status)
