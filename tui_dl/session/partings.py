"""What a person is told when the screen goes: how many downloads go on, how to come back, how to end them."""

from __future__ import annotations


def parting_lines(moving: int, unfinished: int, *, is_taken_over: bool, warning: str = "") -> list[str]:
    """Return the lines for a screen that was left while the session lives; `warning` where something may end it."""
    if is_taken_over:
        return ["Another terminal shows the screen now; `tui-dl` brings it back here."]
    if moving:
        noun, verb = ("download", "goes") if moving == 1 else ("downloads", "go")
        it = _them(moving)
        line = f"{moving:,} {noun} {verb} on in the background; `tui-dl` shows {it}, `tui-dl stop` ends {it}."
        return [line, warning] if warning else [line]
    if unfinished:
        return [f"{unfinished:,} paused; `tui-dl` shows {_them(unfinished)}."]
    return []


def stopped_lines(unfinished: int) -> list[str]:
    """Return the lines for a session that has ended."""
    if not unfinished:
        return ["The session has ended; nothing was left to do."]
    return [f"The session has ended; {unfinished:,} unfinished, `tui-dl` goes on with {_them(unfinished)}."]


def _them(number: int) -> str:
    return "it" if number == 1 else "them"
