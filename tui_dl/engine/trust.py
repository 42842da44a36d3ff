"""Whom we believe over TLS, and who we say we are: one context for all connections, built off the loop."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final, NoReturn

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

_SHOWN_CELLS: Final = 120


def tls_context(*, ca_certificate: str = "", certificate: str = "", insecure: bool = False) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities and those of `ca_certificate`; TLS 1.2 at least.

    `certificate` is `FILE` or `FILE,KEYFILE` in PEM. Reads files, so never on the loop. Raises `UsageError` for one
    that cannot be used: without it every download would fail, or be less safe than was asked.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_certificate:
        _add_authorities(context, ca_certificate)
    if certificate:
        _add_identity(context, certificate)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _add_authorities(context: ssl.SSLContext, file: str) -> None:
    try:
        context.load_verify_locations(cafile=Path(file).expanduser())
    except ssl.SSLError:
        raise UsageError(f"--ca-certificate {_shown(file)}: holds no certificates in PEM form") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"--ca-certificate {_shown(file)}: cannot be read: {_why(error)}") from None


def _add_identity(context: ssl.SSLContext, files: str) -> None:
    certificate, _, key = files.partition(",")

    def refuse() -> NoReturn:
        # Without this OpenSSL would ask on the terminal, which the screen owns.
        raise UsageError(f"--certificate {_shown(files)}: the key is encrypted; give one without a passphrase")

    try:
        key_file = Path(key).expanduser() if key else None
        context.load_cert_chain(Path(certificate).expanduser(), key_file, password=refuse)
    except ssl.SSLError:
        wanted = "the certificate and its key, which belong together, in PEM form (FILE or FILE,KEYFILE)"
        raise UsageError(f"--certificate {_shown(files)}: does not hold {wanted}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"--certificate {_shown(files)}: cannot be read: {_why(error)}") from None


def _why(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "not a usable path"


def _shown(text: str) -> str:
    return display_text(text, _SHOWN_CELLS)
