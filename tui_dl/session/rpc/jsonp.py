"""Calls in the query of a GET, as aria2 takes them: `?method=...&id=...&params=BASE64&jsoncallback=NAME`."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final

from tui_dl.session.rpc.dispatcher import parsed
from tui_dl.session.rpc.faults import INVALID_REQUEST, PARSE_ERROR, RpcError

if TYPE_CHECKING:
    from collections.abc import Mapping

_CALLBACK: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$.]{0,127}")


def request_of(query: Mapping[str, str]) -> Any:
    """Return the request, or the batch, that a query holds; raises `RpcError`."""
    params = parsed(_decoded(query["params"])) if query.get("params") else None
    method = query.get("method")
    if method is None:
        if params is None:
            raise RpcError(INVALID_REQUEST, "Invalid Request.")
        return params
    request: dict[str, Any] = {"jsonrpc": "2.0", "id": query.get("id"), "method": method}
    return request if params is None else request | {"params": params}


def callback_of(query: Mapping[str, str]) -> str:
    """Return the function that the answer is to be given to; empty for none. Raises `RpcError` for what is no name."""
    name = query.get("jsoncallback", "")
    if name and _CALLBACK.fullmatch(name) is None:
        raise RpcError(INVALID_REQUEST, "jsoncallback is no name of a function.")
    return name


def _decoded(text: str) -> bytes:
    # A plus of base64 that nobody escaped arrives as a space.
    plain = text.replace(" ", "+").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise RpcError(PARSE_ERROR, "Parse error.") from None
