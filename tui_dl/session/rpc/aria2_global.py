"""aria2's options that hold for everything: what they are now, and what a change of them means here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tui_dl._version import __version__
from tui_dl.core.display_text import mask_url
from tui_dl.core.errors import UsageError
from tui_dl.core.settings import SETTINGS
from tui_dl.core.sizes import parse_size
from tui_dl.core.task import OnExists
from tui_dl.session.rpc.faults import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.settings import Settings

TRUE: Final = "true"
_REFUSED: Final = frozenset(
    {
        *("all-proxy", "http-proxy", "https-proxy", "ftp-proxy", "no-proxy", "load-cookies", "ca-certificate"),
        *("certificate", "private-key", "check-certificate", "http-user", "http-passwd", "header", "referer"),
    }
)
"""Options for everything that hold here from one start to the next, and whose silent loss would change what comes."""


@dataclass(slots=True)
class GlobalChanges:
    """What a change of options for everything means here."""

    settings: dict[str, Any] = field(default_factory=dict)
    """Live settings."""
    limit: int | None = None
    """Limit of everything, None where it is not spoken of."""


def global_changes_of(given: Mapping[str, Any]) -> GlobalChanges:
    """Return what a change means; what aria2 does not know is passed over as aria2 does. Raises `RpcError`."""
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    for name in texts.keys() & _REFUSED:
        raise refused(f"{name} holds from one start of tui-dl to the next; set it in its config.toml.")
    changes = GlobalChanges()
    if _LIMIT in texts:
        changes.limit = number_of(_LIMIT, texts[_LIMIT])
    for name, (setting, read) in _SETTINGS.items():
        if name in texts:
            changes.settings[setting] = read(name, texts[name])
    connections = [number_of(name, texts[name]) for name in ("split", "max-connection-per-server") if name in texts]
    if connections:
        changes.settings["connections"] = max(1, min(*connections, int(SETTINGS["connections"].high or 1)))
    policy = _policy(texts)
    if policy is not None:
        changes.settings["on_exists"] = policy.value
    return changes


def _policy(texts: Mapping[str, str]) -> OnExists | None:
    if texts.get("allow-overwrite") == TRUE:
        return OnExists.OVERWRITE
    if "auto-file-renaming" in texts:
        return OnExists.RENAME if texts["auto-file-renaming"] == TRUE else OnExists.SKIP
    return None


def number_of(name: str, text: str) -> int:
    """Return a number or a size as aria2 takes them; raises its `RpcError`."""
    try:
        return parse_size(text)
    except UsageError:
        raise refused(f"We encountered a problem while processing the option '--{name}'.") from None


def _tries(name: str, text: str) -> int:
    # aria2's 0 is "for ever", the nearest of ours is the most
    return number_of(name, text) or int(SETTINGS["max_retries"].high or 1)


def _seconds(name: str, text: str) -> float:
    return float(number_of(name, text))


_LIMIT: Final = "max-overall-download-limit"
_SETTINGS: Final[Mapping[str, tuple[str, Callable[[str, str], Any]]]] = {
    "max-concurrent-downloads": ("concurrent_downloads", number_of),
    "max-tries": ("max_retries", _tries),
    "timeout": ("timeout", _seconds),
    "retry-wait": ("retry_delay", _seconds),
    "dir": ("dir", lambda _name, text: text),
    "user-agent": ("user_agent", lambda _name, text: text),
    "remote-time": ("remote_time", lambda _name, text: text == TRUE),
}
"""Options that are one of our settings each, and how their text is read."""


def global_options(settings: Settings, snapshot: EngineSnapshot, default_dir: str) -> dict[str, str]:
    """Return the options that concern downloads by HTTP, with what holds now; secrets are masked."""
    connections = str(settings.connections)
    found = {
        **_FIXED,
        "dir": default_dir,
        "max-concurrent-downloads": str(snapshot.concurrent_downloads),
        "max-overall-download-limit": str(snapshot.limit_rate_bps),
        "max-connection-per-server": connections,
        "split": connections,
        "max-tries": str(settings.max_retries),
        "retry-wait": _whole(settings.retry_delay),
        "timeout": _whole(settings.timeout),
        "connect-timeout": _whole(settings.connect_timeout),
        "file-allocation": "none" if settings.preallocate == "off" else "falloc",
        "remote-time": word(settings.remote_time),
        "check-certificate": word(not settings.insecure),
        "follow-metalink": word(settings.follow_metalink),
        "disable-ipv6": word(settings.ip_version == "ipv4"),
        "user-agent": settings.user_agent or f"tui-dl/{__version__}",
        **on_exists_words(OnExists(settings.on_exists)),
    }
    texts = {"referer": settings.referer, "no-proxy": settings.no_proxy, "all-proxy": mask_url(settings.proxy)}
    return found | {name: text for name, text in texts.items() if text}


def on_exists_words(policy: OnExists) -> dict[str, str]:
    r"""Return aria2\'s two options about a target that is there."""
    return {
        "allow-overwrite": word(policy is OnExists.OVERWRITE),
        "auto-file-renaming": word(policy is OnExists.RENAME),
    }


def word(value: bool) -> str:
    """Return a truth value as aria2 writes it."""
    return "true" if value else "false"


def _whole(seconds: float) -> str:
    return str(max(0, round(seconds)))


_FIXED: Final = {
    "allow-piece-length-change": "false",
    "always-resume": "true",
    "async-dns": "true",
    "check-integrity": "false",
    "conditional-get": "false",
    "content-disposition-default-utf8": "true",
    "continue": "true",
    "dry-run": "false",
    "enable-http-keep-alive": "true",
    "enable-http-pipelining": "false",
    "enable-rpc": "true",
    "force-save": "false",
    "hash-check-only": "false",
    "http-accept-gzip": "false",
    "http-no-cache": "false",
    "lowest-speed-limit": "0",
    "max-download-limit": "0",
    "max-download-result": "0",
    "max-file-not-found": "0",
    "max-overall-upload-limit": "0",
    "max-resume-failure-tries": "0",
    "max-upload-limit": "0",
    "min-split-size": "1048576",
    "no-netrc": "false",
    "parameterized-uri": "false",
    "piece-length": "1048576",
    "remove-control-file": "false",
    "reuse-uri": "true",
    "rpc-allow-origin-all": "false",
    "rpc-listen-all": "false",
    "rpc-max-request-size": "2097152",
    "rpc-secure": "false",
    "save-not-found": "true",
    "use-head": "false",
}
"""What aria2 lets be chosen and what is so here."""
