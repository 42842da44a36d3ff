"""A curl command as browsers copy it, understood as downloads: addresses, headers, names; or refused with the reason.

Dropped without a word: headers that describe the browser's own connection or the piece it asked for (`DROPPED`), and
options that only shape curl's output. What a download by GET cannot do (a body, a range) is refused; so is what must be
said to tui-dl itself (`_OWN_OPTIONS`). No message shows a value: they are cookies and passwords.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from tui_dl.core.addresses import split_userinfo
from tui_dl.core.curl_download import CurlDownload
from tui_dl.core.curl_options import BODY, FLAGS, OWN_OPTIONS, REASONS_AGAINST, SHORT, VALUED
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.filename import SUFFIX_RESERVE_BYTES, safe_name
from tui_dl.core.identity import basic
from tui_dl.core.shell_words import read_command
from tui_dl.core.url_list import check_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DROPPED: Final = frozenset(
    (
        *("accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection"),
        *("range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"),
        *("te", "trailer", "transfer-encoding", "upgrade", "proxy-authorization"),
    )
)
"""Request headers that are not taken over: tui-dl asks for its own ranges and versions over its own connections."""

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CURL: Final = re.compile(r"(?:(?:[A-Za-z]:)?[^\s\"':]*[/\\])?curl(?:\.exe)?", re.IGNORECASE)
_PROMPT: Final = re.compile(r"(?:[$%>]|PS [^>\n]*>|[A-Za-z]:\\[^>\n]*>)\s*")
_BEGINS: Final = re.compile(rf"(?:{_PROMPT.pattern})?{_CURL.pattern}(?=[\s\\^]|\Z)", re.IGNORECASE)
_FOREIGN: Final = {
    re.compile(
        r"(?:\$\w+ *= *New-Object|\$session\b|Invoke-WebRequest\b|Invoke-RestMethod\b|iwr\b)", re.IGNORECASE
    ): "this is PowerShell's Invoke-WebRequest, not curl: choose 'Copy as cURL' in the browser's menu",
    re.compile(r"(?:await\s+)?fetch\("): "this is JavaScript's fetch(), not curl: choose 'Copy as cURL' instead",
    re.compile(r"wget\s"): "this is a wget command, not curl: paste its address, or the browser's 'Copy as cURL'",
}
_GLOB: Final = re.compile(r"(?<!\\)(?:\{[^{}]*\}|\[[0-9a-zA-Z]+-[0-9a-zA-Z]+(?::\d+)?\])")
_GLOB_ESCAPE: Final = re.compile(r"\\([\[\]{}])")
_METHODS: Final = frozenset({"GET"})
_BY_POST: Final = (
    "only GET can be resumed, so a download by another method is not taken; let the browser begin the download, then "
    "copy the request that carries the file itself (a GET)"
)


def is_curl(text: str, start: int = 0) -> bool:
    """Whether a command begins here that is curl's, or another one that browsers copy in its place."""
    return _BEGINS.match(text, start) is not None or any(one.match(text, start) for one in _FOREIGN)


def parse_curl(text: str) -> tuple[CurlDownload, ...]:
    """Return the downloads of one or several curl commands, in order; raise `UsageError` with what is wrong.

    Several are what "Copy all as cURL" gives: joined by `;`, `&`, or line ends.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found: list[CurlDownload] = []
    at = 0
    while at < len(text):
        downloads, at = next_curl(text, at)
        found += downloads
    if not found:
        raise UsageError("no curl command is there; copy it with the browser's 'Copy as cURL'")
    return tuple(found)


def next_curl(text: str, start: int) -> tuple[tuple[CurlDownload, ...], int]:
    """Return the downloads of the command that begins at `start`, and where the next one may begin.

    Line ends are LF; blank text gives no downloads. Raises `UsageError`.
    """
    for pattern, problem in _FOREIGN.items():
        if pattern.match(text, start):
            raise UsageError(problem)
    prompt = _PROMPT.match(text, start)
    command = read_command(text, prompt.end() if prompt and _BEGINS.match(text, start) else start)
    if not command.words:
        return (), command.end
    if not _CURL.fullmatch(command.words[0]):
        first = display_text(command.words[0], 40)
        raise UsageError(f"only curl commands are understood here, not {first!r}")
    return _downloads(command.words[1:]), command.end


def _downloads(words: tuple[str, ...]) -> tuple[CurlDownload, ...]:
    found: list[CurlDownload] = []
    request = _Request()
    for name, value in options_of(words):
        if name == "next":
            found += request.downloads()
            request = _Request()
        else:
            request.take(name, value)
    return (*found, *request.downloads())


def options_of(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield curl's options by their long names with their values, addresses as `url`; raise `UsageError`."""
    left = list(reversed(words))
    are_over = False
    while left:
        word = left.pop()
        if are_over or word == "-" or not word.startswith("-"):
            yield "url", word
        elif word == "--":
            are_over = True
        elif word.startswith("--"):
            name = word[2:]
            yield name, _value_of(f"--{name}", left) if name in VALUED else ""
        else:
            yield from _short_options(word[1:], left)


