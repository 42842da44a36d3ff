"""The table of results: lines with ratios, verdicts on targets; as Markdown and as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.benchmarks.measure import median

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.benchmarks.measure import Contender, Figures

HEAD = (
    "program",
    "wall s",
    "min-max",
    "CPU s",
    "RSS MiB",
    "files/s",
    "MB/s",
    "right",
    "wall, ours / its",
    "CPU, ours / its",
)
ALIGNMENT = ("---", *["---:"] * (len(HEAD) - 1))


class Side(StrEnum):
    """On which side of its bound a figure must be."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True)
class Verdict:
    """A target and the figure beside it."""

    target: str
    """What is compared, in words."""
    value: float
    """The figure measured."""
    side: Side
    """Where it must lie."""
    bound: float
    """The target's number."""

    @property
    def is_met(self) -> bool:
        """Tell whether the figure reaches the target."""
        return self.value <= self.bound if self.side is Side.AT_MOST else self.value >= self.bound

    def text(self) -> str:
        """Return it as a line."""
        mark = "met" if self.is_met else "NOT MET"
        return f"{mark}: {self.target}: {self.value:.3g} ({self.side} {self.bound:g})"


@dataclass(frozen=True)
class Line:
    """One program's medians."""

    program: str
    """Its name."""
    wall_s: float = 0.0
    """Seconds; 0: it did not run."""
    least_wall_s: float = 0.0
    """The quickest round."""
    most_wall_s: float = 0.0
    """The slowest round."""
    cpu_s: float = 0.0
    """User and system seconds."""
    rss_bytes: int = 0
    """Peak resident memory."""
    right_files: int = 0
    """Files whose digest was right, in the worst round."""
    right_bytes: int = 0
    """Their bytes."""
    note: str = ""
    """Why it did not run, or what it did wrong."""

    @property
    def files_per_s(self) -> float:
        """Right files a second."""
        return self.right_files / self.wall_s if self.wall_s else 0.0

    @property
    def rate_bps(self) -> float:
        """Right bytes a second."""
        return self.right_bytes / self.wall_s if self.wall_s else 0.0


@dataclass(frozen=True)
class Table:
    """One piece of work and all who did it."""

    name: str
    """The row's name for `--only`."""
    title: str
    """What the work was."""
    rounds: int
    """Rounds behind the medians."""
    files: int
    """Files in the work."""
    lines: Sequence[Line]
    """Ours first; ratios are to it."""
    verdicts: Sequence[Verdict] = ()
    """Targets that this work decides."""
    remarks: Sequence[str] = field(default_factory=tuple)
    """What a reader must know: the server's proof, versions, limits."""

    def line(self, program: str) -> Line | None:
        """Return a program's line if it ran."""
        return next((one for one in self.lines if one.program == program and one.wall_s), None)


def make_lines(contenders: Sequence[Contender], figures: Mapping[str, Sequence[Figures]]) -> list[Line]:
    """Turn rounds into one line for each contender, also for those that could not run."""
    lines = []
    for one in contenders:
        runs = figures.get(one.name, ())
        if not runs:
            lines.append(Line(one.name, note=one.absent or "did not run"))
            continue
        its = median(runs)
        walls = [run.wall_s for run in runs]
        lines.append(
            Line(
                one.name,
                its.wall_s,
                min(walls),
                max(walls),
                its.cpu_s,
                its.rss_bytes,
                its.outcome.right_files,
                its.outcome.right_bytes,
                its.outcome.problem,
            )
        )
    return lines


def ratio(ours: Line | None, its: Line | None, figure: str = "wall_s") -> float | None:
    """Return our figure over its: None where it did not run or did wrong, endless where ours did."""
    if its is None or its.note or not getattr(its, figure):
        return None
    if ours is None or ours.note:
        return math.inf
    return float(getattr(ours, figure)) / float(getattr(its, figure))


def verdicts_on(rows: Sequence[tuple[str, float | None, Side, float]]) -> tuple[Verdict, ...]:
    """Make verdicts of those whose figure is known."""
    return tuple(Verdict(target, value, side, bound) for target, value, side, bound in rows if value is not None)


def as_markdown(table: Table) -> str:
    """Return the table with its verdicts and remarks."""
    rows = [HEAD, ALIGNMENT, *(_cells(line, table) for line in table.lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    text = [f"## {table.title} (median of {table.rounds}, interleaved)", ""]
    for number, row in enumerate(rows):
        if number == 1:
            cells = [cell[0] + "-" * (width - 2) + cell[-1] for cell, width in zip(row, widths, strict=True)]
        else:
            cells = [row[0].ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        text.append(f"| {' | '.join(cells)} |")
    notes = [f"- {line.program}: {line.note}" for line in table.lines if line.note]
    points = [f"- {one.text()}" for one in table.verdicts] + [f"- {one}" for one in table.remarks]
    return "\n".join([*text, "", *points, *notes, ""])


def as_json(tables: Sequence[Table]) -> str:
    """Return all tables as one JSON document."""
    rows = []
    for table in tables:
        row = asdict(table)
        row["verdicts"] = [{**asdict(one), "is_met": one.is_met} for one in table.verdicts]
        row["lines"] = [
            {**asdict(one), "files_per_s": one.files_per_s, "rate_bps": one.rate_bps} for one in table.lines
        ]
        rows.append(row)
    return json.dumps(rows, indent=1)


def _cells(line: Line, table: Table) -> tuple[str, ...]:
    if not line.wall_s:
        return (line.program, "absent", *[""] * (len(HEAD) - 2))
    ours = table.lines[0]
    return (
        line.program,
        f"{line.wall_s:.2f}",
        f"{line.least_wall_s:.2f}-{line.most_wall_s:.2f}",
        f"{line.cpu_s:.2f}",
        f"{line.rss_bytes / 2**20:.0f}",
        f"{line.files_per_s:.0f}" if table.files > 1 else "",
        f"{line.rate_bps / 1e6:.1f}",
        f"{line.right_files / table.files:.1%}" if line.right_files < table.files else "all",
        f"{ours.wall_s / line.wall_s:.2f}",
        f"{ours.cpu_s / line.cpu_s:.2f}" if line.cpu_s else "",
    )
