"""Code that Python makes of text in every process anew, for records and named tuples: compiled once and kept.

A start of the screen makes a hundred such classes, and compiling their methods was a tenth of the way to its first
frame. The code is kept beside the bytecode of this module and under the same rules: where Python may write none, none
is kept, and whoever could change the one could change the other. It is found by the text that it is made of, so that
it is never that of another text.
"""

from __future__ import annotations

import atexit
import collections
import dataclasses
import marshal
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tui_dl._version import __version__

if TYPE_CHECKING:
    from types import CodeType

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
        exec(self._code(text, "exec") if isinstance(text, str) else text, names, own, **more)  # noqa: S102  # see above

    def value(self, text: Any, names: dict[str, Any], own: Any = None, /) -> Any:
        """Do what `eval` does."""
        return eval(self._code(text, "eval") if isinstance(text, str) else text, names, own)  # noqa: S307  # see above

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

    def _code(self, text: str, mode: str) -> CodeType:
        if self._octets is None:
            self._octets = _read(self._path)
        if (octets := self._octets.get(text)) is not None:
            kept: CodeType = marshal.loads(octets)  # noqa: S302  # as bytecode is read
            return kept
        code = compile(text, "<string>", mode, dont_inherit=True)
        self._octets[text] = marshal.dumps(code)
        self._has_news = True
        return code


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
    """Have the methods of records and the constructors of named tuples made of kept code from now on."""
    # Names of the two modules, where they would otherwise find the built-in functions.
    vars(dataclasses)["exec"] = KEPT.run
    vars(collections)["eval"] = KEPT.value
    atexit.register(KEPT.keep)
