"""The command lines of all programs, ours and the peers', each as its users would write it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.measure import Contender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.peers import Peers

TUI_DL = (sys.executable, "-m", "tui_dl")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Work:
    """One address or a list, and who vouches for the server."""

    urls: Sequence[str]
    """Addresses."""
    listing: Path
    """A file with the same, one a line."""
    peers: Peers
    """Who can run."""
    authority: Path | None = None
    """Certificate to trust; None: no TLS."""

    @property
    def url(self) -> str:
        """The first address."""
        return self.urls[0]

    def _option(self, name: str) -> tuple[str, ...]:
        return (name, str(self.authority)) if self.authority else ()

    def ours(self, *options: str, name: str = "") -> Contender:
        """Return `tui-dl get` on one address or on the list."""
        trust = self._option("--ca-certificate")
        source = (self.url,) if len(self.urls) == 1 else ("-i", str(self.listing))
        return Contender(
            name or " ".join(("tui-dl get", *options)),
            lambda out: (*TUI_DL, "get", "-q", *options, *trust, "-d", str(out), *source),
        )

    def aria2(self, *options: str) -> Contender:
        """Return aria2c on one address or on the list."""
        trust = self._option("--ca-certificate")
        source = (self.url,) if len(self.urls) == 1 else ("-i", str(self.listing))
        quiet = ("-q", "--no-conf", "--file-allocation=none")
        return Contender(
            " ".join(("aria2c", *options)),
            lambda out: ("aria2c", *quiet, *options, *trust, "-d", str(out), *source),
            absent=self.peers.absence("aria2c"),
        )

    def wget2(self, *options: str) -> Contender:
        """Return wget2 on one address or on the list."""
        trust = self._option("--ca-certificate")
        source = (self.url,) if len(self.urls) == 1 else ("-i", str(self.listing))
        quiet = ("-q", "--no-config", "--no-robots")
        return Contender(
            " ".join(("wget2", *options)),
            lambda out: ("wget2", *quiet, *options, *trust, "-P", str(out), *source),
            absent=self.peers.absence("wget2"),
        )

    def axel(self, *options: str) -> Contender:
        """Return axel on one address."""
        name = self.url.rpartition("/")[2]
        return Contender(
            " ".join(("axel", *options)),
            lambda out: ("axel", "-q", *options, "-o", str(out / name), self.url),
            absent=self.peers.absence("axel"),
        )

    def curl(self) -> Contender:
        """Return curl on one address."""
        name = self.url.rpartition("/")[2]
        trust = self._option("--cacert")
        return Contender("curl", lambda out: ("curl", "-qsfS", *trust, "-o", str(out / name), self.url))

    def curl_list(self, *options: str, at_once: int) -> Contender:
        """Return curl with many transfers at once."""
        trust = self._option("--cacert")
        parallel = ("-Z", "--parallel-max", str(at_once))

        def command(out: Path) -> Sequence[str]:
            config = self.listing.with_suffix(".curl")
            config.write_text("".join(f'url="{url}"\noutput="{out}/{url.rpartition("/")[2]}"\n' for url in self.urls))
            return ("curl", "-qsfS", *parallel, *options, *trust, "-K", str(config))

        return Contender(" ".join(("curl", *parallel, *options)), command)

    def library(
        self, name: str, *options: str, at_once: int, needs: Sequence[str] = (), most_rounds: int = 0, label: str = ""
    ) -> Contender:
        """Return one of the fetchers on the list."""
        trust = self._option("--authority")
        start = (str(self.peers.python), "-m", f"tests.benchmarks.fetchers.by_{name}", str(self.listing))
        arguments = ("--at-once", str(at_once), *options, *trust)
        absences = [self.peers.absence(needed) for needed in needs or (name,)]
        return Contender(
            label or " ".join((f"{name} {at_once}", *options)),
            lambda out: (*start, str(out), *arguments),
            environment={"PYTHONPATH": str(ROOT)},
            absent="; ".join(reason for reason in absences if reason),
            most_rounds=most_rounds,
        )
