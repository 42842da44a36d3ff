"""JSON-RPC calls to the session that lives, one after another on one connection. The standard library alone."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from tui_dl.core.errors import NetworkError, Reason, TuiDlError, UsageError
from tui_dl.session.exchange import Exchange
from tui_dl.session.reaching import connect

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

CALL_S: Final = 600.0
"""How long an answer may take: a command on a million rows does."""


class Caller:
    """Asks the session on its RPC socket; use it as a context, from one thread."""

    def __init__(self, path: str, within_s: float = CALL_S) -> None:
        """`within_s`: how long the session may take to answer."""
        self._exchange = Exchange(partial(_reached, path), within_s)
        self._path, self._within_s = path, within_s
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._exchange.close()

    def another(self) -> Caller:
        """Return one with a connection of its own to the same session."""
        return Caller(self._path, self._within_s)

    def call(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the result. Raises what the session refused as `TuiDlError`, `NetworkError` where it is gone."""
        return self.ask(self.written(method, params))

    def written(self, method: str, params: Mapping[str, Any] | None = None) -> bytes:
        """Return a call for `ask()`, which may be written down while another one is waited for."""
        self._number += 1
        return json.dumps(
            {"jsonrpc": "2.0", "id": self._number, "method": method, "params": dict(params or {})}
        ).encode()

    def ask(self, call: bytes) -> Any:
        """Do as `call()` with what `written()` made."""
        try:
            answer = json.loads(self._exchange.post("/jsonrpc", call))
        except (OSError, ValueError) as error:
            self._exchange.close()
            raise NetworkError(Reason.SESSION_FAILED, f"the session did not answer: {error}") from None
        if (refused := answer.get("error")) is not None:
            raise _refusal(refused)
        return answer.get("result")


def _reached(path: str) -> socket.socket:
    """Return a connection to a Unix socket that was checked to be ours."""
    connection = connect(path)
    if connection is None:
        raise ConnectionRefusedError("nobody is there")
    return connection


def _refusal(error: Mapping[str, Any]) -> TuiDlError:
    facts = error.get("data")
    word = facts.get("reason") if isinstance(facts, dict) else None
    message = str(error.get("message", ""))
    if word == Reason.BAD_URL or word not in set(Reason):
        return UsageError(message)
    return TuiDlError(Reason(word), message)
