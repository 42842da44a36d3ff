"""What the rows share: the scale of the work, the files made once, the server, and how a competition is run."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tests.benchmarks.measure import Contender, Setting, compete
from tests.benchmarks.payload import MIB, Payload, make_large, make_small
from tests.benchmarks.programs import Work
from tests.benchmarks.table import Line, make_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.benchmarks.peers import Peers
    from tests.benchmarks.web_server import WebServer

SERVER_CORE = "0"
CLIENT_CORE = "1"


@dataclass(frozen=True)
class Scale:
    """How much work each row is."""

    large_bytes: int = 2048 * MIB
    """One file at full speed."""
    paced_bytes: int = 256 * MIB
    """What each connection of a paced server would carry if all began at once: 13.4 s at 20 MB/s."""
    misbehaving_bytes: int = 512 * MIB
    """One file from a server that misbehaves."""
    digest_bytes: int = 1024 * MIB
    """One file with a digest."""
    small_files: int = 10_000
    """Many small files."""
    batch_files: int = 100_000
    """A whole batch of small files; `--files` says how many."""
    tls_files: int = 2_000
    """Small files over TLS."""
    ladder: tuple[int, ...] = (10, 100, 1_000, 10_000)
    """Steps of the ladder, each at most `small_files`."""
    limit_s: float = 900.0
    """A run that takes longer is ended."""


FULL = Scale()
QUICK = Scale(
    large_bytes=64 * MIB,
    paced_bytes=16 * MIB,
    misbehaving_bytes=192 * MIB,
    digest_bytes=64 * MIB,
    small_files=500,
    batch_files=500,
    tls_files=200,
    ladder=(10, 100, 500),
    limit_s=60.0,
)


@dataclass
class Bench:
    """One run of the benchmarks."""

    work: Path
    """Folder of its own, removed at the end."""
    root: Path
    """What the servers serve."""
    scale: Scale
    """How much work."""
    rounds: int
    """Rounds of each competition."""
    peers: Peers
    """Who is there."""
    web: WebServer
    """nginx over the root."""
    _large: dict[int, Payload] = field(default_factory=dict)

    def large(self, size_bytes: int) -> Payload:
        """Return one file of that size."""
        if size_bytes not in self._large:
            self._large[size_bytes] = make_large(self.root, f"large-{size_bytes // MIB}.bin", size_bytes)
        return self._large[size_bytes]

    @cached_property
    def small(self) -> Payload:
        """The small files, all of them."""
        return make_small(self.root, "small", max(self.scale.small_files, self.scale.tls_files, *self.scale.ladder))

    @cached_property
    def batch(self) -> Payload:
        """The files of a whole batch."""
        return make_small(self.root, "batch", self.scale.batch_files)

    def job(self, payload: Payload, origin: str, *, is_tls: bool = False) -> Work:
        """Return the work of fetching a payload."""
        urls = payload.urls(origin)
        listing = self.work / f"list-{len(urls)}.txt"
        listing.write_text("\n".join(urls) + "\n")
        return Work(urls, listing, self.peers, self.web.authority if is_tls else None)

    def lines(
        self,
        contenders: Sequence[Contender],
        payload: Payload,
        *,
        rounds: int = 0,
        cores: str = "",
        limit_s: float = 0.0,
    ) -> list[Line]:
        """Let them compete for a payload; return their medians."""
        setting = Setting(
            self.work / "run",
            payload.check,
            rounds or self.rounds,
            limit_s or self.scale.limit_s,
            cores=cores,
            warm_bytes=payload.total_bytes * 9 // 8,
        )
        return make_lines(contenders, compete(contenders, setting))
