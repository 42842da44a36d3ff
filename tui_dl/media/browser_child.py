"""A program that reads a browser's cookies: which browser on standard input, one line of JSON on standard output.

`{"lines": [...], "unreadable": N}` has them as lines of a Netscape file, `{"error": "..."}` says why there are none,
with the way out. No message holds what is in a cookie. yt-dlp takes half a second to be imported, and in pure Python
it decrypts slowly: in a process of its own neither keeps a loop from anything, and what hangs can be ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import sys
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import UsageError
from tui_dl.media.library import require_yt_dlp

if TYPE_CHECKING:
    from collections.abc import Iterable

_LATEST_S: Final = 1e11
_LATEST_MS: Final = 1e14
"""No cookie lasts so long: Chromium counts microseconds since 1601, Firefox milliseconds, and yt-dlp may leave that."""
_SINCE_1601_S: Final = 11_644_473_600
_PLAIN: Final = ("firefox", "safari")
"""Browsers that encrypt nothing."""
_UNREADABLE: Final = re.compile(r"\((\d+) could not be decrypted\)")
_NO_SHAPE: Final = "its cookies have a shape that yt-dlp does not know; a newer one may: `tui-dl ytdlp -U`"


class Heard:
    """What yt-dlp says while it reads."""

    def __init__(self) -> None:
        self.unreadable = 0
        """Cookies that could not be decrypted."""
        self.complaint = ""
        """First thing that it said was wrong."""

    def info(self, text: str) -> None:
        """Take a line of its course."""
        if found := _UNREADABLE.search(text):
            self.unreadable = int(found[1])

    def debug(self, _text: str) -> None:
        """Leave it: it names keyrings and paths."""

    def warning(self, text: str, *, only_once: bool = False) -> None:  # noqa: ARG002  # yt-dlp's shape
        """Take what is wrong."""
        self.complaint = self.complaint or text

    error = warning


def read_browser(wanted: str) -> dict[str, Any]:
    """Return the cookies that `BROWSER[+KEYRING][:PROFILE][::CONTAINER]` names. Raises `UsageError` with the reason."""
    require_yt_dlp()
    from yt_dlp.cookies import extract_cookies_from_browser  # noqa: PLC0415  # as far as here it may be missing
    from yt_dlp.utils import YoutubeDLError, expand_path  # noqa: PLC0415  # as above

    from tui_dl.media.options import browser_of  # noqa: PLC0415  # as above

    name, profile, keyring, container = browser_of(wanted)
    if profile is not None and os.sep in expand_path(profile):
        profile = expand_path(profile)
    heard = Heard()
    try:
        jar = extract_cookies_from_browser(name, profile, heard, keyring=keyring, container=container)
    except FileNotFoundError as error:
        raise UsageError(
            f"{_missing_words(name, profile, error)}; name its profile or folder: {name}:PROFILE"
        ) from None
    except OSError as error:
        raise UsageError(f"its cookies cannot be read: {error.strerror or _words(error)}") from None
    except sqlite3.Error as error:
        text = f"its database cannot be read: {_words(error)}; end the browser and try again, or name another profile"
        raise UsageError(text) from None
    except (YoutubeDLError, ValueError) as error:
        # A text that cannot be decoded would be shown by the error.
        raise UsageError(_NO_SHAPE if isinstance(error, UnicodeError) else _words(error)) from None
    except Exception:  # noqa: BLE001  # a database of another shape than yt-dlp knows, or a keyring that fails
        raise UsageError(heard.complaint or _NO_SHAPE) from None
    cookies = list(jar)
    if name not in _PLAIN and (heard.complaint or not any(one.value for one in cookies)):
        # What a wrong key makes of a value has no padding that fits, of which yt-dlp makes an empty value.
        cookies = [one for one in cookies if one.value]
        heard.unreadable += len(jar) - len(cookies)
    if heard.unreadable and not cookies:
        raise UsageError(_locked_words(name, heard, has_keyring=keyring is not None))
    return {"lines": [*lines_of(cookies)], "unreadable": heard.unreadable}


def lines_of(cookies: Iterable[Any]) -> Iterable[str]:
    """Yield cookies as lines of a Netscape file; whoever reads them leaves out what is none."""
    for cookie in cookies:
        below = "TRUE" if cookie.domain.startswith(".") else "FALSE"
        secure = "TRUE" if cookie.secure else "FALSE"
        expires = str(_since_1970(cookie.expires or 0))
        yield "\t".join((cookie.domain, below, cookie.path, secure, expires, cookie.name, cookie.value or ""))


def _since_1970(expires: float) -> float:
    """Return an instant in seconds since 1970, in whichever unit it came."""
    if expires > _LATEST_MS:
        return expires / 1e6 - _SINCE_1601_S
    return expires / 1000 if expires > _LATEST_S else expires


def _locked_words(name: str, heard: Heard, *, has_keyring: bool) -> str:
    said = f" ({heard.complaint})" if heard.complaint else ""
    other = "another keyring" if has_keyring else "the keyring that holds its key"
    way_out = f"unlock or name {other}: {name}+GNOMEKEYRING, {name}+KWALLET6, {name}+BASICTEXT"
    return f"none of its {heard.unreadable} cookies could be decrypted{said}; {way_out}"


def _missing_words(name: str, profile: str | None, error: FileNotFoundError) -> str:
    """Return what is missing; of yt-dlp's words the list of all folders would hide the way out."""
    if "containers.json" in str(error):
        return "its profile has no containers (no containers.json)"
    return f"no cookies of {name} are in {f'its profile {profile}' if profile else 'its usual folders'}"


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def main() -> None:
    """Answer what standard input asks, once."""
    wanted = sys.stdin.read()
    # What yt-dlp prints by itself must not get into the answer.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            answer = read_browser(wanted)
        except UsageError as error:
            answer = {"error": error.message}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
