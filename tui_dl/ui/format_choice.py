"""What is marked in the format picker, and the choice that it comes to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tui_dl.core.media import PRESETS, MediaChoice

if TYPE_CHECKING:
    from tui_dl.core.media import MediaFormat, MediaFormats

AS_CONFIGURED = MediaChoice()
"""Nothing is chosen: settings, the site's last choice and yt-dlp decide."""


@dataclass(frozen=True, slots=True)
class FormatRequest:
    """What a person took."""

    choice: MediaChoice
    """The form."""
    is_for_all: bool = False
    """Whether it is for all of the playlist."""
    is_remembered: bool = False
    """Whether it is for later downloads of the site, too."""

    def arguments(self) -> dict[str, Any]:
        """Return it as `CommandName.SET_FORMAT` takes it."""
        switches = {"for_all": self.is_for_all, "remembers": self.is_remembered}
        return {"choice": self.choice.as_json()} | {name: True for name, is_on in switches.items() if is_on}


class Marks:
    """A preset, or one format, or a video and a sound that go together; and languages of subtitles."""

    def __init__(self, choice: MediaChoice) -> None:
        self._begun = choice
        self._subtitles = dict.fromkeys(choice.subtitles)
        plain = replace(choice, subtitles=(), name="")
        self.preset: MediaChoice | None = None
        """Preset marked."""
        for preset in (AS_CONFIGURED, *PRESETS):
            if replace(preset, name="") == plain:
                self.preset = preset
        self.video: MediaFormat | None = None
        """Format marked that has a picture, or all there is."""
        self.audio: MediaFormat | None = None
        """Format marked that is sound alone."""

    def copy(self) -> Marks:
        """Return the same marks, to be changed without these."""
        other = Marks(self._begun)
        other.preset, other.video, other.audio = self.preset, self.video, self.audio
        other._subtitles = dict(self._subtitles)
        return other

    def take_formats(self, formats: MediaFormats) -> None:
        """Mark what was chosen before among the formats that have come, unless something is marked already."""
        if self.preset is None and not self.formats:
            by_id = {one.id: one for one in formats.formats}
            wanted = self._begun.format.split("+")
            if all(one in by_id for one in wanted):
                for one in wanted:
                    self.toggle_format(by_id[one])

    @property
    def formats(self) -> tuple[MediaFormat, ...]:
        """What is marked, the picture first."""
        return tuple(one for one in (self.video, self.audio) if one is not None)

    def mark_preset(self, preset: MediaChoice) -> None:
        """Mark a preset and no format."""
        self.preset, self.video, self.audio = preset, None, None

    def toggle_format(self, one: MediaFormat) -> None:
        """Mark a format or let it go; a picture alone and a sound alone go together, others stand alone."""
        if one in self.formats:
            self.video = None if self.video == one else self.video
            self.audio = None if self.audio == one else self.audio
            return
        self.preset = None
        if one.has_audio and not one.has_video:
            self.audio = one
            if self.video is not None and (self.video.has_audio or not self.video.has_video):
                self.video = None
        else:
            self.video = one
            if one.has_audio or not one.has_video:
                self.audio = None

    def toggle_subtitle(self, language: str) -> None:
        """Mark a language or let it go."""
        if language in self._subtitles:
            del self._subtitles[language]
        else:
            self._subtitles[language] = None

    def has_subtitle(self, language: str) -> bool:
        """Whether a language is marked."""
        return language in self._subtitles

    def choice(self) -> MediaChoice:
        """Return what the marks come to; where nothing is marked, what was chosen before stays."""
        subtitles = tuple(self._subtitles)
        if self.preset is not None:
            return replace(self.preset, subtitles=subtitles)
        if self.formats:
            ids = "+".join(one.id for one in self.formats)
            return MediaChoice(ids, format=ids, subtitles=subtitles)
        return replace(self._begun, subtitles=subtitles)


def words_of(choice: MediaChoice) -> str:
    """Return what a choice is called; show it sanitised."""
    name = choice.name or choice.format or ("as configured" if not (choice.sort or choice.audio) else choice.sort)
    return name + (f", subtitles {', '.join(choice.subtitles)}" if choice.subtitles else "")
