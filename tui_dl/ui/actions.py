"""Everything a person can do on the main screen: one class each, gathered in one tuple."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tui_dl.core.commands import CommandName
from tui_dl.core.errors import UsageError
from tui_dl.core.status import READDRESSABLE, Status, Trigger
from tui_dl.ui.action import Action, Desk, EngineAction, Group, RowAction, Situation
from tui_dl.ui.argument import ADDRESS, ADDRESSES, LIMIT, THEME
from tui_dl.ui.media_actions import MEDIA
from tui_dl.ui.motions import MOTIONS
from tui_dl.ui.select_actions import SELECTING
from tui_dl.ui.typed_actions import TYPED
from tui_dl.ui.view_actions import VIEWING

if TYPE_CHECKING:
    from tui_dl.ui.argument import Typed


class Add(Action):
    """Add downloads: paste one or many addresses."""

    name, keys, label, group, footer_rank = "add", ("a",), "Add", Group.DOWNLOADS, 1
    argument = ADDRESSES

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Open the dialog."""
        desk.open_add()

    @classmethod
    def run_typed(cls, desk: Desk, typed: Typed) -> None:
        """Add what was typed."""
        if typed.given:
            desk.add_typed(typed.given["text"])
        else:
            cls.run(desk)


class Pause(RowAction):
    """Pause what runs, resume what is paused."""

    name, keys, label, footer_rank = "pause", ("p",), "Pause", 5
    command, triggers = CommandName.TOGGLE_PAUSE, (Trigger.PAUSE, Trigger.RESUME)
    typed_command, typed_about = CommandName.PAUSE, "Pause what runs."

    @classmethod
    def footer_label(cls, situation: Situation) -> str:
        """Say what it would do."""
        can_resume = situation.statuses == {Status.PAUSED} and situation.allows(Trigger.RESUME)
        return "Resume" if can_resume else cls.label


class PauseAll(EngineAction):
    """Pause all; if nothing runs, resume all."""

    name, keys, label, group = "pause-all", ("P",), "Pause all", Group.DOWNLOADS
    command = CommandName.TOGGLE_ALL


class Cancel(RowAction):
    """Cancel; retry takes it up again later."""

    name, keys, label, footer_rank = "cancel", ("x",), "Cancel", 6
    command, triggers = CommandName.CANCEL, (Trigger.CANCEL,)


class DeletePart(RowAction):
    """Cancel and delete what has arrived."""

    name, keys, label = "delete-part", ("X",), "Delete part"
    command, triggers = CommandName.DELETE_PART, (Trigger.CANCEL, Trigger.RETRY)
    question = "Cancel {rows} and delete what has arrived?"


class Retry(RowAction):
    """Try again what failed or was cancelled."""

    name, keys, label, footer_rank = "retry", ("r",), "Retry", 7
    command, triggers = CommandName.RETRY, (Trigger.RETRY,)
    flags = MappingProxyType({"--restart": {"restart": True}})


class RetryFailed(EngineAction):
    """Try all failed downloads again."""

    name, keys, label, group = "retry-failed", ("R",), "Retry all failed", Group.DOWNLOADS
    command = CommandName.RETRY_FAILED


class Refresh(Action):
    """Give it a fresh link, keeping its bytes."""

    name, keys, label, group = "refresh", ("e",), "Refresh link", Group.DOWNLOADS
    argument = ADDRESS

    @classmethod
    def is_legal(cls, situation: Situation) -> bool:
        """Whether a row meant still wants something."""
        return situation.is_open or bool(situation.statuses & READDRESSABLE)

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Open the dialog."""
        desk.open_refresh()

    @classmethod
    def run_typed(cls, desk: Desk, typed: Typed) -> None:
        """Take the address that was typed."""
        if typed.given:
            desk.refresh_typed(typed.given["url"])
        else:
            cls.run(desk)


class ClearFinished(EngineAction):
    """Remove what is done; files and failed rows stay."""

    name, keys, label, group = "clear-finished", ("c",), "Clear finished", Group.DOWNLOADS
    command = CommandName.CLEAR_FINISHED
    has_targets = True

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Tell the engine: nobody means to lose sight of what failed."""
        desk.send(cls.command, {"keeps_failed": True})

    @classmethod
    def run_typed(cls, desk: Desk, typed: Typed) -> None:
        """Do as the key does, or take out all that was named."""
        if typed.targets is None:
            cls.run(desk)
        else:
            super().run_typed(desk, typed)


class Undo(EngineAction):
    """Bring back the rows removed last."""

    name, keys, label, group = "undo", ("u",), "Undo removal", Group.DOWNLOADS
    command = CommandName.UNDO


class CopyUrl(Action):
    """Copy the address of the row."""

    name, keys, label, group = "copy-url", ("y",), "Copy address", Group.DOWNLOADS

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Copy through the terminal (OSC 52)."""
        desk.copy_url()


class OpenFile(Action):
    """Open the file, or its folder."""

    name, keys, label, group = "open", ("o",), "Open", Group.DOWNLOADS

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Hand it to the desktop."""
        desk.open_file()


class MoveUp(RowAction):
    """Move up in the queue."""

    name, keys, label, group = "move-up", ("K",), "Move up", Group.QUEUE
    command = CommandName.MOVE_UP


