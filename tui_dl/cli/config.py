"""`tui-dl config`: where the settings are, which hold and why, whether the file is right, and a file to begin with."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

import click

from tui_dl.cli.key_table import keys_block, shown_keys
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import SETTING_PARAMETERS, PlainCommand, log_options, setting_options
from tui_dl.cli.settings_file import HOSTS, effective_settings
from tui_dl.cli.ways import ways_of
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.host_tables import KEYS, shown_values
from tui_dl.core.presets import PRESETS
from tui_dl.core.settings import ALIASES, SETTINGS
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui_dl.cli.settings_file import EffectiveSettings
    from tui_dl.core.host_rules import HostRules
    from tui_dl.core.setting_facts import SettingFacts

HOST_EXAMPLES: Final[dict[str, Any]] = {
    "connections": 2,
    "tasks": 1,
    "rate": "512K",
    "request_rate": "30/m",
    "headers": {"Referer": "https://example.org/"},
    "user": "me:secret",
    "user_agent": "Mozilla/5.0",
    "proxy": "socks5://127.0.0.1:1080",
}
"""What the template shows for each key."""


@click.group()
def config() -> None:
    """Show, check or begin the settings file."""


@config.command(cls=PlainCommand)
@log_options
def path(log_file: str | None, verbose: int) -> int:
    """Print where the settings file is, whether or not it is there."""
    with logging_to(log_file, verbose):
        click.echo(str(find_locations(os.environ).config_file))
    return 0


@config.command(cls=PlainCommand)
@setting_options
@log_options
def show(**given: Any) -> int:
    """Print the settings that hold and where each comes from."""
    with logging_to(given["log_file"], given["verbose"]):
        options = {name: given[name] for name in SETTING_PARAMETERS}
        effective = effective_settings(find_locations(os.environ).config_file, os.environ, options)
        lines = [
            f"{name} = {toml_value(facts.shown(getattr(effective.settings, name)))}" for name, facts in SETTINGS.items()
        ]
        width = max(len(line) for line in lines)
        for name, line in zip(SETTINGS, lines, strict=True):
            click.echo(display_text(f"{line:<{width}}  # {effective.origins.get(name, 'default')}"))
        for line in (*host_lines(effective.settings.hosts), *shown_keys(effective.settings.keys)):
            click.echo(display_text(line))
    return 0


@config.command(cls=PlainCommand)
@log_options
def check(log_file: str | None, verbose: int) -> int:
    """Say whether file and environment are right."""
    file = find_locations(os.environ).config_file
    with logging_to(log_file, verbose):
        effective = effective_settings(file, os.environ, {})
        try:
            ways_of(effective.settings, os.environ)
        except UsageError as error:
            raise UsageError(_with_origin(error.message, effective)) from None
        there = "is right" if file.exists() else "is not there, which is fine: every setting has a default"
        click.echo(f"{display_text(str(file))} {there}")
    return 0


def _with_origin(message: str, effective: EffectiveSettings) -> str:
    """Return a message about the option that stands for a setting, with the setting's name and where it is set."""
    option, rest = message.partition(" ")[::2]
    name = option.removeprefix("--").replace("-", "_")
    origin = effective.origins.get(name.rstrip(":"), "")
    return f"{origin}: {name} {rest}" if origin else message


@config.command(cls=PlainCommand)
@log_options
def init(log_file: str | None, verbose: int) -> int:
    """Write a settings file that names every setting; an existing one is left alone."""
    file = find_locations(os.environ).config_file
    with logging_to(log_file, verbose):
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with file.open("x", encoding="utf-8") as opened:
                opened.write(template())
        except FileExistsError:
            raise UsageError(f"{display_text(str(file))} is there already and is left alone") from None
        except OSError as error:
            raise UsageError(f"{display_text(str(file))} cannot be written: {error.strerror}") from None
        click.echo(f"wrote {display_text(str(file))}")
    return 0


def template() -> str:
    """Return a settings file in which every setting is named, explained and commented out."""
    presets = (
        f'# Settings that go together, beneath those of this file: {", ".join(PRESETS)}.\n# preset = "production"\n'
    )
    blocks = [_block(facts) for facts in SETTINGS.values()]
    lines = [
        "# Settings of tui-dl. Remove the # before a line to change it.\n",
        presets,
        *blocks,
        keys_block(),
        _hosts_block(),
    ]
    return "\n".join(lines)


def _hosts_block() -> str:
    lines = [
        '# What holds for single hosts: "example.org", "*.example.org" (its subdomains), "example.org:8080", "*".',
        "# Several may apply; for each setting the most telling one counts. These tables stand at the end of the file.",
        f'# [{HOSTS}."*.example.org"]',
        *(f"# {key} = {toml_value(HOST_EXAMPLES[key]):<30} # {text}" for key, text in KEYS.items()),
    ]
    return "\n".join(lines) + "\n"


def _block(facts: SettingFacts) -> str:
    lines = [f"# {facts.help}"]
    if facts.choices:
        lines.append(f"# One of {', '.join(facts.choices)}.")
    if facts.is_size:
        lines.append('# Bytes, or text such as "512K", "5M", "1.5G" (1024 each).')
    if facts.name in ALIASES.values():
        lines.append(f"# Also known as {facts.alias}.")
    return "\n".join([*lines, f"# {facts.name} = {toml_value(facts.default)}", ""])


def host_lines(rules: HostRules) -> Iterator[str]:
    """Yield the tables for single hosts, the most telling first, secrets masked."""
    for pattern, rule in rules.tables:
        yield ""
        yield f"[{HOSTS}.{toml_value(pattern.text)}]"
        for key, value in shown_values(rule).items():
            yield f"{key} = {toml_value(value)}"


def toml_value(value: Any) -> str:
    """Return a setting's value as TOML writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{toml_value(name)} = {toml_value(one)}" for name, one in value.items()) + " }"
    return json.dumps(value) if isinstance(value, str | bool) else str(value)
