"""Bodies on one connection: small ones read whole and saved in groups, encoded ones decoded on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.errors import ContentError, Reason
from tui_dl.core.splitting import SegmentPlan
from tui_dl.core.task import Flag
from tui_dl.disk.backlog import Backlog
from tui_dl.engine.connection import Connection
from tui_dl.engine.provenance import provenance_of
from tui_dl.engine.reading import BodyReading
from tui_dl.engine.refusing import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.extents import Extent
    from tui_dl.core.ports import Chunk
    from tui_dl.disk.part_file import PartFile
    from tui_dl.engine.asking import Exchange
    from tui_dl.engine.connection import Sink
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.encoded_body import Decoder
    from tui_dl.engine.live import LiveTask


class _Bounded:
    """A sink that keeps what it gets, decoded, up to a bound."""

    def __init__(self, most_bytes: int, decoder: Decoder | None) -> None:
        self._left_bytes = most_bytes
        self._decoder = decoder
        self.backlog = Backlog()
        """Its own: it stays in memory."""
        self.buffers: list[bytes] = []

    async def write(self, buffers: Sequence[Chunk], offset: int) -> list[Extent]:
        """Keep the buffers; they come in order."""
        del offset
        for buffer in buffers:
            for piece in (bytes(buffer),) if self._decoder is None else self._decoder.feed(bytes(buffer)):
                self._left_bytes -= len(piece)
                if self._left_bytes < 0:
                    raise ContentError(Reason.TOO_LARGE, "longer than any document of its kind")
                self.buffers.append(piece)
        return []


class _Decoding:
    """A sink that decodes what it gets into a part file, in order."""

    def __init__(self, decoder: Decoder, sink: Sink) -> None:
        self._decoder = decoder
        self._sink = sink
        self.backlog = Backlog()
        """Its own: what it gets is written before it takes more."""
        self.size_bytes = 0

    async def write(self, buffers: Sequence[Chunk], offset: int) -> list[Extent]:
        """Decode and write piece by piece; nothing of it counts as held, since it cannot be resumed by offset."""
        del offset
        for buffer in buffers:
            for piece in self._decoder.feed(bytes(buffer)):
                await self._sink.write([piece], self.size_bytes)
                self.size_bytes += len(piece)
        return []


async def read_small(context: EngineContext, live: LiveTask, exchange: Exchange, total_bytes: int) -> list[bytes]:
    """Read a body of known length whole and return it in pieces."""
    buffers: list[bytes] = []
    if total_bytes:
        buffers = await BodyReading(live, context.limits).read(exchange.answer, total_bytes)
    exchange.close()
    return buffers


async def read_document(
    context: EngineContext, live: LiveTask, exchange: Exchange, most_bytes: int, decoder: Decoder | None
) -> bytes:
    """Read a body that is wanted for what it says, decoded; raises `ContentError` TOO_LARGE beyond `most_bytes`."""
    sink = _Bounded(most_bytes, decoder)
    total_bytes = None if decoder is not None else exchange.judgement.total_bytes
    if total_bytes != 0:
        await _read_through(context, live, exchange, sink, total_bytes)
    if decoder is not None:
        decoder.finish()
    exchange.close()
    return b"".join(sink.buffers)


async def save_small(
    context: EngineContext, live: LiveTask, buffers: list[bytes], on_written: Callable[[], None]
) -> None:
    """Save a whole body, which is let go of once it is written; the journal's row is written by its group."""

    def written() -> None:
        # Until its group is committed its callers have the list in hand: that was 250 bodies that nobody counted.
        buffers.clear()
        on_written()

    await context.small_files.save(
        live.task.dir,
        live.task.filename,
        buffers,
        on_exists=context.commit_policy_of(live.task),
        adopts_twin=live.may_be_named or live.task.added_at < context.opened_at,
        token=live,
        create_folder=True,
        on_written=written,
        provenance=provenance_of(context, live.task),
    )


async def fetch_encoded(
    context: EngineContext, live: LiveTask, exchange: Exchange, part: PartFile, decoder: Decoder
) -> None:
    """Decode a body into a part file; its length is then known by the coding's own end."""
    sink = _Decoding(decoder, bounded(context, live, part))
    live.rewind(0)
    await part.truncate(0)
    await _read_through(context, live, exchange, sink, None)
    decoder.finish()
    live.total_bytes = sink.size_bytes
    live.change(total_bytes=sink.size_bytes, flags=live.task.flags - {Flag.LENGTH_UNVERIFIED})


async def _read_through(
    context: EngineContext,
    live: LiveTask,
    exchange: Exchange,
    sink: _Bounded | _Decoding,
    total_bytes: int | None,
) -> None:
    connection = Connection(
        live,
        SegmentPlan(total_bytes),
        sink,
        context.throttles_of(live.task),
        gather_bytes=context.settings.chunk_size,
        on_written=_nothing_to_record,
    )
    live.connections.append(connection)
    try:
        segment = SegmentPlan(total_bytes).begin(0, total_bytes)
        await connection.pump(exchange.answer, segment, total_bytes)
    except BaseException:
        # Nothing of it can be kept, so that it is no progress either.
        live.rewind(0)
        raise
    finally:
        live.connections.remove(connection)
        await connection.abandon()


def _nothing_to_record(extents: list[Extent]) -> None:
    assert not extents
