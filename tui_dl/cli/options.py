"""Options as click knows them: generated from the settings' facts, with refusals that give their reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from tui_dl.cli.completed_words import DIR, FILE, PathWord
from tui_dl.core.errors import UsageError
from tui_dl.core.list_kinds import ListFormat
from tui_dl.core.presets import PRESETS
from tui_dl.core.setting_facts import SettingFacts, coerce
from tui_dl.core.settings import ALIASES, SETTINGS
from tui_dl.core.sharing import Priority
from tui_dl.core.task import OnExists

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

F = TypeVar("F", bound="Callable[..., Any]")

LATER_OPTIONS: Final = frozenset(
    {
        "--background",
        "--detach",
    }
)
"""Options that the design names and that this version cannot honour."""
OF_GET: Final = frozenset(
    {
        *("--failed-list", "--json", "--manifest", "--max-failed", "--plain", "--quiet"),
        *("--shard-name", "--shards", "--on-start", "--on-complete", "--on-error", "--on-queue-end"),
    }
)
"""Options of a batch that ends, which the screen is not."""
OF_YT_DLP: Final = frozenset(
    {
        *("-f", "-S", "-I", "-F", "-J", "-P", "--format", "--format-sort", "--extract-audio", "--audio-format"),
        *("--download-archive", "--embed-metadata", "--embed-subs", "--embed-thumbnail"),
        *("--write-subs", "--sub-langs", "--playlist-items", "--paths", "--exec", "--sponsorblock-remove"),
    }
)
"""Options that people know from yt-dlp, to be told where they belong."""
ON_EXISTS_FLAGS: Final = {
    "skip_existing": OnExists.SKIP,
    "overwrite": OnExists.OVERWRITE,
    "if_modified": OnExists.IF_MODIFIED,
    "rename": OnExists.RENAME,
}
"""Option's parameter name to the policy it stands for."""

_OPPOSITES: Final = (("--ipv4-only", "--ipv6-only"), ("--http2", "--no-http2"))
"""Options of which only one can be meant."""
_SHORT: Final = {"dir": "-d", "concurrent_downloads": "-j", "connections": "-x", "remote_time": "-R"}
_METAVARS: Final = {
    "accept": "TYPE,...",
    "min_size": "SIZE",
    "max_size": "SIZE",
    "dir": "FOLDER",
    "chunk_size": "SIZE",
    "park_time": "SECONDS",
    "rate": "N/s|N/m|N/h",
    "limit_rate": "SIZE/s|TIMETABLE",
    "ca_certificate": "FILE",
    "certificate": "FILE[,KEYFILE]",
    "proxy": "URL",
    "user": "NAME[:PASSWORD]",
    "bearer": "TOKEN|@FILE",
    "auth": "auto|basic|digest",
    "max_time": "SECONDS",
    "resolve": "HOST:PORT:ADDRESS",
    "dns_servers": "ADDRESS,...",
    "netrc": "FILE",
    "cookies": "FILE",
    "cookies_from_browser": "BROWSER[+KEYRING][:PROFILE][::CONTAINER]",
    "save_cookies": "FILE",
    "user_agent": "TEXT",
    "referer": "URL",
    "no_proxy": "HOST,...",
    "min_free": "SIZE",
    "preallocate": "auto|off",
    "verify": "auto|require|off",
    "cache": "on|FOLDER|off",
    "name_template": "TEMPLATE",
}
_ON_COMMAND_LINE: Final = (
    *("dir", "concurrent_downloads", "connections", "per_host", "chunk_size", "timeout", "connect_timeout"),
    *("retry_delay", "max_retries", "park_time", "rate", "delay_ms", "limit_rate", "ca_certificate", "certificate"),
    *("max_time", "bearer", "auth", "resolve", "dns_servers"),
    *("proxy", "no_proxy", "user", "netrc", "cookies", "cookies_from_browser", "save_cookies"),
    *("user_agent", "referer"),
    *("min_free", "preallocate", "verify", "name_template", "cache", "accept", "min_size", "max_size"),
)
OF_ADDRESSES: Final = (
    *("dir", "connections", "max_retries", "name_template", "accept", "min_size", "max_size"),
    *("user", "bearer", "user_agent", "referer"),
)
"""Settings that can be told with an address."""
_OTHER_NAMES: Final = frozenset({"preset", "ipv4_only", "ipv6_only"})
"""Options that set settings of other names."""
_PATHS: Final = {
    **dict.fromkeys(("ca_certificate", "certificate", "netrc", "cookies", "save_cookies"), FILE),
    "dir": DIR,
}
"""Settings whose value a shell completes as a path."""
_BROWSERS: Final = ("brave", "chrome", "chromium", "edge", "firefox", "opera", "safari", "vivaldi", "whale")
_WORDS: Final = {"cookies_from_browser": _BROWSERS}
"""Settings of free text with what a shell offers for them; yt-dlp decides which browsers there are."""
_REPEATED: Final = frozenset({"resolve", "accept"})
"""Settings whose option may be given again; the setting holds all, by spaces."""
_SWITCHES: Final = ("insecure", "sequential", "remote_time", "origin_attributes")
"""Settings that an option without a value turns on."""
_CHOICES: Final = ("sha256", "archive", "follow_metalink", "async_downloads")
"""Settings that are on, and that an option with `no-` turns off."""
SETTING_PARAMETERS: Final = (
    *_ON_COMMAND_LINE,
    *_SWITCHES,
    "ip_version",
    "http2",
    *ALIASES,
    *_CHOICES,
    "preset",
)
"""Parameter names of the options that set settings."""
HOOK_PARAMETERS: Final = ("on_start", "on_complete", "on_error", "on_queue_end")
"""Parameter names of the options that set commands on events; a session has them from the settings file."""
SHARD_PARAMETERS: Final = ("shards", "shard_name")
"""Parameter names of the options that set settings of `get` alone."""


