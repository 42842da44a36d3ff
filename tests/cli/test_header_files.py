"""Secrets that stand in files instead of on the command line, and options that may be given again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from tui_dl.cli.header_files import MOST_BYTES, header_lines
from tui_dl.cli.options import setting_options
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_of_a_file_stand_for_it(tmp_path: Path) -> None:
    """Between the others, without comments and empty lines."""
    file = tmp_path / "headers"
    file.write_text("# mine\nX-Api-Key: c4nary\n\r\nCookie: a=b\r\n")
    assert list(header_lines(["A: 1", f"@{file}", "B: 2"])) == ["A: 1", "X-Api-Key: c4nary", "Cookie: a=b", "B: 2"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        (b"c4nary\xff", "not text"),
        (b"c4nary " * MOST_BYTES, "longer than 64 KiB"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    """What is inside is not repeated."""
    if content is not None:
        (tmp_path / "f").write_bytes(content)
    with pytest.raises(UsageError, match=rf"^--header @.*/f: {words}") as caught:
        list(header_lines([f"@{tmp_path / 'f'}"]))
    assert "c4nary" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ([], None),
        (["--resolve", "a:80:::1"], "a:80:::1"),
        (["--resolve", "a:80:127.0.0.1", "--resolve", "b:80:127.0.0.2"], "a:80:127.0.0.1 b:80:127.0.0.2"),
    ],
)
def test_resolve_may_be_given_again(arguments: list[str], value: str | None) -> None:
    """All of it becomes one setting; without it the settings file decides."""

    @click.command()
    @setting_options
    def command(**given: object) -> None:
        click.echo(repr(given["resolve"]))

    assert CliRunner().invoke(command, arguments).output.strip() == repr(value)
