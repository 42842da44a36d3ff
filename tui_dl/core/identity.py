"""Who we say we are: credentials for a task's own address, and for the host that a redirect leads to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import origin_of
from tui_dl.core.errors import UsageError
from tui_dl.core.http_auth import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping


_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750 §2.1."""


def basic(user: str, password: str) -> str:
    """Return the value of an `Authorization` header (RFC 7617, UTF-8)."""
    return Credentials(user, password).basic


def parse_user(text: str) -> str:
    """Return the `Authorization` value for `NAME:PASSWORD`; raises `UsageError`, which never shows the text."""
    user, _, password = text.partition(":")
    if not user or any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        raise UsageError("--user: write it as NAME:PASSWORD, without control characters")
    return basic(user, password)


def parse_bearer(token: str) -> str:
    """Return the `Authorization` value for a token; raises `UsageError`, which never shows it."""
    if not _TOKEN.fullmatch(token):
        raise UsageError("--bearer: not a token; give TOKEN, or @FILE with nothing else inside")
    return f"Bearer {token}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Credentials that belong to no single task."""

    authorization: str = field(default="", repr=False)
    """What `--user` or `--bearer` gave, for the addresses that a person named and for nobody they redirect to."""
    by_host: Mapping[str, str] = field(default_factory=dict, repr=False)
    """`Authorization` values of the netrc file by host, lower case."""
    referer: str = ""
    """Referer of a task's own address."""

    def first_headers(self, url: str, given: Mapping[str, str]) -> dict[str, str]:
        """Return the headers for a task's own address besides those that were given for it."""
        names = {name.lower() for name in given}
        headers: dict[str, str] = {}
        if self.referer and "referer" not in names:
            headers["Referer"] = self.referer
        if "authorization" not in names and (value := self.authorization or self._of_host(url)):
            headers["Authorization"] = value
        return headers

    def hop_headers(self, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers that one request needs besides its own: the netrc file's, for this very host.

        A redirect chooses the scheme and the port: it gets them only over https on its own port, so that no one on
        the way and no other program on that host can have them sent to it.
        """
        if not self.by_host or any(name.lower() == "authorization" for name in headers):
            return {}
        scheme, _, port = origin_of(url)
        value = self._of_host(url) if (scheme, port) == ("https", 443) else ""
        return {"Authorization": value} if value else {}

    def _of_host(self, url: str) -> str:
        return self.by_host.get(origin_of(url)[1].strip("[]"), "")