class SettingType(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.5 alone, and we take 8.2
    """Reads an option's text as the settings file would, with the same bounds."""

    def __init__(self, facts: SettingFacts) -> None:
        self._facts = facts
        self.name = "size" if facts.is_size else {int: "integer", float: "number"}.get(facts.type, "text")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value in the setting's type; fails with the setting's own words."""
        if self._facts.name == "connections" and "://" in str(value):
            self.fail("connections of each task; yt-dlp's -x (audio alone) stands behind --: URL -- -x", param, ctx)
        try:
            return coerce(self._facts, value)
        except UsageError as error:
            self.fail(error.message, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Offer the words that the setting takes, or a path."""
        if kind := _PATHS.get(self._facts.name):
            return PathWord(kind).shell_complete(ctx, param, incomplete)
        words = _WORDS.get(self._facts.name, self._facts.choices)
        return click.Choice(words).shell_complete(ctx, param, incomplete)


def split_yt_dlp(args: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return our part of a command line, and the options of yt-dlp that stand behind `--`.

    What is no option there is an address, as everywhere.
    """
    if "--" not in args:
        return args, ()
    place = args.index("--")
    behind = args[place + 1 :]
    if not behind or not behind[0].startswith("-"):
        return args, ()
    return args[:place], tuple(behind)


class PlainCommand(click.Command):
    """A command that refuses what only later versions know, and says so."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does; an option of a later version gets its own message, opposites are refused."""
        if takes_media := any(param.name == "as_kind" for param in self.params):
            args, of_yt_dlp = split_yt_dlp(args)
            ctx.params["yt_dlp"] = of_yt_dlp
        for one, other in _OPPOSITES:
            if one in args and other in args:
                raise click.UsageError(f"{one} and {other} exclude each other; keep one", ctx)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if takes_media and error.option_name in OF_YT_DLP:
                text = f"{error.option_name} is an option of yt-dlp; those stand behind --: tui-dl get URL -- ..."
                raise click.UsageError(text, ctx) from None
            if error.option_name in OF_GET:
                raise click.UsageError(f"{error.option_name} is an option of `tui-dl get`", ctx) from None
            if error.option_name not in LATER_OPTIONS:
                raise
            raise click.UsageError(
                f"{error.option_name} is not in this version of tui-dl; it is refused rather than ignored", ctx
            ) from None


def setting_options(command: F) -> F:
    """Add one option for each setting that the command line knows, and the `async_` spellings."""
    for name in reversed(_ON_COMMAND_LINE):
        command = _setting_option(name, SETTINGS[name])(command)
    for alias, name in reversed(ALIASES.items()):
        text = f"Same as --{name.replace('_', '-')}."
        command = click.option(_long(alias), alias, type=SettingType(SETTINGS[name]), help=text)(command)
    for version in ("ipv6", "ipv4"):
        text = f"Reach hosts by {version.replace('ip', 'IP')} alone."
        command = click.option(f"--{version}-only", "ip_version", flag_value=version, help=text)(command)
    for flag, choice in (("--no-http2", "off"), ("--http2", "on")):
        text = f"HTTP/2 for https: {choice}." if choice == "off" else "HTTP/2 for https (extra http2)."
        command = click.option(flag, "http2", flag_value=choice, help=text)(command)
    for name in reversed(_SWITCHES):
        command = click.option(*_names(name), name, is_flag=True, default=None, help=SETTINGS[name].help)(command)
    for name in reversed(_CHOICES):
        names = f"{_long(name)}/--no-{name.replace('_', '-')}"
        command = click.option(names, name, default=None, help=SETTINGS[name].help)(command)
    return click.option("--preset", type=click.Choice(tuple(PRESETS)), help="Settings that go together.")(command)


def adding_options(command: F) -> F:
    """Add those of them that go with an address, whatever the session is set to."""
    for name in reversed(OF_ADDRESSES):
        command = _setting_option(name, SETTINGS[name])(command)
    return click.option("--sequential", is_flag=True, default=None, help=SETTINGS["sequential"].help)(command)


def is_setting_option(option: str) -> bool:
    """Whether an option sets a setting: of `get`, of the screen, or of the settings file alone."""
    name = option.removeprefix("--").removeprefix("no-").replace("-", "_")
    return option in _SHORT.values() or name in SETTINGS or name in ALIASES or name in _OTHER_NAMES


def task_options(command: F) -> F:
    """Add what `get` and the screen take about the files themselves."""
    for option in reversed(
        (
            *_list_options(),
            click.option("-o", "--output", metavar="NAME", help="File name, for one address."),
            click.option("--curl", multiple=True, metavar="COMMAND|-", help="A browser's 'copy as cURL'; -: a pipe."),
            click.option("--checksum", metavar="ALGO=HEX", help="Digest the file must have, for one address."),
            click.option("--mirror", "mirrors", multiple=True, metavar="URL", help="The same file elsewhere; repeat."),
            click.option(
                "--metalink",
                "metalinks",
                multiple=True,
                type=PathWord(),
                metavar="FILE|URL",
                help="Get what it describes.",
            ),
            click.option(
                "--header", "headers", multiple=True, metavar="'NAME: VALUE'|@FILE", help="Request header; repeat."
            ),
            click.option("-C", "--continue", "continues", is_flag=True, help="Take over a half file of another tool."),
            click.option(
                "--priority",
                type=click.Choice([one.value for one in Priority]),
                help="Part of the bandwidth, and who is first.",
            ),
            click.option(
                "--as", "as_kind", type=click.Choice(["file", "media"]), help="What addresses are. [as they turn out]"
            ),
            click.option("--skip-existing", is_flag=True, help="Leave out a file that is there already."),
            click.option("--overwrite", is_flag=True, help="Replace a file that is there already."),
            click.option(
                "--if-modified", is_flag=True, help="Fetch again only what changed, there or here, and replace it."
            ),
            click.option("--rename", is_flag=True, help="Save beside a file that is there already (the default)."),
        )
    ):
        command = option(command)
    return command


def _list_options() -> tuple[Callable[[F], F], ...]:
    """Return what is taken about lists of addresses."""
    formats = [one.value for one in ListFormat]
    return (
        click.option(
            "-i",
            "--input",
            "input_files",
            multiple=True,
            type=PathWord(),
            metavar="FILE|-",
            help="A list of addresses; repeat. -: a pipe.",
        ),
        click.option("--input-format", type=click.Choice(formats), help="How lists are written. [auto]"),
        click.option("--part", metavar="N/M", help="Every M-th line of the lists, from the N-th on: for array jobs."),
        click.option("--strict", "is_strict", is_flag=True, help="A bad line in a list ends it all, exit 2."),
        click.option("--batch", metavar="NAME", help="Name of what is added. [the list's name]"),
        click.option(
            "--glob/--no-glob", "has_globs", default=True, help="[1-9], [a-z:2], {a,b} in an address are many. [glob]"
        ),
        click.option("-y", "--yes", "is_agreed", is_flag=True, help="Do not ask before adding very many."),
    )


def log_options(command: F) -> F:
    """Add what every command takes about its own log."""
    command = click.option("--log", "log_file", type=PathWord(), metavar="FILE", help="Write a log, secrets masked.")(
        command
    )
    return click.option("-v", "--verbose", count=True, help="Say more; -vv says everything.")(command)


def _setting_option(name: str, facts: SettingFacts) -> Callable[[F], F]:
    shown = f"{facts.default:g}" if facts.type is float else facts.default
    text = facts.help if facts.default == "" else f"{facts.help} [{shown}]"
    words: dict[str, Any] = {"type": SettingType(facts), "metavar": _METAVARS.get(name), "help": text}
    if name in _REPEATED:
        words |= {"multiple": True, "callback": _joined}
    return click.option(*_names(name), name, **words)


def _joined(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...] | None) -> str | None:
    return " ".join(values) if values else None


def _names(name: str) -> list[str]:
    return [_SHORT[name], _long(name)] if name in _SHORT else [_long(name)]


def _long(name: str) -> str:
    return "--" + name.replace("_", "-")
