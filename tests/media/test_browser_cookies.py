"""A browser's cookies for media in the queue: pages and transfers get them where nobody said other ones."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser_profiles import Crumb, chromium, firefox
from tests.media.queue_stage import Queue
from tui_dl.core.errors import UsageError
from tui_dl.core.settings import Settings
from tui_dl.core.status import Status
from tui_dl.media import browser_child, library
from tui_dl.media.engine_settings import defaults_of, settings_for
from tui_dl.media.options import params_of
from tui_dl.media.worker import QueueMedia

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.media.site import Site

FOX = Settings(cookies_from_browser="firefox:there")


@pytest.mark.parametrize("make", [firefox, chromium])
async def test_media_of_the_queue_get_a_browsers_cookies(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[..., str]
) -> None:
    """The page, which another process reads, and the film, which the engine fetches."""
    profile = await asyncio.to_thread(make, tmp_path / "profile", [Crumb()])
    media = QueueMedia(defaults=defaults_of(Settings(cookies_from_browser=profile)))
    monkeypatch.setattr("tests.media.queue_stage.QueueMedia", lambda: media)
    queue = Queue(tmp_path)
    await queue.open(cookies_from_browser=profile)
    task = await queue.ended(await queue.add(f"{site.url}/html5.html"))
    await queue.close()
    assert (task.status, task.reason_text) == (Status.COMPLETED, "")
    assert {path for path, _ in site.seen} >= {"/html5.html", "/v720.mp4"}
    assert {headers.get("cookie") for _, headers in site.seen} == {"id=c4nary"}


async def test_a_row_may_name_a_browser_itself(queue: Queue, site: Site, tmp_path: Path) -> None:
    """By yt-dlp's option; what is said while its cookies are read is in the row's log."""
    profile = await asyncio.to_thread(firefox, tmp_path / "profile", [Crumb()])
    task = await queue.ended(await queue.add(f"{site.url}/v360.mp4", "--cookies-from-browser", profile))
    assert (task.status, task.reason_text) == (Status.COMPLETED, "")
    assert {headers.get("cookie") for _, headers in site.seen} == {"id=c4nary"}
    log = await queue.log(task)
    assert "Extracting cookies from firefox" in log
    assert "c4nary" not in str(log)


@pytest.mark.parametrize(
    ("options", "browser"),
    [
        ((), ("firefox", "there", None, None)),
        (("--cookies-from-browser", "chrome"), ("chrome", None, None, None)),
        (("--cookies", "c.txt"), None),
    ],
)
def test_what_a_row_says_goes_over_the_settings(options: tuple[str, ...], browser: Any) -> None:
    """Whose cookies it gets is one decision: no others are mixed in."""
    assert params_of(options, has_config=False, defaults=defaults_of(FOX)).get("cookiesfrombrowser") == browser


def test_a_configuration_says_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the person wrote it for yt-dlp itself."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "yt-dlp.conf").write_text("--cookies-from-browser brave\n")
    found = params_of((), has_config=True, defaults=defaults_of(FOX))
    assert found["cookiesfrombrowser"] == ("brave", None, None, None)


def test_yt_dlps_own_command_line_keeps_to_its_own_cookies() -> None:
    """`tui-dl ytdlp` is yt-dlp: what our settings say of a browser would be a surprise there."""
    assert settings_for(FOX, {}).cookies_from_browser == ""


def test_where_yt_dlp_is_missing_a_browser_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out is named."""
    monkeypatch.setattr(library, "is_installed", lambda: False)
    with pytest.raises(UsageError, match=r"yt-dlp is not installed; install it with: .*yt-dlp"):
        browser_child.read_browser("firefox")
