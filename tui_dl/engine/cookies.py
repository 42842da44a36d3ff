"""Cookies in memory: read from a Netscape file, sent to whom they belong, learned from answers, written back.

Which cookie belongs to whom is the standard library's policy (domain, path, secure, expiry; no cookie for a whole
top-level domain). What is in the jar is a secret: nothing here logs it or raises with it.
"""

from __future__ import annotations

import email.message
import os
import re
import secrets
import time
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit
from urllib.request import Request

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST_FILE_BYTES: Final = 16 << 20
MOST_COOKIES: Final = 3000
"""Cookies kept in all; what servers set beyond is not taken."""
MOST_COOKIE_CHARS: Final = 4096
MOST_HEADER_CHARS: Final = 16 * 1024
"""Cookies beyond this are not sent: servers refuse longer headers."""
_HTTP_ONLY: Final = "#HttpOnly_"
_MAGIC: Final = "# Netscape HTTP Cookie File\n# Written by tui-dl; whoever has it is you to these servers.\n\n"
_HEADLINE: Final = re.compile(r"\ufeff?# (Netscape )?HTTP Cookie File")
_SHOWN_CELLS: Final = 120


class Cookies:
    """A jar for all requests of one engine."""

    def __init__(
        self, cookies: Iterable[Cookie] = (), *, browser: Iterable[Cookie] = (), save_to: Path | None = None
    ) -> None:
        """`browser` are cookies that count where none of these, and none that a server set, has their name."""
        self._jar = CookieJar(DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain))
        for cookie in cookies:
            self._jar.set_cookie(cookie)
        given = {_key(cookie) for cookie in self._jar}
        self._browser: dict[str, list[Cookie]] = {}
        """A browser's cookies by domain, until its hosts are asked: a request looks at every domain in the jar."""
        for cookie in browser:
            if _key(cookie) not in given:
                self._browser.setdefault(cookie.domain.lstrip("."), []).append(cookie)
        self.save_to = save_to
        """File that `save()` writes; None for none."""

    def header(self, url: str) -> str:
        """Return the value of `Cookie` for an address, empty for none."""
        self._take_up(url)
        request = Request(url)  # noqa: S310  # nothing is opened: it tells the policy the address
        self._jar.add_cookie_header(request)
        value = request.get_header("Cookie") or ""
        while len(value) > MOST_HEADER_CHARS:
            value = value.rpartition("; ")[0]
        return value

    def learn(self, url: str, lines: Iterable[str]) -> None:
        """Take what the `Set-Cookie` lines of an answer say, as far as its host may."""
        message = email.message.Message()
        for line in lines:
            if line.isprintable() and line.isascii() and len(line) <= MOST_COOKIE_CHARS:
                message["Set-Cookie"] = line
        if not message or len(self._jar) >= MOST_COOKIES:
            return
        self._take_up(url)
        self._jar.extract_cookies(cast("Any", _Answer(message)), Request(url))  # noqa: S310  # as above

    def _take_up(self, url: str) -> None:
        """Put the cookies that a browser has for a host, or for a domain above it, among the others."""
        host = _known_host((urlsplit(url).hostname or "").lower()) if self._browser else ""
        while host:
            for cookie in self._browser.pop(host, ()):
                self._jar.set_cookie(cookie)
            host = host.partition(".")[2]

    def save(self) -> None:
        """Write all of them to `save_to`, durable, for its owner alone, or leave the file as it was. Raises `OSError`.

        A link is replaced, not followed. Of a browser's cookies those go there whose hosts were asked: the others were
        of no use, and are the person's whole life in the web.
        """
        if self.save_to is None:
            return
        text = _MAGIC + "".join(map(_line, self._jar))
        draft = self.save_to.with_name(f".{self.save_to.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.save_to)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


class _Answer:
    """As much of an answer as the jar looks at."""

    def __init__(self, message: email.message.Message) -> None:
        self._message = message

    def info(self) -> email.message.Message:
        """Return its headers."""
        return self._message


def open_cookies(file: str, save_to: str, read_browser: Callable[[], Iterable[str]] | None = None) -> Cookies | None:
    """Return a jar as the settings want it, None for none. Never on the loop; raises `UsageError`.

    `read_browser` returns a browser's cookies as lines of a Netscape file; None: there is no browser.
    """
    if not (file or save_to or read_browser):
        return None
    target = Path(save_to).expanduser().absolute() if save_to else None
    if target is not None and not (target.parent.is_dir() and os.access(target.parent, os.W_OK)):
        raise UsageError(f"--save-cookies {display_text(save_to, _SHOWN_CELLS)}: no folder that can be written to")
    if target is not None and target.exists():
        _require_replaceable(target, display_text(save_to, _SHOWN_CELLS))
    given = read_cookies(file) if file else ()
    # Last: it takes half a second, and the others are wrong at once.
    lines = () if read_browser is None else read_browser()
    return Cookies(given, browser=_good(filter(None, map(_cookie, lines))), save_to=target)


def _require_replaceable(target: Path, shown: str) -> None:
    """Raise `UsageError` for what is there and no cookie file: a slip of the pen must cost nobody a file."""
    if not target.is_file():
        raise UsageError(f"--save-cookies {shown}: is no file")
    try:
        with target.open("rb") as opened:
            text = opened.read(MOST_FILE_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"--save-cookies {shown}: cannot be read: {error.strerror}") from None
    if text.strip() and not _HEADLINE.match(text) and not any(map(_cookie, text.splitlines())):
        raise UsageError(f"--save-cookies {shown}: holds no cookies, and is left as it was; name another file")


def read_cookies(file: str) -> list[Cookie]:
    """Return the cookies of a Netscape file that are still good. Never on the loop; raises `UsageError`.

    Lines that are no cookies are left out, and so are cookies with control characters: they would be header lines.
    """
    shown = display_text(file, _SHOWN_CELLS)
    try:
        with Path(file).expanduser().open("rb") as opened:
            raw = opened.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"--cookies {shown}: cannot be read: {error.strerror}") from None
    if len(raw) > MOST_FILE_BYTES:
        raise UsageError(f"--cookies {shown}: larger than {MOST_FILE_BYTES >> 20} MiB")
    lines = raw.decode("utf-8", "replace").removeprefix("\ufeff").split("\n")
    cookies = [cookie for line in lines if (cookie := _cookie(line.removesuffix("\r"))) is not None]
    if not cookies and any(line.strip() and not line.startswith("#") for line in lines):
        raise UsageError(f"--cookies {shown}: no cookies in the Netscape form (seven fields with tabs between)")
    return _good(cookies)[-MOST_COOKIES:]


