"""Names that a person resolves by hand, ahead of whoever is asked for the others."""

from __future__ import annotations

import socket
from importlib import import_module
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import AsyncResolver

from tui_dl.core.addresses import is_ip_address
from tui_dl.core.errors import UsageError
from tui_dl.core.own_names import addresses_of
from tui_dl.engine.known_names import KnownNames
from tui_dl.engine.name_threads import SystemNames

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class OwnNames(AbstractResolver):
    """Answers from the names given; asks `rest` for all others. The address asked for, and its TLS name, stay."""

    def __init__(self, names: Mapping[tuple[str, int], tuple[str, ...]], rest: AbstractResolver) -> None:
        self.names = names
        """Addresses by host and port."""
        self._rest = rest

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return addresses of a host; raises `OSError` where there are none of this family."""
        given = addresses_of(self.names, host, port)
        if not given:
            return await self._rest.resolve(host, port, family)
        found = [one for one in (_result(host, port, address) for address in given) if family in (0, one["family"])]
        if not found:
            raise OSError(None, f"--resolve gives {host} no address of this family")
        return found

    async def close(self) -> None:
        """Close who is asked for the others."""
        await self._rest.close()


def names_for(names: Mapping[tuple[str, int], tuple[str, ...]], servers: Sequence[str]) -> AbstractResolver:
    """Return what looks names up: those given by hand first, then what was found lately, then whoever is asked.

    Needs a running loop.
    """
    rest = KnownNames(AsyncResolver(nameservers=list(servers)) if servers else SystemNames())
    return OwnNames(names, rest) if names else rest


def make_resolver(names: Mapping[tuple[str, int], tuple[str, ...]], servers: Sequence[str]) -> AbstractResolver | None:
    """Return what looks names up where a person has a say in it, else None: the client or a proxy looks them up."""
    return names_for(names, servers) if names or servers else None


async def addresses_by(resolver: AbstractResolver | None, host: str, port: int, family: int) -> list[str]:
    """Return the addresses of a host name, for a client that is told them; none where it shall ask the system itself.

    Raises `OSError` where there are none.
    """
    if resolver is None or host.startswith("[") or is_ip_address(host):
        return []
    return [one["host"] for one in await resolver.resolve(host, port, socket.AddressFamily(family))]


def require_dns() -> Any:
    """Import what asks name servers; raises `UsageError` where it is not installed."""
    try:
        return import_module("aiodns")
    except ImportError:
        raise UsageError("--dns-servers needs aiodns; pip install 'tui-dl[dns]'") from None


def _result(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
