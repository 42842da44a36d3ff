"""From which size on a terminal is neither narrow nor low; the style sheet has a block for those that are."""

from __future__ import annotations

from typing import Final

BREAKPOINTS_X: Final = [(0, "-narrow"), (64, "-wide")]
"""Columns, and the class that holds from there."""
BREAKPOINTS_Y: Final = [(0, "-low"), (18, "-high"), (30, "-tall")]
"""Rows, and the class that holds from there."""


def classes_for(columns: int, rows: int) -> dict[str, bool]:
    """Return every class of a size and whether it holds for this one."""
    holds = {name: False for _, name in (*BREAKPOINTS_X, *BREAKPOINTS_Y)}
    for length, points in ((columns, BREAKPOINTS_X), (rows, BREAKPOINTS_Y)):
        holds[max(point for point in points if point[0] <= length)[1]] = True
    return holds
