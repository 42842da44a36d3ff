"""The README tells what the code does: tables, commands, options and the two set-up commands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.cli.readme_tables import README, TABLES, tables_of, with_tables
from tui_dl.cli.catalogue import COMMANDS
from tui_dl.cli.get import get
from tui_dl.cli.open import open_screen
from tui_dl.core.presets import PRESETS

if TYPE_CHECKING:
    import click

TEXT = README.read_text(encoding="utf-8")


def test_its_tables_are_those_of_the_code() -> None:
    """`python -m tests.cli.readme_tables` puts them right."""
    assert sorted(tables_of(TEXT)) == sorted(TABLES)
    assert with_tables(TEXT) == TEXT


def test_the_two_set_up_commands_stand_in_it() -> None:
    """Each works alone on a fresh machine with Python and nothing else."""
    assert "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/tui-dl demo\n" in TEXT
    assert "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest -n 4\n" in TEXT


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_named(command: str) -> None:
    """A command that nobody can find is none."""
    assert f"tui-dl {command}" in TEXT


@pytest.mark.parametrize("command", [get, open_screen], ids=["get", "screen"])
def test_every_option_is_named(command: click.Command) -> None:
    """Long names of all options stand in the reference."""
    long_names = [name for parameter in command.params for name in parameter.opts if name.startswith("--")]
    unnamed = [name for name in long_names if f"{name}`" not in TEXT and f"{name} " not in TEXT]
    assert [name for name in unnamed if name not in ("--async-downloads", "--verbose")] == []


def test_presets_are_those_of_the_code() -> None:
    """The preset table's numbers, row by row."""
    for name, values in PRESETS.items():
        row = re.search(rf"^\| {name} \|(.*)\|$", TEXT, re.MULTILINE)
        assert row is not None
        numbers = [float(cell.split()[0]) for cell in row[1].split("|")]
        order = ("concurrent_downloads", "delay_ms", "timeout", "connect_timeout", "max_retries", "chunk_size")
        assert numbers == [values[key] for key in order]


def test_the_short_key_table_has_ten_lines() -> None:
    """What a person needs first fits one look."""
    table = TEXT.split("| key | what it does |\n| --- | --- |\n")[1].split("\n\n")[0]
    assert len(table.splitlines()) == 10