def _short_options(letters: str, left: list[str]) -> Iterator[tuple[str, str]]:
    for position, letter in enumerate(letters, 1):
        name = SHORT.get(letter)
        if name is None:
            raise UsageError(f"curl's option -{display_text(letter)} is not known here; take it out of the command")
        if name in VALUED:
            yield name, letters[position:] or _value_of(f"-{letter}", left)
            return
        yield name, ""


def _value_of(option: str, left: list[str]) -> str:
    if not left:
        raise UsageError(f"curl's option {option} has no value; was the whole command copied?")
    return left.pop()


@dataclass(slots=True)
class _Request:
    """What the options of one curl operation have said so far."""

    urls: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    """Values of `-o`, and empty ones for `-O`, in the order of the addresses."""
    headers: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By lower-case name."""
    cookies: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    """What `--data` gave; with `-G` it belongs to the address."""
    user: str = ""
    output_dir: str = ""
    proxy: str = ""
    is_insecure: bool = False
    is_query: bool = False
    takes_globs: bool = True

    def take(self, name: str, value: str) -> None:
        """Understand one option; raises `UsageError`."""
        taker = _TAKERS.get(name)
        if taker is not None:
            taker(self, value)
        elif name in BODY:
            self.body.append(_encoded(name, value))
        elif name in REASONS_AGAINST:
            raise UsageError(f"curl's {_shown_option(name)}: {REASONS_AGAINST[name] or _BY_POST}")
        elif name in OWN_OPTIONS:
            raise UsageError(
                f"curl's {_shown_option(name)} is for tui-dl to know: take it out of the command and "
                f"give {OWN_OPTIONS[name]} to tui-dl instead"
            )
        elif name.removeprefix("no-") not in FLAGS and name not in VALUED:
            raise UsageError(f"curl's option {_shown_option(name)} is not known here; take it out of the command")

    def header(self, line: str) -> None:
        """Take over `Name: value`; `Name;` is one without a value, `Name:` takes one away (as with curl)."""
        if line.startswith("@"):
            raise UsageError("curl's -H @FILE reads headers from a file: give them with --header")
        name, colon, value = line.lstrip().partition(":")
        if name == "":  # the browser's `:authority` and the like: HTTP/2's own
            return
        if not colon and name.endswith(";"):
            name, value = name[:-1], ""
        elif not colon:
            raise UsageError("curl's -H wants 'Name: value'")
        name, value = name.strip(), value.strip()
        if not _HEADER_NAME.fullmatch(name):
            raise UsageError(f"curl's -H: {display_text(name, 40)!r} is no name of a header")
        _refuse_controls(f"-H {name}", value)
        if colon and not value:
            self.headers.pop(name.lower(), None)
        elif name.lower() not in DROPPED:
            self.headers[name.lower()] = (name, value)

    def cookie(self, text: str) -> None:
        """Take over cookies; raises `UsageError` for a file of them."""
        if "=" not in text:
            raise UsageError("curl's -b names a cookie file: give it to tui-dl with --cookies FILE")
        _refuse_controls("-b", text)
        self.cookies.append(text.strip().rstrip(";"))

    def request(self, method: str) -> None:
        """Refuse every method but GET."""
        if method.upper() not in _METHODS:
            raise UsageError(f"curl's -X {display_text(method, 20)}: {_BY_POST}")

    def downloads(self) -> list[CurlDownload]:
        """Return one download for each address; raises `UsageError`."""
        if self.body and not self.is_query:
            raise UsageError(f"curl's --data: {_BY_POST}")
        if not self.urls:
            raise UsageError("the curl command names no address; was the whole command copied?")
        if len(self.outputs) > len(self.urls):
            raise UsageError("the curl command has more outputs than addresses")
        outputs = [*self.outputs, *[""] * (len(self.urls) - len(self.outputs))]
        return [self._download(url, output) for url, output in zip(self.urls, outputs, strict=True)]

    def _download(self, url: str, output: str) -> CurlDownload:
        bare, authorization = split_userinfo(check_url(self._address(url), is_typed=True), is_typed=True)
        headers = dict(self.headers)
        if self.cookies:
            # curl sends a cookie header of its own beside that of -b; servers read them as one.
            own = [headers["cookie"][1]] if "cookie" in headers else []
            headers["cookie"] = ("Cookie", "; ".join([*own, *self.cookies]))
        if credentials := self.user or authorization:
            headers.setdefault("authorization", ("Authorization", credentials))
        folder, name = _target(output, self.output_dir)
        return CurlDownload(bare, tuple(headers.values()), name, folder, self.proxy, self.is_insecure)

    def _address(self, url: str) -> str:
        if self.takes_globs:
            path = url.partition("://")[2].partition("/")[2]  # brackets before it are an IPv6 host's
            if _GLOB.search(path):
                raise UsageError("curl would take {..} or [..] for several addresses: give each of them, or add -g")
            url = _GLOB_ESCAPE.sub(r"\1", url)
        if not self.body:
            return url
        address, hash_sign, fragment = url.partition("#")
        joint = "&" if "?" in address else "?"
        return f"{address}{joint}{'&'.join(self.body)}{hash_sign}{fragment}"


def _target(output: str, output_dir: str) -> tuple[str, str]:
    """Return folder and name that `-o` and `--output-dir` mean."""
    if output == "-":
        raise UsageError("curl's -o - writes to standard output: give -o - to tui-dl itself")
    folder, _, name = output.rpartition("/")
    if output and safe_name(name, reserve_bytes=SUFFIX_RESERVE_BYTES) != name:
        raise UsageError(f"curl's -o: {display_text(name, 80)!r} is not a safe file name")
    if output.startswith("/"):
        return folder or "/", name
    return "/".join(part for part in (output_dir, folder) if part), name


def _encoded(name: str, value: str) -> str:
    if value.startswith("@") and name != "data-raw":
        raise UsageError(f"curl's --{name} @FILE: {_BY_POST}")
    if name != "data-urlencode":
        return value
    key, equals, content = value.partition("=")
    return f"{key}={quote_plus(content)}" if equals and key else quote_plus(content or key)


def _refuse_controls(option: str, text: str) -> None:
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        raise UsageError(f"curl's {option}: the value holds control characters")


def _shown_option(name: str) -> str:
    # Of `--name=value`, which curl does not know either, the value may be a secret.
    shown = display_text(name.partition("=")[0], 40)
    letter = next((one for one, long in SHORT.items() if long == name), "")
    return f"-{letter} (--{shown})" if letter else f"--{shown}"


def _set(name: str) -> Callable[[_Request, str], None]:
    return lambda request, value: setattr(request, name, value)


def _turn(name: str, *, to: bool) -> Callable[[_Request, str], None]:
    return lambda request, _: setattr(request, name, to)


def _as_header(name: str, prefix: str = "") -> Callable[[_Request, str], None]:
    return lambda request, value: request.header(f"{name}: {prefix}{value}")


def _user(request: _Request, value: str) -> None:
    if ":" not in value:
        raise UsageError("curl's -u has no password: write -u NAME:PASSWORD, or give --user NAME to tui-dl")
    user, _, password = value.partition(":")
    request.user = basic(user, password)


def _proxy(scheme: str = "") -> Callable[[_Request, str], None]:
    return lambda request, value: setattr(request, "proxy", value if "://" in value else f"{scheme}{value}")


_TAKERS: Final[dict[str, Callable[[_Request, str], None]]] = {
    "url": lambda request, value: request.urls.append(value),
    "header": lambda request, value: request.header(value),
    "cookie": lambda request, value: request.cookie(value),
    "request": lambda request, value: request.request(value),
    "output": lambda request, value: request.outputs.append(value),
    "remote-name": lambda request, _: request.outputs.append(""),
    "output-dir": _set("output_dir"),
    "user": _user,
    "oauth2-bearer": _as_header("Authorization", "Bearer "),
    "user-agent": _as_header("User-Agent"),
    "referer": lambda request, value: request.header(f"Referer: {value.removesuffix(';auto')}"),
    "insecure": _turn("is_insecure", to=True),
    "get": _turn("is_query", to=True),
    "globoff": _turn("takes_globs", to=False),
    "proxy": _proxy("http://"),
    "socks5": _proxy("socks5://"),
    "socks5-hostname": _proxy("socks5://"),
    "socks4": _proxy("socks4://"),
    "socks4a": _proxy("socks4a://"),
}
