"""Settings from file, environment and command line: what wins, and what is refused with which words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tui_dl.cli.config import template
from tui_dl.cli.settings_file import effective_settings, line_of, parse_settings
from tui_dl.core.errors import UsageError
from tui_dl.core.host_tables import KEYS, shown_values
from tui_dl.core.presets import PRESETS
from tui_dl.core.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from pathlib import Path

SIX_KEYS = """
async_downloads = true
concurrent_downloads = 8
chunk_size = 2097152  # 2 MiB
async_timeout = 45
async_retry_delay = 1.5
async_max_retries = 4
"""


def effective(tmp_path: Path, text: str = "", options: dict[str, Any] | None = None, **environment: str) -> Settings:
    """Return the settings that hold for this file, these variables and options."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    return effective_settings(file, environment, options or {}).settings


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    """A file that is not there is no error."""
    assert effective_settings(tmp_path / "none.toml", {}, {}).settings == Settings()


def test_the_six_keys_of_the_sources_work(tmp_path: Path) -> None:
    """The `async_` names are the settings' other names."""
    settings = effective(tmp_path, SIX_KEYS)
    assert (settings.timeout, settings.retry_delay, settings.max_retries) == (45.0, 1.5, 4)
    assert (settings.async_downloads, settings.concurrent_downloads, settings.chunk_size) == (True, 8, 2097152)


def test_environment_lies_between_file_and_options(tmp_path: Path) -> None:
    """Each later source wins over the one before."""
    text = "connections = 2\nper_host = 2\ntimeout = 2"
    variables = {"TUI_DL_PER_HOST": "3", "TUI_DL_ASYNC_TIMEOUT": "3"}
    settings = effective(tmp_path, text, {"timeout": 4.0}, **variables)
    assert (settings.connections, settings.per_host, settings.timeout) == (2, 3, 4.0)


def test_a_preset_lies_beneath_the_options_beside_it(tmp_path: Path) -> None:
    """What was typed explicitly wins over what the preset brings, and the preset over the file."""
    settings = effective(tmp_path, "timeout = 99", {"preset": "aggressive", "max_retries": 7})
    assert (settings.max_retries, settings.concurrent_downloads, settings.timeout) == (7, 100, 10.0)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_stand_in_the_file(tmp_path: Path, name: str) -> None:
    """The file's own keys lie above it."""
    settings = effective(tmp_path, f'preset = "{name}"\ndelay_ms = 7')
    assert (settings.chunk_size, settings.delay_ms) == (PRESETS[name]["chunk_size"], 7)


def test_sizes_may_be_words(tmp_path: Path) -> None:
    """K, M and G are 1024."""
    assert effective(tmp_path, 'limit_rate = "5M"').limit_rate == 5 * 2**20


