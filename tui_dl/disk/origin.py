"""Notes in a file's attributes that say where it came from, as each platform knows them."""

from __future__ import annotations

import ctypes
import os
import plistlib
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui_dl.core.provenance import Provenance

_AGENT: Final = "tui-dl"


def give_provenance(fd: int, path: str, provenance: Provenance) -> None:
    """Give an open file the time and the notes that it is to have, blocking; what cannot be given is left out."""
    note_origin(fd, path, provenance)
    if provenance.modified_at is not None:
        # A time is a courtesy: some file systems keep none, and servers claim impossible ones.
        with suppress(OSError, OverflowError, ValueError):
            os.utime(fd, (provenance.modified_at, provenance.modified_at))


def note_origin(fd: int, path: str, provenance: Provenance) -> None:
    """Note the origin of an open file, if there is one to note; a file system without attributes is left alone.

    Linux: `user.xdg.origin.url` and `user.xdg.referrer.url` (the freedesktop names, as curl and wget write them).
    macOS: the list that the Finder shows, and the quarantine mark. Windows: the `Zone.Identifier` stream.
    """
    if not provenance.origin_url:
        return
    # A courtesy: no attributes here, or not that long, is no reason to lose a download.
    with suppress(OSError, AttributeError, ValueError):
        if sys.platform == "darwin":
            _note_on_macos(fd, provenance)
        elif sys.platform == "win32":
            _note_on_windows(path, provenance)
        else:
            _note_on_linux(fd, provenance)


def linux_attributes(provenance: Provenance) -> dict[str, bytes]:
    """Return the attributes by name."""
    found = {"user.xdg.origin.url": provenance.origin_url, "user.xdg.referrer.url": provenance.referrer_url}
    return {name: os.fsencode(value) for name, value in found.items() if value}


def macos_attributes(provenance: Provenance, now: float) -> dict[str, bytes]:
    """Return the attributes by name; `now` is the Unix time that the quarantine mark tells."""
    urls = [url for url in (provenance.origin_url, provenance.referrer_url) if url]
    return {
        "com.apple.metadata:kMDItemWhereFroms": plistlib.dumps(urls, fmt=plistlib.FMT_BINARY),
        "com.apple.quarantine": f"0081;{int(now):08x};{_AGENT};".encode(),
    }


def windows_stream(provenance: Provenance) -> bytes:
    """Return the content of the `Zone.Identifier` stream: zone 3, the internet."""
    lines = ["[ZoneTransfer]", "ZoneId=3"]
    if provenance.referrer_url:
        lines.append(f"ReferrerUrl={provenance.referrer_url}")
    lines.append(f"HostUrl={provenance.origin_url}")
    return "".join(f"{line}\r\n" for line in lines).encode()


def _note_on_linux(fd: int, provenance: Provenance) -> None:
    for name, value in linux_attributes(provenance).items():
        os.setxattr(fd, name, value)


def _note_on_macos(fd: int, provenance: Provenance) -> None:
    # The standard library has attributes on Linux alone.
    library = ctypes.CDLL(None, use_errno=True)
    for name, value in macos_attributes(provenance, time.time()).items():
        library.fsetxattr(fd, name.encode(), value, ctypes.c_size_t(len(value)), ctypes.c_uint32(0), 0)


def _note_on_windows(path: str, provenance: Provenance) -> None:
    with open(f"{path}:Zone.Identifier", "wb") as stream:  # noqa: PTH123 - a stream's name is no path
        stream.write(windows_stream(provenance))
