"""The secret that programs give over TCP, compared in constant time; who guesses is slowed down."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tui_dl.session.rpc.calls import Call, Caller
from tui_dl.session.rpc.faults import INVALID_PARAMS, RpcError, refused

if TYPE_CHECKING:
    from tui_dl.session.rpc.rare_log import RareLog

WRONG_SECRET_S: Final = 0.5
"""Pause before a wrong secret is answered."""
_PREFIX: Final = "token:"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call and what it gave as its secret."""

    call: Call
    """Without the secret."""
    given: str | None
    """What was given; None for nothing."""


class Secret:
    """Checks the secret of each call."""

    def __init__(self, secret: str, log: RareLog) -> None:
        """Take the secret, empty where only the Unix socket is served: nobody is let in by TCP then."""
        self._secret = secret.encode()
        self._log = log

    def admitted(self, params: Any, caller: Caller) -> Admitted:
        """Take the secret off the parameters of a call; raises `RpcError` for parameters of another form."""
        if params is None:
            return Admitted(Call(caller), None)
        if isinstance(params, dict):
            named = dict(params)
            given = named.pop("token", None)
            return Admitted(Call(caller, (), named), given if isinstance(given, str) else None)
        if not isinstance(params, list):
            raise RpcError(INVALID_PARAMS, "Invalid params.")
        given = None
        if params and isinstance(params[0], str) and params[0].startswith(_PREFIX):
            given, params = params[0].removeprefix(_PREFIX), params[1:]
        named = params[0] if len(params) == 1 and isinstance(params[0], dict) else {}
        return Admitted(Call(caller, tuple(params), dict(named)), given)

    async def prove(self, admitted: Admitted) -> None:
        """Raise `RpcError` unless the caller may call."""
        caller = admitted.call.caller
        if caller.is_local:
            return
        if self._secret and admitted.given is not None and self.is_right(admitted.given):
            caller.prove()
            return
        what = "no secret" if admitted.given is None else "a wrong secret"
        self._log.tell("secret", "%s: refused, %s was given", caller.name, what)
        await asyncio.sleep(WRONG_SECRET_S)
        raise refused("Unauthorized")

    def is_right(self, given: str) -> bool:
        """Whether it is the secret; how long that takes does not depend on it."""
        return hmac.compare_digest(given.encode(errors="surrogatepass"), self._secret)