def _good(cookies: Iterable[Cookie]) -> list[Cookie]:
    now = int(time.time())
    return [cookie for cookie in cookies if not cookie.is_expired(now)]


def _key(cookie: Cookie) -> tuple[str, str, str]:
    """Return what a jar tells cookies apart by."""
    return cookie.domain, cookie.path, cookie.name


def _cookie(line: str) -> Cookie | None:
    is_http_only = line.startswith(_HTTP_ONLY)
    line = line.removeprefix(_HTTP_ONLY)
    fields = line.split("\t")
    if line.startswith("#") or len(fields) != 7 or len(line) > MOST_COOKIE_CHARS:
        return None
    domain, below, path, secure, expires, name, value = fields
    if not (domain.strip(".") and name and all(field.isascii() and field.isprintable() for field in fields)):
        return None
    try:
        expires_at = int(float(expires or "0"))
    except (ValueError, OverflowError):
        return None
    is_below = below.upper() == "TRUE"
    host = _known_host(domain.lower())
    return Cookie(
        version=0,
        name=name,
        value=value,
        port=None,
        port_specified=False,
        domain=f".{host.lstrip('.')}" if is_below else host.lstrip("."),
        domain_specified=is_below,
        domain_initial_dot=is_below,
        path=path or "/",
        path_specified=True,
        secure=secure.upper() == "TRUE",
        expires=expires_at or None,
        discard=not expires_at,
        comment=None,
        comment_url=None,
        rest={"HttpOnly": ""} if is_http_only else {},
    )


def _known_host(host: str) -> str:
    """Return the name by which the library knows a host; one without a dot has another in files and addresses."""
    return host if "." in host.strip(".") or ":" in host else f"{host}.local"


def _line(cookie: Cookie) -> str:
    domain = cookie.domain
    if domain.endswith(".local") and domain.count(".") == 1:
        domain = domain.removesuffix(".local")
    flags = ["TRUE" if cookie.domain.startswith(".") else "FALSE", cookie.path, "TRUE" if cookie.secure else "FALSE"]
    fields = [domain, *flags, str(cookie.expires or 0), cookie.name, cookie.value or ""]
    http_only = _HTTP_ONLY if cookie.has_nonstandard_attr("HttpOnly") else ""
    return http_only + "\t".join(fields) + "\n"
