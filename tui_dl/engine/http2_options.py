"""What curl is told: once for all requests, and for each one. Nothing of its own goes to a server."""

from __future__ import annotations

import re
import socket
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from tui_dl.core.addresses import origin_of
from tui_dl.core.errors import HttpError, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from tui_dl.core.ports import TransportRequest
    from tui_dl.core.proxies import ProxyAddress
    from tui_dl.core.settings import Settings
    from tui_dl.engine.client_options import ClientOptions

HAPPY_EYEBALLS_MS: Final = 250
_HTTP2_OVER_TLS: Final = 4  # CURL_HTTP_VERSION_2TLS: 1.1 where the host does not speak it
_TLS_1_2: Final = 6  # CURL_SSLVERSION_TLSv1_2, at least
_BASIC_OR_DIGEST: Final = 3  # CURLAUTH_BASIC | CURLAUTH_DIGEST: as the proxy asks
_RESOLVE: Final = {socket.AF_UNSPEC: 0, socket.AF_INET: 1, socket.AF_INET6: 2}
_PROXY_SCHEMES: Final = {"socks5": "socks5h"}
"""Spelled so, the proxy looks names up."""
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BUNDLES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files of secure connections, checked before by `trust.tls_context()`."""

    authorities: str = ""
    """PEM file of those believed; empty: the library's own."""
    certificate: str = ""
    """PEM file of the client's certificate, empty for none."""
    key: str = ""
    """PEM file of its key."""
    is_insecure: bool = False
    """Whether no certificate is checked."""
    written: IO[str] | None = None
    """File of ours, which goes when it is closed; None for none."""


def tls_files(settings: Settings) -> TlsFiles:
    """Return the files for these settings. Reads and writes files, so never on the loop."""
    certificate, _, key = settings.certificate.partition(",")
    certificate = str(Path(certificate).expanduser()) if certificate else ""
    authorities, written = _system_bundle(), None
    if settings.ca_certificate:
        # curl takes one file: the system's authorities and one's own are written together.
        files = [Path(file) for file in (authorities, settings.ca_certificate) if file]
        written = tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="tui-dl-", suffix=".pem")  # noqa: SIM115  # lives as long as the transport
        written.write("\n".join(file.expanduser().read_text(encoding="utf-8", errors="replace") for file in files))
        written.flush()
        authorities = written.name
    return TlsFiles(
        authorities=authorities,
        certificate=certificate,
        key=str(Path(key).expanduser()) if key else certificate,
        is_insecure=settings.insecure,
        written=written,
    )


def _system_bundle() -> str:
    found = ssl.get_default_verify_paths().cafile
    return next((file for file in (found, *_BUNDLES) if file and Path(file).is_file()), "")


def fixed_options(
    curl_cffi: ModuleType, options: ClientOptions, tls: TlsFiles, *, connect_timeout_s: float
) -> list[tuple[Any, Any]]:
    """Return what every handle is told once."""
    opt = curl_cffi.CurlOpt
    told: list[tuple[Any, Any]] = [
        (opt.PROTOCOLS_STR, "https"),
        (opt.HTTP_VERSION, _HTTP2_OVER_TLS),
        (opt.PIPEWAIT, 1),  # a stream of the connection that is being made, rather than one more connection
        (opt.FOLLOWLOCATION, 0),
        (opt.HTTP_CONTENT_DECODING, 0),
        (opt.PATH_AS_IS, 1),
        (opt.DISALLOW_USERNAME_IN_URL, 1),
        (opt.SUPPRESS_CONNECT_HEADERS, 1),
        (opt.NOSIGNAL, 1),
        (opt.QUICK_EXIT, 1),  # a look-up that hangs does not keep the end waiting
        (opt.CONNECTTIMEOUT_MS, max(1, int(connect_timeout_s * 1000))),
        (opt.HAPPY_EYEBALLS_TIMEOUT_MS, HAPPY_EYEBALLS_MS),
        (opt.IPRESOLVE, _RESOLVE[options.family]),
        (opt.SSLVERSION, _TLS_1_2),
        (opt.SSL_VERIFYPEER, int(not tls.is_insecure)),
        (opt.SSL_VERIFYHOST, 0 if tls.is_insecure else 2),
        (opt.PROXY_SSL_VERIFYPEER, int(not tls.is_insecure)),
        (opt.PROXY_SSL_VERIFYHOST, 0 if tls.is_insecure else 2),
        (opt.PROXY_SSLVERSION, _TLS_1_2),
        (opt.NOPROXY, ""),  # else it would hear the environment, which our rules did already
    ]
    if tls.authorities:
        told += [(opt.CAINFO, tls.authorities), (opt.PROXY_CAINFO, tls.authorities)]
    if tls.certificate:
        told += [(opt.SSLCERT, tls.certificate), (opt.SSLKEY, tls.key)]
    return told


def options_of(
    curl_cffi: ModuleType, request: TransportRequest, proxy: ProxyAddress | None, addresses: Sequence[str] = ()
) -> list[tuple[Any, Any]]:
    """Return what a handle is told for one request. Raises `HttpError` for a header that cannot be sent.

    `addresses` are those of its host where somebody else than the system looked them up.
    """
    opt = curl_cffi.CurlOpt
    lines = [_line(name, value) for name, value in request.headers.items()]
    told: list[tuple[Any, Any]] = [(opt.URL, request.url), (opt.HTTPHEADER, lines)]
    if addresses:
        _, host, port = origin_of(request.url)
        told.append((opt.RESOLVE, [f"+{host}:{port}:{','.join(addresses)}"]))
    if proxy is None:
        return [*told, (opt.PROXY, "")]
    told.append((opt.PROXY, f"{_PROXY_SCHEMES.get(proxy.scheme, proxy.scheme)}://{proxy.authority}"))
    told += [(opt.PROXYUSERNAME, proxy.user), (opt.PROXYPASSWORD, proxy.password), (opt.PROXYAUTH, _BASIC_OR_DIGEST)]
    return told


def _line(name: str, value: str) -> bytes:
    """Return a header as curl takes it; an empty value is written with a semicolon, else it would be left out."""
    if not _NAME.fullmatch(name) or _CONTROL.search(value):
        raise HttpError(Reason.BAD_URL, f"the header {name[:40]!r} cannot be sent: control characters")
    return f"{name}: {value}".encode() if value else f"{name};".encode()
