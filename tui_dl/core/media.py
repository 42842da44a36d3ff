"""Media in the queue: kinds of rows, what an extractor found, what is chosen of it, and what there is to choose."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """What a row is."""

    FILE = ""
    """One file at an address."""
    MEDIA = "media"
    """An address that an extractor reads; it stays so where one video was found there."""
    PLAYLIST = "playlist"
    """The head of a tree: several videos were found at its address, each with a row of its own below it."""
    ENTRY = "entry"
    """One video of a playlist; `parent_id` is the head's."""


@dataclass(frozen=True, slots=True)
class MediaChoice:
    """Which form of a video is wanted; everything empty: as the settings, the site's last choice or yt-dlp decide."""

    name: str = ""
    """What a person calls it: the name of a preset, or of the formats picked; shown as it is."""
    format: str = ""
    """yt-dlp's `-f`."""
    sort: str = ""
    """yt-dlp's `-S`."""
    audio: str = ""
    """Codec that the sound alone is turned into (`-x --audio-format`); empty: the video is kept."""
    subtitles: tuple[str, ...] = ()
    """Languages of subtitles to fetch, as `--sub-langs` names them."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was chosen."""
        return not (self.format or self.sort or self.audio or self.subtitles)

    def as_json(self) -> dict[str, Any]:
        """Return what was chosen as JSON values, what was not left out."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> MediaChoice:
        """Return the choice of `as_json()`; names that another version knew are passed over."""
        texts = {name: str(value[name]) for name in ("name", "format", "sort", "audio") if name in value}
        return cls(**texts, subtitles=tuple(str(one) for one in value.get("subtitles") or ()))


PRESETS: Final = (
    MediaChoice("best", format="bv*+ba/b"),
    MediaChoice("1080p", format="bv*+ba/b", sort="res:1080"),
    MediaChoice("720p", format="bv*+ba/b", sort="res:720"),
    MediaChoice("audio mp3", format="ba/b", audio="mp3"),
    MediaChoice("audio opus", format="ba/b", audio="opus"),
    MediaChoice("smallest", format="wv*+wa/w", sort="+size,+br,+res,+fps"),
)
"""What most people want, by name."""


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What is known of a media row; all texts are sanitised."""

    title: str = ""
    """As the extractor names it."""
    extractor: str = ""
    """Who read it."""
    video_id: str = ""
    """The extractor's own name of it."""
    duration_s: float | None = None
    """Length of the video in seconds, None while unknown."""
    index: int | None = None
    """Place in its playlist, from 1."""
    is_chosen: bool = True
    """Whether an entry is wanted; one that is not is `skipped`."""
    format_label: str = ""
    """The form that comes, in words: "1280x720 mp4"."""
    format_ids: str = ""
    """The formats that it is made of, parted by spaces; the names of its parts hold them."""
    is_by_yt_dlp: bool = False
    """Whether yt-dlp's own downloader makes the transfer."""
    entry_count: int | None = None
    """Entries of a playlist that are known so far; None for others."""
    is_reading: bool = False
    """Whether more entries are on their way."""
    chosen_count: int = 0
    """Entries that are wanted."""
    done_count: int = 0
    """Those of them that completed, or were there before."""
    failed_count: int = 0
    """Those of them that failed or were cancelled."""
    missing: int = 0
    """Fragments that could not be had, so that the file is incomplete."""
    choice: MediaChoice = field(default_factory=MediaChoice)
    """What was chosen for it."""

    def as_json(self) -> dict[str, Any]:
        """Return what is known as JSON values, defaults left out."""
        found = {name: getattr(self, name) for name in _PLAIN if getattr(self, name) != getattr(_NOTHING, name)}
        return found if self.choice == _NOTHING.choice else {**found, "choice": self.choice.as_json()}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> MediaFacts:
        """Return the facts of `as_json()`; names that another version knew are passed over."""
        held = {name: value[name] for name in _PLAIN if name in value}
        return cls(**held, choice=MediaChoice.of_json(value.get("choice") or {}))


NO_FACTS: Final = MediaFacts()
"""Of a plain file."""
_NOTHING: Final = NO_FACTS
_PLAIN: Final = tuple(one.name for one in fields(MediaFacts) if one.name != "choice")


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """One form that a video can be had in; all texts are sanitised."""

    id: str
    """The extractor's name of it, for `-f`."""
    ext: str
    """Suffix without its dot."""
    width: int | None = None
    """Pixels, None for sound or where unknown."""
    height: int | None = None
    """Pixels, None for sound or where unknown."""
    fps: float | None = None
    """Pictures per second."""
    video_codec: str = ""
    """Empty: no picture, or unknown."""
    audio_codec: str = ""
    """Empty: no sound, or unknown."""
    has_video: bool = True
    """Whether it has a picture, as far as is known."""
    has_audio: bool = True
    """Whether it has sound, as far as is known."""
    size_bytes: int | None = None
    """Length, None while unknown."""
    is_size_estimated: bool = False
    """Whether the length follows from the bit rate."""
    bitrate_kbps: float | None = None
    """Kilobits per second in all."""
    protocol: str = ""
    """How it comes: "https", "m3u8_native", "dash" ..."""
    note: str = ""
    """What else the extractor says of it."""


@dataclass(frozen=True, slots=True)
class MediaFormats:
    """What there is to choose from for one row."""

    title: str
    """Of the video; sanitised."""
    formats: tuple[MediaFormat, ...]
    """The best one last, as the extractor sorted them; of a playlist those of its first entry that could be read."""
    subtitles: tuple[str, ...] = ()
    """Languages that there are subtitles in."""
    automatic_subtitles: tuple[str, ...] = ()
    """Languages that the site makes subtitles in."""
    choice: MediaChoice = field(default_factory=MediaChoice)
    """What is chosen now."""
    site: str = ""
    """Name under which a choice is remembered."""
    notices: tuple[str, ...] = ()
    """What a person should know of them: formats that are not there for want of a program, and how to install it."""
