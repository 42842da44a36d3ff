"""What comes next in a list of addresses or a playlist is extracted while yt-dlp is still at what comes before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tui_dl.media.remote import Asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tui_dl.media.extraction import Extraction

AHEAD: Final = 2
"""Addresses beyond the present one; they are asked for only once, and few enough that no link goes stale."""
_FORBIDDING: Final = (
    *("sleep_interval_requests", "max_downloads", "break_on_existing", "break_on_reject", "match_filter"),
    *("lazy_playlist", "matchtitle", "rejecttitle", "wait_for_video", "skip_playlist_after_errors", "playlistrandom"),
)
"""Parameters that may end or thin out what comes next, or space the requests: then nothing is asked for early."""


class LookingAhead:
    """One per planner."""

    def __init__(self, ydl: Any, extraction: Extraction) -> None:
        self._ydl, self._extraction = ydl, extraction
        self._playlists: list[Mapping[str, Any]] = []

    def may(self) -> bool:
        """Whether anything may be asked for before its turn."""
        ydl = self._ydl
        return (
            ydl.is_beside_transfers
            and self._extraction.can_take(ydl.params)
            and not any(ydl.params.get(name) for name in _FORBIDDING)
        )

    def enter(self, playlist: Mapping[str, Any]) -> None:
        """Note the playlist whose entries come from now on."""
        self._playlists.append(playlist)
        if self._ydl.manager.reads_elsewhere(is_transferring=True):
            self._extraction.prepare(self._ydl)

    def leave(self) -> None:
        """Note that it is done."""
        self._playlists.pop()

    def entry(self, number: Any) -> None:
        """Ask for what follows the entry of this number, counted from 1, as far as addresses are known."""
        entries = self._playlists[-1].get("entries") if self._playlists else None
        if isinstance(number, int) and isinstance(entries, list | tuple) and self.may():
            self._ask(
                (entry.get("ie_key"), entry["url"])
                for entry in entries[number : number + AHEAD]
                if isinstance(entry, dict) and entry.get("_type") in ("url", "url_transparent") and entry.get("url")
            )

    def addresses(self, urls: Iterable[str]) -> None:
        """Ask for addresses that follow the present one."""
        if self.may():
            self._ask((None, url) for url in urls)

    def _ask(self, wanted: Iterable[tuple[str | None, str]]) -> None:
        ydl = self._ydl
        for given, url in wanted:
            if not self._extraction.is_asked(url) and not self._is_done(given, url):
                # Which extractor takes it is found out there, too: that is to try more than a thousand.
                self._extraction.note_asked(url, Asked(ydl, self._extraction, given or "", url))

    def _is_done(self, given: str | None, url: str) -> bool:
        """Whether an address is known to be in the archive."""
        ydl = self._ydl
        if not ydl.archive:
            return False
        key = given or next((name for name, one in ydl._ies.items() if one.suitable(url)), "")
        temporary = ydl._ies[key].get_temp_id(url) if key in ydl._ies else None
        return temporary is not None and ydl._make_archive_id({"id": temporary, "ie_key": key}) in ydl.archive
