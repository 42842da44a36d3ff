"""Addresses: which are usable, how they go on the wire, and whose origin they have (RFC 3986)."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

from tui_dl.core.display_text import display_text, mask_url
from tui_dl.core.errors import UsageError

MOST_URL_CHARS: Final = 64 * 1024
"""Longest address that is taken."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
"""Schemes that a server may name, in redirects, documents and headers."""
FTP_SCHEMES: Final = {"ftp": 21, "ftps": 990, "ftpes": 21}
"""Schemes that only a person may name: plain, secure from the first byte, secure after `AUTH TLS`."""
_PORTS: Final = DEFAULT_PORTS | FTP_SCHEMES
_MOST_PORT: Final = 65_535
_MOST_PORT_DIGITS: Final = 5
_MOST_HOST_CHARS: Final = 253
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))
_SHOWN_CELLS: Final = 120

_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f]")
ABSOLUTE: Final = re.compile(r"(https?|ftps?|ftpes)://(?:([^/?#]*)@)?([^/?#@]*)(.*)", re.IGNORECASE | re.DOTALL)
_HOST_AND_PORT: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]+)(?::([0-9]*))?")
_HOST: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
PORT: Final = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6(?:[0-4][0-9]{3}|5(?:[0-4][0-9]{2}|5(?:[0-2][0-9]|3[0-5]))))"
"""1 to 65535 in decimal digits, as an expression."""
PLAIN_URL: Final = re.compile(
    rf"https?://[a-z0-9_-]{{1,40}}(?:\.[a-z0-9_-]{{1,40}}){{0,5}}(?::{PORT})?(?:[/?#][!-~]{{0,8000}})?"
)
"""An address that is fine as it is; what it does not match may be, too. Nearly all of a list's are, and in a list of
a million every further step counts."""
_HOST_LIKE: Final = re.compile(r"(?:(?:[\w-]+\.)+[a-z]{2,}|localhost)(?::\d+)?(?:[/?#]|\Z)", re.IGNORECASE)


_APART: Final = re.compile(r" \S*://| +(?:#|--?[a-z]|[a-z][a-z0-9-]*=)")
"""What shows that not all of a line is one address: another one, a comment, an option."""


def with_blanks(text: str) -> str:
    """Return what was typed alone with the blanks of its path and query as `%20`, as browsers send them.

    Only where the whole can be nothing but one address: else it stays as it is, to be refused or read otherwise.
    Other white space and control characters stay refused.
    """
    bare = text.strip(" ")
    match = ABSOLUTE.match(bare) if " " in bare else None
    if match is None or " " in bare[: match.start(4)] or _APART.search(bare):
        return text
    return bare[: match.start(4)] + match[4].replace(" ", "%20")


def shown_url(url: str) -> str:
    """Return an address as it may be shown in a message: masked, on one line, not too long."""
    return display_text(mask_url(url[:4096]), _SHOWN_CELLS)


def wire_url(url: str, *, is_typed: bool = False) -> str:
    """Return a usable address in ASCII, otherwise as it was written: signed links stay valid.

    The host's other letters become IDNA, those of path and query percent-encoded UTF-8. Raise `UsageError` for
    anything that is not `http://` or `https://` (or, where a person typed it, `ftp://`) with a host, or that holds
    white space or control characters.
    """
    if PLAIN_URL.fullmatch(url):
        return url
    scheme, userinfo, host, port, rest = _parts(url, is_typed=is_typed)
    at = "@" if userinfo else ""
    return f"{scheme}://{_encoded(userinfo)}{at}{host}{f':{port}' if port else ''}{_encoded(rest)}"


