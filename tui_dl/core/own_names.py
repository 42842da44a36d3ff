"""Names that a person resolves by hand (`--resolve`), and the servers that are asked for the others."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import is_ip_address, origin_of
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_HOST: Final = "*"
"""Stands for every host that has no entry of its own."""
_ENTRY: Final = re.compile(r"(\*|\[[0-9a-f:.]+\]|[^:\[\]\s,]+):(\d{1,5}):([0-9a-f:.,\[\]]+)", re.IGNORECASE)
_SHOWN_CELLS: Final = 80
_LAST_PORT: Final = 65_535


def parse_own_names(text: str) -> Mapping[tuple[str, int], tuple[str, ...]]:
    """Return addresses by host (lower case, or `ANY_HOST`) and port for `HOST:PORT:ADDRESS[,ADDRESS] ...`.

    As curl's `--resolve`; a later entry replaces an earlier one. Raises `UsageError`.
    """
    return dict(_parse_entry(entry) for entry in text.split())


def _parse_entry(entry: str) -> tuple[tuple[str, int], tuple[str, ...]]:
    shown = display_text(entry, _SHOWN_CELLS)
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise UsageError(f"--resolve {shown}: write it as HOST:PORT:ADDRESS[,ADDRESS], or *:PORT:ADDRESS")
    port = int(match[2])
    if not 1 <= port <= _LAST_PORT:
        raise UsageError(f"--resolve {shown}: the port is not one of 1 to {_LAST_PORT}")
    if match[1] == ANY_HOST:
        host = ANY_HOST
    else:
        try:
            host = origin_of(f"http://{match[1]}/")[1].strip("[]")
        except UsageError:
            raise UsageError(f"--resolve {shown}: no usable host") from None
        if is_ip_address(host):
            raise UsageError(f"--resolve {shown}: an address is not looked up, so this would do nothing")
    return (host, port), tuple(_address(one, f"--resolve {shown}") for one in match[3].split(","))


def parse_dns_servers(text: str) -> tuple[str, ...]:
    """Return the addresses of name servers, each maybe with a port, as they were written; raises `UsageError`."""
    return tuple(_server(one) for one in re.split(r"[,\s]+", text) if one)


def _server(text: str) -> str:
    bare, colon, port = text.rpartition(":")
    if colon and (bare.endswith("]") or ":" not in bare):
        if not port.isdigit() or not 1 <= int(port) <= _LAST_PORT:
            raise UsageError(f"--dns-servers {display_text(text, _SHOWN_CELLS)}: the port is not one of 1 to 65535")
        address = _address(bare, f"--dns-servers {display_text(text, _SHOWN_CELLS)}")
        return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    return _address(text, f"--dns-servers {display_text(text, _SHOWN_CELLS)}")


def _address(text: str, origin: str) -> str:
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        raise UsageError(f"{origin}: {display_text(text, _SHOWN_CELLS) or 'nothing'} is no address") from None


def addresses_of(names: Mapping[tuple[str, int], tuple[str, ...]], host: str, port: int) -> tuple[str, ...]:
    """Return the addresses that a person gave for this host and port, none where nobody did."""
    own = host.lower().strip("[]").rstrip(".")
    return names.get((own, port)) or names.get((ANY_HOST, port), ())
