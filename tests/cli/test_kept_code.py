"""Code made of text, kept from process to process."""

from __future__ import annotations

import builtins
import collections
import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pytest

import tui_dl
from tui_dl.cli.kept_code import KeptCode, KeptPatterns

TEXT: Final = "def twice(x: int) -> int:\n return 2 * x"


@pytest.fixture(autouse=True)
def _python_may_write_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this environment says."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Make a file that keeps one text."""
    first = KeptCode(str(tmp_path / "code.kept"))
    first.run(TEXT, {})
    first.keep()
    return str(tmp_path / "code.kept")


def names_of(kept: KeptCode) -> dict[str, Any]:
    """Return what the text defines."""
    names: dict[str, Any] = {}
    kept.run(TEXT, names)
    return names


def test_code_is_compiled_once_for_all_processes(path: str) -> None:
    """The next one finds it by its text, with what its annotations are."""
    with patch.object(builtins, "compile", side_effect=AssertionError):
        twice = names_of(KeptCode(path))["twice"]
    assert twice(4) == 8
    assert twice.__annotations__ == {"x": int, "return": int}


def test_another_text_has_other_code_and_joins_the_rest(path: str) -> None:
    """Nothing is found by anything but its whole text."""
    kept = KeptCode(path)
    assert kept.value("lambda x: x + 1", {})(1) == 2
    kept.keep()
    with patch.object(builtins, "compile", side_effect=AssertionError):
        again = KeptCode(path)
        assert again.value("lambda x: x + 1", {})(1) == 2
        assert names_of(again)["twice"](1) == 2


@pytest.mark.parametrize("cut", [0, 20, -1])
def test_a_file_that_is_cut_short_is_none(path: str, cut: int) -> None:
    """It is compiled anew, and kept whole again."""
    octets = Path(path).read_bytes()
    Path(path).write_bytes(octets[:cut])
    kept = KeptCode(path)
    assert names_of(kept)["twice"](4) == 8
    kept.keep()
    assert Path(path).read_bytes() == octets


def test_code_of_another_python_is_none(path: str) -> None:
    """Bytecode of one is nonsense to another."""
    Path(path).write_bytes(Path(path).read_bytes().replace(sys.version.encode(), b"2.7"))
    assert names_of(KeptCode(path))["twice"](4) == 8


def test_nothing_is_kept_where_nothing_can_be_written(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where Python is told to write no bytecode, nor where the folder is not there."""
    Path(path).unlink()
    missing = KeptCode(f"{path}/in/no/folder")
    names_of(missing)
    missing.keep()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    refusing = KeptCode(path)
    names_of(refusing)
    refusing.keep()
    assert not os.path.lexists(path)


def test_a_file_does_not_grow_without_bound(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too much is begun anew."""
    monkeypatch.setattr("tui_dl.cli.kept_code.MOST_BYTES", 100)
    kept = KeptCode(path)
    kept.value("1 + 1", {})
    kept.keep()
    assert Path(path).stat().st_size < 300


def test_records_and_named_tuples_are_made_of_kept_code(tmp_path: Path) -> None:
    """A second program that makes the same classes compiles none of their methods, and they are as ever.

    Nor does it add what the standard library makes of sets, whose order is another in each process.
    """
    code = f"""
import sys
from tui_dl.cli import kept_code
kept_code.KEPT._path = {str(tmp_path / "kept")!r}
kept_code.keep_code()
import dataclasses, collections
@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Point:
    x: int
    y: int = 2
Pair = collections.namedtuple("Pair", "a b", defaults=(5,))
import re
assert re.compile("(?P<word>a+)b", re.I).match("AAB")["word"] == "AA"
assert Point(1) < Point(1, 3) and hash(Point(1)) == hash(Point(1, 2)) and repr(Point(1)) == "Point(x=1, y=2)"
assert Point.__init__.__annotations__ == {{"x": int, "y": int, "return": None}}, Point.__init__.__annotations__
import email._header_value_parser
assert Pair(1) == (1, 5) and Pair(1)._replace(a=2).a == 2
print(kept_code.KEPT._has_news)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(tui_dl.__file__).parent.parent)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    said = [
        subprocess.run([sys.executable, "-c", code], env=environment | seed, capture_output=True, text=True, check=True)
        for seed in ({"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2"})
    ]
    assert [one.stdout.strip() for one in said] == ["True", "False"]


PATTERNS: Final = [
    (r"(?P<host>[a-z]+)(?::(\d+))?", 0),
    (r"(?ix) [\u00e4-\u00fc\U0001f600-\U0001f6ff] # comment", 0),
    (r"\w+\b|^$", re.MULTILINE | re.ASCII),
    ("", re.DOTALL),
    (r"(?<!a)(b|c{2,5}?)\1(?>d*)", re.IGNORECASE),
]


@pytest.mark.parametrize(("pattern", "flags"), PATTERNS)
def test_expressions_are_those_of_the_standard_library(tmp_path: Path, pattern: str, flags: int) -> None:
    """Made anew and of what was kept; groups, names and flags included."""
    compiler: Any = vars(re)["_compiler"]
    first = KeptCode(str(tmp_path / "kept"))
    made = [KeptPatterns(first, compiler).compile(pattern, flags)]
    first.keep()
    with patch.object(compiler._parser, "parse", side_effect=AssertionError):
        made.append(KeptPatterns(KeptCode(str(tmp_path / "kept")), compiler).compile(pattern, flags))
    wanted = re.compile(pattern, flags)
    for one in made:
        assert one == wanted
        assert (one.groups, one.groupindex, one.flags) == (wanted.groups, wanted.groupindex, wanted.flags)
        for text in ("host:80", "\u00fc\U0001f601", "bb ccccd", ""):
            assert [found.groups() for found in one.finditer(text)] == [
                found.groups() for found in wanted.finditer(text)
            ]


def test_a_damaged_expression_is_made_anew(tmp_path: Path) -> None:
    """Nothing that is kept can end the program."""
    compiler: Any = vars(re)["_compiler"]
    kept = KeptCode(str(tmp_path / "kept"))
    kept.kept("\0" + "0\0a+", lambda: (0, b"\xff" * 40, 0, {}, (None,)))
    assert KeptPatterns(kept, compiler).compile("a+").fullmatch("aaa")
    assert KeptPatterns(kept, compiler).compile(b"a+").fullmatch(b"aaa")


def test_this_process_is_left_alone() -> None:
    """Only the program keeps code; who imports the library has Python's own way."""
    assert not isinstance(getattr(vars(re)["_compiler"].compile, "__self__", None), KeptPatterns)
    assert "exec" not in vars(dataclasses)
    assert "eval" not in vars(collections)