@lru_cache(maxsize=512)
def origin_of(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port, by which two addresses belong together; raise `UsageError` if it is not usable."""
    scheme, _, host, port, _ = _parts(url, is_typed=True)
    return scheme, host, port or _PORTS[scheme]


@lru_cache(maxsize=512)
def host_of(url: str) -> str:
    """Return host and port of an address as rows and hosts' tables name it: lower case, without credentials.

    The port is left out where it is the scheme's own.
    """
    try:
        scheme, host, port = origin_of(url)
    except UsageError:
        return url.partition("://")[2].partition("/")[0].rpartition("@")[2].lower()
    return host if port == _PORTS[scheme] else f"{host}:{port}"


def is_ip_address(host: str) -> bool:
    """Whether a host, written without brackets, is an address already and no name to look up."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)
def _parts(url: str, *, is_typed: bool) -> tuple[str, str, str, int, str]:
    """Return scheme, user info, host (ASCII, lower case), port (0: the scheme's) and all from the path on."""
    if len(url) > MOST_URL_CHARS:
        raise UsageError(f"longer than {MOST_URL_CHARS // 1024} KiB: {shown_url(url)}")
    if _UNSAFE.search(url) or not url.isprintable():
        raise UsageError(f"white space or a control character inside: {shown_url(url)}")
    match = ABSOLUTE.match(url)
    if match is None or (not is_typed and match[1].lower() in FTP_SCHEMES):
        raise UsageError(_why_not_absolute(url, is_typed=is_typed))
    authority = _HOST_AND_PORT.fullmatch(match[3])
    host = _ascii_host(authority[1]) if authority else ""
    if authority is None or not host:
        raise UsageError(f"no usable host: {shown_url(url)}")
    digits = authority[2] or ""
    port = int(digits) if digits and len(digits) <= _MOST_PORT_DIGITS else 0
    if digits and not 1 <= port <= _MOST_PORT:
        raise UsageError(f"the port is not one of 1 to {_MOST_PORT}: {shown_url(url)}")
    return match[1].lower(), match[2] or "", host, port, match[4]


def _why_not_absolute(url: str, *, is_typed: bool) -> str:
    scheme = SCHEME.match(url)
    if _HOST_LIKE.match(url):
        return f"no http:// or https:// in front: {shown_url(url)} (is https://{shown_url(url)} meant?)"
    if scheme is None:
        return f"no http:// or https:// in front: {shown_url(url)}"
    if scheme[1].lower() in (_PORTS if is_typed else DEFAULT_PORTS):
        return f"no usable host: {shown_url(url)}"
    known = "only http://, https:// and ftp://" if is_typed else "only http:// and https://"
    return f"{known} are fetched, not {display_text(scheme[1].lower(), 40)}: {shown_url(url)}"


def _ascii_host(host: str) -> str:
    """Return a host in ASCII and lower case, empty if it is none."""
    if host.startswith("["):
        try:
            return f"[{IPv6Address(host[1:-1]).compressed}]"
        except ValueError:
            return ""
    if not host.isascii():
        try:
            host = ".".join(_ascii_label(label) for label in host.split("."))
        except UnicodeError:
            return ""
    host = host.lower()
    return host if len(host) <= _MOST_HOST_CHARS and _HOST.fullmatch(host) else ""


def _ascii_label(label: str) -> str:
    # The standard library's IDNA is that of 2003, which turns these two letters into others: another host.
    if {"\u00df", "\u03c2"} & set(label.lower()):
        return "xn--" + normalize("NFC", label.lower()).encode("punycode").decode("ascii")
    return label.encode("idna").decode("ascii")


def _encoded(text: str) -> str:
    """Percent-encode what is not ASCII and nothing else."""
    return text if text.isascii() else quote(text, safe=_ASCII)


def has_same_origin(one: str, other: str) -> bool:
    """Whether two addresses share scheme, host and port; what is not usable shares nothing."""
    try:
        return origin_of(one) == origin_of(other)
    except UsageError:
        return False


def split_userinfo(url: str, *, is_typed: bool = False) -> tuple[str, str]:
    """Return an address without its user info, and that as the value of an `Authorization` header, maybe empty."""
    if PLAIN_URL.fullmatch(url):
        return url, ""
    scheme, userinfo, host, port, rest = _parts(url, is_typed=is_typed)
    bare = f"{scheme}://{host}{f':{port}' if port else ''}{_encoded(rest)}"
    if not userinfo:
        return bare, ""
    user, _, password = userinfo.partition(":")
    return bare, "Basic " + b64encode(unquote_to_bytes(user) + b":" + unquote_to_bytes(password)).decode()
