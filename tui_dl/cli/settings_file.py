"""Effective settings: default, file, environment and command line, each value with where it comes from."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.hook_commands import is_of_event
from tui_dl.core.host_rules import HostRuleError, HostRules
from tui_dl.core.presets import PRESETS
from tui_dl.core.setting_facts import coerce
from tui_dl.core.settings import ALIASES, SETTINGS, Settings, setting_named, settings_with
from tui_dl.disk.locations import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tui_dl.core.setting_facts import SettingFacts
    from tui_dl.ui.keymap import Keys

PRESET: Final = "preset"
HOSTS: Final = "hosts"
"""Name of the tables for single hosts."""
KEYS: Final = "keys"
"""Name of the table with the keys of the screen."""
ENVIRONMENT_PREFIX: Final = "TUI_DL_"
_ASYNC_ONLY: Final = ("concurrent_downloads", "connections")


@dataclass(frozen=True, slots=True)
class Layer:
    """Values that one source gives, checked; a preset it names lies beneath its other values."""

    values: Mapping[str, Any]
    """Values by setting name, aliases resolved."""
    origins: Mapping[str, str]
    """Where each comes from, in words for a person."""
    hosts: HostRules = field(default_factory=HostRules)
    """What holds for single hosts; only a file says that."""
    keys: Keys = ()
    """Which commands of the screen have other keys than their own; only a file says that."""


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """What holds in the end, and why."""

    settings: Settings
    """The values."""
    origins: Mapping[str, str]
    """Where each value comes from; a name that is missing here has its default."""


def effective_settings(file: Path, environment: Mapping[str, str], options: Mapping[str, Any]) -> EffectiveSettings:
    """Return the settings that hold; raises `UsageError` that names file and line, variable or option."""
    from_file = file_layer(file)
    layers = (from_file, environment_layer(environment), options_layer(options))
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        values |= layer.values
        origins |= layer.origins
    settings = replace(settings_with(Settings(), values), hosts=from_file.hosts, keys=from_file.keys)
    return _without_async(EffectiveSettings(settings, origins))


def _without_async(effective: EffectiveSettings) -> EffectiveSettings:
    """Hold one task on one connection where `async_downloads` is off; an option that wants more is refused."""
    if effective.settings.async_downloads:
        return effective
    values, origins = dict.fromkeys(_ASYNC_ONLY, 1), dict(effective.origins)
    for name in _ASYNC_ONLY:
        if origins.get(name, "").startswith("--") and getattr(effective.settings, name) != 1:
            raise UsageError(f"{origins[name]} needs --async-downloads, which is off by {origins['async_downloads']}")
        origins[name] = f"async_downloads is off by {origins['async_downloads']}"
    return EffectiveSettings(settings_with(effective.settings, values), origins)


def file_layer(file: Path) -> Layer:
    """Return what the settings file says; a file that is not there says nothing."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Layer({}, {})
    except UnicodeDecodeError as error:
        raise UsageError(f"{_shown(file)}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise UsageError(f"{_shown(file)}: cannot be read: {error.strerror}") from None
    return parse_settings(text, _shown(file))


def parse_settings(text: str, name: str) -> Layer:
    """Return what the text of a settings file says; `name` stands for the file in messages."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name}: not valid TOML: {error}") from None
    layer = _Builder()
    if HOSTS in table:
        layer.hosts = _host_rules(text, name, table.pop(HOSTS))
    if KEYS in table:
        layer.keys = _keys(text, name, table.pop(KEYS))
    for key, value in table.items():
        origin = f"{name}:{line_of(text, key)}"
        try:
            _refuse_wrong_type(key, value)
            layer.add(key, value, origin)
        except UsageError as error:
            raise UsageError(f"{origin}: {display_text(error.message)}") from None
    return layer.build()


def environment_layer(environment: Mapping[str, str]) -> Layer:
    """Return what variables `TUI_DL_*` say; an unknown one is refused."""
    layer = _Builder()
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable == HOME_VARIABLE or is_of_event(variable):
            continue
        try:
            layer.add(variable.removeprefix(ENVIRONMENT_PREFIX).lower(), environment[variable], variable)
        except UsageError as error:
            raise UsageError(f"environment variable {display_text(variable)}: {display_text(error.message)}") from None
    return layer.build()


def options_layer(options: Mapping[str, Any]) -> Layer:
    """Return what the command line says; None means that an option was not given."""
    layer = _Builder()
    for key, value in options.items():
        if value is not None:
            layer.add(key, value, ("--no-" if value is False else "--") + key.replace("_", "-"))
    return layer.build()


def line_of(text: str, key: str) -> int:
    """Return the line, counted from 1, on which a key of the top level is first set."""
    pattern = re.compile(rf"""\s*(?:\[{{1,2}}\s*)?(["']?){re.escape(key)}\1\s*[=.\]]""")
    lines = text.splitlines()
    for number, line in enumerate(lines):
        # A line inside a multi-line string looks the same, but what precedes it is then no whole document.
        if pattern.match(line) and _is_document("\n".join(lines[:number])):
            return number + 1
    return 1


def line_in_table(text: str, table: str, pattern: str, key: str) -> int:
    """Return the line of a key within `[table."pattern"]`, else that of the pattern, else that of the table."""
    lines = text.splitlines()
    at = line_of(text, table) - 1
    for words in (pattern, key):
        found = re.compile(rf"""(?:^|[\s\[.{{,"']){re.escape(words)}(?:["'\s\].=]|$)""")
        at = next((number for number in range(at, len(lines)) if words and found.search(lines[number])), at)
    return at + 1


def _host_rules(text: str, name: str, tables: Any) -> HostRules:
    if not isinstance(tables, dict):
        message = f'expected tables such as [{HOSTS}."example.org"]'
        raise UsageError(f"{name}:{line_of(text, HOSTS)}: {HOSTS}: {message}")
    from tui_dl.core.host_tables import host_rules  # noqa: PLC0415  # most files have none

    try:
        return host_rules(tables)
    except HostRuleError as error:
        line = line_in_table(text, HOSTS, error.pattern, error.key)
        raise UsageError(f"{name}:{line}: {HOSTS}: {display_text(error.message)}") from None


def _keys(text: str, name: str, table: Any) -> Keys:
    from tui_dl.ui.keymap import BadKeys, read_keys  # noqa: PLC0415  # most files have none

    try:
        return read_keys(table)
    except BadKeys as error:
        origin = f"{name}:{_line_of_entry(text, KEYS, error.name)}"
        raise UsageError(f"{origin}: {KEYS}: {display_text(error.message)}") from None


def _line_of_entry(text: str, table: str, key: str) -> int:
    """Return the line on which a key of a table of the top level is set, else that of the table."""
    first = line_of(text, table)
    if not key:
        return first
    entry = re.compile(rf"""(?:\s*|.*[.{{,]\s*)(["']?){re.escape(key)}\1\s*=""")
    lines = text.splitlines()
    return next((number for number in range(first, len(lines) + 1) if entry.match(lines[number - 1])), first)


def _is_document(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _refuse_wrong_type(key: str, value: Any) -> None:
    """Raise `UsageError` for a quoted number: the environment knows text alone, but TOML knows types."""
    if not isinstance(value, str) or key == PRESET:
        return
    facts = _facts_of(key)
    if facts.type is not str and not facts.is_size:
        raise UsageError(f"{key}: expected a value without quotes, not {value!r}")


class _Builder:
    """Gathers the values of one layer and refuses contradictions."""

    def __init__(self) -> None:
        self._preset: dict[str, Any] = {}
        self._preset_origin = ""
        self._values: dict[str, Any] = {}
        self._origins: dict[str, str] = {}
        self.hosts = HostRules()
        self.keys: Keys = ()

    def add(self, key: str, value: Any, origin: str) -> None:
        """Take one value; raises `UsageError` for an unknown name, a wrong type or a contradiction."""
        if key == PRESET:
            self._preset, self._preset_origin = _preset_named(value), f"preset {value} ({origin})"
            return
        facts = _facts_of(key)
        checked = coerce(facts, value)
        if self._values.get(facts.name, checked) != checked:
            other = self._origins[facts.name]
            here, there = facts.shown(checked), facts.shown(self._values[facts.name])
            raise UsageError(f"{facts.name} is set to {here} here and to {there} by {other}")
        self._values[facts.name] = checked
        self._origins[facts.name] = origin

    def build(self) -> Layer:
        """Return the layer, the preset beneath."""
        origins = dict.fromkeys(self._preset, self._preset_origin)
        return Layer({**self._preset, **self._values}, {**origins, **self._origins}, self.hosts, self.keys)


def _facts_of(key: str) -> SettingFacts:
    names = [*SETTINGS, *ALIASES, PRESET, HOSTS, KEYS]
    near = get_close_matches(key, names, n=1)
    if key not in names and near in ([PRESET], [HOSTS], [KEYS]):
        raise UsageError(f"unknown setting {key!r}; did you mean {near[0]!r}?")
    if key in (HOSTS, KEYS):
        raise UsageError(f"{key}: written as {'tables' if key == HOSTS else 'a table'} in the settings file alone")
    return setting_named(key)


def _preset_named(name: Any) -> dict[str, Any]:
    known = PRESETS.get(name) if isinstance(name, str) else None
    if known is None:
        raise UsageError(f"{PRESET}: {name!r} is none of {', '.join(PRESETS)}")
    return dict(known)


def _shown(file: Path) -> str:
    return display_text(str(file))
