"""What aria2's clients want done; all of it goes through the engine's one door, as commands."""

from __future__ import annotations

import base64
import binascii
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.acceptance import was_left_out
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import UsageError
from tui_dl.core.metalink import parse_metalink
from tui_dl.core.places import Base
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import UNFINISHED, Status
from tui_dl.core.task import TaskOptions
from tui_dl.session.rpc.aria2_global import global_changes_of, global_options
from tui_dl.session.rpc.aria2_options import changes_of, masked_headers, options_of, wanted_of
from tui_dl.session.rpc.aria2_words import STOPPED
from tui_dl.session.rpc.faults import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.commands import CommandOutcome
    from tui_dl.core.ports_control import ControlPort, SessionPort
    from tui_dl.core.task import DownloadTask
    from tui_dl.session.rpc.aria2_gids import Gids
    from tui_dl.session.rpc.calls import Call, Method

MOST_METALINK_FILES: Final = 5_000
_BASES: Final = {"POS_SET": Base.SET, "POS_CUR": Base.CURRENT, "POS_END": Base.END}
_NO_TORRENTS: Final = "BitTorrent is not what tui-dl does; it fetches http, https and ftp."
_PLAIN_OPTIONS: Final = TaskOptions()


class Aria2Doing:
    """Carries out what changes something."""

    def __init__(self, engine: ControlPort, session: SessionPort, gids: Gids) -> None:
        self._engine, self._session, self._gids = engine, session, gids

    def methods(self) -> dict[str, Method]:
        """Return all of them by name."""
        remove = partial(self._step, CommandName.CANCEL, "Active Download not found for GID#{}")
        pause = partial(self._step, CommandName.PAUSE, "GID#{} cannot be paused now")
        unpause = partial(self._step, CommandName.RESUME, "GID#{} cannot be unpaused now")
        return {
            "aria2.addUri": self.add_uri,
            "aria2.addMetalink": self.add_metalink,
            "aria2.addTorrent": self.no_torrents,
            "aria2.remove": remove,
            "aria2.forceRemove": remove,
            "aria2.pause": pause,
            "aria2.forcePause": pause,
            "aria2.unpause": unpause,
            "aria2.pauseAll": self.pause_all,
            "aria2.forcePauseAll": self.pause_all,
            "aria2.unpauseAll": self.unpause_all,
            "aria2.changePosition": self.change_position,
            "aria2.changeUri": self.change_uri,
            "aria2.getOption": self.get_option,
            "aria2.changeOption": self.change_option,
            "aria2.getGlobalOption": self.get_global_option,
            "aria2.changeGlobalOption": self.change_global_option,
            "aria2.purgeDownloadResult": self.purge,
            "aria2.removeDownloadResult": self.remove_result,
            "aria2.saveSession": self.save_session,
            "aria2.shutdown": partial(self._stop, is_forced=False),
            "aria2.forceShutdown": partial(self._stop, is_forced=True),
        }

    # -- adding --------------------------------------------------------------------------------------------------------

    async def add_uri(self, call: Call) -> Any:
        """Add a download that can be had from each of some addresses; return its gid."""
        call.wanted(0)
        urls = call.texts(0)
        if not urls:
            raise refused("URI is not provided.")
        wanted = wanted_of(urls, call.struct(1), self._engine.default_dir)
        if wanted.gid:
            wanted.download["options"]["gid"] = await self._gids.new(wanted.gid)
        task = (await self._add([wanted.download], is_paused=wanted.is_paused))[0]
        await self._place(call.at(2), [task])
        return task.gid

    async def add_metalink(self, call: Call) -> Any:
        """Add the files that a Metalink describes; return their gids."""
        try:
            document = base64.b64decode(call.text(0), validate=True)
        except (binascii.Error, ValueError):
            raise refused("Could not parse Metalink XML document.") from None
        wanted = wanted_of(["http://metalink.invalid/"], call.struct(1), self._engine.default_dir)
        metalink = parse_metalink(document, "Metalink")
        news = metalink.tasks_of_file(wanted.download["dir"], TaskOptions(), wanted.download["name"])
        if len(news) > MOST_METALINK_FILES:
            raise UsageError(f"a Metalink of more than {MOST_METALINK_FILES:,} files; give it to `tui-dl get`")
        asked = wanted.download["options"]
        downloads = [
            {"url": new.url, "dir": new.dir, "name": new.name, "options": _as_values(new.options) | asked}
            for new in news
        ]
        tasks = await self._add(downloads, is_paused=wanted.is_paused)
        await self._place(call.at(2), tasks)
        return [task.gid for task in tasks]

    async def no_torrents(self, _call: Call) -> Any:
        """Refuse."""
        raise refused(_NO_TORRENTS)

    async def _add(self, downloads: list[dict[str, Any]], *, is_paused: bool) -> list[DownloadTask]:
        arguments = {"downloads": downloads, "paused": is_paused}
        outcome = await self._do(CommandName.ADD, arguments=arguments)
        known = await self._engine.rows(outcome.known_ids)
        again = [
            task.id
            for task in known
            if task.status in (Status.FAILED, Status.CANCELLED) or was_left_out(task.status, task.reason)
        ]
        if again:
            # As the library does: whoever adds what failed or was not wanted wants it tried again.
            await self._do(CommandName.RETRY, *again)
        tasks = await self._engine.rows(sorted((*outcome.ids, *outcome.known_ids)))
        if not tasks:
            raise refused("No URI to download.")
        return tasks

    async def _place(self, position: Any, tasks: list[DownloadTask]) -> None:
        if type(position) is int and position >= 0:
            await self._do(CommandName.MOVE_TO, *(task.id for task in tasks), arguments={"position": position})

    # -- states --------------------------------------------------------------------------------------------------------

    async def _step(self, name: CommandName, otherwise: str, call: Call) -> Any:
        task = await self._gids.task(call)
        outcome = await self._do(name, task.id)
        if not outcome.changed:
            raise refused(otherwise.format(task.gid))
        return task.gid

    async def pause_all(self, _call: Call) -> Any:
        """Pause what runs and what is queued."""
        await self._engine.execute(Command(CommandName.PAUSE, query=TaskQuery(statuses=UNFINISHED - {Status.PAUSED})))
        return "OK"

    async def unpause_all(self, _call: Call) -> Any:
        """Let what is paused go on."""
        await self._engine.execute(Command(CommandName.RESUME, query=TaskQuery(statuses=frozenset({Status.PAUSED}))))
        return "OK"

    async def purge(self, _call: Call) -> Any:
        """Forget what ended; files stay."""
        await self._engine.execute(Command(CommandName.CLEAR_FINISHED))
        return "OK"

    async def remove_result(self, call: Call) -> Any:
        """Forget one download that ended."""
        task = await self._gids.task(call)
        if task.status not in STOPPED:
            raise refused(f"Could not remove download result of GID#{task.gid}")
        await self._do(CommandName.CLEAR_FINISHED, task.id)
        return "OK"

    async def save_session(self, _call: Call) -> Any:
        """Answer that the queue is saved, as it always is."""
        return "OK"

    async def _stop(self, _call: Call, *, is_forced: bool) -> Any:
        self._session.stop(is_forced=is_forced)
        return "OK"

    # -- order, addresses, options -------------------------------------------------------------------------------------

    async def change_position(self, call: Call) -> Any:
        """Move a download within the waiting queue; return its new place."""
        gid, position, how = call.text(0), call.number(1), call.text(2)
        if how not in _BASES:
            raise refused("Illegal argument.")
        task = await self._gids.named(gid)
        arguments = {"position": position, "how": _BASES[how].value}
        outcome = await self._do(CommandName.MOVE_TO, task.id, arguments=arguments)
        if outcome.value is None:
            raise refused(f"GID#{task.gid} not found in the waiting queue.")
        return outcome.value

    async def change_uri(self, call: Call) -> Any:
        """Take addresses from a download and give it others; return how many of each."""
        gid, file = call.text(0), call.number(1)
        call.wanted(2)
        call.wanted(3)
        taken, given = call.texts(2), call.texts(3)
        task = await self._gids.named(gid)
        if file != 1:
            raise refused("fileIndex is out of range")
        if task.status in STOPPED:
            raise refused(f"Cannot remove URIs from GID#{task.gid}")
        urls = [task.url, *task.options.mirrors]
        left = list(urls)
        for url in taken:
            if url in left:
                left.remove(url)
        removed, place = len(urls) - len(left), call.at(4)
        at = place if type(place) is int and 0 <= place < len(left) else len(left)
        left[at:at] = given
        if not left:
            raise refused("A download keeps at least one address.")
        first = task.url if task.url in left else left[0]
        if first != task.url:
            outcome = await self._do(CommandName.REFRESH, task.id, arguments={"url": first})
            if outcome.is_refused:
                raise refused(outcome.message)
        mirrors = [url for url in left if url != first]
        if mirrors != list(task.options.mirrors):
            await self._do(CommandName.SET_OPTIONS, task.id, arguments={"options": {"mirrors": mirrors}})
        return [removed, len(given)]

    async def get_option(self, call: Call) -> Any:
        """Return the options of a download."""
        return options_of(await self._gids.task(call), self._everything())

    async def change_option(self, call: Call) -> Any:
        """Change the options of a download."""
        gid = call.text(0)
        call.wanted(1)
        given = call.struct(1)
        task = await self._gids.named(gid)
        if task.status in STOPPED:
            raise refused(f"Cannot change option for GID#{task.gid}")
        options = changes_of(given, task)
        if masked_headers(options.get("headers", ())):
            raise refused("A header holds *** where a secret was; give it whole, or leave header out.")
        if options:
            await self._do(CommandName.SET_OPTIONS, task.id, arguments={"options": options})
        return "OK"

    async def get_global_option(self, _call: Call) -> Any:
        """Return the options of everything."""
        return self._everything()

    async def change_global_option(self, call: Call) -> Any:
        """Change the options of everything."""
        call.wanted(0)
        changes = global_changes_of(call.struct(0))
        if changes.settings:
            await self._do(CommandName.SET_SETTINGS, arguments={"settings": changes.settings})
        if changes.limit is not None:
            await self._do(CommandName.SET_LIMIT, arguments={"limit": changes.limit})
        return "OK"

    # -- within --------------------------------------------------------------------------------------------------------

    def _everything(self) -> dict[str, str]:
        return global_options(self._engine.settings, self._engine.snapshot(), self._engine.default_dir)

    async def _do(self, name: CommandName, *ids: int, arguments: Mapping[str, Any] | None = None) -> CommandOutcome:
        return await self._engine.execute(Command(name, ids=ids, arguments=arguments or {}))


def _as_values(options: TaskOptions) -> dict[str, Any]:
    """Return what was asked for as `CommandName.ADD` takes it."""
    return {
        one.name: getattr(options, one.name)
        for one in fields(TaskOptions)
        if getattr(options, one.name) != getattr(_PLAIN_OPTIONS, one.name)
    }
