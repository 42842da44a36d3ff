"""aria2's names of downloads: 16 hexadecimal digits, or so many of them that only one begins so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tui_dl.session.rpc.faults import refused

if TYPE_CHECKING:
    from tui_dl.core.ports_control import ControlPort
    from tui_dl.core.task import DownloadTask
    from tui_dl.session.rpc.calls import Call

GID_DIGITS: Final = 16
_PREFIX: Final = re.compile(r"[0-9a-fA-F]{1,16}")


class Gids:
    """Finds the task that a gid means."""

    def __init__(self, engine: ControlPort) -> None:
        self._engine = engine

    async def task(self, call: Call) -> DownloadTask:
        """Return the task that a call's first parameter names; raises `RpcError` as aria2 does."""
        return await self.named(call.text(0))

    async def named(self, gid: str) -> DownloadTask:
        """Return the task of a gid or of the beginning of one."""
        if _PREFIX.fullmatch(gid) is None:
            raise refused(f"Invalid GID {gid[:GID_DIGITS]}")
        prefix = gid.lower()
        if len(prefix) == GID_DIGITS and (own_id := int(prefix, 16)) < 1 << 63:
            rows = await self._engine.rows([own_id])
            if rows and rows[0].gid == prefix:
                return rows[0]
        ids = await self._engine.ids_named(prefix)
        if len(ids) > 1:
            raise refused(f"GID {prefix} is not unique")
        rows = await self._engine.rows(ids)
        if not rows:
            raise refused(f"GID {prefix} is not found")
        return rows[0]

    async def new(self, gid: str) -> str:
        """Return a gid that a program wants for a new download; raises `RpcError` for one that is taken or none."""
        if len(gid) != GID_DIGITS or _PREFIX.fullmatch(gid) is None or int(gid, 16) == 0:
            raise refused("We encountered a problem while processing the option '--gid'.")
        if await self._engine.ids_named(gid.lower()):
            raise refused(f"GID {gid.lower()} is taken already.")
        return gid.lower()
