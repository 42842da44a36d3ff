"""yt-dlp's options for one row of the queue, read by its own parser, with the person's configuration where it holds."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import threading
from functools import lru_cache
from optparse import OptParseError
from typing import TYPE_CHECKING, Any, Final

import yt_dlp
from yt_dlp.options import parseOpts

from tui_dl.core.errors import UsageError
from tui_dl.core.media_rules import plain_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_parsing = threading.Lock()
"""Held while the parser reads what it takes for the command line."""
_BROWSER: Final = "cookiesfrombrowser"
_PREFIX: Final = "yt-dlp's options: "
_CONFIG_FILE: Final = re.compile(r'^\[debug\] [\w ]+ config "(.+?)":', re.MULTILINE)
"""A line of those in which yt-dlp says with `-v` what it read."""
FORCED: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("quiet", "noprogress"), True),
    **dict.fromkeys(("simulate", "skip_download", "consoletitle", "dump_single_json", "listformats"), None),
    **dict.fromkeys(("ignoreerrors", "verbose", "progress_with_newline", "warn_when_outdated"), False),
    **dict.fromkeys(("playlist_items_shown", "max_downloads", "break_on_existing", "break_on_reject"), None),
}
"""What a row of a queue is: downloaded, alone, in silence; counting is the queue's work."""


def params_of(options: Sequence[str], *, has_config: bool, defaults: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return yt-dlp's parameters; raises `UsageError` in its own words where they make no sense.

    `defaults` are those of this program, for what neither its options nor its configuration speak of; a browser among
    them is what `browser_of()` reads.
    """
    arguments = [*options] if has_config else ["--ignore-config", *options]
    with _parsing, _command_line(arguments) as told:
        try:
            _refuse_questions(arguments)
            parsed = yt_dlp.parse_options(None)
        except SystemExit:
            words = [line for line in told.getvalue().splitlines() if line.strip()]
            text = plain_words(words[-1].partition("error: ")[2] or words[-1]) if words else "they make no sense"
            raise UsageError(_PREFIX + text) from None
        except OptParseError as error:
            raise UsageError(_PREFIX + plain_words(str(error).rpartition("error: ")[2])) from None
        except (OSError, ValueError) as error:
            raise UsageError(f"{_PREFIX}{error}") from None
    params = {**parsed.ydl_opts, **FORCED}
    params.pop("playlist_items_shown", None)
    unsaid = {name: value for name, value in (defaults or {}).items() if params.get(name) in (None, False, "")}
    # Whoever names a cookie file has said whose cookies these pages get.
    if (wanted := unsaid.pop(_BROWSER, None)) and not params.get("cookiefile"):
        unsaid[_BROWSER] = browser_of(wanted)
    return params | unsaid


@lru_cache(maxsize=4)
def browser_of(wanted: str) -> tuple[str, str | None, str | None, str | None]:
    """Return name, profile, keyring and container of a browser; raises `UsageError` as `params_of()`."""
    try:
        params = params_of((f"--cookies-from-browser={wanted}",), has_config=False)
    except UsageError as error:
        raise UsageError(error.message.removeprefix(_PREFIX)) from None
    name, profile, keyring, container = params[_BROWSER]
    return name, profile, keyring, container


def config_files() -> tuple[str, ...]:
    """Return the files of the person's own configuration that hold now; none where they make no sense."""
    with _parsing, _command_line(["-v"]) as told, contextlib.suppress(SystemExit, OptParseError, OSError, ValueError):
        parseOpts(None, ignore_config_files=False)
    return tuple(_CONFIG_FILE.findall(told.getvalue()))


def split_addresses(arguments: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return a command line of yt-dlp's without its addresses, and these; raises `UsageError` as `params_of()`."""
    params_of(arguments, has_config=False)
    with _parsing, _command_line(["--ignore-config", *arguments]):
        _, chosen, urls = parseOpts(["--ignore-config", *arguments], ignore_config_files=False)
    left, options = list(urls), []
    for one in arguments:
        if left and one == left[0]:
            del left[0]
        elif one != "--":
            options.append(one)
    if chosen.batchfile is not None:
        raise UsageError("--batch-file is not handed over; use `tui-dl add -i LIST --as media`")
    return tuple(options), [str(url) for url in urls]


def _refuse_questions(arguments: list[str]) -> None:
    """Raise `UsageError` where a password would be asked for: nobody sits before a queue."""
    chosen = parseOpts(arguments, ignore_config_files=False)[1]
    for name, password in (("username", "password"), ("ap_username", "ap_password")):
        if getattr(chosen, name) is not None and getattr(chosen, password) is None:
            option = name.replace("_", "-")
            raise UsageError(f"yt-dlp's options: --{option} without its password; give both, or use --netrc")


@contextlib.contextmanager
def _command_line(arguments: Sequence[str]) -> Iterator[io.StringIO]:
    """Have the parser read these words; only so does it read the configuration, too. Yield what it says."""
    own, told = sys.argv, io.StringIO()
    sys.argv = ["yt-dlp", *arguments]
    try:
        with contextlib.redirect_stderr(told):
            yield told
    finally:
        sys.argv = own
