"""The options of aria2's input file, below an address: honoured, harmless, or refused as they change the result.

Names and meanings are those of aria2c(1), "Input File". An option that we cannot honour for one address and that
would change what comes out (a proxy, cookies) leaves its address out with the reason: to pass over it would be worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.line_wishes import LineWishes
from tui_dl.core.setting_facts import coerce
from tui_dl.core.settings import SETTINGS
from tui_dl.core.sizes import parse_size
from tui_dl.core.task import OnExists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tui_dl.core.url_list import Line

_FOR_ALL: Final = {
    **dict.fromkeys(("all-proxy", "http-proxy", "https-proxy", "ftp-proxy"), "--proxy"),
    **dict.fromkeys(
        (f"{kind}-proxy-{what}" for kind in ("all", "http", "https", "ftp") for what in ("user", "passwd")), "--proxy"
    ),
    "no-proxy": "--no-proxy",
    "load-cookies": "--cookies",
    "ca-certificate": "--ca-certificate",
    "certificate": "--certificate",
    "private-key": "--certificate",
    "netrc-path": "--netrc",
}
"""Options whose value changes the result, and what says the same for every address; an empty value says nothing."""
_SWITCHES: Final = {
    "check-certificate": ("true", "--insecure"),
    "remote-time": ("false", "--remote-time"),
    "no-netrc": ("false", ""),
    "conditional-get": ("false", ""),
    "parameterized-uri": ("false", ""),
    "pause": ("false", ""),
    "dry-run": ("false", ""),
    "hash-check-only": ("false", ""),
    "ftp-type": ("binary", ""),
    "select-file": ("", ""),
}
"""Options that change the result unless they have this value; and what says the same for every address."""
_HARMLESS: Final = frozenset(
    {
        *("allow-piece-length-change", "always-resume", "async-dns", "check-integrity", "connect-timeout", "continue"),
        *("content-disposition-default-utf8", "enable-http-keep-alive", "enable-http-pipelining", "enable-mmap"),
        *("enable-peer-exchange", "file-allocation", "follow-metalink", "follow-torrent", "force-save", "ftp-pasv"),
        *("ftp-reuse-connection", "gid", "http-accept-gzip", "http-auth-challenge", "http-no-cache", "index-out"),
        *("lowest-speed-limit", "max-file-not-found", "max-mmap-limit", "max-resume-failure-tries", "max-upload-limit"),
        *("min-split-size", "no-file-allocation-limit", "no-want-digest-header", "pause-metadata", "piece-length"),
        *("proxy-method", "realtime-chunk-checksum", "remove-control-file", "retry-wait", "reuse-uri"),
        *("rpc-save-upload-metadata", "save-not-found", "seed-ratio", "seed-time", "ssh-host-key-md"),
        *("stream-piece-selector", "timeout", "uri-selector", "use-head"),
    }
)
"""Options that change how it goes and not what comes out, or that belong to BitTorrent."""
_HARMLESS_BEGINNINGS: Final = ("bt-", "metalink-")
_TRUE: Final = "true"


def aria2_line(number: int, url: str, mirrors: Iterable[str], options: Iterable[tuple[str, str]]) -> Line:
    """Return the line of an address with its options, in their order; raises `UsageError` for one that cannot be kept.

    A later option of a name replaces an earlier one, `header` apart, which adds another.
    """
    wishes = LineWishes()
    wishes.set_mirrors(mirrors)
    held: dict[str, str] = {}
    for name, value in options:
        if name == "header":
            wishes.add_header(value)
        else:
            held[name] = value
    for name, value in held.items():
        doer = _HONOURED.get(name)
        if doer is not None:
            doer(wishes, value)
        else:
            _check(name, value)
    _apply_together(wishes, held, "ftp" if url.startswith("ftp") else "http")
    return wishes.line(number, url)


def is_aria2_option(name: str) -> bool:
    """Whether it is an option that aria2 takes for one address, honoured here or not."""
    tables = (_HONOURED, _TOGETHER, _HARMLESS, _FOR_ALL, _SWITCHES)
    return name == "header" or name.startswith(_HARMLESS_BEGINNINGS) or any(name in table for table in tables)


def check_option(name: str, value: str) -> None:
    """Raise `UsageError` if an option of this value would leave its address out."""
    aria2_line(1, "http://h/", (), ((name, value),))


def _check(name: str, value: str) -> None:
    if name in _TOGETHER or name in _HARMLESS or name.startswith(_HARMLESS_BEGINNINGS):
        return
    if name in _FOR_ALL:
        if value:
            raise UsageError(f"{name}= is not taken for one address; give {_FOR_ALL[name]} for all")
    elif name in _SWITCHES:
        usual, instead = _SWITCHES[name]
        if value != usual:
            hint = f"; give {instead} for all" if instead else ""
            raise UsageError(f"{name}={display_text(value, 20)} is not taken for one address{hint}")
    else:
        raise UsageError(f"{display_text(name, 40)}= is no option of aria2's input file")


def _apply_together(wishes: LineWishes, held: Mapping[str, str], kind: str) -> None:
    """Apply the options that mean something only with each other."""
    user = held.get(f"{kind}-user")
    if user:
        wishes.add_credentials(user, held.get(f"{kind}-passwd", ""))
    numbers = [_count(name, held[name]) for name in ("split", "max-connection-per-server") if name in held]
    if numbers:
        wishes.ask("connections", min(numbers))
    if held.get("allow-overwrite") == _TRUE:
        wishes.ask("on_exists", OnExists.OVERWRITE)
    elif "auto-file-renaming" in held:
        renames = held["auto-file-renaming"] == _TRUE
        wishes.ask("on_exists", OnExists.RENAME if renames else OnExists.SKIP)


def _count(name: str, value: str) -> int:
    try:
        number = int(value)
    except ValueError:
        raise UsageError(f"{name}={display_text(value, 20)} is no number") from None
    most = int(SETTINGS["connections"].high or number)
    return max(1, min(number, most))


def _limit(wishes: LineWishes, value: str) -> None:
    if limit := parse_size(value):
        wishes.ask("limit_rate_bps", limit)


def _tries(wishes: LineWishes, value: str) -> None:
    # aria2's 0 is "for ever", the nearest of ours is the most
    most = SETTINGS["max_retries"].high or 0
    wishes.ask("max_retries", coerce(SETTINGS["max_retries"], value if value != "0" else str(int(most))))


def _continue(wishes: LineWishes, value: str) -> None:
    if value == _TRUE:
        wishes.ask("continues", True)


_HONOURED: Final[Mapping[str, Callable[[LineWishes, str], None]]] = {
    "out": LineWishes.set_name,
    "dir": LineWishes.set_dir,
    "checksum": LineWishes.set_checksum,
    "referer": lambda wishes, value: wishes.add_header(f"Referer: {value}", origin="referer"),
    "user-agent": lambda wishes, value: wishes.add_header(f"User-Agent: {value}", origin="user-agent"),
    "max-download-limit": _limit,
    "max-tries": _tries,
    "continue": _continue,
}
_TOGETHER: Final = frozenset(
    {
        *("http-user", "http-passwd", "ftp-user", "ftp-passwd", "split", "max-connection-per-server"),
        *("allow-overwrite", "auto-file-renaming"),
    }
)
