"""How many failures a batch may have: `--max-failed 10` or `--max-failed 2.5%`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tui_dl.core.errors import UsageError

WHOLE_PERCENT: Final = 100
_WRITTEN: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(%?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class FailureBound:
    """Most failures, as a number or as a share of all that was asked for."""

    most: int = 0
    """Number of failures that is still well."""
    percent: float | None = None
    """Share that is still well, in percent of the total; None: `most` counts."""

    def allows(self, failed: int, total: int) -> bool:
        """Whether this many failures of that many tasks are still well."""
        if self.percent is None:
            return failed <= self.most
        return failed * 100 <= self.percent * total

    def is_exceeded_for_good(self, failed: int, total: int, *, is_total_known: bool) -> bool:
        """Whether no further success can make it well again: a share needs the total, which a list still read hides."""
        return (self.percent is None or is_total_known) and not self.allows(failed, total)

    def __str__(self) -> str:
        return f"{self.most}" if self.percent is None else f"{self.percent:g}%"


def parse_failure_bound(text: str) -> FailureBound:
    """Return what was typed; raises `UsageError`."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or (match[2] and float(match[1]) > WHOLE_PERCENT) or (not match[2] and "." in match[1]):
        raise UsageError("--max-failed: write a number of failures (10), or a share of all (2.5%)")
    return FailureBound(percent=float(match[1])) if match[2] else FailureBound(int(match[1]))
