"""One row on its way through a lane of the queue: what is wanted of it, and what became of it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.ports_media import MediaOutcome
from tui_dl.media.found import text_of
from tui_dl.media.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from tui_dl.media.video_progress import VideoProgress


POLL_S: Final = 0.1


class LaneJob(Job):
    """Made on the loop, worked on in a lane."""

    def __init__(
        self,
        url: str,
        info: dict[str, Any] | None,
        extra: dict[str, Any],
        progress: VideoProgress,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(info or {})
        self.url = url
        """Address that is read where nothing could be handed over."""
        self.info = info  # type: ignore[assignment]  # nothing, where it is to be read in the lane
        self.extra = extra
        """What the playlist gives the video."""
        self.progress = progress
        """One bar for all of it."""
        self.say = say
        """Takes lines for the row's log."""
        self.why_skipped = ""
        """Why it does not pass a filter."""
        self.is_archived = False
        """Whether an archive has it."""
        self.is_there_before = False
        """Whether its file was there."""
        self.needs_reading = ""
        """Why it is to be read anew; empty where it is not."""
        self.missing = 0
        self.path = ""
        """Its file, as it will be called."""
        self.was_begun = False
        """Whether an earlier attempt began to write it."""
        self.tell_begin: Callable[[str], Future[None]] | None = None
        """Has the row noted durably that it is begun."""
        self.outcome: MediaOutcome | None = None
        """What became of it, once it is done."""

    @property
    def is_processing(self) -> bool:
        """Whether all of it is here, and is being worked on."""
        return self.progress.is_processing

    def begin(self, info: dict[str, Any], filename: str) -> None:
        """Take what was decided of it."""
        self.path = filename
        self.progress.begin(info, filename)
        if self.tell_begin is not None and not self.was_begun and not os.path.lexists(filename):
            noted = self.tell_begin(f"{filename}.part")
            while True:
                self.check()
                with suppress(TimeoutError):
                    noted.result(POLL_S)
                    return

    def is_its_file(self, filename: str) -> bool:
        """Whether a file is what it will be in the end, and not a part of it."""
        return os.path.splitext(filename)[0] == os.path.splitext(self.path)[0]  # noqa: PTH122  # text

    def is_archived_before(self, _info: dict[str, Any]) -> bool:
        """Whether the journal's archive has it."""
        return False

    def outcome_of(self, result: dict[str, Any]) -> MediaOutcome:
        """Return what became of it, by what yt-dlp returned."""
        done = [one for one in result.get("requested_downloads") or () if isinstance(one, dict)]
        path = str(done[-1].get("filepath") or "") if done else ""
        size = None
        with suppress(OSError):
            size = os.stat(path).st_size if path else None  # noqa: PTH116  # yt-dlp's names are text
        is_skipped = not done or size is None
        why = self.why_skipped if is_skipped else ""
        if is_skipped and not why:
            why = "yt-dlp's options leave it out"
        return MediaOutcome(
            path=path if size is not None else "",
            size_bytes=size,
            is_there_before=self.is_there_before and not is_skipped,
            is_archived=self.is_archived and is_skipped,
            why_skipped=text_of(why),
            missing=self.missing or 0,
        )
