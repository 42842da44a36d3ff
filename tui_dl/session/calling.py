"""JSON-RPC calls to the session that lives, one after another on one connection. The standard library alone."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any, Final, Self

from tui_dl.core.errors import NetworkError, Reason, TuiDlError, UsageError
from tui_dl.session.reaching import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

CALL_S: Final = 600.0
"""How long an answer may take: a command on a million rows does."""


class Caller:
    """Asks the session on its RPC socket; use it as a context, from one thread."""

    def __init__(self, path: str) -> None:
        self._connection = _UnixConnection(path)
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the result. Raises what the session refused as `TuiDlError`, `NetworkError` where it is gone."""
        self._number += 1
        body = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": dict(params or {})}
        try:
            self._connection.request("POST", "/jsonrpc", json.dumps(body), {"Content-Type": "application/json"})
            answer = json.loads(self._connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise NetworkError(Reason.SESSION_FAILED, f"the session did not answer: {error}") from None
        if (refused := answer.get("error")) is not None:
            raise _refusal(refused)
        return answer.get("result")


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket that was checked to be ours."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=CALL_S)
        self._path = path

    def connect(self) -> None:
        connection = connect(self._path)
        if connection is None:
            raise ConnectionRefusedError("nobody is there")
        connection.settimeout(CALL_S)
        self.sock = connection


def _refusal(error: Mapping[str, Any]) -> TuiDlError:
    facts = error.get("data")
    word = facts.get("reason") if isinstance(facts, dict) else None
    message = str(error.get("message", ""))
    if word == Reason.BAD_URL or word not in set(Reason):
        return UsageError(message)
    return TuiDlError(Reason(word), message)
