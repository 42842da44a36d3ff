"""Commands of a person's own that run on events: how they are written, and which event is whose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from tui_dl.core.settings import Settings

QUEUE_END: Final = "queue-end"
"""Name of the event that is no task's: nothing is left to do."""
SETTING_OF_EVENT: Final = {
    "started": "on_start",
    "completed": "on_complete",
    "failed": "on_error",
    QUEUE_END: "on_queue_end",
}
"""Which setting holds the command for an event, which is called as `core.events` calls it."""


VARIABLE: Final = "TUI_DL_EVENT"
"""Variable that holds the event's name, and the beginning of the others' names; no setting is called so."""


def is_of_event(variable: str) -> bool:
    """Whether a command finds the event in this variable; `tui-dl` called by it must not take it for a setting."""
    return variable == VARIABLE or variable.startswith(f"{VARIABLE}_")


def command_text(value: Any) -> str:
    """Return a command as it is kept, from a text as a shell would cut it, or a list of words; raises `UsageError`.

    Whatever a shell would do beyond cutting it into words is not done: `$HOME`, `*` and `;` are plain characters.
    """
    if not value:
        return ""
    import shlex  # noqa: PLC0415  # most people have no command

    try:
        words = shlex.split(value) if isinstance(value, str) else [*value]
    except (ValueError, TypeError):
        raise UsageError("a quotation mark is not closed") from None
    if not all(isinstance(word, str) and "\0" not in word for word in words):
        raise UsageError("expected a command, or a list of its words")
    if not words:
        return ""
    program = words[0]
    if not program or ("/" in program and not program.startswith(("/", "~/"))):
        raise UsageError(f"{program!r}: give the whole path of the program, or the name of one that is in PATH")
    return shlex.join(words)


def commands_of(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return the words of each command by its event; events without one are left out."""
    import shlex  # noqa: PLC0415  # as above

    texts = {event: getattr(settings, name) for event, name in SETTING_OF_EVENT.items()}
    return {event: tuple(shlex.split(text)) for event, text in texts.items() if text}
