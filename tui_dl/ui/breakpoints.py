"""From which size on a terminal is neither narrow nor low; the style sheet has a block for those that are."""

from __future__ import annotations

from typing import Final

BREAKPOINTS_X: Final = [(0, "-narrow"), (64, "-wide")]
"""Columns, and the class that holds from there."""
BREAKPOINTS_Y: Final = [(0, "-low"), (18, "-high"), (30, "-tall")]
"""Rows, and the class that holds from there."""
