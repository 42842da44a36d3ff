"""Long bodies are taken straight from the transport, and their connection is used again."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from weakref import WeakSet

import pytest
import uvloop
from aiohttp.client_proto import ResponseHandler

from tests.faults.certificates import server_context
from tui_dl.core.errors import NetworkError, Reason
from tui_dl.core.ports import TransportRequest
from tui_dl.disk.backlog import MOST_FREE_READERS
from tui_dl.engine import direct_body
from tui_dl.engine.blocks import BLOCK_BYTES, CROWDED_BLOCK_BYTES, MOST_IDLE_BYTES, Block, Blocks
from tui_dl.engine.client import AiohttpAnswer, AiohttpTransport
from tui_dl.engine.client_options import ClientOptions
from tui_dl.engine.direct_body import MOST_UNREAD_BLOCKS, DirectBody

if TYPE_CHECKING:
    import ssl

    import trustme

BODY = random.Random(4).randbytes(3 * 1024 * 1024 + 17)
HEAD = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n".encode()
Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers each request with what it was told; counts connections."""

    def __init__(self, serve: Serve) -> None:
        self.serve = serve
        self.connections = 0
        self.origin = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests until the client goes."""
        self.connections += 1
        task = asyncio.ensure_future(self._answer(reader, writer))
        self._tasks.add(task)
        await asyncio.wait([task])

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            while await reader.readuntil(b"\r\n\r\n"):
                await self.serve(writer)
        writer.close()
        with suppress(OSError, asyncio.TimeoutError):
            await writer.wait_closed()

    async def aclose(self) -> None:
        """Return when every client has gone."""
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Run a server."""
    server = Server(serve)
    listening = await asyncio.start_server(server.meet, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    server.origin = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield server
    finally:
        listening.close()
        await server.aclose()


@asynccontextmanager
async def transport(tls: ssl.SSLContext | None = None) -> AsyncIterator[AiohttpTransport]:
    """Make a transport."""
    made = AiohttpTransport(connect_timeout_s=5, timeout_s=5, options=ClientOptions(tls=tls))
    try:
        yield made
    finally:
        await made.aclose()


async def ask(sender: AiohttpTransport, server: Server) -> AiohttpAnswer:
    """Return an answer."""
    answer = await sender.get(TransportRequest(f"{server.origin}/f", {}))
    assert isinstance(answer, AiohttpAnswer)
    return answer


async def read_all(answer: AiohttpAnswer, most_bytes: int | None = None) -> bytes:
    """Read a body through views, releasing each."""
    pieces = []
    while view := await answer.view(most_bytes):
        pieces.append(bytes(view))
        if isinstance(view, memoryview):
            view.release()
    return b"".join(pieces)


async def whole(writer: asyncio.StreamWriter) -> None:
    """Send the body."""
    writer.write(HEAD + b"\r\n" + BODY)
    await writer.drain()


async def in_two(writer: asyncio.StreamWriter) -> None:
    """Send half of it, the rest later, and nothing more."""
    writer.write(HEAD + b"\r\n" + BODY[:1_000_000])
    await writer.drain()
    writer.write(BODY[1_000_000:])
    await writer.drain()


async def with_surplus(writer: asyncio.StreamWriter) -> None:
    """Send more than was promised."""
    writer.write(HEAD + b"\r\n" + BODY + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def and_close(writer: asyncio.StreamWriter) -> None:
    """Send it and say that the connection ends with it, which it does not."""
    writer.write(HEAD + b"Connection: close\r\n\r\n" + BODY)
    await writer.drain()


async def cut(writer: asyncio.StreamWriter) -> None:
    """Send two thirds and hang up."""
    writer.write(HEAD + b"\r\n" + BODY[:2_000_000])
    await writer.drain()
    writer.close()


def on_both_loops(work: Callable[[], Awaitable[None]]) -> None:
    """Run it on asyncio's own loop and on uvloop."""
    for factory in (asyncio.new_event_loop, uvloop.new_event_loop):
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(_awaited(work))


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()


@pytest.mark.parametrize("serve", [whole, in_two])
@pytest.mark.parametrize("most_bytes", [None, 100_000])
def test_a_long_body_is_taken_over_and_its_connection_used_again(serve: Serve, most_bytes: int | None) -> None:
    """Every byte comes once and in order; the next request needs no new connection."""

    async def work() -> None:
        async with serving(serve) as server, transport() as sender:
            for _ in range(3):
                answer = await ask(sender, server)
                assert await read_all(answer, most_bytes) == BODY
                assert answer._direct is not None
                answer.close()
            assert server.connections == 1

    on_both_loops(work)


def test_the_same_over_tls(tls_authority: trustme.CA, trusting_context: ssl.SSLContext) -> None:
    """What the secure layer holds at the exchange is not lost."""
    context = server_context(tls_authority, "127.0.0.1")

    async def work() -> None:
        async with serving(in_two, context) as server, transport(trusting_context) as sender:
            for _ in range(2):
                answer = await ask(sender, server)
                assert await read_all(answer) == BODY
                answer.close()
            assert server.connections == 1

    on_both_loops(work)


@pytest.mark.parametrize("serve", [with_surplus, and_close])
def test_a_connection_that_is_not_clean_is_not_used_again(serve: Serve) -> None:
    """What came behind the body is no answer to the next request; a server that closes is believed."""

    async def work() -> None:
        async with serving(serve) as server, transport() as sender:
            for _ in range(2):
                answer = await ask(sender, server)
                assert await read_all(answer) == BODY
                answer.close()
            assert server.connections == 2

    on_both_loops(work)


def test_a_cut_is_told_after_what_came_before_it() -> None:
    """Nothing that arrived is lost, and the end is no success."""

    async def work() -> None:
        async with serving(cut) as server, transport() as sender:
            answer = await ask(sender, server)
            came = b""
            while len(came) < 2_000_000:
                came += await answer.view(None)
            assert came == BODY[:2_000_000]
            with pytest.raises(NetworkError) as caught:
                await answer.view(None)
            assert caught.value.reason is Reason.TRUNCATED
            answer.close()

    on_both_loops(work)


async def test_a_body_that_is_given_up_closes_its_connection() -> None:
    """Half a body is never taken for the beginning of the next answer."""
    async with serving(whole) as server, transport() as sender:
        answer = await ask(sender, server)
        assert await answer.view(None)
        answer.close()
        again = await ask(sender, server)
        assert await read_all(again) == BODY
        again.close()
        assert server.connections == 2


async def test_short_bodies_stay_with_the_library() -> None:
    """Exchanging protocols is worth it for long bodies alone."""

    async def short(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")

    async with serving(short) as server, transport() as sender:
        answer = await ask(sender, server)
        assert await read_all(answer) == b"abc"
        assert answer._direct is None
        answer.close()


async def test_without_the_names_it_leans_on_it_reads_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of the library costs speed and nothing else."""
    monkeypatch.setattr(direct_body, "_CONNECTION_PARTS", ("no_such_name",))
    async with serving(whole) as server, transport() as sender:
        answer = await ask(sender, server)
        assert await read_all(answer) == BODY
        assert answer._direct is None
        answer.close()


class Link(asyncio.Transport):
    """A transport that only notes whether it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.is_read = True

    def pause_reading(self) -> None:
        """Stop."""
        self.is_read = False

    def resume_reading(self) -> None:
        """Go on."""
        self.is_read = True

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Do nothing."""


def is_read(link: Link) -> bool:
    """Whether it is read now."""
    return link.is_read


def feed(body: DirectBody, count_bytes: int, fill: int) -> None:
    """Let bytes arrive."""
    while count_bytes:
        room = body.get_buffer(-1)[:count_bytes]
        room[:] = bytes([fill]) * len(room)
        body.buffer_updated(len(room))
        count_bytes -= len(room)


def make_body(link: Link, length_bytes: int, blocks: Blocks | None = None) -> DirectBody:
    """Make one with nothing early."""
    handler = ResponseHandler(asyncio.get_running_loop())
    return DirectBody(handler, link, blocks or Blocks(lambda: False), b"", length_bytes)


async def test_memory_is_used_again_only_when_it_was_released() -> None:
    """A view that somebody still holds keeps its bytes; the next body has what was released."""
    blocks = Blocks(lambda: False)
    body = make_body(Link(), 10 * BLOCK_BYTES, blocks)
    feed(body, BLOCK_BYTES, 1)
    held = await body.read(None)
    feed(body, BLOCK_BYTES, 2)
    released = await body.read(None)
    released_room = released.obj
    feed(body, BLOCK_BYTES, 3)
    assert bytes(held) == b"\x01" * BLOCK_BYTES
    released.release()
    (await body.read(None)).release()
    other = make_body(Link(), 10 * BLOCK_BYTES, blocks)
    rooms = []
    for fill in (4, 5):
        feed(other, BLOCK_BYTES, fill)
        rooms.append((await other.read(None)).obj)
    assert any(room is released_room for room in rooms)
    assert bytes(held) == b"\x01" * BLOCK_BYTES


async def test_a_block_that_was_begun_is_filled_by_the_next_body() -> None:
    """Each sees its own bytes, and a body that ended keeps no memory from the others."""
    blocks = Blocks(lambda: False)
    first, second = make_body(Link(), 1000, blocks), make_body(Link(), 1000, blocks)
    feed(first, 1000, 1)
    one = await first.read(None)
    first.put_back()
    feed(second, 1000, 2)
    two = await second.read(None)
    assert one.obj is two.obj
    assert (bytes(one), bytes(two)) == (b"\x01" * 1000, b"\x02" * 1000)


async def test_what_came_early_is_kept_no_longer_than_until_it_is_written() -> None:
    """The body itself does not hold what it gave out: that was 15 MiB of a hundred connections."""
    blocks = Blocks(lambda: False)
    body = DirectBody(ResponseHandler(asyncio.get_running_loop()), Link(), blocks, bytes(1000), BLOCK_BYTES)
    assert len(await body.read(600)) == 600
    assert len(await body.read(None)) == 400
    assert len(bytes(body._early.obj)) == 0


async def test_a_hundred_bodies_share_what_a_disk_lets_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory follows what is not written, and not the number of connections or their bytes."""
    alive: WeakSet[Block] = WeakSet()

    class Counted(Block):
        """One that is counted as long as anybody has it."""

        def __init__(self, size_bytes: int) -> None:
            super().__init__(size_bytes)
            alive.add(self)

    monkeypatch.setattr("tui_dl.engine.blocks.Block", Counted)
    blocks = Blocks(lambda: True)
    bodies = [make_body(Link(), 1 << 30, blocks) for _ in range(100)]
    unwritten: deque[memoryview] = deque()
    most_unwritten = 32
    for _ in range(5):
        for body in bodies:
            # As a connection whose turn it is looks at its socket once, which has much for it.
            body.buffer_updated(min(3 * CROWDED_BLOCK_BYTES, len(body.get_buffer(-1))))
            unwritten.append(await body.read(None))
            body.hold()
            if len(unwritten) > most_unwritten:
                unwritten.popleft().release()
        assert sum(block.size_bytes for block in alive) <= 2 * most_unwritten * BLOCK_BYTES
    for body in bodies:
        body.put_back()
    while unwritten:
        unwritten.popleft().release()
    blocks.trim()
    assert sum(block.size_bytes for block in alive) <= 2 * MOST_IDLE_BYTES


async def test_a_crowd_is_one_before_its_first_answer() -> None:
    """A hundred requests are sent at once: what is told to the readers of their answers must be known by then."""
    arrived, answer_now = asyncio.Semaphore(0), asyncio.Event()

    async def together(writer: asyncio.StreamWriter) -> None:
        arrived.release()
        await answer_now.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")

    async with serving(together) as server, transport() as sender:
        asking = [asyncio.ensure_future(ask(sender, server)) for _ in range(MOST_FREE_READERS + 1)]
        for _ in asking:
            await arrived.acquire()
        was_crowded = sender._open_answers.is_crowded
        answer_now.set()
        answers = await asyncio.gather(*asking)
        assert (was_crowded, sender._open_answers.is_crowded) == (True, True)
        for answer in answers:
            answer.close()
        assert not sender._open_answers.is_crowded


async def test_the_socket_is_left_alone_while_enough_is_unread_or_it_is_held() -> None:
    """Whoever does not read lets the server wait, not memory grow."""
    link = Link()
    body = make_body(link, 10 * BLOCK_BYTES)
    feed(body, MOST_UNREAD_BLOCKS * BLOCK_BYTES, 1)
    assert not is_read(link)
    (await body.read(None)).release()
    assert is_read(link)
    body.hold()
    assert not is_read(link)
    (await body.read(None)).release()
    assert is_read(link)


async def test_what_comes_behind_the_body_is_not_given_out() -> None:
    """A view ends where the body does, and the connection is not used again."""
    body = make_body(Link(), 100)
    room = body.get_buffer(-1)
    body.buffer_updated(len(room))
    assert len(room) > 100
    assert len(await body.read(None)) == 100
    assert not body.is_over
