"""Which options curl has, as far as a download can mean them: with a value, without one, refused, or said otherwise."""

from __future__ import annotations

from typing import Final

SHORT: Final = {
    "#": "progress-bar",
    "0": "http1.0",
    "1": "tlsv1",
    "4": "ipv4",
    "6": "ipv6",
    "A": "user-agent",
    "b": "cookie",
    "c": "cookie-jar",
    "C": "continue-at",
    "d": "data",
    "e": "referer",
    "E": "cert",
    "f": "fail",
    "F": "form",
    "g": "globoff",
    "G": "get",
    "H": "header",
    "i": "include",
    "I": "head",
    "j": "junk-session-cookies",
    "J": "remote-header-name",
    "k": "insecure",
    "K": "config",
    "L": "location",
    "m": "max-time",
    "n": "netrc",
    "N": "no-buffer",
    "o": "output",
    "O": "remote-name",
    "q": "disable",
    "r": "range",
    "R": "remote-time",
    "s": "silent",
    "S": "show-error",
    "T": "upload-file",
    "u": "user",
    "U": "proxy-user",
    "v": "verbose",
    "w": "write-out",
    "x": "proxy",
    "X": "request",
    "y": "speed-time",
    "Y": "speed-limit",
    "z": "time-cond",
    "Z": "parallel",
    ":": "next",
}
"""Letters and the long names they stand for."""

BODY: Final = frozenset({"data", "data-raw", "data-ascii", "data-binary", "data-urlencode"})
"""Options that give a body, or with `-G` a query."""

REASONS_AGAINST: Final = {
    **dict.fromkeys(("form", "form-string", "json", "upload-file"), ""),
    "range": "a piece of a file can be neither resumed nor checked; tui-dl fetches whole files",
    "head": "it asks for the headers alone, so there is nothing to download",
    "config": "options of a file are not read; write them into the command",
    "location-trusted": "tui-dl never gives credentials to the host that a redirect leads to",
    "time-cond": "tui-dl compares the versions of a file by itself",
    "write-out": "use --json of tui-dl for what a program should know",
}
"""Options that are refused and why; an empty reason is that of every method but GET."""

OWN_OPTIONS: Final = {
    "cacert": "--ca-certificate FILE",
    "cert": "--certificate FILE",
    "connect-timeout": "--connect-timeout S",
    "continue-at": "nothing (it resumes by itself; --continue takes up a half file of curl's)",
    "cookie-jar": "--save-cookies FILE",
    "digest": "--user NAME:PASSWORD (proven in Digest where the server asks for it; --auth digest allows nothing else)",
    "ipv4": "--ipv4-only",
    "ipv6": "--ipv6-only",
    "key": "--certificate FILE,KEYFILE",
    "limit-rate": "--limit-rate SIZE",
    "max-time": "--max-time S",
    "netrc": "--netrc FILE",
    "netrc-file": "--netrc FILE",
    "noproxy": "--no-proxy HOST,...",
    "dns-servers": "--dns-servers ADDRESS,...",
    "parallel-max": "-j N",
    "proxy-user": "--proxy http://USER:PASSWORD@HOST:PORT",
    "remote-time": "--remote-time",
    "resolve": "--resolve HOST:PORT:ADDRESS",
    "retry": "--max-retries N",
    "retry-delay": "--retry-delay S",
    "speed-limit": "--timeout S",
    "speed-time": "--timeout S",
}
"""Options that tui-dl has too, for all downloads of a run."""

FLAGS: Final = frozenset(
    (
        *("anyauth", "basic", "buffer", "compressed", "create-dirs", "disable", "fail", "fail-early", "fail-with-body"),
        *("http1.0", "http1.1", "http2", "http2-prior-knowledge", "http3", "include", "junk-session-cookies"),
        *("keepalive", "location", "no-buffer", "parallel", "parallel-immediate", "path-as-is", "progress-bar"),
        *("progress-meter", "remote-header-name", "remote-name-all", "remove-on-error", "show-error", "silent"),
        *("ssl", "styled-output", "tcp-nodelay", "tls-max", "tlsv1", "tlsv1.0", "tlsv1.1", "tlsv1.2", "tlsv1.3"),
        *("tr-encoding", "trace-time", "verbose"),
    )
)
"""Options without a value that mean nothing here, or what tui-dl does anyway."""

_IDLE_WITH_VALUE: Final = frozenset(("max-filesize", "max-redirs", "ciphers", "curves", "keepalive-time", "stderr"))
VALUED: Final = frozenset(
    (
        *("url", "header", "cookie", "request", "output", "output-dir", "user", "oauth2-bearer", "user-agent"),
        *("referer", "proxy", "socks4", "socks4a", "socks5", "socks5-hostname", "form", "form-string", "json"),
        *("upload-file", "range", "config", "time-cond", "write-out"),
        *BODY,
        *(name for name in OWN_OPTIONS if name not in ("digest", "ipv4", "ipv6", "netrc", "remote-time")),
        *_IDLE_WITH_VALUE,
    )
)
"""Options that a value follows."""
