"""Code that Python makes of text in every process anew, for records, named tuples and expressions: made once and kept.

A start of the screen makes a hundred records and as many expressions, and compiling them was a sixth of the way to its
first frame. The code is kept beside the bytecode of this module and under the same rules: where Python may write none,
none is kept, and whoever could change the one could change the other. It is found by the text that it is made of, so
that it is never that of another text.
"""

from __future__ import annotations

import atexit
import collections
import dataclasses
import marshal
import os
import re
import sys
from array import array
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tui_dl._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_BYTES: Final = 4 * 1024 * 1024
"""A file that would be larger is begun anew: most of it is of texts that are no more."""
_HEAD: Final = f"{__version__} {sys.version}\n".encode()
"""Of another release or another Python: bytecode is nobody else's."""


class KeptCode:
    """Code by the text that it is made of, read from a file and written back with what was new."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._octets: dict[str, bytes] | None = None
        self._has_news = False

    def run(self, text: Any, names: dict[str, Any], own: Any = None, /, **more: Any) -> None:
        """Do what `exec` does."""
        exec(self._code(text, "exec"), names, own, **more)  # noqa: S102  # see above

    def value(self, text: Any, names: dict[str, Any], own: Any = None, /) -> Any:
        """Do what `eval` does."""
        return eval(self._code(text, "eval"), names, own)  # noqa: S307  # see above

    def keep(self) -> None:
        """Write what is new, in one piece; nothing where Python writes no bytecode or the folder is not ours."""
        if self._has_news and not sys.dont_write_bytecode:
            self._has_news = False
            body = marshal.dumps(self._octets)
            if len(body) > MOST_BYTES:
                body = marshal.dumps({})
            spare = f"{self._path}.{os.getpid()}"
            with suppress(OSError):
                _write(spare, _HEAD + len(body).to_bytes(8, "big") + body)
                os.replace(spare, self._path)  # noqa: PTH105  # pathlib comes later

    def _code(self, text: Any, mode: str) -> Any:
        if not isinstance(text, str):
            return text
        return self.kept(text, lambda: compile(text, "<string>", mode, dont_inherit=True))

    def kept(self, text: str, make: Callable[[], Any]) -> Any:
        """Return what was made of a text once, in this process or another."""
        if self._octets is None:
            self._octets = _read(self._path)
        if (octets := self._octets.get(text)) is not None:
            return marshal.loads(octets)  # noqa: S302  # as bytecode is read
        made = make()
        self._octets[text] = marshal.dumps(made)
        self._has_news = True
        return made


class KeptPatterns:
    """Does what `re._compiler.compile` does, with what was found out about an expression before."""

    def __init__(self, kept: KeptCode, compiler: Any) -> None:
        self._kept = kept
        self._compiler = compiler
        self._compile = compiler.compile

    def compile(self, pattern: Any, flags: int = 0) -> re.Pattern[Any]:
        """Return the compiled expression."""
        found: re.Pattern[Any]
        flags = int(flags)
        if type(pattern) is not str or flags & re.DEBUG or _is_one_set(pattern):
            found = self._compile(pattern, flags)
            return found
        all_flags, octets, *groups = self._kept.kept(f"\0{flags}\0{pattern}", lambda: self._facts(pattern, flags))
        try:
            found = self._compiler._sre.compile(pattern, all_flags, array("I", octets).tolist(), *groups)  # noqa: SLF001  # see above
        except (RuntimeError, OverflowError, TypeError, ValueError):  # what was kept is damaged
            found = self._compile(pattern, flags)
        return found

    def _facts(self, pattern: str, flags: int) -> tuple[Any, ...]:
        """Return what `_sre.compile` wants, as the standard library finds it."""
        parsed = self._compiler._parser.parse(pattern, flags)  # noqa: SLF001  # see above
        code = self._compiler._code(parsed, flags)  # noqa: SLF001  # see above
        state = parsed.state
        names: list[str | None] = [None] * state.groups
        for name, number in state.groupdict.items():
            names[number] = name
        all_flags = int(flags | state.flags)
        return all_flags, array("I", code).tobytes(), state.groups - 1, dict(state.groupdict), tuple(names)


def _is_one_set(pattern: str) -> bool:
    """Whether an expression is one set of characters, quickly compiled.

    The standard library makes some (`email`) of Python's sets, whose order is another in each process: kept, they would
    let the file grow with every start.
    """
    bare = pattern.strip("()")
    return bare.startswith("[") and bare.endswith("]+")


def _read(path: str) -> dict[str, bytes]:
    """Return what a file holds; nothing where it is missing, cut short or of another Python."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # pathlib comes later
            octets = file.read()
    except OSError:
        return {}
    start = len(_HEAD) + 8
    if not octets.startswith(_HEAD) or int.from_bytes(octets[len(_HEAD) : start], "big") != len(octets) - start:
        return {}
    kept: dict[str, bytes] = marshal.loads(memoryview(octets)[start:])  # noqa: S302  # as above
    return kept


def _write(path: str, octets: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    with open(descriptor, "wb") as file:  # noqa: PTH123  # a descriptor
        file.write(octets)


KEPT: Final = KeptCode(f"{os.path.splitext(__spec__.cached or __file__)[0]}.kept")  # noqa: PTH122  # as above
"""What this process keeps."""


def keep_code() -> None:
    """Have records, named tuples and expressions made of kept code from now on."""
    # Names of the modules, where they would otherwise find the built-in functions.
    vars(dataclasses)["exec"] = KEPT.run
    vars(collections)["eval"] = KEPT.value
    compiler = getattr(re, "_compiler", None)
    if all(hasattr(compiler, name) for name in ("compile", "_sre", "_parser", "_code")):
        vars(compiler)["compile"] = KeptPatterns(KEPT, compiler).compile
    atexit.register(KEPT.keep)
