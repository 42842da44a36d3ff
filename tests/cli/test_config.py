"""`tui-dl config`: path, show, check and init as a person uses them."""

from __future__ import annotations

import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from tui_dl.cli.exits import WRONG_USAGE
from tui_dl.cli.main import run
from tui_dl.core.settings import SETTINGS
from tui_dl.disk.locations import find_locations
from tui_dl.ui.actions import ACTIONS
from tui_dl.ui.keymap import read_keys

if TYPE_CHECKING:
    from pathlib import Path

Output = pytest.CaptureFixture[str]


def test_init_writes_once(home: Path, capsys: Output) -> None:
    """A new file is right; an existing one is never touched."""
    file = home / "config" / "config.toml"
    assert run(["config", "init"]) == 0
    assert run(["config", "check"]) == 0
    file.write_text("connections = 3\n")
    assert run(["config", "init"]) == 2
    assert file.read_text() == "connections = 3\n"
    assert "is left alone" in capsys.readouterr().err


def test_path_is_under_the_home(home: Path, capsys: Output) -> None:
    """Whether or not it is there."""
    run(["config", "path"])
    assert capsys.readouterr().out == f"{home}/config/config.toml\n"


def test_show_prints_every_setting_and_its_origin(home: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it prints is valid TOML, each line with its origin."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text("connections = 3\n")
    monkeypatch.setenv("TUI_DL_PER_HOST", "4")
    assert run(["config", "show", "--timeout", "5"]) == 0
    out = capsys.readouterr().out
    assert tomllib.loads(out).keys() == SETTINGS.keys()
    origins = {line.split()[0]: line.split("  # ")[1] for line in out.splitlines()}
    assert origins["connections"].endswith("config.toml:1")
    assert (origins["per_host"], origins["timeout"]) == ("TUI_DL_PER_HOST", "--timeout")
    assert origins["units"] == "default"


def test_the_keys_of_the_screen_can_be_set_and_are_shown(home: Path, capsys: Output) -> None:
    """The written table holds the usual keys and is right as it stands; what a person changes is shown."""
    run(["config", "init"])
    file = home / "config" / "config.toml"
    text = file.read_text()
    block = text[text.index("# [keys]") : text.index("# What holds for single hosts")]
    table = tomllib.loads("\n".join(line.removeprefix("# ") for line in block.splitlines()))["keys"]
    assert read_keys(table) == tuple((action.name, action.keys) for action in ACTIONS)
    file.write_text('[keys]\npause = ["f2", "Ctrl+X"]\nundo = []\n')
    capsys.readouterr()
    assert run(["config", "show"]) == 0
    shown = tomllib.loads(capsys.readouterr().out)
    assert shown["keys"] == {"pause": ["f2", "ctrl+x"], "undo": []}


def test_check_names_what_is_wrong(home: Path, capsys: Output) -> None:
    """File, line and the nearest right name; exit 2."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text("\nconections = 3\n")
    assert run(["config", "check"]) == 2
    assert "config.toml:2: unknown setting 'conections'; did you mean 'connections'?" in capsys.readouterr().err


def test_a_wrong_file_stops_every_download(home: Path, capsys: Output) -> None:
    """A setting that does not hold is never passed over."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text("timeout = 'soon'\n")
    assert run(["get", "http://h/a"]) == 2
    assert "config.toml:1: " in capsys.readouterr().err


def test_folders_are_the_platforms_without_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """XDG variables are honoured, and a missing runtime folder is no reason for a warning."""
    for name in ("CONFIG_HOME", "DATA_HOME", "STATE_HOME"):
        monkeypatch.setenv(f"XDG_{name}", str(tmp_path / name))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    found = find_locations({})
    assert found.config == tmp_path / "CONFIG_HOME" / "tui-dl"
    assert found.journal_file == tmp_path / "DATA_HOME" / "tui-dl" / "journal.sqlite3"
    assert found.log_file == tmp_path / "STATE_HOME" / "tui-dl" / "tui-dl.log"


def test_one_variable_puts_everything_in_one_place(tmp_path: Path) -> None:
    """`TUI_DL_HOME` holds all four folders."""
    found = find_locations({"TUI_DL_HOME": str(tmp_path)})
    assert {found.config.parent, found.data.parent, found.state.parent, found.runtime.parent} == {tmp_path}


@pytest.mark.parametrize(
    ("name", "value"),
    [("PROXY", "http://me:c4nary@proxy:3128"), ("PROXY", "me:c4nary@proxy:3128"), ("USER", "me:c4nary")],
)
def test_show_hides_secrets(capsys: Output, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A person may show the settings to somebody."""
    monkeypatch.setenv(f"TUI_DL_{name}", value)
    assert run(["config", "show"]) == 0
    assert "c4nary" not in capsys.readouterr().out


def test_show_prints_the_tables_of_single_hosts_without_secrets(home: Path, capsys: Output) -> None:
    """What it prints can be read again; credentials and secret headers are masked."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text(
        '[hosts."*.a.org"]\nconnections = 2\nuser = "me:c4nary"\n'
        'headers = { X-Token = "c4nary", Referer = "http://b/" }\nproxy = "http://u:c4nary@p:1"\n'
    )
    assert run(["config", "show"]) == 0
    out = capsys.readouterr().out
    assert "c4nary" not in out
    table = tomllib.loads(out)["hosts"]["*.a.org"]
    assert table.keys() == {"connections", "user", "headers", "proxy"}
    assert table["headers"]["Referer"] == "http://b/"


def test_show_tells_a_proxy_without_credentials(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address alone is no secret."""
    monkeypatch.setenv("TUI_DL_PROXY", "http://proxy:3128")
    assert run(["config", "show"]) == 0
    assert 'proxy = "http://proxy:3128"' in capsys.readouterr().out


@pytest.mark.parametrize("version", ["ipv4", "ipv6"])
def test_a_family_of_addresses_is_a_switch(capsys: Output, version: str) -> None:
    """Two options stand for one setting."""
    assert run(["config", "show", f"--{version}-only"]) == 0
    assert f'ip_version = "{version}"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('proxy = "nonsense://h"', "proxy: proxies are reached by"),
        ('dns_servers = "here"', "dns_servers here: "),
        ('ca_certificate = "/no/such.pem"', "ca_certificate /no/such.pem: cannot be read"),
        ('cookies_from_browser = "firefox:nix"', "cookies_from_browser firefox:nix: no cookies of firefox are in"),
        ('user = ":secret"', "user: write it as"),
    ],
)
def test_check_looks_at_what_a_download_would_need(home: Path, capsys: Output, line: str, words: str) -> None:
    """A setting that every download would be refused for is named with its line."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text(f"# mine\n{line}\n")
    assert run(["config", "check"]) == WRONG_USAGE
    assert f"config.toml:2: {words}" in capsys.readouterr().err


def test_check_looks_for_extras(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP/2 that is asked for needs one."""
    monkeypatch.setitem(sys.modules, "curl_cffi", None)
    monkeypatch.setenv("TUI_DL_HTTP2", "on")
    assert run(["config", "check"]) == WRONG_USAGE
    assert "tui-dl[http2]" in capsys.readouterr().err
