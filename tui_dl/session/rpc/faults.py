"""Errors as JSON-RPC says them; what they tell never holds a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text, mask_secrets
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from tui_dl.core.errors import TuiDlError

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
FAILED: Final = 1
"""What aria2 gives for every error of its own."""

_HTTP_STATUS: Final = {FAILED: 400, INVALID_REQUEST: 400}
"""As aria2 answers; every other code is 500."""


class RpcError(Exception):
    """Ends one call with an error for the caller."""

    def __init__(self, code: int, message: str, facts: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        """Number for programs."""
        self.facts = facts
        """More for programs; None for nothing."""

    @property
    def http_status(self) -> int:
        """Status of the answer where it is the only one."""
        return _HTTP_STATUS.get(self.code, 500)

    def as_json(self) -> dict[str, Any]:
        """Return the `error` of an answer."""
        found: dict[str, Any] = {"code": self.code, "message": display_text(mask_secrets(str(self)))}
        return found if self.facts is None else found | {"data": self.facts}


def refused(message: str) -> RpcError:
    """Return aria2's plain error."""
    return RpcError(FAILED, message)


def of_engine(error: TuiDlError) -> RpcError:
    """Return what the engine refused or could not do."""
    if isinstance(error, UsageError):
        return RpcError(FAILED, error.message)
    return RpcError(FAILED, error.message, {"reason": error.reason.value, "hint": error.hint})
