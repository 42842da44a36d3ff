"""`--curl`: a browser's "copy as cURL" from the command line or standard input, as part of an order."""

from __future__ import annotations

import os
import sys
import termios
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tui_dl.core.curl_download import CurlDownload
    from tui_dl.core.task import TaskOptions

STANDARD: Final = "-"
"""Stands for standard input, so that neither the process list nor the shell's history shows cookies."""
MOST_BYTES: Final = 16 * 1024 * 1024
_END: Final = b"\x04"
_PROMPT: Final = "Paste the curl command (it is not shown), then press Enter and Ctrl+D:"


def downloads_of(given: Mapping[str, Any], read: Callable[[], str] | None = None) -> tuple[CurlDownload, ...]:
    """Return what an order downloads, typed addresses first; `read` returns standard input. Raises `UsageError`."""
    texts: Sequence[str] = given.get("curl") or ()
    if texts.count(STANDARD) > 1:
        raise UsageError("--curl - reads all of standard input, so once is enough; paste several commands at once")
    if STANDARD in texts and STANDARD in (given.get("input_files") or ()):
        raise UsageError("--curl - and --input - both read standard input; give one of them a file or a text")
    urls: Sequence[str] = given.get("urls", ())
    if not texts and not urls:
        return ()
    from tui_dl.core.curl_download import CurlDownload  # noqa: PLC0415  # the first frame needs none

    found = [CurlDownload(url) for url in urls]
    for text in texts:
        from tui_dl.core.curl_command import parse_curl  # noqa: PLC0415  # most orders are addresses alone

        try:
            found += parse_curl((read or standard_input)() if text == STANDARD else text)
        except UsageError as error:
            raise UsageError(f"--curl: {error.message}") from None
    return tuple(found)


def settings_of(downloads: Sequence[CurlDownload], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that curl's `-x` and `-k` mean for the whole run.

    Raises `UsageError` where they would hold for downloads that did not ask for them.
    """
    settings: dict[str, Any] = {}
    has_list = bool(given.get("input_files") or given.get("has_list"))
    proxies = {one.proxy for one in downloads}
    if proxies - {""} and given.get("proxy") is None:
        if len(proxies) > 1 or has_list:
            raise UsageError("--curl: its -x would hold for the other addresses too; give --proxy, or run it by itself")
        settings["proxy"] = proxies.pop()
    if any(one.is_insecure for one in downloads) and not given.get("insecure"):
        if has_list or not all(one.is_insecure for one in downloads):
            raise UsageError(
                "--curl: its -k would accept any certificate for the other addresses too; give --insecure if that is "
                "meant, or run it by itself"
            )
        settings["insecure"] = True
    return settings


def target_of(download: CurlDownload, folder: str) -> str:
    """Return the folder of a download: what curl's `-o` and `--output-dir` say begins at the order's folder."""
    return str(Path(folder) / Path(download.folder).expanduser()) if download.folder else folder


def options_of(download: CurlDownload, options: TaskOptions) -> TaskOptions:
    """Return the options of an order with the headers of a curl command; `--header` wins over one of the same name."""
    from tui_dl.core.curl_download import with_headers  # noqa: PLC0415  # as above

    return replace(options, headers=with_headers(download, options.headers).headers)


def standard_input() -> str:
    """Return all of standard input; on a terminal up to Ctrl+D, without showing it. Raises `UsageError`."""
    descriptor = sys.stdin.fileno()
    if sys.stdin.isatty():
        click.echo(_PROMPT, err=True)
        octets = _pasted(descriptor)
    else:
        octets = _all_of(descriptor)
    text = octets.decode("utf-8", "replace")
    if not text.strip():
        raise UsageError("nothing came on standard input")
    return text


def _pasted(descriptor: int) -> bytes:
    """Read what is pasted into a terminal; a line may be longer than the 4,095 bytes that it takes by lines."""
    before = termios.tcgetattr(descriptor)
    raw = termios.tcgetattr(descriptor)
    raw[3] &= ~(termios.ICANON | termios.ECHO)
    raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSADRAIN, raw)
    try:
        return _all_of(descriptor, _END)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _all_of(descriptor: int, end: bytes = b"") -> bytes:
    octets = bytearray()
    while (piece := os.read(descriptor, 65_536)) and len(octets) <= MOST_BYTES:
        octets += piece
        if end and end in piece:
            return bytes(octets[: octets.index(end)])
    if len(octets) > MOST_BYTES:
        raise UsageError(f"more than {MOST_BYTES >> 20} MiB came on standard input")
    return bytes(octets)
