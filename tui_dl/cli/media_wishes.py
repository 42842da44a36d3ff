"""What a command line wants of media: `--as`, and options of yt-dlp behind `--`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tui_dl.core.errors import UsageError
from tui_dl.core.media_rules import AS_FILE, AS_FOUND, AS_MEDIA, obvious_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.cli.settings_file import EffectiveSettings
    from tui_dl.core.task import TaskOptions


@dataclass(frozen=True, slots=True)
class MediaOptions:
    """Of one command line."""

    as_kind: str
    """`--as`, AS_FOUND where it was not given and an extractor may be asked, empty where all are files."""
    yt_dlp: tuple[str, ...] = ()
    """Options of yt-dlp."""
    has_own_dir: bool = False
    """Whether a folder was named."""
    asks: bool = False
    """Whether a screen is shown."""

    def of(self, url: str, options: TaskOptions) -> TaskOptions:
        """Return the options of an address that was typed."""
        if self.as_kind in ("", AS_FILE) or (self.as_kind == AS_FOUND and obvious_form(url) == AS_FILE):
            return options
        return replace(
            options,
            as_kind=self.as_kind,
            yt_dlp=self.yt_dlp,
            has_config=True,
            has_own_dir=self.has_own_dir,
            asks=self.asks,
        )

    def of_lists(self, options: TaskOptions) -> TaskOptions:
        """Return the options of addresses in lists: they are files, unless the command line says media."""
        return replace(self, asks=False).of("", options) if self.as_kind == AS_MEDIA else options


def media_options(given: Mapping[str, Any], effective: EffectiveSettings, options: TaskOptions) -> MediaOptions:
    """Return what a command line wants of media. Raises `UsageError`, in yt-dlp's words for its own options."""
    yt_dlp = tuple(given.get("yt_dlp") or ())
    as_kind = given.get("as_kind") or ""
    is_of_a_file = bool(options.checksum or options.mirrors or options.continues or given.get("output") == "-")
    if yt_dlp:
        if as_kind == AS_FILE or is_of_a_file:
            raise UsageError("options of yt-dlp are of no use to a file; leave what stands behind -- out")
        _check(yt_dlp)
    if as_kind == AS_MEDIA and is_of_a_file:
        raise UsageError("--as media has no use for what is of one file (--checksum, --mirror, --continue, --output -)")
    if not as_kind and not (is_of_a_file or given.get("curl")):
        as_kind = AS_MEDIA if yt_dlp else AS_FOUND
    is_screen = "foreground" in given
    return MediaOptions(as_kind, yt_dlp, "dir" in effective.origins, is_screen)


def _check(yt_dlp: tuple[str, ...]) -> None:
    from tui_dl.media.library import require_yt_dlp  # noqa: PLC0415  # most command lines have none of its options

    require_yt_dlp()
    from tui_dl.media.options import params_of  # noqa: PLC0415  # as above

    params_of(yt_dlp, has_config=False)
