"""The session: accepts clients, starts the engine with or without a screen, and ends when nothing is left to do."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import TuiDlError
from tui_dl.core.ports_control import SessionFacts
from tui_dl.core.ports_session import Leaving
from tui_dl.core.status import UNFINISHED, Status
from tui_dl.session import handover
from tui_dl.session.channel import Channel
from tui_dl.session.partings import parting_lines, stopped_lines
from tui_dl.session.protocol import DESCRIPTORS, PROTOCOL, BadMessageError, Hello, Want, Word
from tui_dl.session.visit import Visit

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from tui_dl.core.ports import EnginePort
    from tui_dl.core.ports_session import ScreenPort
    from tui_dl.session.ports import Door, EnginePlace, Listening

logger = logging.getLogger(__name__)

ENGINE_AFTER_S: Final = 1.0
"""The engine starts behind the first frame of the first screen, without one after this long."""
LINGER_S: Final = 3.0
"""How long the session stays with nothing to do and nobody there."""
LOOK_EVERY_S: Final = 1.0
"""How often it looks whether that is so."""
HELLO_S: Final = 5.0
"""How long a client may take to say what it wants."""
REACHABLE_EVERY_S: Final = 2.0
"""How often it looks whether its sockets are still there."""
MOST_CLIENTS: Final = 64
"""Connections at once; more are closed."""
BACKLOG: Final = 64
CANNOT_START: Final = 3
REFUSED: Final = 2


class SessionServer:
    """Fulfils `SessionPort`; `run` lives until it is stopped or idle."""

    def __init__(
        self,
        place: EnginePlace,
        screens: ScreenPort,
        door: Door,
        *,
        version: str,
        restore: str,
        warning: str = "",
        stays: bool = False,
    ) -> None:
        """Take the parts; `restore` puts a terminal back, `stays`: it does not end for want of work.

        `warning` is told with what goes on, where a logout would end it.
        """
        self._facts = SessionFacts(version, os.getpid(), time.time(), 0, secrets.token_hex(20))
        self._place = place
        self._screens = screens
        self._door = door
        self._restore = restore
        self._warning = warning
        self._stays = stays
        self._engine: asyncio.Task[EnginePort] | None = None
        self._visit: Visit | None = None
        self._turn = asyncio.Lock()
        self._clients: set[asyncio.Task[None]] = set()
        self._waiting_for_end: list[Channel] = []
        self._is_stopping = asyncio.Event()
        self._is_wanted = asyncio.Event()
        self._linger_until = 0.0

    # -- life ----------------------------------------------------------------------------------------------------------

    async def run(self, sockets: Listening) -> None:
        """Serve the two listeners until the end; raises what kept the engine from starting. Closes neither."""
        loop = asyncio.get_running_loop()
        loop.add_reader(sockets.attach, self._accept, sockets.attach)
        self._stay()
        chores = [
            asyncio.ensure_future(one)
            for one in (self._keep_door(sockets.rpc), self._watch_idle(), self._keep_reachable(sockets))
        ]
        try:
            await self._is_stopping.wait()
        finally:
            loop.remove_reader(sockets.attach)
            for chore in chores:
                chore.cancel()
            for fault in await asyncio.gather(*chores, return_exceptions=True):
                if isinstance(fault, Exception):
                    logger.error("a fault of ours in a chore of the session", exc_info=fault)
            await self._close()
        if self._engine is not None and (error := self._engine.exception()) is not None:
            raise error

    def facts(self) -> SessionFacts:
        """Return who answers."""
        return replace(self._facts, clients=len(self._clients))

    def refusal_of_proxies(self, proxies: Mapping[str, str] | None) -> str:
        """Return why what is added cannot go through these proxies."""
        return self._place.refusal_of_proxies(proxies)

    def stop(self, *, is_forced: bool = False) -> None:
        """End everything in order, at once or with what was ordered in bulk done: all of it is durable step by step."""
        logger.info("asked to end%s", " at once" if is_forced else "")
        self._is_stopping.set()

    async def engine(self) -> EnginePort:
        """Return the engine, started by whoever asks first."""
        self._is_wanted.set()
        if self._engine is None:
            self._engine = asyncio.ensure_future(self._place.start())
            self._engine.add_done_callback(self._note_start)
        return await asyncio.shield(self._engine)

    def farewell(self, lines: list[str]) -> None:
        """Tell those who wait for the end that it has come; called when everything is durable and closed."""
        for channel in self._waiting_for_end:
            channel.say(Word.LEFT, lines=lines, code=0)
            channel.close()
        self._waiting_for_end.clear()

    def _note_start(self, starting: asyncio.Task[EnginePort]) -> None:
        if starting.cancelled() or starting.exception() is not None:
            logger.error("the engine could not start: %s", None if starting.cancelled() else starting.exception())
            self.stop()

    async def _close(self) -> None:
        if self._visit is not None:
            self._visit.end()
            with suppress(TimeoutError):
                async with asyncio.timeout(HELLO_S):
                    await self._visit.is_over.wait()
        await self._door.aclose()
        for client in tuple(self._clients):
            if not client.done():
                client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        if self._engine is not None and not self._engine.done():
            # Half started it cannot be closed, and a journal that is being opened is not left in the middle.
            await asyncio.wait([self._engine])

    async def _keep_door(self, rpc: socket.socket) -> None:
        """Start the engine when somebody wants it, or it is time to; then open the other door."""
        loop = asyncio.get_running_loop()
        loop.add_reader(rpc, self._is_wanted.set)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(ENGINE_AFTER_S):
                    await self._is_wanted.wait()
        finally:
            loop.remove_reader(rpc)
        try:
            await self.engine()
            await self._door.open(rpc, self)
        except TuiDlError:
            return  # told where it happened; the session ends
        except OSError as error:  # the screen and the downloads go on without it
            logger.warning("programs cannot be served: %s", error)

    async def _keep_reachable(self, sockets: Listening) -> None:
        """Listen elsewhere when the folder of the sockets was cleared, as it is with the last login."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(REACHABLE_EVERY_S)
            if await asyncio.to_thread(sockets.are_there):
                continue
            gone = sockets.attach
            try:
                await asyncio.to_thread(sockets.renew)
            except TuiDlError as error:
                logger.warning("nobody can reach the session: %s", error.message)
                continue
            logger.info("the sockets were gone, and are made anew")
            loop.remove_reader(gone)
            gone.close()
            loop.add_reader(sockets.attach, self._accept, sockets.attach)
            await self._door.listen_also(sockets.rpc)

    # -- idle ----------------------------------------------------------------------------------------------------------

    def _stay(self) -> None:
        """Do not end for want of work just now."""
        self._linger_until = asyncio.get_running_loop().time() + LINGER_S

    async def _watch_idle(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._stays:
            await asyncio.sleep(LOOK_EVERY_S)
            if self._is_busy():
                self._stay()
            elif loop.time() >= self._linger_until:
                logger.info("nothing is left to do and nobody is here")
                self.stop()
                return

    def _is_busy(self) -> bool:
        snapshot = self._place.snapshot()
        if snapshot is None or self._clients or self._door.is_in_use:
            return True
        return bool(snapshot.works) or self._moving() > 0 or self._place.has_errands()

    def _moving(self) -> int:
        """Return how many tasks go on by themselves."""
        snapshot = self._place.snapshot()
        counts = snapshot.counts if snapshot is not None else {}
        return sum(counts.get(status, 0) for status in UNFINISHED - {Status.PAUSED})

    def unfinished(self) -> int:
        """Return how many tasks are not done, the paused ones among them."""
        snapshot = self._place.snapshot()
        counts = snapshot.counts if snapshot is not None else {}
        return sum(counts.get(status, 0) for status in UNFINISHED)

    # -- clients -------------------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        if not handover.is_own(connection):
            logger.warning("another user's process was turned away")
            connection.close()
            return
        if len(self._clients) >= MOST_CLIENTS:
            logger.warning("more than %d clients: one was turned away", MOST_CLIENTS)
            connection.close()
            return
        client = asyncio.ensure_future(self._serve(connection))
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def _serve(self, connection: socket.socket) -> None:
        channel = Channel(connection)
        try:
            hello = await self._greeted(channel)
            if hello is not None:
                await self._answer(channel, hello, handover.peer_of(connection).pid)
        except OSError as error:
            logger.warning("a client could not be served: %s", error)
        finally:
            if channel not in self._waiting_for_end:
                channel.close()

    async def _greeted(self, channel: Channel) -> Hello | None:
        """Return what a client wants, None for one that does not say."""
        try:
            async with asyncio.timeout(HELLO_S):
                message = await channel.next()
            return Hello.of(message) if message is not None else None
        except (BadMessageError, TimeoutError) as error:
            logger.warning("a client did not say what it wants: %s", error)
            return None

    async def _answer(self, channel: Channel, hello: Hello, pid: int) -> None:
        welcome = {"protocol": PROTOCOL, "version": self._facts.version, "pid": os.getpid(), "restore": self._restore}
        if hello.want == Want.STOP:
            channel.say(Word.WELCOME, **welcome)
            self._waiting_for_end.append(channel)
            self.stop()
        elif hello.want == Want.ASK:
            channel.say(Word.WELCOME, **welcome, refusal=self._place.refusal_of_proxies(hello.proxies))
        elif hello.protocol != PROTOCOL or hello.want != Want.ATTACH:
            text = (
                f"the session is of tui-dl {self._facts.version} and cannot do what {hello.version or 'another'} wants"
            )
            channel.say(Word.REFUSED, text=text, code=CANNOT_START)
        elif len(channel.descriptors) != DESCRIPTORS or not all(os.isatty(one) for one in channel.descriptors):
            channel.say(Word.REFUSED, text="no terminal came with it", code=CANNOT_START)
        elif refusal := await self._refusal(hello):
            channel.say(Word.REFUSED, text=refusal, code=REFUSED)
        else:
            channel.say(Word.WELCOME, **welcome)
            await self._attend(channel, hello, pid)

    async def _refusal(self, hello: Hello) -> str:
        """Return why the options of a client cannot hold; empty if they do."""
        if refusal := self._place.refusal_of_proxies(hello.proxies):
            return refusal
        if not hello.options:
            return ""
        try:
            await self.engine()
        except TuiDlError as error:
            return error.message
        return await self._place.take_options(hello.options)

    async def _attend(self, channel: Channel, hello: Hello, pid: int) -> None:
        """Show the screen to a client, in the place of an earlier one."""
        visit = Visit(channel, hello, self._screens, client_pid=pid)
        earlier, self._visit = self._visit, visit
        if earlier is not None:
            earlier.end()
        async with self._turn:
            # Process-wide state of the toolkit: one screen has ended wholly before the next begins.
            if self._visit is not visit or self._is_stopping.is_set():
                channel.say(Word.LEFT, lines=["another terminal took over"], code=0)
                visit.is_over.set()
                return
            logger.info("attached: process %d", pid)
            leaving = await visit.run()
            logger.info("detached: process %d (%s)", pid, leaving)
        if leaving is Leaving.GO_ON:
            with suppress(TuiDlError):  # who leaves at once is told what goes on, too
                await self.engine()
        self._part(channel, visit, leaving)

    def _part(self, channel: Channel, visit: Visit, leaving: Leaving) -> None:
        if leaving is Leaving.STOP:
            self.stop()
        is_taken_over = self._visit is not visit
        if not is_taken_over:
            self._visit = None
            self._stay()
        if visit.failure is not None:
            channel.say(Word.LEFT, lines=_failure_lines(visit.failure), code=CANNOT_START)
        elif self._is_stopping.is_set():
            self._waiting_for_end.append(channel)
        else:
            lines = parting_lines(self._moving(), self.unfinished(), is_taken_over=is_taken_over, warning=self._warning)
            channel.say(Word.LEFT, lines=lines, code=0)

    def last_words(self) -> list[str]:
        """Return what is to be said at the end of the session."""
        return stopped_lines(self.unfinished())


def _failure_lines(error: BaseException) -> list[str]:
    if isinstance(error, TuiDlError):
        return [f"tui-dl: {error.message} [{error.reason}]", f"    {error.hint}"]
    text = f"tui-dl: a fault of tui-dl itself: {type(error).__name__}: {error}"
    return [text, "    Please report it, with the session's log."]
