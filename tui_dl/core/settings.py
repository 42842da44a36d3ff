"""Settings: each is a value with name, type, default and help; file, environment, options and help come from it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.acceptance import accepted_types, check_sizes
from tui_dl.core.errors import UsageError
from tui_dl.core.hook_commands import command_text
from tui_dl.core.host_rules import HostRules
from tui_dl.core.request_rate import request_rate_text
from tui_dl.core.setting_facts import USER_INFO, WHOLE, SettingFacts, coerce, setting
from tui_dl.core.task import OnExists

if TYPE_CHECKING:
    from collections.abc import Mapping

MIB: Final = 1024 * 1024
MIN_FREE: Final = 512 * MIB
"""Default of `min_free`; on a small disk a tenth of it."""
MAX_CONCURRENT_DOWNLOADS: Final = 1000
MAX_CONNECTIONS: Final = 64
MOST_SAMPLES: Final = 1_000_000
"""Samples of one shard: their numbers have six digits, so that no two keys of a data set are alike."""
CACHE_WORDS: Final = ("off", "on")
"""Values of `cache` that are no folder."""


def _hook(when: str) -> Any:
    text = f"Command to run {when}, as a text or a list of words; no shell reads it. Empty: none."
    return setting("", text, read=command_text, is_command=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of engine and screen; see each field's help."""

    dir: str = setting("", "Folder for downloads; empty: where the command is typed.")
    concurrent_downloads: int = setting(5, "Tasks at once.", low=1, high=MAX_CONCURRENT_DOWNLOADS)
    connections: int = setting(
        8, "Most connections for one task, grown only while it helps.", low=1, high=MAX_CONNECTIONS
    )
    per_host: int = setting(8, "Connections to one host where tasks are split.", low=1, high=256)
    chunk_size: int = setting(MIB, "Most bytes gathered before a write.", low=1024, high=64 * MIB, is_size=True)
    timeout: float = setting(
        30.0, "Seconds without a byte until a connection is given up.", alias="async_timeout", low=0.1, high=86_400
    )
    connect_timeout: float = setting(
        10.0, "Seconds until a connection must stand, look-up, proxy and TLS included.", low=0.1, high=86_400
    )
    max_time: float = setting(
        0.0, "Seconds that a task may run in all its attempts, waiting left out; 0: no limit.", low=0, high=31_536_000
    )
    retry_delay: float = setting(
        1.0,
        "Seconds before the first retry; doubles, with jitter.",
        alias="async_retry_delay",
        low=0,
        high=3600,
    )
    max_retries: int = setting(
        3, "Attempts without progress before a task fails.", alias="async_max_retries", low=0, high=1000
    )
    max_retry_delay: float = setting(60.0, "Longest pause between retries in seconds.", low=0, high=86_400)
    max_retry_after: float = setting(
        3600.0, "Longest Retry-After of a server that is obeyed, in seconds.", low=1, high=7 * 86_400
    )
    park_time: float = setting(
        300.0,
        "Seconds that a host which fails for all its files is tried now and then, until they fail; 0: each by itself.",
        low=0,
        high=7 * 86_400,
    )
    limit_rate: int | str = setting(
        0,
        "Bytes per second for all tasks, 0: no limit; or a timetable: 08:00,512K 23:00,off.",
        low=0,
        is_size=True,
        is_timetable=True,
    )
    rate: str = setting(
        "", 'Requests for all tasks together: "10/s", "30/m" or "100/h"; empty: no limit.', read=request_rate_text
    )
    delay_ms: int = setting(0, "Pause of one slot between its requests, milliseconds.", low=0, high=3_600_000)
    on_exists: str = setting(OnExists.RENAME.value, "What to do where the target exists.", choices=tuple(OnExists))
    accept: str = setting(
        "",
        "Media types to take, as image/* or video/mp4, by commas; others are skipped. Empty: any.",
        read=accepted_types,
    )
    min_size: int = setting(0, "Files below this are skipped; 0: none are.", low=0, is_size=True)
    max_size: int = setting(0, "Files beyond this are skipped; 0: none are.", low=0, is_size=True)
    name_template: str = setting(
        "", "Folders and name of each file, as {host}/{path}/{name} or {index:06}.{ext}; empty: its name alone."
    )
    shards: int = setting(
        0,
        "Samples in each tar shard (WebDataset) that `get` makes instead of files; 0: files.",
        low=0,
        high=MOST_SAMPLES,
    )
    shard_name: str = setting("shard-{:06}.tar", "Names of tar shards; {:06} or %06d stands for their number.")
    archive: bool = setting(
        default=False, text="Remember addresses and digests that are done, and fetch none of them again, anywhere."
    )
    cache: str = setting(
        "off",
        "Take what the same version or digest finished before from where it lies: on; or a folder that keeps a copy"
        " of everything; off.",
    )
    on_change: str = setting(
        "restart",
        "What to do where the file changed on the server before a resume.",
        choices=("restart", "fail", "keep-both"),
    )
    resume_unverified: str = setting(
        "ask",
        "Resume of 64 MiB and more without any validator: ask (fail with a hint), yes (after samples), restart.",
        choices=("ask", "yes", "restart"),
    )
    preallocate: str = setting(
        "auto",
        "Take the room of a file before its first byte, where the file system can: auto or off.",
        choices=("auto", "off"),
    )
    min_free: int = setting(
        MIN_FREE,
        "Free bytes to leave on each disk; downloads wait below it. The default is at most a tenth of the disk.",
        low=0,
        is_size=True,
    )
    sequential: bool = setting(
        default=False, text="Fetch from the first byte to the last, so that a film can be watched while it arrives."
    )
    remote_time: bool = setting(default=False, text="Give files the modification time that the server names.")
    origin_attributes: bool = setting(
        default=False, text="Note in the file's attributes where it came from, where the platform has them."
    )
    verify: str = setting(
        "off",
        "Digests listed beside the file (SHA256SUMS, NAME.sha256): auto (check where one is), require (fail without"
        " any), off.",
        choices=("auto", "require", "off"),
    )
    sha256: bool = setting(
        default=False, text="Compute the SHA-256 of every file, for `--json`, the details and manifests."
    )
    follow_metalink: bool = setting(
        default=True, text="Fetch the files that a Metalink describes instead of keeping the Metalink itself."
    )
    allow_downgrade: bool = setting(default=False, text="Whether a redirect may lead from https to http.")
    user_agent: str = setting("", "User-Agent header; empty: tui-dl and its version.")
    referer: str = setting("", "Referer header for the addresses that are given.")
    user: str = setting("", "NAME:PASSWORD for the addresses that are given.", secret=WHOLE)
    bearer: str = setting("", "Token for the addresses that are given, or @FILE with one.", secret=WHOLE)
    auth: str = setting(
        "auto",
        "How passwords are told: auto (as the server asks; at once only over https), basic (at once), digest.",
        choices=("auto", "basic", "digest"),
    )
    netrc: str = setting("", "File with names and passwords by host (netrc), readable by you alone.")
    cookies: str = setting("", "Cookie file (Netscape form) to send from, each to its own host.")
    cookies_from_browser: str = setting(
        "",
        "Browser to take cookies from (extra `media`), each to its own host: BROWSER[+KEYRING][:PROFILE][::CONTAINER].",
    )
    save_cookies: str = setting("", "File to write all cookies to at the end, readable by you alone.")
    ip_version: str = setting("any", "Addresses that hosts are reached by.", choices=("any", "ipv4", "ipv6"))
    ca_certificate: str = setting("", "File of authorities (PEM) to trust besides the system's.")
    certificate: str = setting("", "Client certificate: FILE, or FILE,KEYFILE (PEM).")
    insecure: bool = setting(default=False, text='Accept any certificate; the row says "not verified".')
    proxy: str = setting(
        "",
        "Proxy for everything: http://user:password@host:port, https://, socks5://, socks4a:// or socks4://.",
        secret=USER_INFO,
    )
    no_proxy: str = setting("", "Hosts, domains and networks that are reached directly, by commas; * for all.")
    use_environment_proxy: bool = setting(
        default=True, text="Hear http_proxy, https_proxy, all_proxy and no_proxy of the environment."
    )
    resolve: str = setting("", "Addresses of names: HOST:PORT:ADDRESS[,ADDRESS], by spaces; *:PORT:ADDRESS for any.")
    dns_servers: str = setting("", "Name servers to ask instead of the system's, by commas.")
    http2: str = setting(
        "off",
        "HTTP/2 for https (extra `http2`): on; auto for what goes beyond `per_host` connections to a host; off.",
        choices=("off", "on", "auto"),
    )
    media_ask: str = setting(
        "playlists",
        "When the screen asks what of a media page is wanted: of playlists, always, never.",
        choices=("playlists", "always", "never"),
    )
    per_site: int = setting(3, "Videos of one site at once.", low=1, high=MAX_CONCURRENT_DOWNLOADS)
    site_delay: float = setting(1.0, "Seconds between two media pages that are read of one site.", low=0, high=3600)
    async_downloads: bool = setting(default=True, text="Off: plain files one at a time on one connection.")
    on_start: str = _hook("when a download starts")
    on_complete: str = _hook("when a file is complete")
    on_error: str = _hook("when a download fails")
    on_queue_end: str = _hook("when nothing is left to do")
    hook_timeout: float = setting(
        300.0, "Seconds that such a command may take; then it is ended, with all that it started.", low=1, high=86_400
    )
    background: str = setting(
        "ask",
        "Whether downloads outlive the screen: ask (when it is left), true (always), false (no background session).",
        choices=("ask", "true", "false"),
    )
    notify: str = setting(
        "off",
        "How the screen tells that the queue ended or something failed while you look elsewhere: by the terminal's"
        " bell, by a note (OSC 9), both, or not at all.",
        choices=("off", "bell", "osc9", "both"),
    )
    rpc: bool = setting(
        default=False, text="Let programs and pages that speak aria2's protocol in, from this machine alone."
    )
    rpc_port: int = setting(6800, "Port for them, on loopback.", low=1, high=65535)
    rpc_secret: str = setting(
        "", "Secret that they must give, or @FILE with one; the file that holds it readable by you alone.", secret=WHOLE
    )
    rpc_allow_origin: str = setting(
        "", "Web pages that may ask, by spaces: https://ariang.example, moz-extension://*; * for any page at all."
    )
    history_days: int = setting(30, "Days that finished rows are kept.", low=0, high=36_500)
    units: str = setting("binary", "Units on the screen.", choices=("binary", "si"))
    mouse: bool = setting(default=True, text="Whether the screen takes the mouse.")
    theme: str = setting("", "Textual theme; empty: chosen for the terminal.")
    ascii: bool = setting(default=False, text="Draw with ASCII characters only.")
    hosts: HostRules = field(default_factory=HostRules)
    """What holds for single hosts (`core.host_tables.host_rules()`); only the settings file and the library set it."""
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Commands of the screen with the keys that they have instead of their own; only the settings file sets it."""


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
    settings = replace(base, **changes)
    check_sizes(settings.min_size, settings.max_size)
    return settings