def test_every_value_tells_where_it_comes_from(tmp_path: Path) -> None:
    """File and line, variable, option or preset."""
    file = tmp_path / "config.toml"
    file.write_text("# first\nconnections = 2\n")
    origins = effective_settings(file, {"TUI_DL_PER_HOST": "3"}, {"preset": "production", "timeout": 4.0}).origins
    assert origins["connections"] == f"{file}:2"
    assert origins["per_host"] == "TUI_DL_PER_HOST"
    assert origins["timeout"] == "--timeout"
    assert origins["delay_ms"] == "preset production (--preset)"
    assert "user_agent" not in origins


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\nconections = 3", "config.toml:2: unknown setting 'conections'; did you mean 'connections'?"),
        ("presets = 'production'", "config.toml:1: .*did you mean 'preset'"),
        ("preset = 'fast'", "config.toml:1: preset: 'fast' is none of production"),
        ('connections = "3"', "config.toml:1: connections: expected a value without quotes"),
        ("connections = 3.5", "config.toml:1: connections: expected a whole number"),
        ("connections = true", "config.toml:1: connections: expected a whole number"),
        ("units = 5", "config.toml:1: units: expected text"),
        ("connections = 0", "config.toml:1: connections: 0 is out of bounds"),
        ("timeout = 3\n\nasync_timeout = 4", "config.toml:3: timeout is set to 4.0 here and to 3.0 by .*config.toml:1"),
        ("connections = ", "config.toml: not valid TOML: "),
        ("keys = 'vi'", "config.toml:1: keys: expected a table: "),
        ('[keys]\n\npuase = "p"', "config.toml:3: keys: there is no command 'puase'; did you mean pause?"),
        ("[keys]\npause = 5", r"config.toml:2: keys: pause: expected a key as \"p\", several as .*, not 5"),
        ('[keys]\npause = "f2"\ncancel = "hyper+p"', "config.toml:3: keys: cancel: there is no key 'hyper\\+p'; "),
        ('[keys]\npause = "x"', "config.toml:2: keys: x cannot be both pause and cancel; .*cancel = \\[\\]"),
        ('[keys]\npause = "f2"\n"cancel" = ["x", "F2"]', "config.toml:3: keys: F2 cannot be both cancel and pause"),
        ('[keys]\npause = "f2"\nquit = "Ctrl+C"', "config.toml:3: keys: quit: Ctrl\\+C leaves, wherever you are"),
        ('keys = { pause = "f2", quit = "esc" }', "config.toml:1: keys: quit: Esc leaves lines and dialogs, "),
        ('[keys]\npause-all = "f3"\npause_all = "f4"', "config.toml:3: keys: pause-all is there twice"),
        ("dir = '/x'\n[[sites]]\na = 1", "config.toml:2: unknown setting 'sites'"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(text: str, words: str) -> None:
    """A wrong file never half works."""
    with pytest.raises(UsageError, match=words):
        parse_settings(text, "config.toml")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TUI_DL_TIMOUT", "3", "TUI_DL_TIMOUT: unknown setting 'timout'; did you mean 'timeout'"),
        ("TUI_DL_TIMEOUT", "soon", "TUI_DL_TIMEOUT: timeout: expected a number"),
        ("TUI_DL_KEYS", "p", "TUI_DL_KEYS: keys: written as a table in the settings file alone"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, value: str, words: str) -> None:
    """The environment is held to the same rules."""
    with pytest.raises(UsageError, match=words):
        effective(tmp_path, "", None, **{variable: value})


def test_two_spellings_with_different_values_are_refused(tmp_path: Path) -> None:
    """DESIGN 14: `--timeout 3 --async-timeout 4` is an error, the same value twice is none."""
    with pytest.raises(UsageError, match="--timeout"):
        effective(tmp_path, "", {"timeout": 3.0, "async_timeout": 4.0})
    assert effective(tmp_path, "", {"timeout": 3.0, "async_timeout": 3.0}).timeout == 3.0


@pytest.mark.parametrize(
    ("content", "words"), [(b"\xff\xfe", "not UTF-8"), (None, "cannot be read")], ids=["bytes", "folder"]
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    """An unreadable file is refused, never taken for an empty one."""
    file = tmp_path / "config.toml"
    file.mkdir() if content is None else file.write_bytes(content)
    with pytest.raises(UsageError, match=f"{file}.*{words}"):
        effective_settings(file, {}, {})


def test_the_line_of_a_key_is_not_found_inside_a_text() -> None:
    """A multi-line text may hold what looks like the key."""
    assert line_of('a = """\nkey = 1\n"""\n  "key" = 2', "key") == 4


def test_the_template_says_every_setting_and_changes_none() -> None:
    """As written it sets nothing; with every comment sign removed it sets every default."""
    assert parse_settings(template(), "new").values == {}
    lines = [
        line.removeprefix("# ")
        for line in template().splitlines()
        if line.startswith("# [") or (line.startswith("# ") and " = " in line)
    ]
    layer = parse_settings("\n".join(line for line in lines if not line.startswith("preset")), "new")
    assert layer.values == {name: facts.default for name, facts in SETTINGS.items()}
    ((pattern, rule),) = layer.hosts.tables
    assert (pattern.text, shown_values(rule).keys()) == ("*.example.org", KEYS.keys())


def test_without_async_downloads_one_file_comes_on_one_connection(tmp_path: Path) -> None:
    """DESIGN 14: plain files one at a time on one connection, whatever file or preset say."""
    settings = effective(tmp_path, "connections = 6", {"async_downloads": False, "preset": "production"})
    assert (settings.concurrent_downloads, settings.connections) == (1, 1)


def test_asking_for_more_without_async_downloads_is_refused(tmp_path: Path) -> None:
    """An option that cannot be honoured is never ignored."""
    with pytest.raises(UsageError, match="--connections needs --async-downloads, which is off by --no-async"):
        effective(tmp_path, "", {"async_downloads": False, "connections": 4})


HOSTS = """
connections = 4

[hosts."*.example.org"]
connections = 2
rate = "512K"

[hosts."cdn.example.org:8080"]
tasks = 1
"""


def test_tables_for_single_hosts_are_read(tmp_path: Path) -> None:
    """They stand beside the settings and change none of these."""
    settings = effective(tmp_path, HOSTS, {})
    assert settings.connections == 4
    assert settings.hosts.of_host("cdn.example.org:8080").tasks == 1
    assert settings.hosts.rate_of("a.example.org") == 512 * 1024


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("tasks", "taks", 9, "did you mean 'tasks'"),
        ('"512K"', '"fast"', 6, "rate: 'fast'"),
        ("connections = 2", "connections = 0", 5, "out of bounds"),
        ("cdn.example.org:8080", "http://x", 8, "names no host"),
        ('hosts."*', 'host."*', 4, "did you mean 'hosts'"),
    ],
)
def test_an_error_in_a_table_names_its_line(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    """The line of the key, not that of the table."""
    with pytest.raises(UsageError, match=rf":{line}: .*{message}"):
        effective(tmp_path, HOSTS.replace(old, new), {})


def test_hosts_is_no_setting_elsewhere(tmp_path: Path) -> None:
    """Neither as a plain value nor in the environment."""
    with pytest.raises(UsageError, match="expected tables such as"):
        effective(tmp_path, 'hosts = "x"', {})
    with pytest.raises(UsageError, match="tables in the settings file alone"):
        effective(tmp_path, TUI_DL_HOSTS="x")


def test_inline_tables_are_read_too(tmp_path: Path) -> None:
    """TOML has several ways to write the same."""
    settings = effective(tmp_path, 'hosts."a.org" = { tasks = 2, headers = { X-A = "b" } }', {})
    assert settings.hosts.of_host("a.org").headers == (("X-A", "b"),)
