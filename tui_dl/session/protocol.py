"""What client and session say to each other over the attach socket: JSON objects, each after its length.

The first message, and what answers it, keep their shape in every version, so that any two can tell each other apart.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROTOCOL: Final = 1
"""Grows when messages after the first change their meaning."""
MOST_BYTES: Final = 1024 * 1024
"""Longest message."""
DESCRIPTORS: Final = 2
"""Terminal descriptors that come with an attach: keys, screen."""
TERMINAL_NAMES: Final = (
    *("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "VTE_VERSION"),
    *("LANG", "LC_ALL", "LC_CTYPE", "SSH_CONNECTION", "SSH_TTY", "TMUX", "STY", "WT_SESSION", "KITTY_WINDOW_ID"),
)
"""Environment names that describe a terminal; nothing else of the environment is handed over."""
PROXY_NAMES: Final = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy")
"""Environment names, in lower or upper case, that a session hears once for all."""
_LENGTH: Final = struct.Struct("!I")


class BadMessageError(ValueError):
    """What came is none of our messages."""


class Want(StrEnum):
    """What a client comes for."""

    ATTACH = "attach"
    """Show the screen on the terminal that comes with it."""
    STOP = "stop"
    """Make everything durable and end; answered when that is done."""
    ASK = "ask"
    """Say who you are, and whether what is added may go through these `proxies`."""


class Word(StrEnum):
    """What a message is."""

    WELCOME = "welcome"
    """Session: you are in. `version`, `pid`, `restore` (text that puts a terminal back), `refusal` (to who asks)."""
    REFUSED = "refused"
    """Session: you are not. `text`, `code`."""
    LEFT = "left"
    """Session: it is over, the terminal is yours. `lines`, `code`."""
    ASIDE = "aside"
    """Client: my process is to be stopped, give the terminal back. Session: it is yours, stop yourself."""
    BACK = "back"
    """Client: the terminal is yours again."""
    SIZE = "size"
    """Client: the window has another size; whoever holds the terminal can ask it."""
    LEAVE = "leave"
    """Client: end the screen."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of a client."""

    want: str
    """A `Want`, as text: a later version may want more."""
    protocol: int = PROTOCOL
    """The client's."""
    version: str = ""
    """Of the client's program."""
    folder: str = "/"
    """Absolute folder in which the command was typed."""
    size: tuple[int, int] = (80, 24)
    """Columns and rows of the terminal."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Those of `TERMINAL_NAMES` that are set."""
    proxies: Mapping[str, str] | None = None
    """Proxies that the environment of what is to be added names; None where nothing is."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Settings given on the command line; secrets among them."""

    def message(self) -> dict[str, Any]:
        """Return it as it is sent."""
        return asdict(self)

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Self:
        """Return the hello that a message is; raises `BadMessageError`. What is not known of it is left out."""
        size, environment, options = message.get("size", (80, 24)), message.get("environment"), message.get("options")
        proxies = message.get("proxies")
        try:
            columns, rows = (int(one) for one in size)
            return cls(
                want=str(message["want"]),
                protocol=int(message["protocol"]),
                version=str(message.get("version", "")),
                folder=str(message.get("folder", "/")),
                size=(columns, rows),
                environment={str(name): str(text) for name, text in dict(environment or {}).items()},
                proxies=None if proxies is None else {str(name): str(text) for name, text in dict(proxies).items()},
                options=dict(options or {}),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadMessageError(f"no hello: {error}") from None


def terminal_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what of an environment describes the terminal."""
    return {name: environment[name] for name in TERMINAL_NAMES if name in environment}


def proxy_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the proxies that an environment names, under names in lower case."""
    found = {name: environment.get(name) or environment.get(name.upper(), "") for name in PROXY_NAMES}
    return {name: text for name, text in found.items() if text}


def packed(message: Mapping[str, Any]) -> bytes:
    """Return a message as it travels."""
    body = json.dumps(message, ensure_ascii=True).encode()
    return _LENGTH.pack(len(body)) + body


class Unpacker:
    """Cuts what arrives into messages."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, octets: bytes) -> Iterator[dict[str, Any]]:
        """Yield the messages that are complete now; raises `BadMessageError`."""
        self._held += octets
        while len(self._held) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._held)
            if length > MOST_BYTES:
                raise BadMessageError(f"a message of {length} bytes")
            end = _LENGTH.size + length
            if len(self._held) < end:
                return
            body = bytes(self._held[_LENGTH.size : end])
            del self._held[:end]
            yield _decoded(body)


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except ValueError:
        raise BadMessageError("no JSON") from None
    if not isinstance(message, dict):
        raise BadMessageError("no object")
    return message
