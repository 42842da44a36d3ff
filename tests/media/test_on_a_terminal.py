"""Media on a real terminal, in front of the real engine: what a person does with a playlist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.cli.test_screen_process import terminal
from tests.media.conference import write_conference

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media.site import Site

TITLES = ("Keynote", "Left out", "Left out too", "Closing")
SETTINGS = "site_delay = 0.0\n"


def test_a_playlist_is_pasted_chosen_from_paused_and_done(tmp_path: Path, site: Site) -> None:
    """Rows appear, 720p for all, two deselected, one paused and resumed; the files are those of the site."""
    feed = write_conference(site, TITLES, mood="/gate")
    (tmp_path / "home" / "config").mkdir(parents=True)
    (tmp_path / "home" / "config" / "config.toml").write_text(SETTINGS)
    with terminal(tmp_path, "--foreground") as screen:
        screen.until(lambda: "at once" in screen.text)
        screen.press("a")
        screen.until(lambda: "Add downloads" in screen.text)
        screen.press(f"\x1b[200~{feed}\x1b[201~")
        screen.until(lambda: "1 address" in screen.text)
        screen.press("\x13")
        screen.until(lambda: "4 videos" in screen.text and "waits for your choice" in screen.text)
        screen.press("m")
        screen.until(lambda: "for all" in screen.text and "720p" in screen.text)
        screen.press("jjj\r")
        screen.until(lambda: screen.text.count("0:06, 720p") == len(TITLES))
        screen.press("jj  ")
        screen.until(lambda: screen.text.count("not chosen") == 2)
        screen.press("D")
        screen.until(lambda: len(re.findall(r"[1-9]\d %", screen.text)) == 3)
        screen.press("p")
        screen.until(lambda: "paused" in screen.text)
        site.gate.set()
        screen.until(lambda: "1 of 2 done" in screen.text)
        screen.press("p")
        screen.until(lambda: "2 of 2 done" in screen.text)
        screen.press("q")
        screen.until(screen.has_ended)
    talk = (site.root / "talk.mp4").read_bytes()
    files = {path.name: path.read_bytes() == talk for path in tmp_path.glob("*.mp4")}
    assert files == {"Keynote [1-1].mp4": True, "Closing [4-1].mp4": True}
