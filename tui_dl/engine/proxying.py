"""What an HTTP proxy is told: our credentials, in the way that it wants, and to nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yarl import URL

from tui_dl.core.addresses import origin_of
from tui_dl.core.auth_memory import AuthMemory, AuthPolicy, Proof
from tui_dl.core.http_auth import Credentials, parse_challenges
from tui_dl.core.http_rules import all_values
from tui_dl.engine.error_map import proxy_wants_credentials
from tui_dl.engine.identified import make_cnonce

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.errors import NetworkError
    from tui_dl.core.proxies import ProxyAddress


class _Passing(str):
    """A header's value that aiohttp's pool does not tell tunnels apart by: each Digest answer is another one."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 0


class ProxyManners:
    """Remembers how each proxy wants to be told who we are."""

    def __init__(self) -> None:
        self._memory = AuthMemory(AuthPolicy.AUTO, make_cnonce)

    def proof(self, proxy: ProxyAddress, url: str) -> Proof:
        """Return what a request through this proxy carries."""
        if not proxy.user:
            return Proof()
        scheme, host, port = origin_of(url)
        method, target = ("CONNECT", f"{host}:{port}") if scheme == "https" else ("GET", str(URL(url, encoded=True)))
        return self._memory.proof(
            proxy.authority, _credentials(proxy), target, is_private=proxy.scheme == "https", method=method
        )

    def can_answer(self, proxy: ProxyAddress, headers: Mapping[str, str], sent: Proof) -> bool:
        """Learn from a 407; return whether the same request with another proof may be let through."""
        challenges = parse_challenges(all_values(headers, "proxy-authenticate"))
        return bool(proxy.user) and self._memory.can_answer(
            proxy.authority, _credentials(proxy), challenges, sent, is_private=proxy.scheme == "https"
        )


def refusal(proxy: ProxyAddress, headers: Mapping[str, str]) -> NetworkError:
    """Return the error of a 407 that nothing of ours answers."""
    schemes = {one.scheme for one in parse_challenges(all_values(headers, "proxy-authenticate"))}
    return proxy_wants_credentials(proxy, () if schemes & {"basic", "digest"} else sorted(schemes))


def proxy_words(proxy: ProxyAddress | None, headers: Mapping[str, str], proof: Proof, url: str) -> dict[str, Any]:
    """Return request headers and what aiohttp wants to know of an HTTP proxy.

    Credentials go to the proxy alone: with `CONNECT` ahead of a tunnel, else with the request, which it takes them
    from. They stay apart from the proxy's address, which errors show.
    """
    if proxy is None or proxy.is_socks:
        return {"headers": headers}
    words: dict[str, Any] = {"headers": headers, "proxy": URL(f"{proxy.scheme}://{proxy.authority}")}
    if proof.value:
        said = {"Proxy-Authorization": _Passing(proof.value)}
        is_tunnel = origin_of(url)[0] == "https"
        words |= {"proxy_headers": said} if is_tunnel else {"headers": {**headers, **said}}
    return words


def _credentials(proxy: ProxyAddress) -> Credentials:
    return Credentials(proxy.user, proxy.password)
