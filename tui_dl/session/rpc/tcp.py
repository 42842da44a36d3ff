"""What the settings say of TCP: whether it is served, where, with which secret; and the sockets for it."""

from __future__ import annotations

import os
import socket
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.session.rpc.browsers import BrowserRules

if TYPE_CHECKING:
    from tui_dl.core.settings import Settings

_MOST_BYTES: Final = 4096
_LEAST_CHARACTERS: Final = 8
_SHOWN_CELLS: Final = 120


@dataclass(frozen=True, slots=True)
class TcpWish:
    """What is wanted of TCP."""

    port: int
    """Port on loopback."""
    secret: str = field(repr=False)
    """What callers must give."""
    rules: BrowserRules
    """Which pages may ask."""


def tcp_wish(settings: Settings, settings_file: Path) -> TcpWish | None:
    """Return what the settings want of TCP, None for nothing. Reads files, so never on the loop.

    Raises `UsageError` where there is no secret, a weak one, or one that others could read.
    """
    if not settings.rpc:
        return None
    secret = _secret(settings.rpc_secret, settings_file)
    if len(secret) < _LEAST_CHARACTERS:
        raise UsageError(
            f"rpc wants a secret of at least {_LEAST_CHARACTERS} characters, so that nobody else on this machine"
            " gets in: set rpc_secret"
        )
    return TcpWish(settings.rpc_port, secret, BrowserRules(tuple(settings.rpc_allow_origin.split())))


@dataclass(frozen=True, slots=True)
class OpenTcp:
    """TCP that is listened to and not yet served."""

    wish: TcpWish
    """What is wanted."""
    sockets: tuple[socket.socket, ...]
    """Bound to loopback."""

    @property
    def port(self) -> int:
        """Port that they are bound to."""
        port: int = self.sockets[0].getsockname()[1]
        return port


def open_tcp(wish: TcpWish) -> OpenTcp:
    """Listen on loopback, IPv4 and, where there is one, IPv6; a port of 0 takes any that is free.

    Raises `UsageError` for a port in use.
    """
    first = _bound(socket.AF_INET, "127.0.0.1", wish.port)
    try:
        return OpenTcp(wish, (first, _bound(socket.AF_INET6, "::1", first.getsockname()[1])))
    except (OSError, UsageError):
        return OpenTcp(wish, (first,))  # no IPv6 here; a browser tries the other one


def _secret(text: str, settings_file: Path) -> str:
    if not text.startswith("@"):
        if text and settings_file.exists() and text in settings_file.read_text("utf-8", "replace"):
            _check_private(settings_file)
        return text
    file = Path(text[1:]).expanduser()
    shown = f"rpc_secret {display_text(text, _SHOWN_CELLS)}"
    try:
        _check_private(file)
        content = file.read_bytes()[:_MOST_BYTES]
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"{shown}: cannot be read: {getattr(error, 'strerror', None) or 'not a usable path'}"
        ) from None
    if not content.isascii():
        raise UsageError(f"{shown}: not a file with one secret")
    return content.decode("ascii").strip()


def _check_private(file: Path) -> None:
    facts = file.stat()
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or facts.st_uid not in (os.geteuid(), 0):
        shown = display_text(str(file), _SHOWN_CELLS)
        raise UsageError(f"{shown} holds rpc_secret and others can read it: chmod 600 {shown}")


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((address, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise UsageError(f"rpc_port {port}: {error.strerror}; another program may serve there") from None
    return listening
