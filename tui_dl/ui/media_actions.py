"""What can be done with media alone: choose from a playlist and start it, pick a format, open and close the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.commands import CommandName
from tui_dl.core.media import Kind
from tui_dl.ui.action import Action, Desk, Group, RowAction

if TYPE_CHECKING:
    from tui_dl.ui.action import Situation

_MEDIA: Final = frozenset(Kind) - {Kind.FILE}
_TREE: Final = frozenset({Kind.PLAYLIST, Kind.ENTRY})


class DownloadChosen(RowAction):
    """Download the chosen of a playlist."""

    name, keys, label, footer_rank = "download-chosen", ("D",), "Download chosen", 3
    command = CommandName.DOWNLOAD_CHOSEN

    @classmethod
    def is_legal(cls, situation: Situation) -> bool:
        """Whether a playlist waits for it."""
        return situation.has_chosen


class Formats(Action):
    """Pick the format and subtitles of videos."""

    name, keys, label, group, footer_rank = "formats", ("m",), "Formats", Group.DOWNLOADS, 4

    @classmethod
    def is_legal(cls, situation: Situation) -> bool:
        """Whether there is a video."""
        return bool(situation.kinds & _MEDIA)

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Open the picker."""
        desk.open_formats()


class Fold(Action):
    """Open or close the playlist."""

    name, keys, label, group, footer_rank = "fold", ("z",), "Close list", Group.VIEW, 9

    @classmethod
    def is_legal(cls, situation: Situation) -> bool:
        """Whether there is a playlist here."""
        return bool(situation.kinds & _TREE)

    @classmethod
    def footer_label(cls, situation: Situation) -> str:
        """Say what it would do."""
        return "Open list" if situation.is_closed else cls.label

    @classmethod
    def run(cls, desk: Desk) -> None:
        """Open or close."""
        desk.fold()


MEDIA: Final[tuple[type[Action], ...]] = (DownloadChosen, Formats, Fold)
"""All of them, in the order of the help."""
