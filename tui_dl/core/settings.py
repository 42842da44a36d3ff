"""Settings: each is a value with name, type, default and help; file, environment, options and help come from it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import MASK
from tui_dl.core.errors import UsageError
from tui_dl.core.hook_commands import command_text
from tui_dl.core.host_rules import HostRules
from tui_dl.core.request_rate import request_rate_text
from tui_dl.core.sizes import parse_size
from tui_dl.core.task import OnExists
from tui_dl.core.timetable import limit_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MIB: Final = 1024 * 1024
MIN_FREE: Final = 512 * MIB
"""Default of `min_free`; on a small disk a tenth of it."""
MAX_CONCURRENT_DOWNLOADS: Final = 1000
MAX_CONNECTIONS: Final = 64
MOST_SAMPLES: Final = 1_000_000
"""Samples of one shard: their numbers have six digits, so that no two keys of a data set are alike."""
CACHE_WORDS: Final = ("off", "on")
"""Values of `cache` that are no folder."""
WHOLE: Final = "whole"
"""A setting that is secret as a whole."""
USER_INFO: Final = "user info"
"""A setting that is secret where it holds user info before an @."""


def _setting(
    default: Any,
    text: str,
    *,
    alias: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    is_size: bool = False,
    is_timetable: bool = False,
    secret: str = "",
    read: Callable[[Any], str] | None = None,
    is_command: bool = False,
) -> Any:
    facts = {
        "help": text,
        "alias": alias,
        "low": low,
        "high": high,
        "choices": choices,
        "is_size": is_size,
        "is_timetable": is_timetable,
        "secret": secret,
        "read": read,
        "is_command": is_command,
    }
    return field(default=default, repr=not secret, metadata=facts)


def _hook(when: str) -> Any:
    text = f"Command to run {when}, as a text or a list of words; no shell reads it. Empty: none."
    return _setting("", text, read=command_text, is_command=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of engine and screen; see each field's help."""

    dir: str = _setting("", "Folder for downloads; empty: where the command is typed.")
    concurrent_downloads: int = _setting(5, "Tasks at once.", low=1, high=MAX_CONCURRENT_DOWNLOADS)
    connections: int = _setting(
        8, "Most connections for one task, grown only while it helps.", low=1, high=MAX_CONNECTIONS
    )
    per_host: int = _setting(8, "Connections to one host where tasks are split.", low=1, high=256)
    chunk_size: int = _setting(MIB, "Most bytes gathered before a write.", low=1024, high=64 * MIB, is_size=True)
    timeout: float = _setting(
        30.0, "Seconds without a byte until a connection is given up.", alias="async_timeout", low=0.1, high=86_400
    )
    connect_timeout: float = _setting(
        10.0, "Seconds until a connection must stand, look-up, proxy and TLS included.", low=0.1, high=86_400
    )
    max_time: float = _setting(
        0.0, "Seconds that a task may run in all its attempts, waiting left out; 0: no limit.", low=0, high=31_536_000
    )
    retry_delay: float = _setting(
        1.0,
        "Seconds before the first retry; doubles, with jitter.",
        alias="async_retry_delay",
        low=0,
        high=3600,
    )
    max_retries: int = _setting(
        3, "Attempts without progress before a task fails.", alias="async_max_retries", low=0, high=1000
    )
    max_retry_delay: float = _setting(60.0, "Longest pause between retries in seconds.", low=0, high=86_400)
    max_retry_after: float = _setting(
        3600.0, "Longest Retry-After of a server that is obeyed, in seconds.", low=1, high=7 * 86_400
    )
    park_time: float = _setting(
        300.0,
        "Seconds that a host which fails for all its files is tried now and then, until they fail; 0: each by itself.",
        low=0,
        high=7 * 86_400,
    )
    limit_rate: int | str = _setting(
        0,
        "Bytes per second for all tasks, 0: no limit; or a timetable: 08:00,512K 23:00,off.",
        low=0,
        is_size=True,
        is_timetable=True,
    )
    rate: str = _setting(
        "", 'Requests for all tasks together: "10/s", "30/m" or "100/h"; empty: no limit.', read=request_rate_text
    )
    delay_ms: int = _setting(0, "Pause of one slot between its requests, milliseconds.", low=0, high=3_600_000)
    on_exists: str = _setting(OnExists.RENAME.value, "What to do where the target exists.", choices=tuple(OnExists))
    name_template: str = _setting(
        "", "Folders and name of each file, as {host}/{path}/{name} or {index:06}.{ext}; empty: its name alone."
    )
    shards: int = _setting(
        0,
        "Samples in each tar shard (WebDataset) that `get` makes instead of files; 0: files.",
        low=0,
        high=MOST_SAMPLES,
    )
    shard_name: str = _setting("shard-{:06}.tar", "Names of tar shards; {:06} or %06d stands for their number.")
    archive: bool = _setting(
        default=False, text="Remember addresses and digests that are done, and fetch none of them again, anywhere."
    )
    cache: str = _setting(
        "off",
        "Take what the same version or digest finished before from where it lies: on; or a folder that keeps a copy"
        " of everything; off.",
    )
    on_change: str = _setting(
        "restart",
        "What to do where the file changed on the server before a resume.",
        choices=("restart", "fail", "keep-both"),
    )
    resume_unverified: str = _setting(
        "ask",
        "Resume of 64 MiB and more without any validator: ask (fail with a hint), yes (after samples), restart.",
        choices=("ask", "yes", "restart"),
    )
    preallocate: str = _setting(
        "auto",
        "Take the room of a file before its first byte, where the file system can: auto or off.",
        choices=("auto", "off"),
    )
    min_free: int = _setting(
        MIN_FREE,
        "Free bytes to leave on each disk; downloads wait below it. The default is at most a tenth of the disk.",
        low=0,
        is_size=True,
    )
    sequential: bool = _setting(
        default=False, text="Fetch from the first byte to the last, so that a film can be watched while it arrives."
    )
    remote_time: bool = _setting(default=False, text="Give files the modification time that the server names.")
    origin_attributes: bool = _setting(
        default=False, text="Note in the file's attributes where it came from, where the platform has them."
    )
    verify: str = _setting(
        "off",
        "Digests listed beside the file (SHA256SUMS, NAME.sha256): auto (check where one is), require (fail without"
        " any), off.",
        choices=("auto", "require", "off"),
    )
    sha256: bool = _setting(
        default=False, text="Compute the SHA-256 of every file, for `--json`, the details and manifests."
    )
    follow_metalink: bool = _setting(
        default=True, text="Fetch the files that a Metalink describes instead of keeping the Metalink itself."
    )
    allow_downgrade: bool = _setting(default=False, text="Whether a redirect may lead from https to http.")
    user_agent: str = _setting("", "User-Agent header; empty: tui-dl and its version.")
    referer: str = _setting("", "Referer header for the addresses that are given.")
    user: str = _setting("", "NAME:PASSWORD for the addresses that are given.", secret=WHOLE)
    bearer: str = _setting("", "Token for the addresses that are given, or @FILE with one.", secret=WHOLE)
    auth: str = _setting(
        "auto",
        "How passwords are told: auto (as the server asks; at once only over https), basic (at once), digest.",
        choices=("auto", "basic", "digest"),
    )
    netrc: str = _setting("", "File with names and passwords by host (netrc), readable by you alone.")
    cookies: str = _setting("", "Cookie file (Netscape form) to send from, each to its own host.")
    save_cookies: str = _setting("", "File to write all cookies to at the end, readable by you alone.")
    ip_version: str = _setting("any", "Addresses that hosts are reached by.", choices=("any", "ipv4", "ipv6"))
    ca_certificate: str = _setting("", "File of authorities (PEM) to trust besides the system's.")
    certificate: str = _setting("", "Client certificate: FILE, or FILE,KEYFILE (PEM).")
    insecure: bool = _setting(default=False, text='Accept any certificate; the row says "not verified".')
    proxy: str = _setting(
        "",
        "Proxy for everything: http://user:password@host:port, https://, socks5://, socks4a:// or socks4://.",
        secret=USER_INFO,
    )
    no_proxy: str = _setting("", "Hosts, domains and networks that are reached directly, by commas; * for all.")
    use_environment_proxy: bool = _setting(
        default=True, text="Hear http_proxy, https_proxy, all_proxy and no_proxy of the environment."
    )
    resolve: str = _setting("", "Addresses of names: HOST:PORT:ADDRESS[,ADDRESS], by spaces; *:PORT:ADDRESS for any.")
    dns_servers: str = _setting("", "Name servers to ask instead of the system's, by commas.")
    http2: str = _setting(
        "off",
        "HTTP/2 for https (extra `http2`): on; auto for what goes beyond `per_host` connections to a host; off.",
        choices=("off", "on", "auto"),
    )
    media_ask: str = _setting(
        "playlists",
        "When the screen asks what of a media page is wanted: of playlists, always, never.",
        choices=("playlists", "always", "never"),
    )
    per_site: int = _setting(3, "Videos of one site at once.", low=1, high=MAX_CONCURRENT_DOWNLOADS)
    site_delay: float = _setting(1.0, "Seconds between two media pages that are read of one site.", low=0, high=3600)
    async_downloads: bool = _setting(default=True, text="Off: plain files one at a time on one connection.")
    on_start: str = _hook("when a download starts")
    on_complete: str = _hook("when a file is complete")
    on_error: str = _hook("when a download fails")
    on_queue_end: str = _hook("when nothing is left to do")
    hook_timeout: float = _setting(
        300.0, "Seconds that such a command may take; then it is ended, with all that it started.", low=1, high=86_400
    )
    background: str = _setting(
        "ask",
        "Whether downloads outlive the screen: ask (when it is left), true (always), false (no background session).",
        choices=("ask", "true", "false"),
    )
    notify: str = _setting(
        "off",
        "How the screen tells that the queue ended or something failed while you look elsewhere: by the terminal's"
        " bell, by a note (OSC 9), both, or not at all.",
        choices=("off", "bell", "osc9", "both"),
    )
    rpc: bool = _setting(
        default=False, text="Let programs and pages that speak aria2's protocol in, from this machine alone."
    )
    rpc_port: int = _setting(6800, "Port for them, on loopback.", low=1, high=65535)
    rpc_secret: str = _setting(
        "", "Secret that they must give, or @FILE with one; the file that holds it readable by you alone.", secret=WHOLE
    )
    rpc_allow_origin: str = _setting(
        "", "Web pages that may ask, by spaces: https://ariang.example, moz-extension://*; * for any page at all."
    )
    history_days: int = _setting(30, "Days that finished rows are kept.", low=0, high=36_500)
    units: str = _setting("binary", "Units on the screen.", choices=("binary", "si"))
    mouse: bool = _setting(default=True, text="Whether the screen takes the mouse.")
    theme: str = _setting("", "Textual theme; empty: chosen for the terminal.")
    ascii: bool = _setting(default=False, text="Draw with ASCII characters only.")
    hosts: HostRules = field(default_factory=HostRules)
    """What holds for single hosts (`core.host_tables.host_rules()`); only the settings file and the library set it."""
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Commands of the screen with the keys that they have instead of their own; only the settings file sets it."""


@dataclass(frozen=True, slots=True)
class SettingFacts:
    """One setting as file, environment and help know it."""

    name: str
    """Key in the file; `TUI_DL_` and upper case in the environment."""
    type: type
    """int, float, bool or str."""
    default: Any
    """Value where nobody says otherwise."""
    help: str
    """One sentence."""
    alias: str
    """Another accepted key, or empty."""
    low: float | None
    """Smallest value, None for any."""
    high: float | None
    """Largest value, None for any."""
    choices: tuple[str, ...]
    """Accepted words; empty for any."""
    is_size: bool
    """Whether `5M` and the like are accepted (K, M, G are 1024)."""
    is_timetable: bool
    """Whether the text of a timetable is accepted besides a number."""
    read: Callable[[Any], str] | None
    """Checks a text and returns it as it is kept; None where any will do."""
    is_command: bool
    """Whether a list of words is accepted besides a text."""
    secret: str
    """Empty, `WHOLE` or `USER_INFO`: what of it is never shown."""

    def shown(self, value: Any) -> Any:
        """Return a value as it may be shown to whoever looks on."""
        is_hidden = self.secret == WHOLE or (self.secret == USER_INFO and "@" in str(value))
        return MASK if is_hidden and value else value


_TYPES: Final[dict[str, type]] = {"int": int, "float": float, "bool": bool, "str": str}


def _facts() -> dict[str, SettingFacts]:
    # Not `get_type_hints()`: it compiles each annotation, and every command waits for it.
    types = {one.name: _TYPES.get(str(one.type), int) for one in fields(Settings)}  # `int | str`: a timetable, too
    return {
        one.name: SettingFacts(name=one.name, type=types[one.name], default=one.default, **one.metadata)
        for one in fields(Settings)
        if one.metadata
    }


SETTINGS: Final[dict[str, SettingFacts]] = _facts()
ALIASES: Final[dict[str, str]] = {one.alias: one.name for one in SETTINGS.values() if one.alias}


def setting_named(name: str) -> SettingFacts:
    """Return the facts of a setting or of its alias; raises `UsageError` that names the nearest right one."""
    known = SETTINGS.get(ALIASES.get(name, name))
    if known is None:
        near = get_close_matches(name, [*SETTINGS, *ALIASES], n=1)
        raise UsageError(f"unknown setting {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return known


def coerce(facts: SettingFacts, value: Any) -> Any:
    """Return `value` in the setting's type and within its bounds; text is read as a person types it."""
    if isinstance(value, bool) and str(value).lower() in facts.choices:
        value = str(value).lower()  # `background = true`, as a person writes it
    value = (
        _coerce_text(facts, value) if isinstance(value, str) or (facts.is_command and type(value) is list) else value
    )
    if facts.is_timetable and isinstance(value, str):
        return value
    if facts.type is float and type(value) is int:
        value = float(value)
    if type(value) is not facts.type:
        found = "" if facts.secret else f", not {value!r}"
        raise UsageError(f"{facts.name}: expected {_TYPE_WORDS[facts.type]}{found}")
    if facts.choices and value not in facts.choices:
        raise UsageError(f"{facts.name}: {value!r} is none of {', '.join(facts.choices)}")
    if facts.name == "name_template" and isinstance(value, str) and value:
        from tui_dl.core.name_template import parse_name_template  # noqa: PLC0415  # most runs have none

        parse_name_template(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and not _is_within(facts, value):
        raise UsageError(f"{facts.name}: {value} is out of bounds ({_bounds(facts)})")
    return value


_TYPE_WORDS: Final = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


def _coerce_text(facts: SettingFacts, text: Any) -> Any:
    if facts.is_timetable:
        return limit_value(text)
    if facts.is_size:
        return parse_size(text)
    if facts.read is not None:
        try:
            return facts.read(text)
        except UsageError as error:
            raise UsageError(f"{facts.name}: {error.message}") from None
    if facts.type is bool and text.casefold() in _TRUE | _FALSE:
        return text.casefold() in _TRUE
    if facts.type in (int, float):
        try:
            return facts.type(text)
        except ValueError:
            return text
    return text


def _is_within(facts: SettingFacts, value: float) -> bool:
    # Written so that NaN is out of bounds too.
    return (facts.low is None or value >= facts.low) and (facts.high is None or value <= facts.high) and value == value  # noqa: PLR0124  # NaN differs from itself


def _bounds(facts: SettingFacts) -> str:
    if facts.high is None:
        return f"{facts.low} or more"
    return f"{facts.low} to {facts.high}"


def settings_with(base: Settings, values: Mapping[str, Any]) -> Settings:
    """Return `base` with these values checked and set; names may be aliases. Raises `UsageError`."""
    changes: dict[str, Any] = {}
    for name, value in values.items():
        facts = setting_named(name)
        checked = coerce(facts, value)
        if changes.get(facts.name, checked) != checked:
            both = f"{facts.shown(changes[facts.name])} and {facts.shown(checked)}"
            raise UsageError(f"{facts.name} is set twice, to {both}; keep one")
        changes[facts.name] = checked
    return replace(base, **changes)