class MoveDown(RowAction):
    """Move down in the queue."""

    name, keys, label, group = "move-down", ("J",), "Move down", Group.QUEUE
    command = CommandName.MOVE_DOWN


class MoreAtOnce(EngineAction):
    """More downloads at once."""

    name, keys, label, group, footer_rank = "more-at-once", ("+", "="), "At once", Group.QUEUE, 11
    footer_partner = "fewer-at-once"
    command, arguments = CommandName.SET_CONCURRENCY, {"delta": 1}


class FewerAtOnce(EngineAction):
    """Fewer downloads at once."""

    name, keys, label, group = "fewer-at-once", ("-", "_"), "Fewer at once", Group.QUEUE
    command, arguments = CommandName.SET_CONCURRENCY, {"delta": -1}


class MoreConnections(RowAction):
    """More connections for the download."""

    name, keys, label, group = "more-connections", (">",), "More connections", Group.QUEUE
    command, arguments = CommandName.SET_CONNECTIONS, {"delta": 1}


class FewerConnections(RowAction):
    """Fewer connections for the download."""

    name, keys, label, group = "fewer-connections", ("<",), "Fewer connections", Group.QUEUE
    command, arguments = CommandName.SET_CONNECTIONS, {"delta": -1}


class RaisePriority(RowAction):
    """Raise the priority: sooner, and more speed."""

    name, keys, label, group = "raise-priority", ("i",), "Raise priority", Group.QUEUE
    command, arguments = CommandName.SET_PRIORITY, {"delta": 1}


class LowerPriority(RowAction):
    """Lower the priority."""

    name, keys, label, group = "lower-priority", ("I",), "Lower priority", Group.QUEUE
    command, arguments = CommandName.SET_PRIORITY, {"delta": -1}


class Limit(Action):
    """Set a speed limit, for all or for these."""

    name, keys, label, group, footer_rank = "limit", ("l",), "Limit", Group.QUEUE, 12
    argument, has_targets = LIMIT, True
    flags = MappingProxyType({"--for-good": {"for_good": True}})

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Open the dialog."""
        desk.open_limit()

    @classmethod
    def run_typed(cls, desk: Desk, typed: Typed) -> None:
        """Limit the rows that were named, else everything."""
        if "limit" not in typed.given:
            cls.run(desk)
        elif typed.targets is None:
            desk.send(CommandName.SET_LIMIT, typed.given)
        elif isinstance(typed.given["limit"], str):
            raise UsageError("a timetable is for all downloads; single ones take a plain limit")
        else:
            desk.send_typed(CommandName.SET_LIMIT, typed.given, typed, question="")


class Prompt(Action):
    """Type a command: ids or a filter, Tab completes."""

    name, keys, label, group = "prompt", (":",), "Prompt", Group.PROGRAM

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Open the line."""
        desk.open_prompt()


class Palette(Action):
    """Find any action by its name."""

    name, keys, label, group = "palette", ("ctrl+p",), "Palette", Group.PROGRAM

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Open it."""
        desk.open_palette()


class Theme(Action):
    """Choose the colours."""

    name, keys, label, group = "theme", ("t",), "Theme", Group.PROGRAM
    argument = THEME

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Open the list."""
        desk.open_themes()

    @classmethod
    def run_typed(cls, desk: Desk, typed: Typed) -> None:
        """Take the one that was named."""
        if typed.given:
            desk.use_theme(typed.given["theme"])
        else:
            cls.run(desk)


class Repaint(Action):
    """Draw the whole screen anew."""

    name, keys, label, group = "repaint", ("ctrl+l",), "Repaint", Group.PROGRAM

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Draw."""
        desk.repaint()


class Help(Action):
    """Show all keys."""

    name, keys, label, group, footer_rank = "help", ("?",), "Help", Group.PROGRAM, 13

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Open it."""
        desk.open_help()


class Detach(Action):
    """Leave; downloads go on in the background."""

    name, keys, label, group, footer_rank = "detach", ("d",), "Detach", Group.PROGRAM, 14

    @classmethod
    def is_legal(cls, situation: Situation) -> bool:
        """Whether there is a background."""
        return situation.can_detach

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Leave."""
        desk.detach()


class Quit(Action):
    """Leave: go on behind, or stop till the next start."""

    name, keys, label, group, footer_rank = "quit", ("q", "ctrl+q"), "Quit", Group.PROGRAM, 15

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Ask if needed, and leave."""
        desk.quit()


ACTIONS: Final[tuple[type[Action], ...]] = (
    *(Add, Pause, PauseAll, Cancel, DeletePart, Retry, RetryFailed, Refresh, ClearFinished, Undo, CopyUrl, OpenFile),
    *(MoveUp, MoveDown, MoreAtOnce, FewerAtOnce, MoreConnections, FewerConnections),
    *(RaisePriority, LowerPriority, Limit),
    *MEDIA,
    *SELECTING,
    *VIEWING,
    *MOTIONS,
    *(Prompt, Palette, Theme, Repaint, Help, Detach, Quit),
    *TYPED,
)
"""The one list: bindings, footer, palette, prompt, help and the README's table of keys come from it."""
